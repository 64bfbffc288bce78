import type { AttendanceStatus, CourseId, SessionId, SessionStatus, StudentId, TeacherId } from '@rollcall/protocol';
import type { Projection, Projections, StoredRecord, StoredSession } from '../port.js';
import type { Connection } from './connection.js';
import { jsonOf, type Queries } from './queries.js';

const UPSERT_SESSION = `
  INSERT INTO class_sessions (session_id, course_id, date, start_time, end_time, topic, description, teacher_id,
    teacher_name, status, started_at, ended_at, projected_seq)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (session_id) DO UPDATE SET
    course_id = coalesce(excluded.course_id, course_id),
    date = coalesce(excluded.date, date),
    start_time = coalesce(excluded.start_time, start_time),
    end_time = coalesce(excluded.end_time, end_time),
    topic = coalesce(excluded.topic, topic),
    description = coalesce(excluded.description, description),
    teacher_id = coalesce(excluded.teacher_id, teacher_id),
    teacher_name = coalesce(excluded.teacher_name, teacher_name),
    status = excluded.status,
    started_at = excluded.started_at,
    ended_at = excluded.ended_at,
    projected_seq = excluded.projected_seq
  WHERE excluded.projected_seq > projected_seq`;

const UPSERT_RECORD = `
  INSERT INTO attendance_records (session_id, student_id, record_id, status, remarks, checked_in_at, marked_at,
    marked_by, created_at, updated_at, seq)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (session_id, student_id) DO UPDATE SET
    status = excluded.status,
    remarks = excluded.remarks,
    checked_in_at = excluded.checked_in_at,
    marked_at = excluded.marked_at,
    marked_by = excluded.marked_by,
    updated_at = excluded.updated_at,
    seq = excluded.seq
  WHERE excluded.seq > seq`;

/** Unless something was committed behind what is projected. */
export const CLOSE_JOURNAL = `
  UPDATE journals SET open = 0, active_at = NULL WHERE session_id = ?1 AND open = 1
  AND NOT EXISTS (SELECT 1 FROM journal WHERE session_id = ?1 AND last_seq > ?2)`;
export const FORGET_LEFT = 'DELETE FROM departures WHERE session_id = ?';

/** Inside a transaction of the caller. */
export function project(db: Connection, { session_id, session, seq, records, stays_open }: Projection): void {
  db.run(UPSERT_SESSION, [
    session_id,
    session.course_id,
    session.date,
    session.start_time,
    session.end_time,
    session.topic,
    session.description,
    session.teacher_id,
    session.teacher_name,
    session.status,
    session.started_at,
    session.ended_at,
    seq,
  ]);
  for (const record of records) {
    db.run(UPSERT_RECORD, [
      session_id,
      record.student_id,
      record.record_id,
      record.status,
      record.remarks,
      record.checked_in_at,
      record.marked_at,
      record.marked_by,
      record.created_at,
      record.updated_at,
      record.seq,
    ]);
  }
  if (session.status !== 'completed') return;
  if (!stays_open) db.run(CLOSE_JOURNAL, [session_id, seq]);
  db.run(FORGET_LEFT, [session_id]);
}

/** What `toSession` reads, of a session with its joins. */
export const SESSION = `s.session_id, s.course_id, c.course_id, c.title, c.course_code, s.date,
  s.start_time, s.end_time, s.topic, s.description, coalesce(s.teacher_id, c.teacher_id),
  coalesce(s.teacher_name, u.name), s.status, s.started_at, s.ended_at, s.projected_seq`;
export const SESSION_JOINS = `
  LEFT JOIN courses AS c ON c.course_id = s.course_id
  LEFT JOIN teachers AS t ON t.teacher_id = coalesce(s.teacher_id, c.teacher_id)
  LEFT JOIN users AS u ON u.user_id = t.user_id`;

export const FIND_SESSION = `
  SELECT json_group_array(json_array(${SESSION})) FROM class_sessions AS s ${SESSION_JOINS}
  WHERE s.session_id = ?`;

type SessionRow = [
  SessionId,
  CourseId | null,
  CourseId | null,
  string | null,
  string | null,
  string | null,
  string | null,
  string | null,
  string | null,
  string | null,
  TeacherId | null,
  string | null,
  SessionStatus,
  number | null,
  number | null,
  number,
];

export function toSession(row: readonly unknown[]): StoredSession {
  const r = row as SessionRow;
  return {
    session_id: r[0],
    course_id: r[1],
    course: r[2] === null ? null : { _id: r[2], title: r[3], course_code: r[4] },
    date: r[5],
    start_time: r[6],
    end_time: r[7],
    topic: r[8],
    description: r[9],
    teacher_id: r[10],
    teacher_name: r[11],
    status: r[12],
    started_at: r[13],
    ended_at: r[14],
    projected_seq: r[15],
  };
}

/** ?1: the sessions as a JSON array. */
export const PROJECTED_SEQS = `
  SELECT json_group_array(json_array(s.session_id, s.projected_seq))
  FROM json_each(?1) AS r JOIN class_sessions AS s ON s.session_id = r.value`;

/** What `toRecord` reads. */
export const RECORD = `a.student_id, a.record_id, a.status, a.remarks, a.checked_in_at, a.marked_at, a.marked_by,
  a.created_at, a.updated_at, a.seq`;

export const READ_RECORDS = `
  SELECT json_group_array(json_array(${RECORD})) FROM attendance_records AS a WHERE a.session_id = ?`;

type RecordRow = [
  StudentId,
  string,
  AttendanceStatus,
  string | null,
  number | null,
  number | null,
  string | null,
  number,
  number,
  number,
];

export function toRecord(row: readonly unknown[]): StoredRecord {
  const r = row as RecordRow;
  return {
    student_id: r[0],
    record_id: r[1],
    status: r[2],
    remarks: r[3],
    checked_in_at: r[4],
    marked_at: r[5],
    marked_by: r[6],
    created_at: r[7],
    updated_at: r[8],
    seq: r[9],
  };
}

export const projectionOf = (queries: Queries): Projections => ({
  async findSession(sessionId: SessionId): Promise<StoredSession | null> {
    return queries.first(FIND_SESSION, [sessionId], toSession);
  },

  async readRecords(sessionId: SessionId): Promise<StoredRecord[]> {
    return (await queries.rows(READ_RECORDS, [sessionId])).map(toRecord);
  },

  async projectedSeqs(sessionIds: readonly SessionId[]): Promise<Map<SessionId, number>> {
    const rows = await queries.rows(PROJECTED_SEQS, [jsonOf(sessionIds)]);
    return new Map(rows.map(([id, seq]) => [id as SessionId, Number(seq)]));
  },

  project(projection: Projection): Promise<void> {
    return queries.call('project', projection);
  },
});
