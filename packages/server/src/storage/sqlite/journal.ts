import type { SessionId, StudentId } from '@rollcall/protocol';
import type { Commit, StoredCommit } from '../../journal/commit.js';
import type { AppendResult, Journal } from '../port.js';
import type { Connection } from './connection.js';
import { jsonOf, type Queries } from './queries.js';
import { encodeText } from './text.js';
import type { CommitRow } from './verbs.js';

/** Takes the place after expected_seq only where the journal ends exactly there. */
const APPEND = `
  INSERT INTO journal (session_id, first_seq, last_seq, format, facts, personal, chain)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
  WHERE ?2 - 1 = coalesce((SELECT last_seq FROM journal WHERE session_id = ?1 ORDER BY first_seq DESC LIMIT 1), 0)
  ON CONFLICT DO NOTHING`;

const OPEN = 'INSERT INTO journals (session_id, open) VALUES (?, 1) ON CONFLICT DO NOTHING';
const REOPEN = 'INSERT INTO journals (session_id, open) VALUES (?, 1) ON CONFLICT (session_id) DO UPDATE SET open = 1';

/** Inside a transaction of the caller. What a commit holds as text is JSON or hex digits, which need no encoding. */
export function append(db: Connection, id: string, commit: Commit, reopens = false): AppendResult {
  const sessionId = encodeText(id);
  const { first_seq, last_seq, format, facts, personal, chain } = commit;
  if (db.runEncoded(APPEND, [sessionId, first_seq, last_seq, format, facts, personal, chain]) === 0) return 'conflict';
  if (reopens) db.runEncoded(REOPEN, [sessionId]);
  else if (first_seq === 1) db.runEncoded(OPEN, [sessionId]);
  return 'committed';
}

/** Commits from the one that holds afterSeq + 1 on. Since seqs are dense, the limit is a range of the index too. */
export const READ_COMMITS = `
  SELECT first_seq, last_seq, format, CAST(facts AS BLOB), CAST(personal AS BLOB), CAST(chain AS BLOB) FROM journal
  WHERE session_id = ?1 AND first_seq <= ?2 + ?3 AND last_seq > ?2 AND first_seq >= coalesce(
    (SELECT first_seq FROM journal WHERE session_id = ?1 AND first_seq <= ?2 + 1 ORDER BY first_seq DESC LIMIT 1), 1)
  ORDER BY first_seq`;

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Null for bytes that are no text: the driver ends the process when it is asked for them as text. */
function textOf(bytes: unknown): string | null {
  if (!(bytes instanceof Uint8Array)) return null;
  try {
    return UTF_8.decode(bytes);
  } catch {
    return null;
  }
}

/** Runs in the worker thread. */
export const readCommits = (db: Connection, sessionId: string, afterSeq: number, limit: number): CommitRow[] =>
  db.raw(READ_COMMITS, [sessionId, afterSeq, limit]).map(([first, last, format, ...parts]) => {
    const [facts, personal, chain] = parts.map(textOf);
    return [Number(first), Number(last), Number(format), facts ?? null, personal ?? null, chain ?? null];
  });

/** Wherever there is a trace of a journal: one of which a part was removed must not escape `verify`. */
export const LIST_JOURNALS = `
  SELECT json_group_array(json_array(session_id)) FROM (
    SELECT * FROM (SELECT session_id FROM journals WHERE ?1 IS NULL OR session_id > ?1 ORDER BY session_id LIMIT ?2)
    UNION SELECT * FROM (
      SELECT DISTINCT session_id FROM journal WHERE ?1 IS NULL OR session_id > ?1 ORDER BY session_id LIMIT ?2)
    UNION SELECT * FROM (
      SELECT session_id FROM class_sessions
      WHERE projected_seq > 0 AND (?1 IS NULL OR session_id > ?1) ORDER BY session_id LIMIT ?2)
    UNION SELECT * FROM (
      SELECT DISTINCT session_id FROM attendance_records
      WHERE seq > 0 AND (?1 IS NULL OR session_id > ?1) ORDER BY session_id LIMIT ?2)
    ORDER BY session_id LIMIT ?2)`;

/** ?1: the sessions as a JSON array. */
export const LAST_SEQS = `
  SELECT json_group_array(json_array(r.value,
    (SELECT last_seq FROM journal WHERE session_id = r.value ORDER BY first_seq DESC LIMIT 1)))
  FROM json_each(?1) AS r`;

export const LIST_ACTIVE = `
  SELECT json_group_array(json_array(session_id)) FROM (
    SELECT session_id FROM journals WHERE open = 1
    UNION SELECT session_id FROM class_sessions AS c WHERE status = 'active'
      AND NOT EXISTS (SELECT 1 FROM journals AS j WHERE j.session_id = c.session_id))`;

const TOUCH = `
  UPDATE journals SET active_at = ?2 WHERE session_id = ?1 AND open = 1
  AND (active_at IS NULL OR active_at < ?2)`;

/** Inside a transaction of the caller. */
export function touch(db: Connection, sessionId: string, at: number): void {
  db.run(TOUCH, [sessionId, at]);
}

const LEAVE = `
  INSERT INTO departures SELECT session_id, ?2 FROM journals WHERE session_id = ?1 AND open = 1
  ON CONFLICT DO NOTHING`;
const COME_BACK = 'DELETE FROM departures WHERE session_id = ?1 AND student_id = ?2';

/** Inside a transaction of the caller. */
export function rememberLeft(db: Connection, id: string, moves: ReadonlyArray<readonly [string, boolean]>): void {
  for (const [student, left] of moves) db.run(left ? LEAVE : COME_BACK, [id, student]);
}

export const READ_LEFT = 'SELECT json_group_array(json_array(student_id)) FROM departures WHERE session_id = ?1';

export const READ_ACTIVITY = `
  SELECT json_group_array(json_array(active_at)) FROM journals
  WHERE session_id = ?1 AND open = 1 AND active_at IS NOT NULL`;

function toCommit([first_seq, last_seq, format, facts, personal, chain]: CommitRow): StoredCommit {
  if (format !== 1) return { first_seq, last_seq, format, facts, personal, chain };
  return { first_seq, last_seq, format, entries: entriesIn(facts) };
}

function entriesIn(json: string | null): unknown {
  try {
    return JSON.parse(json ?? '');
  } catch {
    return undefined;
  }
}

export const journalOf = (queries: Queries): Journal => ({
  async listActiveSessions(): Promise<SessionId[]> {
    return (await queries.rows(LIST_ACTIVE, [])).map(([id]) => id as SessionId);
  },

  touchSession(sessionId: SessionId, at: number): Promise<void> {
    return queries.call('touch', sessionId, at);
  },

  readActivity(sessionId: SessionId): Promise<number | null> {
    return queries.first(READ_ACTIVITY, [sessionId], ([at]) => Number(at));
  },

  rememberLeft(sessionId, moves) {
    return queries.call('rememberLeft', sessionId, moves);
  },

  async readLeft(sessionId) {
    return (await queries.rows(READ_LEFT, [sessionId])).map(([id]) => id as StudentId);
  },

  append(sessionId, commit, reopens) {
    return queries.call('append', sessionId, commit, reopens);
  },

  async readCommits(sessionId, afterSeq, limit) {
    return (await queries.call('readCommits', sessionId, afterSeq, limit)).map(toCommit);
  },

  async lastSeqs(sessionIds: readonly SessionId[]): Promise<Map<SessionId, number>> {
    const rows = await queries.rows(LAST_SEQS, [jsonOf(sessionIds)]);
    return new Map(rows.flatMap(([id, seq]) => (seq === null ? [] : [[id as SessionId, Number(seq)] as const])));
  },

  async listJournals(afterSessionId: SessionId | null, limit: number): Promise<SessionId[]> {
    return (await queries.rows(LIST_JOURNALS, [afterSessionId, limit])).map(([id]) => id as SessionId);
  },
});
