import type { SessionId, StudentId } from '@rollcall/protocol';
import { pageOf } from '../page.js';
import type { Days, RecordCounts, StudentRecord, Timetable } from '../port.js';
import { today } from '../today.js';
import { COUNTS_TODAY } from './courses.js';
import { RECORD, SESSION, SESSION_JOINS, toRecord, toSession } from './projection.js';
import { jsonOf, type Queries } from './queries.js';

/** Sessions that one person may have within the days that are asked for. */
const OF_ONE_PERSON_MAX = 500;

/**
 * ?1 and ?2: the first and the last text that a date of these days can be, for the index; ?3 and ?4: the days; ?5 and
 * ?6: the instants. A date is a day, or an instant where the session was made by being started.
 */
const onDays = (date: string): string => `${date} BETWEEN ?1 AND ?2 AND
  CASE WHEN length(${date}) = 10 THEN ${date} BETWEEN ?3 AND ?4 ELSE ${date} >= ?5 AND ${date} < ?6 END`;
/** A session without a date is on no day, and in a list that has no bounds. */
const withinDays = (date: string): string => `(?3 = '' AND ?4 = '${'~'}' OR ${onDays(date)})`;

/** Behind every date. */
const LAST = '~';

function daysOf({ from, to }: Days): [string, string, string, string, string, string] {
  const [first, last] = [from?.day ?? '', to?.day ?? LAST];
  const since = from === null ? '' : new Date(from.at).toISOString();
  const until = to === null ? LAST : new Date(to.until).toISOString();
  return [first < since ? first : since, last > until ? last : until, first, last, since, until];
}

const sessionsOfIds = (ids: string): string => `
  SELECT json_group_array(json_array(${SESSION}) ORDER BY s.session_id)
  FROM (${ids}) AS page JOIN class_sessions AS s ON s.session_id = page.session_id ${SESSION_JOINS}`;

/** ?7: the course, ?8: the session before the page, ?9: how many. */
export const LIST_SESSIONS = sessionsOfIds(`
  SELECT x.session_id FROM class_sessions AS x
  WHERE x.course_id = ?7 AND x.session_id > ?8 AND ${withinDays('x.date')} ORDER BY x.session_id LIMIT ?9`);

const ofCourses = (courses: string): string => `
  SELECT x.session_id FROM (${courses}) AS mine
  CROSS JOIN class_sessions AS x
    ON x.course_id = mine.course_id AND ${onDays('x.date')}`;

/** ?7: the teacher. */
export const SESSIONS_OF_TEACHER = sessionsOfIds(`
  SELECT session_id FROM (
    ${ofCourses(`SELECT course_id FROM courses WHERE teacher_id = ?7
      UNION SELECT course_id FROM course_teachers WHERE teacher_id = ?7`)}
    UNION SELECT x.session_id FROM class_sessions AS x WHERE x.teacher_id = ?7 AND ${onDays('x.date')}) AS mine
  ORDER BY session_id LIMIT ${OF_ONE_PERSON_MAX}`);

/** ?7: the student; today stands in the place of the second parameter of enrolments. */
export const SESSIONS_OF_STUDENT = sessionsOfIds(`
  SELECT session_id FROM (${ofCourses(`SELECT e.course_id FROM enrollments AS e
    WHERE e.student_id = ?7 AND e.status = 'approved' AND ${COUNTS_TODAY.replaceAll('?2', '?8')}`)}) AS mine
  ORDER BY session_id LIMIT ${OF_ONE_PERSON_MAX}`);

/** ?1: the sessions as a JSON array. */
export const COUNT_RECORDS = `
  SELECT json_group_array(json_array(session_id, status, n, checked_in)) FROM (
    SELECT a.session_id, a.status, count(*) AS n, count(a.checked_in_at) AS checked_in
    FROM json_each(?1) AS r CROSS JOIN attendance_records AS a ON a.session_id = r.value
    GROUP BY a.session_id, a.status)`;

/** ?1: the sessions as a JSON array, ?2: the student. */
export const RECORDS_OF_STUDENT = `
  SELECT json_group_array(json_array(a.session_id, ${RECORD})) FROM json_each(?1) AS r
  CROSS JOIN attendance_records AS a ON a.session_id = r.value AND a.student_id = ?2`;

const records = (ofCourse: string): string => `
  SELECT json_group_array(json_array(${SESSION}, ${RECORD}) ORDER BY s.session_id)
  FROM (
    SELECT y.session_id, y.student_id
    FROM attendance_records AS y INDEXED BY attendance_records_student
    CROSS JOIN class_sessions AS x ON x.session_id = y.session_id
    WHERE y.student_id = ?7 AND y.session_id > ?8 AND ${ofCourse} AND ${withinDays('x.date')}
    ORDER BY y.session_id LIMIT ?9) AS page
  JOIN attendance_records AS a ON a.session_id = page.session_id AND a.student_id = page.student_id
  JOIN class_sessions AS s ON s.session_id = page.session_id ${SESSION_JOINS}`;

/** ?7: the student, ?8: the session before the page, ?9: how many. */
export const LIST_RECORDS = records('TRUE');
/** ?10: the course. */
export const LIST_RECORDS_IN_COURSE = records('x.course_id = ?10');

/** As many values as a session has. */
const SESSION_VALUES = 16;

export const timetableOf = (queries: Queries): Timetable => ({
  async listSessions(courseId, days, { after, limit }) {
    const rows = await queries.rows(LIST_SESSIONS, [...daysOf(days), courseId, after ?? '', limit + 1]);
    return pageOf(rows.map(toSession), limit, (session) => session.session_id as string);
  },

  async sessionsOfTeacher(teacherId, days) {
    return (await queries.rows(SESSIONS_OF_TEACHER, [...daysOf(days), teacherId])).map(toSession);
  },

  async sessionsOfStudent(studentId, days) {
    return (await queries.rows(SESSIONS_OF_STUDENT, [...daysOf(days), studentId, today()])).map(toSession);
  },

  async countRecords(sessionIds) {
    const counts = new Map<SessionId, RecordCounts>();
    for (const [id, status, n, checkedIn] of await queries.rows(COUNT_RECORDS, [jsonOf(sessionIds)])) {
      const before = counts.get(id as SessionId) ?? { present: 0, absent: 0, late: 0, excused: 0, checked_in: 0 };
      const checked_in = before.checked_in + Number(checkedIn);
      counts.set(id as SessionId, { ...before, [String(status)]: Number(n), checked_in });
    }
    return counts;
  },

  async recordsOfStudent(studentId: StudentId, sessionIds) {
    const rows = await queries.rows(RECORDS_OF_STUDENT, [jsonOf(sessionIds), studentId]);
    return new Map(rows.map(([id, ...record]) => [id as SessionId, toRecord(record)]));
  },

  async listRecords(studentId, courseId, days, { after, limit }) {
    const page = [...daysOf(days), studentId, after ?? '', limit + 1];
    const rows =
      courseId === null
        ? await queries.rows(LIST_RECORDS, page)
        : await queries.rows(LIST_RECORDS_IN_COURSE, [...page, courseId]);
    const found = rows.map(
      (row): StudentRecord => ({
        session: toSession(row.slice(0, SESSION_VALUES)),
        record: toRecord(row.slice(SESSION_VALUES)),
      }),
    );
    return pageOf(found, limit, ({ session }) => session.session_id as string);
  },

  scheduleSession(session) {
    return queries.call('scheduleSession', session);
  },

  changeScheduled(sessionId, change) {
    return queries.call('changeScheduled', sessionId, change);
  },

  cancelScheduled(sessionId) {
    return queries.call('cancelScheduled', sessionId);
  },
});
