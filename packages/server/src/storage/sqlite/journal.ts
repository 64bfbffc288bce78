import type { SessionId } from '@rollcall/protocol';
import type { Entry } from '../../journal/entries.js';
import type { AppendResult, Journal } from '../port.js';
import type { Connection } from './connection.js';
import { jsonOf, type Queries } from './queries.js';
import { encodeText } from './text.js';
import type { Batch } from './verbs.js';

/** Takes the place after expected_seq only where the journal ends exactly there. */
const APPEND = `
  INSERT INTO journal (session_id, first_seq, last_seq, entries)
  SELECT ?1, ?2 + 1, ?3, ?4
  WHERE ?2 = coalesce((SELECT last_seq FROM journal WHERE session_id = ?1 ORDER BY first_seq DESC LIMIT 1), 0)
  ON CONFLICT DO NOTHING`;

const OPEN = 'INSERT INTO journals (session_id, open) VALUES (?, 1) ON CONFLICT DO NOTHING';

/** Inside a transaction of the caller. */
export function append(db: Connection, batch: Batch): AppendResult {
  const sessionId = encodeText(batch.session_id);
  if (db.runEncoded(APPEND, [sessionId, batch.expected_seq, batch.last_seq, batch.entries]) === 0) return 'conflict';
  if (batch.expected_seq === 0) db.runEncoded(OPEN, [sessionId]);
  return 'committed';
}

/**
 * Batches from the one that holds afterSeq + 1 up to the one that reaches the limit, as one JSON array of arrays.
 * Since seqs are dense, the limit is a range of the index too.
 */
export const READ_ENTRIES = `
  SELECT '[' || coalesce(group_concat(entries, ',' ORDER BY first_seq), '') || ']' FROM journal
  WHERE session_id = ?1 AND first_seq <= ?2 + ?3 AND last_seq > ?2 AND first_seq >= coalesce(
    (SELECT first_seq FROM journal WHERE session_id = ?1 AND first_seq <= ?2 + 1 ORDER BY first_seq DESC LIMIT 1), 1)`;

export const LIST_JOURNALS = `
  SELECT json_group_array(json_array(session_id)) FROM
    (SELECT session_id FROM journals WHERE ?1 IS NULL OR session_id > ?1 ORDER BY session_id LIMIT ?2)`;

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

export const READ_ACTIVITY = `
  SELECT json_group_array(json_array(active_at)) FROM journals
  WHERE session_id = ?1 AND open = 1 AND active_at IS NOT NULL`;

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

  async append(sessionId: SessionId, expectedSeq: number, entries: readonly Entry[]): Promise<AppendResult> {
    return queries.call('append', {
      session_id: sessionId,
      expected_seq: expectedSeq,
      last_seq: expectedSeq + entries.length,
      entries: JSON.stringify(entries),
    });
  },

  async readEntries(sessionId: SessionId, afterSeq: number, limit: number): Promise<Entry[]> {
    const batches = JSON.parse(await queries.call('read', READ_ENTRIES, [sessionId, afterSeq, limit])) as Entry[][];
    // Only the first batch can reach back to what the caller has.
    return batches.flatMap((batch, i) => (i === 0 ? batch.filter((entry) => entry.seq > afterSeq) : batch));
  },

  async lastSeqs(sessionIds: readonly SessionId[]): Promise<Map<SessionId, number>> {
    const rows = await queries.rows(LAST_SEQS, [jsonOf(sessionIds)]);
    return new Map(rows.flatMap(([id, seq]) => (seq === null ? [] : [[id as SessionId, Number(seq)] as const])));
  },

  async listJournals(afterSessionId: SessionId | null, limit: number): Promise<SessionId[]> {
    return (await queries.rows(LIST_JOURNALS, [afterSessionId, limit])).map(([id]) => id as SessionId);
  },
});
