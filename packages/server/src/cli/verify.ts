import type { SessionId } from '@rollcall/protocol';
import type { Command } from 'commander';
import { type AccessFinding, AccessInspection } from '../journal/inspect-access.js';
import type { Storage } from '../storage/port.js';
import { visible, visibleJson } from '../visible-text.js';
import { loadDatabaseConfig } from './environment.js';
import { CommandFailure } from './failure.js';
import { Progress } from './progress.js';
import type { Difference, SessionVerdict } from './verify-session.js';

const SESSIONS_AT_ONCE = 500;
const ACCESS_AT_ONCE = 1_000;

interface VerifyOptions {
  readonly session?: string;
  readonly offline?: string;
  readonly json?: boolean;
}

export function addVerify(program: Command): void {
  program
    .command('verify')
    .summary('recompute records and sessions from the journal and compare')
    .description(
      'Recomputes every hash of the journal, and every record, session and statistic from its entries, and compares ' +
        'them with what is stored. ' +
        'The access log is checked too. ' +
        'A server may run meanwhile: records that it has not written yet count as behind, not as different.',
    )
    .option('--session <id>', 'this session only')
    .option('--offline <file>', 'a journal written by `rollcall export`, without a database')
    .option('--json', 'print {sessions, entries, records, access, behind, unchained, removed, differences}')
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall verify\n  rollcall verify --session session123 --json\n  rollcall verify --offline session123.jsonl\n',
    )
    .action(verify);
}

async function verify(options: VerifyOptions): Promise<void> {
  const summary = options.offline === undefined ? await verifyDatabase(options) : await verifyFile(options.offline);
  process.stdout.write(options.json ? `${visibleJson(JSON.stringify(summary))}\n` : summary.text());
  const differences = summary.differences.length;
  if (differences > 0) {
    throw new CommandFailure(
      `${numbered(differences, 'difference')} between the journal and what is stored, named above: ` +
        'the journal holds what was acknowledged, and what is named was changed by something else',
    );
  }
  const changed = summary.access.differences.length;
  if (changed > 0) {
    throw new CommandFailure(`the access log was changed in ${numbered(changed, 'place')}, named above`);
  }
}

async function verifyFile(path: string): Promise<Summary> {
  const { readJournalFile } = await import('./journal-file.js');
  const { verdictOn } = await import('./verify-session.js');
  const { session_id, inspection, session, records } = await readJournalFile(path);
  const summary = new Summary();
  summary.add(verdictOn(session_id, inspection, session, records));
  return summary;
}

async function verifyDatabase(options: VerifyOptions): Promise<Summary> {
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
    if (options.session === undefined) summary.access = await inspectAccess(storage);
  } finally {
    progress.done();
    await storage.close();
  }
  if (options.session !== undefined && summary.sessions === 0) {
    throw new CommandFailure(`session ${visible(options.session)} has no journal: it never ran, or the id is another`);
  }
  return summary;
}

async function* journals(storage: Storage, only: string | undefined): AsyncGenerator<SessionId> {
  if (only !== undefined) {
    const ends = await storage.journal.lastSeqs([only as SessionId]);
    if (ends.size > 0) yield only as SessionId;
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

/** Recomputes every hash of the access log. */
async function inspectAccess(storage: Storage): Promise<Summary['access']> {
  const inspection = new AccessInspection();
  for (let after: number | null = null; ; ) {
    const filter = { actor: null, subject: null, action: null };
    const { items, next } = await storage.accessLog.list({ after, limit: ACCESS_AT_ONCE, ...filter });
    for (const entry of items) inspection.add(entry);
    if (next === null) break;
    after = next;
  }
  inspection.finish();
  const { entries, removed, findings } = inspection;
  return { entries, removed, differences: findings };
}

const numbered = (count: number, one: string, more = `${one}s`): string => `${count} ${count === 1 ? one : more}`;

const lineOf = ({ session_id, seq, field, what }: { session_id: SessionId } & Difference): string =>
  `${session_id}: ${seq === null ? '' : `seq ${seq}, ${field}: `}${what}`;

class Summary {
  sessions = 0;
  entries = 0;
  records = 0;
  /** The access log, where the whole database was checked. */
  access: { entries: number; removed: number; differences: readonly AccessFinding[] } = {
    entries: 0,
    removed: 0,
    differences: [],
  };
  readonly behind: Pick<SessionVerdict, 'session_id' | 'projected_seq' | 'seq'>[] = [];
  readonly differences: ({ session_id: SessionId } & Difference)[] = [];
  /** Journals from which personal values were removed. */
  readonly removed: { session_id: SessionId; values: number }[] = [];
  /** Journals that begin with commits from before there was a chain. */
  readonly unchained: { session_id: SessionId; up_to_seq: number }[] = [];

  add({
    session_id,
    entries,
    records,
    projected_seq,
    seq,
    unchained_up_to,
    removed_values,
    differences,
  }: SessionVerdict): void {
    this.sessions += 1;
    this.entries += entries;
    this.records += records;
    if (projected_seq < seq) this.behind.push({ session_id, projected_seq, seq });
    if (removed_values > 0) this.removed.push({ session_id, values: removed_values });
    if (unchained_up_to > 0) this.unchained.push({ session_id, up_to_seq: unchained_up_to });
    for (const difference of differences) this.differences.push({ session_id, ...difference });
  }

  text(): string {
    const lines = [
      ...this.differences.map(lineOf),
      ...this.unchained.map(({ session_id, up_to_seq }) => `${session_id}: not chained before seq ${up_to_seq + 1}`),
      ...this.removed.map(
        ({ session_id, values }) =>
          `${session_id}: ${numbered(values, 'personal value')} removed; the rest is as it was`,
      ),
      ...this.behind.map(
        ({ session_id, projected_seq, seq }) =>
          `${session_id}: behind, records are at ${projected_seq} of ${seq}; a running server catches up`,
      ),
      ...this.access.differences.map(({ number, field, what }) => `access log, entry ${number}, ${field}: ${what}`),
      ...(this.access.removed > 0 ? [`access log: ${numbered(this.access.removed, 'personal value')} removed`] : []),
      ...(this.access.entries > 0 && this.access.differences.length === 0
        ? [`access log: ${numbered(this.access.entries, 'entry', 'entries')}, as they were written`]
        : []),
      `${numbered(this.sessions, 'session')}, ${numbered(this.entries, 'entry', 'entries')}, ` +
        `${numbered(this.records, 'record')}: ` +
        (this.differences.length === 0
          ? 'all agree with the journal'
          : numbered(this.differences.length, 'difference')),
    ];
    return `${lines.map(visible).join('\n')}\n`;
  }
}
