import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { SchoolList } from '../storage/port.js';
import type { Place, SchoolReading } from './school-reading.js';
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

  const lineAt = lineFinder(text);
  const parsed = parseStrictly(text);
  if ('error' in parsed) return { line: lineAt(parsed.offset), what: `not JSON: ${parsed.error}` };

  const { tree, value } = parsed;
  if (tree.type !== 'object') {
    return { line: lineAt(tree.offset), what: `must be an object with ${SCHOOL_LISTS.join(', ')}` };
  }
  const lists = value as Readonly<Record<string, unknown>>;
  const names = new Set<string>();
  const all = properties(tree).map(({ name }) => name);
  for (const { name, node } of properties(tree)) {
    const place = { file, line: lineAt(node.offset) };
    const list = SCHOOL_LISTS.find((known) => known === name);
    if (list === undefined) {
      // It may be any of them under another name.
      for (const known of SCHOOL_LISTS.filter((one) => !all.includes(one))) reading.spoilList(known);
      reading.refuseAll(place, `unknown list "${name}"; there are ${SCHOOL_LISTS.join(', ')}`);
    } else if (names.has(list)) {
      reading.spoilList(list);
      reading.refuseAll(place, `${list} is there twice`);
    } else if (all.indexOf(name) !== all.lastIndexOf(name)) {
      // Of this one the rows are gone: JSON.parse has kept those of the last. That it's there twice is told there.
    } else if (node.type !== 'array') {
      reading.spoilList(list);
      reading.refuseAll(place, `${list} must be a list`);
    } else {
      readList(list, node.children ?? [], lists[list] as readonly unknown[], reading, (row) => ({
        file,
        line: lineAt(row.offset),
      }));
    }
    names.add(name);
  }
  return null;
}

function readList(
  list: SchoolList,
  nodes: readonly Node[],
  values: readonly unknown[],
  reading: SchoolReading,
  placeOf: (row: Node) => Place,
): void {
  for (const [index, node] of nodes.entries()) {
    const place = placeOf(node);
    const value = values[index];
    const doubled = doubledName(node);
    const row = schoolRows[list].safeParse(value);
    if (row.success && doubled === null) reading.add(list, row.data, place);
    else {
      reading.refuse(place, [doubled, row.success ? null : explain(row.error)].filter(Boolean).join('; '));
      const given = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
      reading.spoil(list, given['id'] || given['uid']);
    }
  }
}

/** JSON.parse would keep the last of them and say nothing. */
function doubledName(row: Node): string | null {
  if (row.type !== 'object') return null;
  const names = properties(row).map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? null : `"${twice}" is there twice`;
}

const properties = (object: Node): Array<{ name: string; node: Node }> =>
  (object.children ?? []).flatMap((property) => {
    const [key, node] = property.children ?? [];
    return key && node ? [{ name: String(key.value), node }] : [];
  });

type Parsed = { tree: Node; value: unknown } | { error: string; offset: number };

function parseStrictly(text: string): Parsed {
  const errors: ParseError[] = [];
  let tree: Node | undefined;
  try {
    tree = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false });
  } catch (error) {
    if (error instanceof RangeError) return { error: 'nested too deeply', offset: 0 };
    throw error;
  }
  // The first error is the cause; those after it are only its echoes.
  const first = errors[0];
  if (first) return { error: inWords(printParseErrorCode(first.error)), offset: first.offset };
  try {
    return { tree: tree ?? { type: 'null', offset: 0, length: 0 }, value: JSON.parse(text) };
  } catch (error) {
    // The tree is built leniently in corners such as control characters; JSON.parse has the last word.
    const message = error instanceof Error ? error.message : String(error);
    return { error: message, offset: Number(/position (\d+)/.exec(message)?.[1] ?? 0) };
  }
}

/** `CommaExpected` → `comma expected` */
const inWords = (code: string): string =>
  code.replace(/\B[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).toLowerCase();

/** Line (from 1) of an offset, in O(log lines). */
function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
