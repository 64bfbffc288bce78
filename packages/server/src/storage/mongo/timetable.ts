import type { CourseId, SessionId, StudentId, TeacherId } from '@rollcall/protocol';
import type { mongo } from 'mongoose';
import { pageIn, pageOf } from '../page.js';
import type { Days, Page, PageQuery, RecordCounts, StoredRecord, StoredSession, StudentRecord } from '../port.js';
import { coursesAttended, coursesTaught, namesOf } from './catalogue.js';
import type { Collections } from './collections.js';
import { rowsBehind } from './pages.js';
import { describeSessions, newestByStudent, RECORD_FIELDS, readRecord, readRecords } from './sessions.js';
import { anyOf, inParts, type Row, readDate, readId } from './stored-values.js';

/** Sessions that one person may have within the days that are asked for. */
const OF_ONE_PERSON_MAX = 500;
const DAY_MS = 86_400_000;
/** A day in length of text. */
const DAY_LENGTH = 10;

/** A session's date is a day (midnight in UTC, or text) or an instant, as `readDate` tells them apart. */
function isWithin({ from, to }: Days, row: Row): boolean {
  if (from === null && to === null) return true;
  const date = readDate(row['date']);
  if (date === null) return false;
  if (date.length === DAY_LENGTH) return (from === null || date >= from.day) && (to === null || date <= to.day);
  const at = Date.parse(date);
  return (from === null || at >= from.at) && (to === null || at < to.until);
}

/** Dates that may be within, of both types: what is read is looked at by `isWithin`. */
function mayBeWithin({ from, to }: Days): mongo.Filter<Row> {
  if (from === null && to === null) return {};
  // No clock is further from UTC than a day.
  const [first, last] = [from && from.at - DAY_MS, to && to.until + DAY_MS];
  const range = <Value>(of: (ms: number) => Value) => ({
    ...(first !== null && { $gte: of(first) }),
    ...(last !== null && { $lt: of(last) }),
  });
  const dates = [range((ms) => new Date(ms)), range((ms) => new Date(ms).toISOString().slice(0, DAY_LENGTH))];
  return { $or: dates.map((date) => ({ date })) } as mongo.Filter<Row>;
}

export async function listSessions(
  c: Collections,
  courseId: CourseId,
  days: Days,
  { after, limit }: PageQuery,
): Promise<Page<StoredSession>> {
  const filter = { course_id: anyOf([courseId]), ...mayBeWithin(days) } as mongo.Filter<Row>;
  const found: Row[] = [];
  for (let behind = after; found.length <= limit; ) {
    const rows = await rowsBehind(c.sessions, { after: behind, limit }, { field: '_id', filter, projection: {} });
    found.push(...rows.filter((row) => isWithin(days, row)));
    behind = readId(rows.at(-1)?._id) ?? behind;
    if (rows.length <= limit) break;
  }
  const { items, next } = pageOf(found, limit, (row) => readId(row._id) ?? '');
  return { items: await describeSessions(c, items), next };
}

export async function sessionsOfTeacher(c: Collections, teacherId: TeacherId, days: Days): Promise<StoredSession[]> {
  const [courses, names] = [await coursesTaught(c, teacherId), await namesOf(c.teachers, teacherId)];
  const within = mayBeWithin(days);
  const [ofCourses, own] = await Promise.all([
    inParts(courses, (course_id) => c.sessions.find({ course_id, ...within } as mongo.Filter<Row>).toArray()),
    c.sessions.find({ teacher_id: anyOf(names), ...within } as mongo.Filter<Row>).toArray(),
  ]);
  return sessionsOf(c, [...ofCourses, ...own], days);
}

export async function sessionsOfStudent(c: Collections, studentId: StudentId, days: Days): Promise<StoredSession[]> {
  const courses = await coursesAttended(c, studentId);
  const within = mayBeWithin(days);
  const rows = await inParts(courses, (course_id) =>
    c.sessions.find({ course_id, ...within } as mongo.Filter<Row>).toArray(),
  );
  return sessionsOf(c, rows, days);
}

async function sessionsOf(c: Collections, rows: readonly Row[], days: Days): Promise<StoredSession[]> {
  const byId = new Map(rows.flatMap((row) => (isWithin(days, row) ? [[readId(row._id) ?? '', row] as const] : [])));
  const first = [...byId].sort(([one], [other]) => (one < other ? -1 : 1)).slice(0, OF_ONE_PERSON_MAX);
  return describeSessions(
    c,
    first.map(([, row]) => row),
  );
}

export async function countRecords(
  c: Collections,
  sessionIds: readonly SessionId[],
): Promise<Map<SessionId, RecordCounts>> {
  const counts = new Map<SessionId, RecordCounts>();
  for (const id of new Set(sessionIds)) {
    const records = await readRecords(c, id);
    if (records.length === 0) continue;
    const of = (status: StoredRecord['status']) => records.filter((record) => record.status === status).length;
    const checked_in = records.filter((record) => record.checked_in_at !== null).length;
    counts.set(id, {
      ...{ present: of('present'), absent: of('absent'), late: of('late'), excused: of('excused') },
      checked_in,
    });
  }
  return counts;
}

const FIELDS_OF_RECORD = { ...RECORD_FIELDS, session_id: 1 };

/** The row that counts of each session; of a student's own rows there are as many as sessions. */
async function recordRows(
  c: Collections,
  studentId: StudentId,
  filter: mongo.Filter<Row>,
): Promise<Map<SessionId, Row>> {
  const student_id = anyOf(await namesOf(c.students, studentId));
  const rows = await c.records
    .find({ student_id, ...filter } as mongo.Filter<Row>, { projection: FIELDS_OF_RECORD })
    .toArray();
  // One student: what is told apart is the session.
  return newestByStudent(rows, (row) => readId(row['session_id'])) as Map<SessionId, Row>;
}

export async function recordsOfStudent(
  c: Collections,
  studentId: StudentId,
  sessionIds: readonly SessionId[],
): Promise<Map<SessionId, StoredRecord>> {
  const rows = await recordRows(c, studentId, { session_id: anyOf(sessionIds) } as mongo.Filter<Row>);
  return new Map([...rows].map(([id, row]) => [id, readRecord(studentId, row)]));
}

export async function listRecords(
  c: Collections,
  studentId: StudentId,
  courseId: CourseId | null,
  days: Days,
  query: PageQuery,
): Promise<Page<StudentRecord>> {
  const rows = await recordRows(c, studentId, {});
  const ids = [...rows.keys()];
  const sessions = await inParts(ids, (_id) => c.sessions.find({ _id }).toArray());
  const wanted = sessions.filter(
    (row) => isWithin(days, row) && (courseId === null || readId(row['course_id']) === courseId),
  );
  const page = pageIn(wanted, query, (row) => readId(row._id) ?? '');
  const items = (await describeSessions(c, page.items)).flatMap((session) => {
    const row = rows.get(session.session_id);
    return row ? [{ session, record: readRecord(studentId, row) }] : [];
  });
  return { items, next: page.next };
}
