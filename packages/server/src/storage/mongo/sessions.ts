import {
  ATTENDANCE_STATUSES,
  type AttendanceStatus,
  type CourseId,
  type SessionId,
  type SessionStatus,
  type StudentId,
  sessionStatus,
  type TeacherId,
} from '@rollcall/protocol';
import { mongo } from 'mongoose';
import type { StoredRecord, StoredSession } from '../port.js';
import type { Collections } from './collections.js';
import { COURSE_FIELDS } from './courses.js';
import { findTeachers, studentIdsOf, teacherNames } from './people.js';
import {
  anyOf,
  inParts,
  type Row,
  readDate,
  readId,
  readSeq,
  readText,
  readTime,
  readWritten,
} from './stored-values.js';

export async function findSession(c: Collections, sessionId: SessionId): Promise<StoredSession | null> {
  const row = await c.sessions.findOne({ _id: anyOf([sessionId]) });
  return row && ((await describeSessions(c, [row]))[0] ?? null);
}

/**
 * The sessions of rows with what they refer to, in as many queries as for one. A course that is gone stays named, so
 * that its session stays closed to others.
 */
export async function describeSessions(c: Collections, rows: readonly Row[]): Promise<StoredSession[]> {
  const courseIds = new Set(rows.flatMap((row) => readId(row['course_id']) ?? []));
  const courseRows = await inParts(courseIds, (_id) =>
    c.courses.find({ _id }, { projection: COURSE_FIELDS }).toArray(),
  );
  const courses = new Map(courseRows.map((row) => [readId(row._id), row]));
  const refs = [...rows, ...courseRows].flatMap((row) => readId(row['teacher_id']) ?? []);
  const teachers = await findTeachers(c, [...new Set(refs)]);
  const names = await teacherNames(c, [...teachers.values()]);
  return rows.map((row) => {
    const course = courses.get(readId(row['course_id']));
    // Its own teacher, else its course's.
    const of = [row, course].flatMap((one) => readId(one?.['teacher_id']) ?? []);
    const teacher = of.map((ref) => teachers.get(ref)).find((profile) => profile !== undefined);
    const teacher_id = readId(teacher?._id);
    return describeSession(row, course, teacher_id, names.get(teacher_id ?? '') ?? null);
  });
}

function describeSession(
  row: Row,
  course: Row | undefined,
  teacher_id: string | null,
  teacher_name: string | null,
): StoredSession {
  const courseId = readId(row['course_id']) as CourseId | null;
  return {
    session_id: (readId(row._id) ?? '') as SessionId,
    course_id: courseId,
    course:
      course && courseId !== null
        ? { _id: courseId, title: readText(course['title']), course_code: readText(course['course_code']) }
        : null,
    date: readDate(row['date']),
    start_time: readText(row['start_time']),
    end_time: readText(row['end_time']),
    topic: readText(row['topic']),
    description: readText(row['description']),
    teacher_id: teacher_id as TeacherId | null,
    teacher_name,
    status: readSessionStatus(row['status']),
    started_at: readTime(row['started_at']),
    ended_at: readTime(row['ended_at']),
    projected_seq: readSeq(row['projected_seq']),
  };
}

/** A session without a status that we know hasn't begun, as far as anyone can tell. */
export const readSessionStatus = (value: unknown): SessionStatus => sessionStatus.safeParse(value).data ?? 'scheduled';

export const isAttendanceStatus = (value: unknown): value is AttendanceStatus =>
  ATTENDANCE_STATUSES.some((status) => status === value);

export async function projectedSeqs(c: Collections, sessionIds: readonly SessionId[]): Promise<Map<SessionId, number>> {
  const rows = await inParts(new Set(sessionIds), (_id) =>
    c.sessions.find({ _id }, { projection: { projected_seq: 1 } }).toArray(),
  );
  return new Map(rows.map((row) => [(readId(row._id) ?? '') as SessionId, readSeq(row['projected_seq'])]));
}

export async function readRecords(c: Collections, sessionId: SessionId): Promise<StoredRecord[]> {
  const rows = await c.records.find({ session_id: anyOf([sessionId]) }, { projection: RECORD_FIELDS }).toArray();
  const studentIds = await studentIdsOf(
    c,
    rows.flatMap((row) => readId(row['student_id']) ?? []),
  );
  const newest = newestByStudent(rows, (row) => {
    const named = readId(row['student_id']);
    return named === null ? null : (studentIds.get(named) ?? named);
  });
  return [...newest].map(([studentId, row]) => readRecord(studentId, row));
}

export const RECORD_FIELDS = {
  student_id: 1,
  status: 1,
  remarks: 1,
  checked_in_at: 1,
  marked_at: 1,
  marked_by: 1,
  seq: 1,
  createdAt: 1,
  updatedAt: 1,
};

/**
 * One row a student, by the id that `studentOf` answers for it. There may be several, in a database without the unique
 * index and where one names the profile and one the user; the one of the highest seq is ours, and among rows that
 * aren't the latest change counts.
 */
export function newestByStudent(rows: readonly Row[], studentOf: (row: Row) => string | null): Map<string, Row> {
  const newest = new Map<string, Row>();
  for (const row of rows) {
    const studentId = studentOf(row);
    if (studentId === null || readId(row._id) === null) continue;
    const other = newest.get(studentId);
    if (!other || isNewer(row, other)) newest.set(studentId, row);
  }
  return newest;
}

function isNewer(row: Row, other: Row): boolean {
  const bySeq = readSeq(row['seq']) - readSeq(other['seq']);
  if (bySeq !== 0) return bySeq > 0;
  const byTime = (readTime(row['updatedAt']) ?? 0) - (readTime(other['updatedAt']) ?? 0);
  if (byTime !== 0) return byTime > 0;
  return (readId(row._id) ?? '') < (readId(other._id) ?? '');
}

export function readRecord(studentId: string, row: Row): StoredRecord {
  const made = row._id instanceof mongo.ObjectId ? row._id.getTimestamp().getTime() : 0;
  const created_at = readTime(row['createdAt']) ?? made;
  return {
    record_id: readId(row._id) ?? '',
    student_id: studentId as StudentId,
    status: isAttendanceStatus(row['status']) ? row['status'] : 'absent',
    remarks: readWritten(row['remarks']),
    checked_in_at: readTime(row['checked_in_at']),
    marked_at: readTime(row['marked_at']),
    marked_by: readWritten(row['marked_by']),
    created_at,
    updated_at: readTime(row['updatedAt']) ?? created_at,
    seq: readSeq(row['seq']),
  };
}
