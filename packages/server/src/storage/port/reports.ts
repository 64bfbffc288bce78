import type { CourseId, SessionId, StudentId, TeacherId } from '@rollcall/protocol';
import type { StoredCommit } from '../../journal/commit.js';
import type { RosterStudent } from '../../journal/entries.js';
import type { Course } from './courses.js';
import type { StoredRecord, StoredSession } from './projection.js';

/**
 * Long reads. An adapter answers them where they keep no command waiting: SQLite on a thread and a connection of
 * their own. Lists are in no particular order. A session is as `Projections.findSession` answers it.
 */
export interface Reports {
  /** The sessions of a course, whatever their state. */
  sessionsOfCourse(courseId: CourseId): Promise<StoredSession[]>;
  /**
   * Sessions that a person teaches (as their own teacher, or as one of the course's) or that are of a course in which
   * they have an approved enrolment that counts on the session's day.
   */
  sessionsOfPerson(person: PersonIds): Promise<StoredSession[]>;
  /** The sessions with these ids; unknown ones are left out. */
  sessions(sessionIds: readonly SessionId[]): Promise<StoredSession[]>;
  /** The records of these sessions, one a student and session. Ask for some sessions at a time. */
  recordsOfSessions(sessionIds: readonly SessionId[]): Promise<SessionRecord[]>;
  /** The records of a student, one a session. */
  recordsOfStudent(studentId: StudentId): Promise<SessionRecord[]>;
  /** As Courses.findCourse. */
  findCourse(courseId: CourseId): Promise<Course | null>;
  /** As Courses.listRoster. */
  listRoster(courseId: CourseId): Promise<RosterStudent[]>;
  /** As People.findStudents, by profile id. */
  findStudents(studentIds: readonly string[]): Promise<Map<string, RosterStudent>>;
  /** As Journal.lastSeqs. */
  lastSeqs(sessionIds: readonly SessionId[]): Promise<Map<SessionId, number>>;
  /** As Journal.readCommits. */
  readCommits(sessionId: SessionId, afterSeq: number, limit: number): Promise<StoredCommit[]>;
}

export interface SessionRecord extends StoredRecord {
  readonly session_id: SessionId;
}

/** The profiles by which somebody takes part in sessions. */
export interface PersonIds {
  readonly teacher_id: TeacherId | null;
  readonly student_id: StudentId | null;
}
