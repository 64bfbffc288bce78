import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { SessionId } from '@rollcall/protocol';
import { Command, Option } from 'commander';
import { visible } from '../visible-text.js';
import { loadDatabaseConfig } from './environment.js';
import { CommandFailure } from './failure.js';
import { journalLines } from './journal-file.js';

interface ExportOptions {
  readonly format: 'journal';
  readonly out?: string;
}

export function addExport(program: Command): void {
  const session = new Command('session')
    .summary('the journal of one session')
    .description(
      'Writes the journal of one session: its commits with their chain, its records and the session. ' +
        '`rollcall verify --offline FILE` checks it without a database. A server may run meanwhile.',
    )
    .argument('<id>', 'id of the session')
    .addOption(new Option('--format <format>', 'form of the file').choices(['journal']).makeOptionMandatory())
    .option('--out <file>', 'a new file; default: standard output')
    .addHelpText('after', '\nExample:\n  rollcall export session session123 --format journal --out session123.jsonl\n')
    .action(exportSession);
  const exported = program.command('export').summary('write a session’s journal to a file');
  // One that was made by itself would tell of wrong usage in its own way.
  exported.addCommand(session.copyInheritedSettings(exported));
}

async function exportSession(id: string, { out }: ExportOptions): Promise<void> {
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
      await writeLines(out, journalLines(storage, sessionId));
    }
  } finally {
    await storage.close();
  }
}

/** The file is nobody else's to read: it holds names. */
async function writeLines(path: string, lines: AsyncIterable<string>): Promise<void> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  try {
    for await (const line of lines) {
      if (file.errored) throw file.errored;
      file.write(`${line}\n`);
    }
    file.end();
    await finished(file);
  } catch (error) {
    throw new CommandFailure(`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}
