import { isUtf8 } from 'node:buffer';

/** What makes a file unreadable as text: the line, from 1, and what is wrong there with its cure. */
export interface TextFault {
  readonly line: number;
  readonly what: string;
}

const SAVE_AS_UTF8 = 'save it as UTF-8 (in Excel: "CSV UTF-8")';
const LINE_FEED = 0x0a;

/** What keeps bytes from being UTF-8 text, or null where nothing does. */
export function textFaultOf(bytes: Uint8Array): TextFault | null {
  if (isUtf16(bytes)) return { line: 1, what: `is not UTF-8 text but UTF-16: ${SAVE_AS_UTF8}` };
  if (isUtf8(bytes)) return null;
  let line = 1;
  for (let from = 0; ; line++) {
    const end = bytes.indexOf(LINE_FEED, from);
    const text = bytes.subarray(from, end === -1 ? bytes.length : end);
    if (!isUtf8(text) || end === -1) return { line, what: `is not UTF-8 text${firstBadByte(text)}: ${SAVE_AS_UTF8}` };
    from = end + 1;
  }
}

/** Text without its byte-order mark. The bytes must be UTF-8. */
export const textOf = (bytes: Uint8Array): string => new TextDecoder('utf-8').decode(bytes);

function isUtf16(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  // Without a byte-order mark: every other byte of European text is zero.
  const start = bytes.subarray(0, 64);
  return start.length >= 4 && start.filter((byte) => byte === 0).length >= start.length / 3;
}

/** The byte that is wrong and what stands before it in its cell, by which people find the place. */
function firstBadByte(line: Uint8Array): string {
  let end = 0;
  while (end < line.length) {
    const size = [1, 2, 3, 4].find((length) => end + length <= line.length && isUtf8(line.subarray(end, end + length)));
    if (size === undefined) break;
    end += size;
  }
  const before = /[^,;\t"]*$/.exec(textOf(line.subarray(0, end)).slice(-20))?.[0] ?? '';
  const byte = line[end]?.toString(16).toUpperCase().padStart(2, '0');
  return byte === undefined ? '' : ` (byte ${byte} after "${before}")`;
}
