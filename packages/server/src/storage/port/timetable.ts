import type { AttendanceStatus, CourseId, SessionId, StudentId, TeacherId } from '@rollcall/protocol';
import type { Page, PageQuery, SchoolChange } from './pages.js';
import type { StoredRecord, StoredSession } from './projection.js';

/** Class sessions as a timetable has them: by course, by day, by person; and those that are yet to come. */
export interface Timetable {
  /** Sessions of a course, of every status, in order of id. */
  listSessions(courseId: CourseId, days: Days, page: PageQuery): Promise<Page<StoredSession>>;
  /** Sessions of the courses of a teacher, and those that name the teacher themselves; 500 at the most. */
  sessionsOfTeacher(teacherId: TeacherId, days: Days): Promise<StoredSession[]>;
  /** Sessions of the courses in which the student has an approved enrolment that counts today; 500 at the most. */
  sessionsOfStudent(studentId: StudentId, days: Days): Promise<StoredSession[]>;
  /** Records by status, of sessions that have any. */
  countRecords(sessionIds: readonly SessionId[]): Promise<Map<SessionId, RecordCounts>>;
  /** The record that a student has in each of these sessions. */
  recordsOfStudent(studentId: StudentId, sessionIds: readonly SessionId[]): Promise<Map<SessionId, StoredRecord>>;
  /** Records of a student with their sessions, in order of session id; `courseId` for those of one course only. */
  listRecords(
    studentId: StudentId,
    courseId: CourseId | null,
    days: Days,
    page: PageQuery,
  ): Promise<Page<StudentRecord>>;

  /** `taken` also for the id of a session that has a journal and nothing else yet. */
  scheduleSession(session: NewSession): Promise<SchoolChange>;
  /** Changes what is said of a session that is scheduled and has no journal. */
  changeScheduled(sessionId: SessionId, change: SessionChange): Promise<SchoolChange>;
  /** Cancels a session that is scheduled and has no journal; one that is cancelled is `left`. */
  cancelScheduled(sessionId: SessionId): Promise<SchoolChange>;
}

/**
 * Days of the school, inclusive, and the same bounds as instants: a session's date is either a day, or an instant
 * where it was made by being started. Null where there is no bound.
 */
export interface Days {
  readonly from: { readonly day: string; readonly at: number } | null;
  /** `until` is when the day `day` is over. */
  readonly to: { readonly day: string; readonly until: number } | null;
}

export type RecordCounts = Readonly<Record<AttendanceStatus, number>> & { readonly checked_in: number };

export interface StudentRecord {
  readonly session: StoredSession;
  readonly record: StoredRecord;
}

export interface NewSession {
  readonly session_id: string;
  readonly course_id: string;
  readonly date: string;
  readonly start_time: string | null;
  readonly end_time: string | null;
  readonly topic: string | null;
  readonly description: string | null;
}

export type SessionChange = {
  readonly [Field in keyof Omit<NewSession, 'session_id' | 'course_id'>]?: NewSession[Field] | undefined;
};
