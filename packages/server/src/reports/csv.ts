import { stringify } from 'csv-stringify/sync';
import type { Cell, Sheet } from './sheets-of.js';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

/** Text without NUL and other characters that steer a terminal or end a file; tab and line ends stay. */
export const withoutControls = (text: string): string => text.replace(CONTROLS, '');

const plain = (cell: Cell): Cell => (typeof cell === 'string' ? withoutControls(cell) : cell);

/**
 * A sheet as CSV that a spreadsheet opens as it is meant: UTF-8 with a byte-order mark and CRLF. Text that a
 * spreadsheet would take for a formula has an apostrophe before it.
 */
export function csvOf({ header, rows }: Pick<Sheet, 'header' | 'rows'>): Uint8Array<ArrayBuffer> {
  const text = stringify(
    [header, ...rows].map((row) => row.map(plain)),
    {
      bom: true,
      escape_formulas: true,
      // Some readers take one that stands alone for the end of a row.
      quoted_match: /\r/,
      record_delimiter: 'windows',
    },
  );
  return new TextEncoder().encode(text);
}
