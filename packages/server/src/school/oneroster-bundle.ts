import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { type UnzipFileInfo, unzipSync } from 'fflate';
import { decodeUtf8 } from './school-file.js';
import type { Place, SchoolReading } from './school-reading.js';

/** Most bytes that the files of one zip may unpack to: far above any real bundle, far below what hurts. */
export const UNPACKED_MAX_BYTES = 256 * 1024 * 1024;

/** The CSV files of a OneRoster folder or zip, wherever they are kept. */
export interface Bundle {
  /** How a file of it is called in problems. */
  nameOf(file: string): string;
  read(file: string): Promise<Uint8Array | null>;
}

export async function openFolder(path: string): Promise<Bundle> {
  const files = new Set(await readdir(path));
  return {
    nameOf: (file) => join(path, file),
    read: async (file) => {
      if (!files.has(file)) return null;
      const at = join(path, file);
      return (await stat(at)).isFile() ? readFile(at) : null;
    },
  };
}

/**
 * A zip, with its files at the top or all in one folder. Nothing is written to disk.
 * @throws {Error} when it is no zip, or unpacks to more than `maxBytes`
 */
export function openZip(bytes: Uint8Array, path: string, maxBytes = UNPACKED_MAX_BYTES): Bundle {
  let total = 0;
  let files: Record<string, Uint8Array>;
  const wanted = ({ name, originalSize }: UnzipFileInfo): boolean => {
    if (!name.endsWith('.csv') || name.startsWith('__MACOSX/')) return false;
    total += originalSize;
    if (total > maxBytes) throw new Error(`unpacks to more than ${Math.floor(maxBytes / 1024 / 1024)} MB`);
    return true;
  };
  try {
    // Each file is unpacked into a buffer of the size it declares, so one that lies about it gains nothing.
    files = unzipSync(bytes, { filter: wanted });
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const manifest = Object.keys(files)
    .filter((name) => basename(name) === 'manifest.csv')
    .sort((a, b) => a.split('/').length - b.split('/').length)[0];
  const folder = manifest === undefined ? '.' : dirname(manifest);
  const inside = (file: string) => (folder === '.' ? file : `${folder}/${file}`);
  return {
    nameOf: (file) => `${path}/${inside(file)}`,
    read: async (file) => (Object.hasOwn(files, inside(file)) ? (files[inside(file)] ?? null) : null),
  };
}

export interface CsvRow extends Place {
  /** The cell of a column, without the spaces around it; empty where the file has no such column. */
  cell(column: string): string;
}

/** The rows of a CSV file whose first line names the columns, in any order. What is wrong becomes a problem. */
export function readTable(
  bytes: Uint8Array,
  file: string,
  required: readonly string[],
  reading: SchoolReading,
): CsvRow[] {
  const text = decodeUtf8(bytes);
  if (text === null) {
    reading.refuse({ file, line: 1 }, 'is not UTF-8 text');
    return [];
  }
  const [head, ...lines] = parseCsv(text, file, reading);
  if (!head) {
    if (reading.problems.length === 0) reading.refuse({ file, line: 1 }, 'the file is empty');
    return [];
  }
  const columns = new Map(head.cells.map((column, index) => [column.toLowerCase(), index]));
  const missing = required.filter((column) => !columns.has(column.toLowerCase()));
  if (missing.length > 0) {
    reading.refuse({ file, line: head.line }, `missing column${missing.length > 1 ? 's' : ''} ${missing.join(', ')}`);
    return [];
  }
  return lines.flatMap(({ line, cells }) => {
    if (cells.length < head.cells.length || cells.slice(head.cells.length).some((cell) => cell !== '')) {
      reading.refuse({ file, line }, `has ${cells.length} cells where the first line has ${head.cells.length}`);
      return [];
    }
    return [{ file, line, cell: (column: string) => cells[columns.get(column.toLowerCase()) ?? -1] ?? '' }];
  });
}

interface CsvLine {
  readonly line: number;
  readonly cells: string[];
}

function parseCsv(text: string, file: string, reading: SchoolReading): CsvLine[] {
  const lines: CsvLine[] = [];
  try {
    parse(text, {
      relax_column_count: true,
      skip_empty_lines: true,
      on_record: (record: string[], context) => {
        // csv-parse counts to the line on which a record ends; people look for the one on which it begins.
        const inside = record.reduce((sum, cell) => sum + (cell.match(/\r\n|\r|\n/g)?.length ?? 0), 0);
        lines.push({ line: context.lines - inside, cells: record.map((cell) => cell.trim()) });
        return null;
      },
    });
  } catch (error) {
    const line = error instanceof Error && 'lines' in error ? Number(error.lines) : 1;
    reading.refuse({ file, line }, `not CSV: ${error instanceof Error ? error.message : String(error)}`);
  }
  return lines;
}
