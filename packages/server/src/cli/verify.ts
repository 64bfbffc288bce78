import type { SessionId } from '@rollcall/protocol';
import type { Command } from 'commander';
import type { Storage } from '../storage/port.js';
import { loadDatabaseConfig } from './environment.js';
import { CommandFailure } from './failure.js';
import { Progress } from './progress.js';
import type { SessionVerdict } from './verify-session.js';

const SESSIONS_AT_ONCE = 500;

interface VerifyOptions {
  readonly session?: string;
  readonly json?: boolean;
}

export function addVerify(program: Command): void {
  program
    .command('verify')
    .summary('recompute records and sessions from the journal and compare')
    .description(
      'Recomputes every record, session and statistic from the journal and compares them with what is stored. ' +
        'A server may run meanwhile: records that it has yet to write count as behind, not as a difference.',
    )
    .option('--session <id>', 'this session only')
    .option('--json', 'print {sessions, entries, records, behind, differences}')
    .addHelpText('after', '\nExamples:\n  rollcall verify\n  rollcall verify --session session123 --json\n')
    .action(verify);
}

async function verify(options: VerifyOptions): Promise<void> {
  const config = loadDatabaseConfig();
  const { openStorage } = await import('./open-storage.js');
  const { verifySession } = await import('./verify-session.js');
  const storage = await openStorage(config, 'verify', true);
  const summary = new Summary();
  const progress = new Progress();
  try {
    for await (const sessionId of journals(storage, options.session)) {
      summary.add(await verifySession(storage, sessionId));
      progress.show(`${numbered(summary.sessions, 'session')}, ${numbered(summary.entries, 'entry', 'entries')}`);
    }
  } finally {
    progress.done();
    await storage.close();
  }
  if (options.session !== undefined && summary.entries === 0) {
    throw new CommandFailure(`session ${options.session} has no journal`);
  }
  process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : summary.text());
  if (summary.differences.length > 0) {
    throw new CommandFailure(
      `${numbered(summary.differences.length, 'difference')} between the journal and what is stored`,
    );
  }
}

async function* journals(storage: Storage, only: string | undefined): AsyncGenerator<SessionId> {
  if (only !== undefined) {
    const [first] = await storage.journal.readEntries(only as SessionId, 0, 1);
    if (first) yield only as SessionId;
    return;
  }
  let last: SessionId | null = null;
  for (;;) {
    const page: SessionId[] = await storage.journal.listJournals(last, SESSIONS_AT_ONCE);
    yield* page;
    last = page.at(-1) ?? null;
    if (last === null) return;
  }
}

const numbered = (count: number, one: string, more = `${one}s`): string => `${count} ${count === 1 ? one : more}`;

class Summary {
  sessions = 0;
  entries = 0;
  records = 0;
  readonly behind: Pick<SessionVerdict, 'session_id' | 'projected_seq' | 'seq'>[] = [];
  readonly differences: { session_id: SessionId; what: string }[] = [];

  add({ session_id, entries, records, projected_seq, seq, differences }: SessionVerdict): void {
    this.sessions += 1;
    this.entries += entries;
    this.records += records;
    if (projected_seq < seq) this.behind.push({ session_id, projected_seq, seq });
    for (const what of differences) this.differences.push({ session_id, what });
  }

  text(): string {
    return `${[
      ...this.differences.map(({ session_id, what }) => `${session_id}: ${what}`),
      ...this.behind.map(
        ({ session_id, projected_seq, seq }) =>
          `${session_id}: behind, records are at ${projected_seq} of ${seq}; a running server catches up`,
      ),
      `${numbered(this.sessions, 'session')}, ${numbered(this.entries, 'entry', 'entries')}, ` +
        `${numbered(this.records, 'record')}: ` +
        (this.differences.length === 0
          ? 'all agree with the journal'
          : numbered(this.differences.length, 'difference')),
    ].join('\n')}\n`;
  }
}
