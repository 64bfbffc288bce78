import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { readSchool } from '../school/read-school.js';
import { SCHOOL_LISTS } from '../school/school-rows.js';
import type { ImportReport, School, Storage } from '../storage/port.js';
import { nameOf } from './database-name.js';
import { loadDatabaseConfig } from './environment.js';
import { CommandFailure } from './failure.js';

interface ImportOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function addImport(program: Command): void {
  program
    .command('import')
    .argument('<path>', 'school file (JSON), OneRoster 1.1 or 1.2 CSV folder, or a zip of one')
    .summary('bring in people, courses, enrolments and sessions')
    .description(
      'Adds and changes people, courses, enrolments and sessions. A second import of the same changes nothing. ' +
        'Where a row is bad, each is named as file:LINE: what, and nothing of the import is kept.',
    )
    .option('--dry-run', 'tell what would be added, changed and left, and store nothing')
    .option('--json', 'print {added, changed, left} with a count per list')
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall import school.json --dry-run\n  rollcall import oneroster.zip --json\n',
    )
    .action(runImport);
}

async function runImport(path: string, options: ImportOptions): Promise<void> {
  const config = loadDatabaseConfig();
  const reading = await readSchool(path);
  const { openStorage } = await import('./open-storage.js');
  const { database } = config;
  // An import that keeps nothing makes nothing, not even a database: one that isn't there yet is at first imagined.
  const isNew = database.kind === 'sqlite' && database.path !== ':memory:' && !existsSync(database.path);
  // With bad rows, the good ones are only tried, so that references that lead nowhere are named at the same time.
  const dryRun = options.dryRun === true || reading.problems.length > 0 || isNew;
  const storage = isNew ? await emptyStorage() : await openStorage(config, 'import');
  let report = await importInto(storage, reading.school, dryRun);
  reading.addUnresolved(report.unresolved);
  const lines = reading.problemLines();
  if (lines.length > 0) {
    process.stderr.write(`${lines.join('\n')}\n`);
    // Not so many rows: a row may have several, and a file that is no school at all has none.
    throw new CommandFailure(
      `nothing was imported: ${lines.length === 1 ? 'there is 1 fault' : `there are ${lines.length} faults`}`,
    );
  }

  if (isNew && options.dryRun !== true) {
    report = await importInto(await openStorage(config, 'import'), reading.school, false);
  }
  const { added, changed, left } = report;
  const { ignored } = reading;
  const hasIgnored = Object.keys(ignored).length > 0;
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ added, changed, left, ...(hasIgnored ? { ignored } : {}) })}\n`
      : table(report, ignored, options.dryRun === true ? null : nameOf(database)),
  );
}

async function importInto(storage: Storage, school: School, dryRun: boolean): Promise<ImportReport> {
  try {
    return await storage.school.importSchool(school, { dryRun });
  } finally {
    await storage.close();
  }
}

async function emptyStorage(): Promise<Storage> {
  const { openStorage } = await import('../storage/open.js');
  return openStorage({ kind: 'sqlite', path: ':memory:' }, { warn: () => {} });
}

function table(
  { added, changed, left }: ImportReport,
  ignored: Readonly<Record<string, number>>,
  into: string | null,
): string {
  const dry = into === null;
  const row = (name: string, ...cells: readonly (string | number)[]) =>
    `${name.padEnd(12)}${cells.map((cell) => String(cell).padStart(11)).join('')}`;
  return `${[
    dry ? 'A dry run: nothing was stored.' : `Imported into ${into}.`,
    row('', dry ? 'to add' : 'added', dry ? 'to change' : 'changed', 'left'),
    ...SCHOOL_LISTS.map((list) => row(list, added[list], changed[list], left[list])),
    ...Object.entries(ignored).map(([what, count]) => `left out: ${what}: ${count}`),
  ].join('\n')}\n`;
}
