import type { SessionId } from '@rollcall/protocol';
import type { Cursors, SessionCursors } from '../port.js';
import type { Connection } from './connection.js';
import { CLOSE_JOURNAL, FORGET_LEFT } from './projection.js';
import { jsonOf, type Queries } from './queries.js';

/** ?1: the sessions as a JSON array. A row for each cursor, and one for each session that has none. */
export const READ_CURSORS = `
  SELECT json_group_array(json_array(r.value, coalesce(j.open, 0), c.follower, c.seq))
  FROM json_each(?1) AS r
  LEFT JOIN journals AS j ON j.session_id = r.value
  LEFT JOIN follower_cursors AS c ON c.session_id = r.value`;

const MOVE = `
  INSERT INTO follower_cursors (session_id, follower, seq) VALUES (?1, ?2, ?3)
  ON CONFLICT (session_id, follower) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq`;

const CLOSE = `${CLOSE_JOURNAL}
  AND EXISTS (SELECT 1 FROM class_sessions WHERE session_id = ?1 AND projected_seq >= ?2)
  AND NOT EXISTS (SELECT 1 FROM json_each(?3) AS f WHERE NOT EXISTS (
    SELECT 1 FROM follower_cursors WHERE session_id = ?1 AND follower = f.value AND seq >= ?2))`;

/** Inside a transaction of the caller. */
export function moveCursor(db: Connection, sessionId: string, follower: string, seq: number): void {
  db.run(MOVE, [sessionId, follower, seq]);
}

/** Inside a transaction of the caller. */
export function closeFollowed(db: Connection, sessionId: string, upTo: number, followers: readonly string[]): void {
  if (db.run(CLOSE, [sessionId, upTo, jsonOf(followers)]) > 0) db.run(FORGET_LEFT, [sessionId]);
}

export const cursorsOf = (queries: Queries): Cursors => ({
  async read(sessionIds: readonly SessionId[]): Promise<Map<SessionId, SessionCursors>> {
    const found = new Map<SessionId, { listed: boolean; seqs: Map<string, number> }>();
    for (const [id, open, follower, seq] of await queries.rows(READ_CURSORS, [jsonOf(sessionIds)])) {
      const cursors = found.get(id as SessionId) ?? { listed: open === 1, seqs: new Map<string, number>() };
      if (follower !== null) cursors.seqs.set(String(follower), Number(seq));
      found.set(id as SessionId, cursors);
    }
    return found;
  },

  move(sessionId, follower, seq) {
    return queries.call('moveCursor', sessionId, follower, seq);
  },

  close(sessionId, upTo, followers) {
    return queries.call('closeFollowed', sessionId, upTo, followers);
  },
});
