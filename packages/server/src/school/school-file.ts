import { printParseErrorCode, visit } from 'jsonc-parser';
import type { SchoolList } from '../storage/port.js';
import type { SchoolReading } from './school-reading.js';
import { explain, SCHOOL_LISTS, schoolRows } from './school-rows.js';
import { textFaultOf, textOf } from './text-file.js';

/**
 * Reads a school file (JSON) into `reading`; whatever is wrong becomes a problem of its line.
 * @param file how the file is called in problems
 */
export function readSchoolFile(bytes: Uint8Array, file: string, reading: SchoolReading): void {
  const fault = readLists(bytes, file, reading);
  if (fault !== null) {
    reading.refuseAll({ file, line: fault.line }, fault.what);
    for (const list of SCHOOL_LISTS) reading.spoilList(list);
  }
  reading.reconcilePeople();
}

/** What makes the file useless as a whole, or null. */
function readLists(bytes: Uint8Array, file: string, reading: SchoolReading): { line: number; what: string } | null {
  const fault = textFaultOf(bytes);
  if (fault) return fault;
  const text = textOf(bytes);
  if (text.trim() === '') return { line: 1, what: 'the file is empty' };

  const parsed = parseStrictly(text);
  if ('error' in parsed) return { line: parsed.line, what: `not JSON: ${parsed.error}` };

  const { layout, value } = parsed;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { line: layout.line, what: `must be an object with ${SCHOOL_LISTS.join(', ')}` };
  }
  const names = new Set(layout.lists.map(({ name }) => name));
  for (const [index, { name, line, rows }] of layout.lists.entries()) {
    const place = { file, line };
    const list = SCHOOL_LISTS.find((known) => known === name);
    const values = (value as Readonly<Record<string, unknown>>)[name];
    if (list === undefined) {
      // It may be any of them under another name.
      for (const known of SCHOOL_LISTS.filter((one) => !names.has(one))) reading.spoilList(known);
      reading.refuseAll(place, `unknown list "${name}"; there are ${SCHOOL_LISTS.join(', ')}`);
    } else if (layout.lists.findIndex((other) => other.name === name) !== index) {
      reading.spoilList(list);
      reading.refuseAll(place, `${list} is there twice`);
    } else if (layout.lists.findLastIndex((other) => other.name === name) !== index) {
      // Of this one the rows are gone: JSON.parse has kept those of the last. That it's there twice is told there.
    } else if (!Array.isArray(values)) {
      reading.spoilList(list);
      reading.refuseAll(place, `${list} must be a list`);
    } else readList(list, values, rows, reading, file);
  }
  return null;
}

function readList(
  list: SchoolList,
  values: readonly unknown[],
  rows: Rows,
  reading: SchoolReading,
  file: string,
): void {
  for (const [index, value] of values.entries()) {
    if (reading.isFull) return;
    const place = { file, line: rows.lines[index] ?? 1 };
    const doubled = rows.doubled.get(index);
    const row = schoolRows[list].safeParse(value);
    if (row.success && doubled === undefined) reading.add(list, row.data, place);
    else {
      // JSON.parse has kept the last of two fields of one name and says nothing.
      const twice = doubled === undefined ? null : `"${doubled}" is there twice`;
      reading.refuse(place, [twice, row.success ? null : explain(row.error)].filter(Boolean).join('; '));
      const given = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
      reading.spoil(list, given['id'] || given['uid']);
    }
  }
}

/** Where the rows of a list stand. */
interface Rows {
  /** The line of each, from 1. */
  readonly lines: number[];
  /** Names of fields that are there twice, by the place of their row. */
  readonly doubled: Map<number, string>;
}

/** Where things stand in a school file, without what they are: JSON.parse knows that, and takes a tenth of the memory. */
interface Layout {
  /** Of the whole. */
  line: number;
  readonly lists: Array<{ readonly name: string; readonly line: number; readonly rows: Rows }>;
}

type Parsed = { layout: Layout; value: unknown } | { error: string; line: number };

/** Thrown to stop at the first error: it is the cause, and those after it are only its echoes. */
class NotJson extends Error {
  constructor(
    message: string,
    readonly line: number,
  ) {
    super(message);
  }
}

function parseStrictly(text: string): Parsed {
  try {
    return { layout: layoutOf(text), value: JSON.parse(text) };
  } catch (error) {
    if (error instanceof NotJson) return { error: error.message, line: error.line };
    if (error instanceof RangeError) return { error: 'nested too deeply', line: 1 };
    // The layout is read leniently in corners such as control characters; JSON.parse has the last word.
    const message = error instanceof Error ? error.message : String(error);
    const offset = Number(/position (\d+)/.exec(message)?.[1] ?? 0);
    return { error: message, line: text.slice(0, offset).split('\n').length };
  }
}

/** @throws {NotJson} */
function layoutOf(text: string): Layout {
  const layout: Layout = { line: 1, lists: [] };
  let depth = 0;
  let fields = new Set<string>();
  const begin = (line: number) => {
    if (depth === 0) layout.line = line + 1;
    if (depth !== 2) return;
    layout.lists.at(-1)?.rows.lines.push(line + 1);
    fields = new Set();
  };
  const open = (_offset: number, _length: number, line: number) => {
    begin(line);
    depth += 1;
  };
  const close = () => {
    depth -= 1;
  };
  visit(
    text,
    {
      onObjectBegin: open,
      onArrayBegin: open,
      onObjectEnd: close,
      onArrayEnd: close,
      onLiteralValue: (_value, _offset, _length, line) => begin(line),
      onObjectProperty: (name, _offset, _length, line) => {
        const rows = { lines: [], doubled: new Map() };
        if (depth === 1) layout.lists.push({ name, line: line + 1, rows });
        const list = layout.lists.at(-1)?.rows;
        if (depth !== 3 || !list) return;
        if (fields.has(name)) list.doubled.set(list.lines.length - 1, name);
        fields.add(name);
      },
      onError: (error, _offset, _length, line) => {
        throw new NotJson(inWords(printParseErrorCode(error)), line + 1);
      },
    },
    { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false },
  );
  return layout;
}

/** `CommaExpected` → `comma expected` */
const inWords = (code: string): string =>
  code.replace(/\B[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).toLowerCase();
