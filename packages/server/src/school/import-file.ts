import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Database } from '../config/readers.js';
import type { Storage } from '../storage/port.js';
import { today } from '../storage/today.js';
import { countsOf, type ImportCounts, type ImportHow, importReading } from './import-reading.js';
import { readSchool } from './read-school.js';

export type ImportFileOptions = ImportHow;

/** What came of an import: the counts, or every fault as `file:LINE: what`, and then nothing was imported. */
export type ImportOutcome = { readonly counts: ImportCounts } | { readonly faults: readonly string[] };

/** Faults that are told over HTTP; the command line tells all. */
const FAULTS_MAX = 1_000;

const ROLLCALL = fileURLToPath(new URL('../../bin/rollcall.js', import.meta.url));

/**
 * Imports a file for a running server. A school of half a million enrolments takes seconds and hundreds of megabytes to
 * read, so that is done by a process of its own, as `rollcall import` would. A database in memory, and the connection of
 * an app, are this process' own.
 */
export function schoolImporter(storage: Storage, database: Database | null) {
  const here = database === null || (database.kind === 'sqlite' && database.path === ':memory:');
  return here
    ? (path: string, how: ImportHow) => importHere(storage, path, how)
    : (path: string, how: ImportHow) => importBeside(urlOf(database), path, how);
}

const urlOf = (database: Database): string => (database.kind === 'sqlite' ? `sqlite:${database.path}` : database.uri);

async function importHere(storage: Storage, path: string, how: ImportHow): Promise<ImportOutcome> {
  let reading: Awaited<ReturnType<typeof readSchool>>;
  try {
    reading = await readSchool(path, today());
  } catch (error) {
    return { faults: [error instanceof Error ? error.message : String(error)] };
  }
  const tried = reading.faults > 0;
  const { report, withdrawals } = await importReading(storage, reading, { ...how, dryRun: how.dryRun || tried });
  reading.addUnresolved(report.unresolved);
  return reading.faults > 0
    ? { faults: reading.problemLines().slice(0, FAULTS_MAX) }
    : { counts: countsOf(report, reading, withdrawals) };
}

/** @throws {Error} where the process could not do it at all */
async function importBeside(url: string, path: string, how: ImportHow): Promise<ImportOutcome> {
  const options = [...(how.dryRun ? ['--dry-run'] : []), ...(how.withdrawMissing ? ['--withdraw-missing'] : [])];
  const { status, output, complaints } = await run(['import', path, '--json', ...options], url);
  if (status === 0) return { counts: JSON.parse(output) as ImportCounts };
  if (status !== 1) throw new Error(`the import ended with ${status}: ${complaints.slice(-2_000)}`);
  const lines = complaints.split('\n').filter((line) => line !== '');
  // The last one is the command's own summary, unless it is all there is to say.
  const faults = lines.length > 1 ? lines.slice(0, -1) : lines.map((line) => line.replace(/^rollcall: /, ''));
  return { faults: faults.slice(0, FAULTS_MAX) };
}

interface Run {
  readonly status: number | null;
  readonly output: string;
  readonly complaints: string;
}

function run(args: readonly string[], databaseUrl: string): Promise<Run> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, DATABASE_URL: databaseUrl, LOG_LEVEL: 'silent' };
    const child = spawn(process.execPath, [ROLLCALL, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const read = { output: '', complaints: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      read.output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      read.complaints += text;
    });
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, ...read }));
  });
}
