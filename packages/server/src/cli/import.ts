import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { countsOf, importReading } from '../school/import-reading.js';
import { readSchool } from '../school/read-school.js';
import type { SchoolReading } from '../school/school-reading.js';
import { SCHOOL_LISTS } from '../school/school-rows.js';
import type { Withdrawals } from '../school/withdrawals.js';
import type { ImportReport, Storage } from '../storage/port.js';
import { today } from '../storage/today.js';
import { visible, visibleJson } from '../visible-text.js';
import { nameOf } from './database-name.js';
import { loadDatabaseConfig } from './environment.js';
import { CommandFailure } from './failure.js';

interface ImportOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly withdrawMissing?: boolean;
}

export function addImport(program: Command): void {
  program
    .command('import')
    .argument('<path>', 'school file (JSON), OneRoster 1.1 or 1.2 CSV folder, or a zip of one')
    .summary('add and change people, courses, enrolments and sessions')
    .description(
      'Adds and changes people, courses, enrolments and sessions. Importing the same files again changes nothing. ' +
        'If rows are bad, each one is named with its file, its line and what is wrong, and nothing is imported.',
    )
    .option('--dry-run', 'tell what would be added, changed and left, and store nothing')
    .option('--withdraw-missing', 'reject the enrolments of a OneRoster class that its bundle no longer names')
    .option('--json', 'print {added, changed, left} with a count per list')
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall import school.json --dry-run\n  rollcall import oneroster.zip --withdraw-missing --json\n',
    )
    .action(runImport);
}

async function runImport(path: string, options: ImportOptions): Promise<void> {
  const config = loadDatabaseConfig();
  const reading = await readSchool(path, today());
  const { openStorage } = await import('./open-storage.js');
  const { database } = config;
  // An import that keeps nothing makes nothing, not even a database: one that isn't there yet is at first imagined.
  const isNew = database.kind === 'sqlite' && database.path !== ':memory:' && !existsSync(database.path);
  // With bad rows, the good ones are only tried, so that references that lead nowhere are named at the same time.
  const dryRun = options.dryRun === true || reading.faults > 0 || isNew;
  const storage = isNew ? await emptyStorage() : await openStorage(config, 'import');
  const withdrawMissing = options.withdrawMissing === true;
  let { report, withdrawals } = await importReading(storage, reading, { withdrawMissing, dryRun }).finally(() =>
    storage.close(),
  );
  reading.addUnresolved(report.unresolved);
  if (reading.faults > 0) throw refusal(reading);

  if (isNew && options.dryRun !== true) {
    const made = await openStorage(config, 'import');
    const how = { withdrawMissing: false, dryRun: false };
    ({ report, withdrawals } = await importReading(made, reading, how).finally(() => made.close()));
  }
  process.stdout.write(
    options.json
      ? `${visibleJson(JSON.stringify(countsOf(report, reading, withdrawals)))}\n`
      : table(report, reading, { ...options, ...withdrawals, into: nameOf(database) }),
  );
}

/** Tells every fault. */
function refusal(reading: SchoolReading): CommandFailure {
  const lines = reading.problemLines();
  process.stderr.write(`${lines.join('\n')}\n`);
  // Not so many rows: a row may have several, and a file that is no school at all has none.
  const all = reading.faults === 1 ? 'there is 1 fault' : `there are ${reading.faults} faults`;
  return new CommandFailure(`nothing was imported: ${all}${reading.isFull ? ', and what follows was not read' : ''}`);
}

async function emptyStorage(): Promise<Storage> {
  const { openStorage } = await import('../storage/open.js');
  return openStorage({ kind: 'sqlite', path: ':memory:' }, { warn: () => {} });
}

const OFF_ROSTER = {
  ended: 'enrolments that ended',
  not_begun: 'enrolments that have not begun',
  disabled: 'disabled users',
} as const;

/** Of the enrolments that a bundle no longer names, how many are named one by one. */
const MISSING_SHOWN = 20;

interface Telling extends Withdrawals {
  readonly dryRun?: boolean;
  readonly withdrawMissing?: boolean;
  readonly into: string;
}

function table({ added, changed, left }: ImportReport, { ignored, offRoster }: SchoolReading, told: Telling): string {
  const dry = told.dryRun === true;
  const row = (name: string, ...cells: readonly (string | number)[]) =>
    `${name.padEnd(12)}${cells.map((cell) => String(cell).padStart(11)).join('')}`;
  const off = (Object.keys(OFF_ROSTER) as (keyof typeof OFF_ROSTER)[]).filter((what) => offRoster[what] > 0);
  return `${[
    dry ? 'A dry run: nothing was stored.' : `Imported into ${told.into}.`,
    row('', dry ? 'to add' : 'added', dry ? 'to change' : 'changed', 'left'),
    ...SCHOOL_LISTS.map((list) => row(list, added[list], changed[list], left[list])),
    ...Object.entries(ignored).map(([what, count]) => `left out: ${what}: ${count}`),
    ...off.map((what) => `off the roster: ${OFF_ROSTER[what]}: ${offRoster[what]}`),
    ...(told.withdrawn > 0 ? [`${dry ? 'to be withdrawn' : 'withdrawn'}: enrolments: ${told.withdrawn}`] : []),
    ...missingLines(told),
  ]
    .map(visible)
    .join('\n')}\n`;
}

function missingLines({ missing, withdrawMissing }: Telling): string[] {
  if (missing.length === 0) return [];
  const cure = withdrawMissing ? '' : ' (--withdraw-missing rejects them)';
  const more = missing.length - MISSING_SHOWN;
  return [
    `no longer named: enrolments: ${missing.length}${cure}`,
    ...missing
      .slice(0, MISSING_SHOWN)
      .map(({ course_id, student_id, name }) => `  ${course_id}: ${student_id} (${name})`),
    ...(more > 0 ? [`  and ${more} more, which --json names`] : []),
  ];
}
