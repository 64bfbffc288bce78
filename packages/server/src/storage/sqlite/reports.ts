import type { CourseId, SessionId, StudentId } from '@rollcall/protocol';
import type { PersonIds, Reports, SessionRecord, StoredSession } from '../port.js';
import { coursesOf } from './courses.js';
import { journalOf } from './journal.js';
import { peopleOf } from './people.js';
import { RECORD, SESSION, SESSION_JOINS, toRecord, toSession } from './projection.js';
import { jsonOf, type Queries } from './queries.js';

export const SESSIONS_OF_COURSE = `
  SELECT json_group_array(json_array(${SESSION})) FROM class_sessions AS s ${SESSION_JOINS} WHERE s.course_id = ?`;

/** ?1 teacher, ?2 student. */
export const SESSIONS_OF_PERSON = `
  SELECT json_group_array(json_array(${SESSION})) FROM (
    SELECT session_id FROM class_sessions WHERE teacher_id = ?1
    UNION SELECT o.session_id FROM courses AS k JOIN class_sessions AS o ON o.course_id = k.course_id
      WHERE k.teacher_id = ?1
    UNION SELECT o.session_id FROM course_teachers AS k JOIN class_sessions AS o ON o.course_id = k.course_id
      WHERE k.teacher_id = ?1
    UNION SELECT o.session_id FROM enrollments AS e JOIN class_sessions AS o ON o.course_id = e.course_id
      WHERE e.student_id = ?2 AND e.status = 'approved'
        AND (e.begins IS NULL OR o.date IS NULL OR substr(o.date, 1, 10) >= e.begins)
        AND (e.ends IS NULL OR o.date IS NULL OR substr(o.date, 1, 10) < e.ends)) AS r
  JOIN class_sessions AS s ON s.session_id = r.session_id ${SESSION_JOINS}`;

/** ?1: the sessions as a JSON array. */
export const SESSIONS = `
  SELECT json_group_array(json_array(${SESSION})) FROM json_each(?1) AS r
  JOIN class_sessions AS s ON s.session_id = r.value ${SESSION_JOINS}`;

/** ?1: the sessions as a JSON array. */
export const RECORDS_SESSION_JOINSS = `
  SELECT json_group_array(json_array(a.session_id, ${RECORD}))
  FROM json_each(?1) AS r JOIN attendance_records AS a ON a.session_id = r.value`;

export const RECORDS_OF_STUDENT = `
  SELECT json_group_array(json_array(a.session_id, ${RECORD})) FROM attendance_records AS a WHERE a.student_id = ?`;

function toSessionRecord([session_id, ...record]: readonly unknown[]): SessionRecord {
  return { session_id: session_id as SessionId, ...toRecord(record) };
}

/** @param queries those whose reads go to the thread for reports */
export function reportsOf(queries: Queries): Reports {
  const [courses, people, journal] = [coursesOf(queries), peopleOf(queries), journalOf(queries)];
  const sessions = async (sql: string, params: readonly (string | null)[]): Promise<StoredSession[]> =>
    (await queries.rows(sql, params)).map(toSession);
  const records = async (sql: string, param: string): Promise<SessionRecord[]> =>
    (await queries.rows(sql, [param])).map(toSessionRecord);
  return {
    sessionsOfCourse: (courseId: CourseId) => sessions(SESSIONS_OF_COURSE, [courseId]),
    sessionsOfPerson: ({ teacher_id, student_id }: PersonIds) => sessions(SESSIONS_OF_PERSON, [teacher_id, student_id]),
    sessions: (sessionIds) => sessions(SESSIONS, [jsonOf(sessionIds)]),
    recordsOfSessions: (sessionIds) => records(RECORDS_SESSION_JOINSS, jsonOf(sessionIds)),
    recordsOfStudent: (studentId: StudentId) => records(RECORDS_OF_STUDENT, studentId),
    findCourse: (courseId) => courses.findCourse(courseId),
    listRoster: (courseId) => courses.listRoster(courseId),
    findStudents: (studentIds) => people.findStudents(studentIds),
    lastSeqs: (sessionIds) => journal.lastSeqs(sessionIds),
    readCommits: (sessionId, afterSeq, limit) => journal.readCommits(sessionId, afterSeq, limit),
  };
}
