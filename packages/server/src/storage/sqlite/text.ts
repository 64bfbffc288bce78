/**
 * The driver cuts text at U+0000 when it reads and replaces lone surrogates when it writes, so two different ids
 * could meet in one row. Such characters, and the escape itself, are stored as U+001A and what follows it.
 */
const ESCAPE = '\u001a';
const UNSAFE = new RegExp(`[\0${ESCAPE}]|\\p{Surrogate}`, 'gu');
const ESCAPED = new RegExp(`${ESCAPE}([0-9a-f]{4})`, 'g');

const hasUnsafe = (text: string): boolean => text.search(UNSAFE) >= 0;

/** Text as it is stored. */
export const encodeText = (text: string): string =>
  hasUnsafe(text) ? text.replace(UNSAFE, (found) => ESCAPE + found.charCodeAt(0).toString(16).padStart(4, '0')) : text;

/** Text as it was before encodeText. */
export const decodeText = (text: string): string =>
  text.includes(ESCAPE)
    ? text.replace(ESCAPED, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;

const decodeValue = (value: unknown): unknown => {
  if (typeof value === 'string') return decodeText(value);
  return Array.isArray(value) ? value.map(decodeValue) : value;
};

/** The rows of a query that answers JSON: an array of arrays. */
export function parseRows(json: string): unknown[][] {
  const rows: unknown = JSON.parse(json);
  if (!Array.isArray(rows)) throw new TypeError('a query for rows answered something else');
  return json.includes('\\u001a') || json.includes(ESCAPE) ? rows.map((row) => decodeValue(row) as unknown[]) : rows;
}
