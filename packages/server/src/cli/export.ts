import type { SessionId } from '@rollcall/protocol';
import { type Command, Option } from 'commander';
import { visible } from '../visible-text.js';
import { loadDatabaseConfig } from './environment.js';
import { exportCourse, exportSessionRegister, type ReportOptions } from './export-report.js';
import { CommandFailure } from './failure.js';
import { journalLines } from './journal-file.js';
import { refuseUnwritable, writeNewFile } from './write-new-file.js';

interface SessionOptions extends Omit<ReportOptions, 'format'> {
  readonly format: ReportOptions['format'] | 'journal';
}

const OUT = ['--out <file>', 'a new file; default: standard output'] as const;
const CODES = [
  '--codes <set>',
  'what stands for each status: edfi, england, the name of REPORT_CODES, or a JSON file such as {"present": "P"}',
] as const;
const BESIDE = 'A server may run meanwhile.';

export function addExport(program: Command): void {
  const exporting = program.command('export').summary('write a register or a journal to a file');
  addCourse(exporting);
  addSession(exporting);
}

function addCourse(exporting: Command): void {
  exporting
    .command('course')
    .summary('the register of a course, students × sessions')
    .description(
      'Writes the register of a course: a row a student and a column a session, counts, rates and absences in a row. ' +
        `xlsx has sheets of its sessions, a summary by week and amendments beside it. ${BESIDE}`,
    )
    .argument('<id>', 'id of the course')
    .addOption(formats(['csv', 'xlsx', 'json']))
    .option('--from <day>', 'first day, such as 2026-09-01')
    .option('--to <day>', 'last day; it is inside')
    .option(...CODES)
    .option(...OUT)
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall export course course-1 --format xlsx --out databases.xlsx\n' +
        '  rollcall export course course-1 --format csv --from 2026-09-01 --to 2026-12-31 --codes edfi\n',
    )
    .action(exportCourse);
}

function addSession(exporting: Command): void {
  exporting
    .command('session')
    .summary('one session: its register, or its journal')
    .description(
      `Writes one session. ${BESIDE}\nAs csv, xlsx or json its register, a row a student. As journal its commits with ` +
        'their chain, its records and the session, which `rollcall verify --offline FILE` checks without a database.',
    )
    .argument('<id>', 'id of the session')
    .addOption(formats(['csv', 'xlsx', 'json', 'journal']))
    .option(...CODES)
    .option(...OUT)
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall export session session123 --format csv\n' +
        '  rollcall export session session123 --format journal --out session123.jsonl\n',
    )
    .action((id: string, options: SessionOptions) =>
      options.format === 'journal'
        ? exportJournal(id, options)
        : exportSessionRegister(id, { ...options, format: options.format }),
    );
}

const formats = (choices: readonly string[]): Option =>
  new Option('--format <format>', 'form of the file').choices(choices).makeOptionMandatory();

async function exportJournal(id: string, { out, codes }: SessionOptions): Promise<void> {
  if (codes !== undefined) throw new CommandFailure('a journal has no codes: --codes is for csv, xlsx and json');
  await refuseUnwritable(out);
  const config = loadDatabaseConfig();
  const { openStorage } = await import('./open-storage.js');
  const storage = await openStorage(config, 'export', true);
  try {
    const sessionId = id as SessionId;
    if ((await storage.journal.lastSeqs([sessionId])).size === 0) {
      throw new CommandFailure(`session ${visible(id)} has no journal: it never ran, or the id is another`);
    }
    if (out === undefined) {
      for await (const line of journalLines(storage, sessionId)) process.stdout.write(`${line}\n`);
    } else {
      await writeNewFile(out, ended(journalLines(storage, sessionId)));
    }
  } finally {
    await storage.close();
  }
}

async function* ended(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}
