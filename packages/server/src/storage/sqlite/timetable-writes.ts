import type { NewSession, SchoolChange, SessionChange } from '../port.js';
import { missing } from './catalogue-writes.js';
import type { Connection, SqlValue } from './connection.js';

/** A journal may be listed and not begun, or the other way round in a file from which something was removed. */
const NO_JOURNAL = `NOT EXISTS (SELECT 1 FROM journals AS j WHERE j.session_id = ?1)
  AND NOT EXISTS (SELECT 1 FROM journal AS j WHERE j.session_id = ?1)`;

const SCHEDULE = `
  INSERT INTO class_sessions (session_id, course_id, date, start_time, end_time, topic, description, status)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, 'scheduled' WHERE ${NO_JOURNAL}
  ON CONFLICT DO NOTHING`;

/** Inside a transaction of the caller. */
export function scheduleSession(db: Connection, session: NewSession): SchoolChange {
  const { session_id, course_id, date, start_time, end_time, topic, description } = session;
  if (!db.row('SELECT 1 FROM courses WHERE course_id = ?', [course_id])) return missing('course_id', course_id);
  const made = db.run(SCHEDULE, [session_id, course_id, date, start_time, end_time, topic, description]);
  return made > 0 ? { outcome: 'added', id: session_id } : { outcome: 'taken', field: 'session_id' };
}

/** Sets what is said; the condition is part of the statement, so that no start comes in between. */
export function changeScheduled(db: Connection, sessionId: string, change: SessionChange): SchoolChange {
  const { date, start_time, end_time, topic, description } = change;
  return update(db, sessionId, { date, start_time, end_time, topic, description });
}

export function cancelScheduled(db: Connection, sessionId: string): SchoolChange {
  const status = db.row('SELECT status FROM class_sessions WHERE session_id = ?', [sessionId])?.[0];
  if (status === 'cancelled') return { outcome: 'left', id: sessionId };
  return update(db, sessionId, { status: 'cancelled' });
}

function update(
  db: Connection,
  sessionId: string,
  fields: Readonly<Record<string, SqlValue | undefined>>,
): SchoolChange {
  const said = Object.entries(fields).filter(([, value]) => value !== undefined);
  const places = said.map(([column], i) => [column, `?${i + 2}`] as const);
  const sets = places.map(([column, place]) => `${column} = ${place}`).join(', ') || 'status = status';
  const differs = places.map(([column, place]) => `${column} IS NOT ${place}`).join(' OR ') || 'FALSE';
  const where = `session_id = ?1 AND status = 'scheduled' AND ${NO_JOURNAL}`;
  const values = [sessionId, ...said.map(([, value]) => value)];
  if (db.run(`UPDATE class_sessions SET ${sets} WHERE ${where} AND (${differs})`, values) > 0) {
    return { outcome: 'changed', id: sessionId };
  }
  if (db.row(`SELECT 1 FROM class_sessions WHERE ${where}`, [sessionId])) return { outcome: 'left', id: sessionId };
  const known = db.row(
    `SELECT 1 WHERE EXISTS (SELECT 1 FROM class_sessions WHERE session_id = ?1) OR NOT (${NO_JOURNAL})`,
    [sessionId],
  );
  return known ? { outcome: 'begun' } : missing('session_id', sessionId);
}
