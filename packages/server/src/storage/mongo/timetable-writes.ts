import type { SessionId } from '@rollcall/protocol';
import type { NewSession, SchoolChange, SessionChange } from '../port.js';
import { missing } from './catalogue-writes.js';
import type { Collections } from './collections.js';
import { isDuplicateKey } from './connection.js';
import type { Journal } from './journal.js';
import { readSessionStatus } from './sessions.js';
import { anyOf, changedFields, type Row, readSeq, storedDate, storedId, withoutNulls } from './stored-values.js';

const begun: SchoolChange = { outcome: 'begun' };

const hasJournal = async (journal: Journal, id: string): Promise<boolean> => (await journal.withJournal([id])).has(id);

export async function scheduleSession(c: Collections, journal: Journal, session: NewSession): Promise<SchoolChange> {
  const { session_id, course_id, date, ...rest } = session;
  const taken: SchoolChange = { outcome: 'taken', field: 'session_id' };
  const course = await c.courses.findOne({ _id: anyOf([course_id]) }, { projection: { _id: 1 } });
  if (!course) return missing('course_id', course_id);
  const known = await c.sessions.findOne({ _id: anyOf([session_id]) }, { projection: { _id: 1 } });
  if (known || (await hasJournal(journal, session_id))) return taken;
  const now = new Date();
  const fields = { course_id: course._id, date: storedDate(date), ...rest, status: 'scheduled' };
  try {
    await c.sessions.insertOne({ _id: storedId(session_id), ...withoutNulls(fields), createdAt: now, updatedAt: now });
  } catch (error) {
    if (isDuplicateKey(error)) return taken;
    throw error;
  }
  return { outcome: 'added', id: session_id };
}

export async function changeScheduled(
  c: Collections,
  journal: Journal,
  sessionId: SessionId,
  { date, ...said }: SessionChange,
): Promise<SchoolChange> {
  const row = await c.sessions.findOne({ _id: anyOf([sessionId]) });
  const fields = { ...said, ...(date !== undefined && { date: storedDate(date) }) };
  return update(c, journal, sessionId, row, fields);
}

export async function cancelScheduled(c: Collections, journal: Journal, sessionId: SessionId): Promise<SchoolChange> {
  const row = await c.sessions.findOne({ _id: anyOf([sessionId]) });
  if (row?.['status'] === 'cancelled') return { outcome: 'left', id: sessionId };
  return update(c, journal, sessionId, row, { status: 'cancelled' });
}

/**
 * The journal is in another collection, so that no one statement can hold both. It is looked at before and after: a
 * start that comes in between is told of, and its projection writes the session as the journal has it.
 */
async function update(
  c: Collections,
  journal: Journal,
  sessionId: SessionId,
  row: Row | null,
  fields: Readonly<Record<string, unknown>>,
): Promise<SchoolChange> {
  if (await hasJournal(journal, sessionId)) return begun;
  if (!row) return missing('session_id', sessionId);
  // A status that isn't known reads as scheduled, here as everywhere.
  if (readSessionStatus(row['status']) !== 'scheduled' || readSeq(row['projected_seq']) > 0) return begun;
  const said = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const changes = Object.entries(changedFields(row, said));
  if (changes.length === 0) return { outcome: 'left', id: sessionId };
  const unset = Object.fromEntries(changes.flatMap(([field, value]) => (value === null ? [[field, '' as const]] : [])));
  const { matchedCount } = await c.sessions.updateOne(
    { _id: row._id, status: row['status'] ?? null, projected_seq: row['projected_seq'] ?? null },
    {
      $set: { ...Object.fromEntries(changes.filter(([, value]) => value !== null)), updatedAt: new Date() },
      ...(Object.keys(unset).length > 0 && { $unset: unset }),
    },
  );
  if (matchedCount === 0 || (await hasJournal(journal, sessionId))) return begun;
  return { outcome: 'changed', id: sessionId };
}
