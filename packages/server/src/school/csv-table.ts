import { parse } from 'csv-parse/sync';
import type { Place, SchoolReading } from './school-reading.js';
import { textFaultOf, textOf } from './text-file.js';

/** How much of a file is text at one time, in bytes: a file of any size costs no more memory than this. */
const SLICE_BYTES = 1024 * 1024;
const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** A row of a table. It isn't kept: what is needed of it is read while the table is. */
export interface CsvRow extends Place {
  /** The cell of a column, without the spaces around it; empty where the file has no such column. */
  cell(column: string): string;
}

/** What becomes of the rows of a table. */
export interface TableReader {
  /** Columns without which the table says nothing. */
  readonly required: readonly string[];
  row(row: CsvRow): void;
  /** A row that is refused, with the cells that it has, so that references to it are no faults of their own. */
  refused?(row: CsvRow): void;
}

/**
 * Reads a CSV file whose first line names the columns, in any order and letter case. What is wrong becomes a problem.
 * @returns false where the table as a whole can't be used, for a cause that is told once
 */
export function readTable(bytes: Uint8Array, file: string, reader: TableReader, reading: SchoolReading): boolean {
  const refuse = (line: number, what: string): false => {
    reading.refuseAll({ file, line }, what);
    return false;
  };
  const fault = textFaultOf(bytes);
  if (fault) return refuse(fault.line, fault.what);

  let head: Head | undefined;
  for (const { line, cells, error } of records(bytes)) {
    if (error !== undefined) return refuse(line, `not CSV: ${error}`);
    if (cells.every(isBlank)) continue;
    if (reading.isFull) return false;
    if (!head) {
      if (cells.length === 1 && /^sep=,$/i.test(cells[0] ?? '')) continue;
      const read = readHead(cells, reader.required);
      if (typeof read === 'string') return refuse(line, read);
      head = read;
      continue;
    }
    const row = new Row(file, line, cells, head);
    const isWhole = cells.length >= head.width;
    if (isWhole && (cells.length <= head.cells || cells.slice(head.cells).every(isBlank))) reader.row(row);
    else {
      reading.refuse(row, `has ${cells.length} cells where the first line has ${head.width}`);
      reader.refused?.(row);
    }
  }
  return head ? true : refuse(1, 'the file is empty');
}

interface Head {
  /** Where each column is, by its name in lower case. */
  readonly columns: ReadonlyMap<string, number>;
  /** Cells up to the last one that has a name, and all of them. */
  readonly width: number;
  readonly cells: number;
}

class Row implements CsvRow {
  constructor(
    readonly file: string,
    readonly line: number,
    private readonly cells: readonly string[],
    private readonly head: Head,
  ) {}

  cell(column: string): string {
    return this.cells[this.head.columns.get(lowerCase(column)) ?? -1] ?? '';
  }
}

/** Of the few columns that are read, asked for with every row. */
const lowered = new Map<string, string>();

function lowerCase(column: string): string {
  const known = lowered.get(column);
  if (known !== undefined) return known;
  const found = column.toLowerCase();
  lowered.set(column, found);
  return found;
}

const SEPARATORS = [
  [';', 'semicolons'],
  ['\t', 'tabs'],
  ['|', 'bars'],
] as const;

/** The columns that a first line names, or what is wrong with it. */
function readHead(cells: readonly string[], required: readonly string[]): Head | string {
  const columns = new Map<string, number>();
  for (const [index, name] of cells.entries()) {
    // A spreadsheet leaves columns without a name where somebody once clicked.
    if (name === '') continue;
    const other = columns.get(name.toLowerCase());
    if (other !== undefined) return `the column ${name} is there twice, as number ${other + 1} and ${index + 1}`;
    columns.set(name.toLowerCase(), index);
  }
  const missing = required.filter((column) => !columns.has(column.toLowerCase()));
  if (missing.length === 0) return { columns, width: Math.max(...columns.values()) + 1, cells: cells.length };
  const text = cells.join(',');
  const other = SEPARATORS.find(([separator]) => text.split(separator).length > Math.max(1, cells.length));
  if (other) {
    return `its cells are separated by ${other[1]}, not by commas: save it with commas (in Excel: "CSV UTF-8 (Comma delimited)")`;
  }
  return `missing column${missing.length > 1 ? 's' : ''} ${missing.join(', ')}`;
}

interface CsvRecord {
  /** On which the record begins, from 1. */
  readonly line: number;
  readonly cells: string[];
  readonly error?: string;
}

/** The records of a file slice by slice, whatever its line ends are. The bytes must be UTF-8. */
function* records(bytes: Uint8Array): Generator<CsvRecord> {
  let line = 1;
  for (let from = 0; from < bytes.length; ) {
    const end = endOfRecords(bytes, from);
    const text = textOf(bytes.subarray(from, end)).replace(/\r\n?/g, '\n');
    for (const record of recordsOf(text, line)) {
      yield record;
      if (record.error !== undefined) return;
    }
    line += countOf('\n', text);
    from = end;
  }
}

/** Where a slice of about SLICE_BYTES ends: after a line end that is not inside quotes. */
function endOfRecords(bytes: Uint8Array, from: number): number {
  let quoted = false;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted || at - from < SLICE_BYTES) continue;
    else if (byte === LINE_FEED || (byte === CARRIAGE_RETURN && bytes[at + 1] !== LINE_FEED)) return at + 1;
  }
  return bytes.length;
}

/**
 * Lines without a quote are split here, which takes a seventeenth of the time of a parser (217 MB: 2 s instead of 33).
 * Everything with a quote in it is the parser's.
 */
function* recordsOf(text: string, firstLine: number): Generator<CsvRecord> {
  let line = firstLine;
  let quote = endOr(text, text.indexOf('"'));
  for (let at = 0; at < text.length; ) {
    const end = endOr(text, text.indexOf('\n', at));
    if (end <= quote) {
      yield { line, cells: text.slice(at, end).split(',').map(trimmed) };
      line += 1;
      at = end + 1;
      continue;
    }
    const upTo = endOfQuoted(text, at);
    const part = text.slice(at, upTo);
    yield* parsed(part, line);
    line += countOf('\n', part);
    at = upTo;
    quote = endOr(text, text.indexOf('"', at));
  }
}

const endOr = (text: string, at: number): number => (at === -1 ? text.length : at);
const isBlank = (cell: string): boolean => cell === '';
const trimmed = (cell: string): string => cell.trim();

function countOf(one: string, text: string): number {
  let count = 0;
  for (let at = text.indexOf(one); at !== -1; at = text.indexOf(one, at + 1)) count += 1;
  return count;
}

/** The end of the records from `at` on that have quotes: after the first line end behind them that is inside none. */
function endOfQuoted(text: string, at: number): number {
  for (let from = at, quotes = 0; from < text.length; ) {
    const end = endOr(text, text.indexOf('\n', from));
    const here = countOf('"', text.slice(from, end));
    if (here === 0 && quotes % 2 === 0) return from;
    quotes += here;
    from = end + 1;
  }
  return text.length;
}

function parsed(text: string, firstLine: number): CsvRecord[] {
  const found: CsvRecord[] = [];
  try {
    parse(text, {
      record_delimiter: '\n',
      relax_column_count: true,
      skip_empty_lines: true,
      on_record: (record: string[], context) => {
        // csv-parse counts to the line on which a record ends; people look for the one on which it begins.
        const inside = record.reduce((sum, cell) => sum + countOf('\n', cell), 0);
        found.push({ line: firstLine + context.lines - 1 - inside, cells: record.map(trimmed) });
        return null;
      },
    });
  } catch (error) {
    const line = error instanceof Error && 'lines' in error ? Number(error.lines) : 1;
    const what = (error instanceof Error ? error.message : String(error)).replace(/ (at|on) line \d+.*$/s, '');
    found.push({ line: firstLine + line - 1, cells: [], error: what });
  }
  return found;
}
