import type { mongo } from 'mongoose';
import { type Projection, StorageError, type StoredRecord } from '../port.js';
import type { Collections } from './collections.js';
import { errorCode, isDuplicateKey } from './connection.js';
import { findSession, isAttendanceStatus, newestByStudent, RECORD_FIELDS } from './sessions.js';
import {
  anyOf,
  changedFields,
  type Row,
  readId,
  readSeq,
  storedDate,
  storedId,
  storedTime,
  withoutNulls,
} from './stored-values.js';

/** Rows a bulkWrite carries: encoding more at once would hold up the event loop of a live class. */
const CHUNK = 1_000;
/** Up to this many students are asked for by id; above it the whole session is read. */
const BY_STUDENT_MAX = 200;
/** Rounds in which somebody else may win each time before the projection is given up, to be tried again later. */
const ROUNDS = 20;

/**
 * Rows are read, compared and then changed under the condition that their seq is still the one that was read. No
 * upsert: where it finds its guard failing it inserts, and in a database whose doubles forbid the unique index
 * nothing would stop it.
 */
export async function projectRecords(c: Collections, projection: Projection): Promise<void> {
  let due: readonly StoredRecord[] = projection.records;
  for (let round = 0; due.length > 0; round++) {
    if (round === ROUNDS) {
      throw new StorageError(`mongodb: records of ${projection.session_id} keep changing, or their ids are taken`);
    }
    const rows = await currentRows(c, projection.session_id, due, round > 0);
    const lost: StoredRecord[] = [];
    for (let at = 0; at < due.length; at += CHUNK) {
      const chunk = due.slice(at, at + CHUNK);
      if (!(await writeRecords(c, projection.session_id, chunk, rows))) lost.push(...chunk);
    }
    due = lost;
  }
}

/**
 * The rows of the students that are due. One that names its student by user id isn't found by the profile's id, but
 * the register knows its _id since it was read. Rows are looked for by _id only where there is a reason: an insert met
 * something (`again`), or the row that was found may be the double of the one that counts. So a database whose records
 * name profiles is asked once.
 */
async function currentRows(
  c: Collections,
  sessionId: string,
  due: readonly StoredRecord[],
  again: boolean,
): Promise<Map<string, Row>> {
  const session_id = anyOf([sessionId]);
  const find = (filter: mongo.Document) =>
    c.records.find({ session_id, ...filter }, { projection: RECORD_FIELDS }).toArray();
  const whole = due.length > BY_STUDENT_MAX;
  const found = await find(whole ? {} : { student_id: anyOf(due.map((record) => record.student_id)) });
  const studentOf = new Map(due.map((record) => [record.record_id, record.student_id]));
  const byStudent = (rows: readonly Row[]) =>
    newestByStudent(rows, (row) => studentOf.get(readId(row._id) ?? '') ?? readId(row['student_id']));
  const rows = byStudent(found);
  if (whole) return rows;
  const elsewhere = due.filter((record) => {
    const row = rows.get(record.student_id);
    return row ? readSeq(row['seq']) === 0 && readId(row._id) !== record.record_id : again;
  });
  if (elsewhere.length === 0) return rows;
  return byStudent([...found, ...(await find({ _id: anyOf(elsewhere.map((record) => record.record_id)) }))]);
}

/** False when somebody else changed or made one of the rows meanwhile: then the rows must be read again. */
async function writeRecords(
  c: Collections,
  sessionId: string,
  chunk: readonly StoredRecord[],
  rows: ReadonlyMap<string, Row>,
): Promise<boolean> {
  const operations: mongo.AnyBulkWriteOperation<Row>[] = [];
  let updates = 0;
  for (const record of chunk) {
    const row = rows.get(record.student_id);
    if (!row) {
      operations.push({ insertOne: { document: newRow(sessionId, record) } });
    } else if (readSeq(row['seq']) < record.seq) {
      updates++;
      operations.push({
        updateOne: {
          filter: { _id: row._id, seq: row['seq'] ?? null },
          update: { $set: { ...recordChanges(row, record), seq: record.seq } },
        },
      });
    }
  }
  if (operations.length === 0) return true;
  try {
    const result = await c.records.bulkWrite(operations, { ordered: false });
    return result.matchedCount === updates;
  } catch (error) {
    if (onlyDuplicateKeys(error)) return false;
    throw error;
  }
}

function onlyDuplicateKeys(error: unknown): boolean {
  // By its name: an app's driver has a class of its own.
  if (!isBulkWriteError(error) || error.result.getWriteConcernError()) return false;
  const errors = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  return errors.length > 0 && errors.every((one) => errorCode(one) === 11_000);
}

const isBulkWriteError = (error: unknown): error is mongo.MongoBulkWriteError =>
  error instanceof Error && error.name === 'MongoBulkWriteError';

const recordFields = (record: StoredRecord) => ({
  status: record.status,
  remarks: record.remarks,
  checked_in_at: storedTime(record.checked_in_at),
  marked_at: storedTime(record.marked_at),
  marked_by: record.marked_by,
  updatedAt: storedTime(record.updated_at),
});

function newRow(sessionId: string, record: StoredRecord): Row {
  return {
    _id: storedId(record.record_id),
    session_id: storedId(sessionId),
    student_id: storedId(record.student_id),
    ...withoutNulls(recordFields(record)),
    seq: record.seq,
    createdAt: storedTime(record.created_at),
  };
}

function recordChanges(row: Row, record: StoredRecord): Record<string, unknown> {
  const changes = changedFields(row, recordFields(record));
  // A status of another application that we read as absent is still what it wrote, until somebody marks the student.
  if (record.status === 'absent' && !isAttendanceStatus(row['status'])) delete changes['status'];
  return changes;
}

/** Brings the class session up to the projection's seq, or makes it. Never goes back. */
export async function projectSession(c: Collections, projection: Projection): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const row = await c.sessions.findOne({ _id: anyOf([projection.session_id]) });
    if (row && readSeq(row['projected_seq']) >= projection.seq) return;
    if (row ? await updateSession(c, projection, row) : await insertSession(c, projection)) return;
  }
  throw new StorageError(`mongodb: the session ${projection.session_id} keeps changing`);
}

const sessionFields = ({ session, seq }: Projection) => ({
  course_id: session.course_id && storedId(session.course_id),
  teacher_id: session.teacher_id && storedId(session.teacher_id),
  date: session.date && storedDate(session.date),
  start_time: session.start_time,
  end_time: session.end_time,
  topic: session.topic,
  description: session.description,
  status: session.status,
  started_at: storedTime(session.started_at),
  ended_at: storedTime(session.ended_at),
  projected_seq: seq,
});

async function updateSession(c: Collections, projection: Projection, row: Row): Promise<boolean> {
  const changes = changedFields(row, sessionFields(projection));
  if ('teacher_id' in changes && (await sameTeacher(c, projection, row))) delete changes['teacher_id'];
  const { matchedCount } = await c.sessions.updateOne(
    { _id: row._id, projected_seq: row['projected_seq'] ?? null },
    { $set: { ...changes, updatedAt: new Date() } },
  );
  return matchedCount === 1;
}

/**
 * Whether the row already means this teacher: by the user's id, or by leaving it to the course. Facts don't change
 * while a session runs, so only its first projection needs to look.
 */
async function sameTeacher(c: Collections, { session_id, session }: Projection, row: Row): Promise<boolean> {
  if (readSeq(row['projected_seq']) > 0 || session.teacher_id === null) return true;
  const known = await findSession(c, session_id);
  return known?.teacher_id === session.teacher_id || readId(row['teacher_id']) === session.teacher_id;
}

async function insertSession(c: Collections, projection: Projection): Promise<boolean> {
  const now = new Date();
  try {
    await c.sessions.insertOne({
      _id: storedId(projection.session_id),
      ...withoutNulls(sessionFields(projection)),
      createdAt: now,
      updatedAt: now,
    });
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}
