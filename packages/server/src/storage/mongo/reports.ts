import type { CourseId, SessionId, StudentId } from '@rollcall/protocol';
import type { PersonIds, SessionRecord, StoredSession } from '../port.js';
import type { Collections } from './collections.js';
import { countsOn } from './courses.js';
import { studentIdsOf } from './people.js';
import { describeSessions, newestByStudent, RECORD_FIELDS, readRecord } from './sessions.js';
import { anyOf, inParts, type Row, readDate, readId } from './stored-values.js';

export async function sessionsOfCourse(c: Collections, courseId: CourseId): Promise<StoredSession[]> {
  return describeSessions(c, await c.sessions.find({ course_id: anyOf([courseId]) }).toArray());
}

export async function sessionsOf(c: Collections, sessionIds: readonly SessionId[]): Promise<StoredSession[]> {
  return describeSessions(c, await inParts(new Set(sessionIds), (_id) => c.sessions.find({ _id }).toArray()));
}

export async function sessionsOfPerson(c: Collections, person: PersonIds): Promise<StoredSession[]> {
  const [taught, attended] = await Promise.all([sessionsTaught(c, person), sessionsAttended(c, person)]);
  const rows = new Map([...taught, ...attended].map((row) => [readId(row._id), row]));
  return describeSessions(c, [...rows.values()]);
}

/** What rows of an application may name somebody by: the profile, or its user. */
async function referencesTo(
  profiles: Collections['teachers'] | Collections['students'],
  profileId: string,
): Promise<string[]> {
  const profile = await profiles.findOne({ _id: anyOf([profileId]) }, { projection: { user_id: 1 } });
  const userId = readId(profile?.['user_id']);
  return userId === null ? [profileId] : [profileId, userId];
}

async function sessionsTaught(c: Collections, { teacher_id }: PersonIds): Promise<Row[]> {
  if (teacher_id === null) return [];
  const teacher = anyOf(await referencesTo(c.teachers, teacher_id));
  const courses = await c.courses
    .find({ $or: [{ teacher_id: teacher }, { co_teacher_ids: teacher }] }, { projection: { _id: 1 } })
    .toArray();
  const [own, ofCourses] = await Promise.all([
    c.sessions.find({ teacher_id: teacher }).toArray(),
    sessionsOfCourses(
      c,
      courses.flatMap((course) => readId(course._id) ?? []),
    ),
  ]);
  return [...own, ...ofCourses];
}

async function sessionsAttended(c: Collections, { student_id }: PersonIds): Promise<Row[]> {
  if (student_id === null) return [];
  const student = anyOf(await referencesTo(c.students, student_id));
  const enrollments = await c.enrollments.find({ student_id: student, status: 'approved' }).toArray();
  const rows = await sessionsOfCourses(c, new Set(enrollments.flatMap((row) => readId(row['course_id']) ?? [])));
  return rows.filter((session) => {
    const day = readDate(session['date'])?.slice(0, 10);
    const courseId = readId(session['course_id']);
    return enrollments.some(
      (row) => readId(row['course_id']) === courseId && (day === undefined || countsOn(row, day)),
    );
  });
}

const sessionsOfCourses = (c: Collections, courseIds: Iterable<string>): Promise<Row[]> =>
  inParts(courseIds, (course_id) => c.sessions.find({ course_id }).toArray());

const FIELDS = { ...RECORD_FIELDS, session_id: 1 };

export async function recordsOfSessions(c: Collections, sessionIds: readonly SessionId[]): Promise<SessionRecord[]> {
  const rows = await inParts(new Set(sessionIds), (session_id) =>
    c.records.find({ session_id }, { projection: FIELDS }).toArray(),
  );
  const studentIds = await studentIdsOf(c, new Set(rows.flatMap((row) => readId(row['student_id']) ?? [])));
  return [...bySession(rows)].flatMap(([session_id, ofSession]) => {
    const newest = newestByStudent(ofSession, (row) => {
      const named = readId(row['student_id']);
      return named === null ? null : (studentIds.get(named) ?? named);
    });
    return [...newest].map(([studentId, row]) => ({ session_id, ...readRecord(studentId, row) }));
  });
}

export async function recordsOfStudent(c: Collections, studentId: StudentId): Promise<SessionRecord[]> {
  const student_id = anyOf(await referencesTo(c.students, studentId));
  const rows = await c.records.find({ student_id }, { projection: FIELDS }).toArray();
  return [...bySession(rows)].flatMap(([session_id, ofSession]) => {
    const row = newestByStudent(ofSession, () => studentId).get(studentId);
    return row === undefined ? [] : { session_id, ...readRecord(studentId, row) };
  });
}

function bySession(rows: readonly Row[]): Map<SessionId, Row[]> {
  const groups = new Map<SessionId, Row[]>();
  for (const row of rows) {
    const sessionId = readId(row['session_id']) as SessionId | null;
    if (sessionId === null) continue;
    const group = groups.get(sessionId);
    if (group) group.push(row);
    else groups.set(sessionId, [row]);
  }
  return groups;
}
