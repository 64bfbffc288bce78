import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { SessionId } from '@rollcall/protocol';
import type { StoredCommit } from '../journal/commit.js';
import { JournalInspection } from '../journal/inspect.js';
import type { Storage, StoredRecord, StoredSession } from '../storage/port.js';
import { CommandFailure } from './failure.js';

/** Version of the file, which docs/reference/journal.md describes. */
const VERSION = 1;
const ENTRIES_AT_ONCE = 5_000;

type ProjectedSession = Pick<StoredSession, 'projected_seq' | 'status' | 'started_at' | 'ended_at'>;

/** The lines of an exported journal: a head, its commits as they are stored, its records and session. */
export async function* journalLines(storage: Storage, sessionId: SessionId): AsyncGenerator<string> {
  yield JSON.stringify({ rollcall_journal: VERSION, session_id: sessionId });
  // As for `verify`: what is read later may only be newer.
  const stored = await storage.projection.findSession(sessionId);
  const records = await storage.projection.readRecords(sessionId);
  for (let seq = 0; ; ) {
    const commits = await storage.journal.readCommits(sessionId, seq, ENTRIES_AT_ONCE);
    for (const commit of commits) yield JSON.stringify(withoutCodeKey(commit));
    const last = commits.at(-1);
    if (!last) break;
    seq = last.last_seq;
  }
  const session = stored && {
    projected_seq: stored.projected_seq,
    status: stored.status,
    started_at: stored.started_at,
    ended_at: stored.ended_at,
  };
  yield JSON.stringify({ session, records });
}

/** Whoever has the key of a running session's codes can check in from anywhere: the value counts as removed. */
function withoutCodeKey(commit: StoredCommit): StoredCommit {
  const place = commit.first_seq === 1 ? placeOfCodeKey(commit.facts) : undefined;
  if (place === undefined || typeof commit.personal !== 'string') return commit;
  const values: unknown = JSON.parse(commit.personal);
  if (!Array.isArray(values)) return commit;
  values[place] = null;
  return { ...commit, personal: JSON.stringify(values) };
}

function placeOfCodeKey(facts: unknown): number | undefined {
  try {
    const place = JSON.parse(String(facts)).entries[0].codes.secret;
    return typeof place === 'number' ? place : undefined;
  } catch {
    // A session without codes, or facts that were damaged: the check of the file tells.
    return undefined;
  }
}

/** An exported journal, read and inspected line by line. */
export interface JournalFile {
  readonly session_id: SessionId;
  readonly inspection: JournalInspection;
  readonly session: ProjectedSession | null;
  readonly records: readonly StoredRecord[];
}

/** @throws {CommandFailure} for a file that can't be read or that is no exported journal */
export async function readJournalFile(path: string): Promise<JournalFile> {
  let inspection: JournalInspection | undefined;
  let sessionId = '' as SessionId;
  let session: ProjectedSession | null = null;
  let records: readonly StoredRecord[] = [];
  let isWhole = false;
  let number = 0;
  for await (const line of linesOf(path)) {
    number += 1;
    const value = parsed(path, number, line);
    if (isWhole) throw new CommandFailure(`${path}:${number}: nothing may come behind the records`);
    if (!inspection) {
      if (value['rollcall_journal'] !== VERSION || typeof value['session_id'] !== 'string') {
        throw new CommandFailure(`${path} is no journal that rollcall export wrote`);
      }
      sessionId = value['session_id'] as SessionId;
      inspection = new JournalInspection(sessionId);
    } else if (typeof value['first_seq'] === 'number' && typeof value['last_seq'] === 'number') {
      inspection.add(value as unknown as StoredCommit);
    } else if (Array.isArray(value['records'])) {
      records = recordsIn(path, number, value['records']);
      isWhole = true;
      session = (value['session'] ?? null) as ProjectedSession | null;
    } else {
      throw new CommandFailure(`${path}:${number}: neither a commit nor the records`);
    }
  }
  if (!inspection) throw new CommandFailure(`${path} is empty`);
  if (!isWhole) throw new CommandFailure(`${path} is cut off: its last line, with the records, is missing`);
  inspection.finish();
  return { session_id: sessionId, inspection, session, records };
}

function recordsIn(path: string, number: number, list: readonly unknown[]): StoredRecord[] {
  const isRecord = (each: unknown) => typeof each === 'object' && each !== null && 'student_id' in each;
  if (!list.every(isRecord)) throw new CommandFailure(`${path}:${number}: one of the records is none`);
  return list as StoredRecord[];
}

async function* linesOf(path: string): AsyncGenerator<string> {
  try {
    yield* createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY });
  } catch (error) {
    throw new CommandFailure(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parsed(path: string, number: number, line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new CommandFailure(`${path}:${number}: no JSON object`);
}
