import { execFile, execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'csv-parse/sync';

const run = promisify(execFile);

const required = (what: string): boolean =>
  (process.env['ROLLCALL_TEST_REQUIRE'] ?? '').split(',').some((name) => name.trim() === what);

function isThere(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const PYTHON = process.env['ROLLCALL_TEST_PYTHON'] || 'python3';
/** Beside the source of this file: it isn't compiled, and stays where it is. */
const SCRIPT = fileURLToPath(new URL('../../src/end-to-end/read-report.py', import.meta.url));

export const noPython = !isThere(PYTHON, ['-c', 'import openpyxl, icalendar']);
export const PYTHON_MISSING =
  ': needs a Python with openpyxl and icalendar, by packages/server/src/end-to-end/python-client.requirements.txt, at ROLLCALL_TEST_PYTHON';
if (noPython && required('python')) throw new Error(`${PYTHON} will not do${PYTHON_MISSING}`);

export const noLibreOffice = !isThere('soffice', ['--version']);
export const LIBREOFFICE_MISSING = ': needs LibreOffice, with soffice on the PATH';
if (noLibreOffice && required('libreoffice')) throw new Error(`soffice will not do${LIBREOFFICE_MISSING}`);

export interface SheetRead {
  readonly name: string;
  /** The first cell that moves, such as `D2`. */
  readonly frozen: string | null;
  /** Value and type: `s` text, `n` a number or nothing, `f` a formula. */
  readonly cells: ReadonlyArray<ReadonlyArray<readonly [value: string | number | null, type: string]>>;
}

/** A workbook, as openpyxl reads it. */
export async function openpyxl(file: string): Promise<SheetRead[]> {
  return JSON.parse((await run(PYTHON, [SCRIPT, file], { maxBuffer: 1e8 })).stdout);
}

export interface EventRead {
  readonly uid: string;
  readonly stamp: string;
  readonly start: string;
  readonly end: string | null;
  readonly summary: string;
  readonly description: string;
  readonly status: string;
  readonly errors: readonly string[];
}

/** The events of a calendar, as the icalendar package reads them. */
export async function icalendar(file: string): Promise<EventRead[]> {
  return JSON.parse((await run(PYTHON, [SCRIPT, file])).stdout);
}

/** Comma, double quote, UTF-8, from line 1, text stays text as it is shown, every sheet. */
const CSV_OF_ALL_SHEETS = 'csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1';

/** The sheets of a workbook or the table of a CSV file as LibreOffice shows them, by name. */
export async function libreOffice(file: string): Promise<Map<string, string[][]>> {
  const out = join(dirname(file), `seen-${basename(file)}`);
  await mkdir(out);
  // A profile of its own: another LibreOffice may be running.
  const profile = `-env:UserInstallation=file://${join(out, 'profile')}`;
  // Where nobody looks on, it doesn't look for a byte-order mark by itself.
  const utf8 = file.endsWith('.csv') ? ['--infilter=CSV:44,34,76,1'] : [];
  await run('soffice', [profile, '--headless', ...utf8, '--convert-to', CSV_OF_ALL_SHEETS, '--outdir', out, file]);
  const sheets = new Map<string, string[][]>();
  for (const name of await readdir(out)) {
    if (!name.endsWith('.csv')) continue;
    const sheet = /-([^-]+)\.csv$/.exec(name)?.[1] ?? name;
    sheets.set(sheet, parse(await readFile(join(out, name), 'utf8'), { relax_column_count: true, bom: true }));
  }
  return sheets;
}
