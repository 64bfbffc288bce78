import type { CourseId, SessionId, SessionStatus, StudentId, TeacherId, UserId } from '@rollcall/protocol';
import type { Entry, RosterRow, RosterStudent, SessionFacts } from '../register/entries.js';

/**
 * What Rollcall asks of a database: asynchronous, atomic verbs in the words of the domain. Every adapter passes
 * the one contract suite (contract/). A verb that can't be carried out rejects with StorageError, and then
 * nothing of it may be half visible; an append that rejects may still have been committed (a lost answer), which
 * the register finds out by reading again.
 */
export interface Storage {
  /** For logs and health: `sqlite`, `mongodb`. */
  readonly kind: string;

  /** Opens the database and brings its schema up to date. Called once, before anything else. */
  open(): Promise<void>;
  /** Finishes what was accepted and lets go of the database. Repeated calls do nothing. */
  close(): Promise<void>;
  /** Rejects while the database can't be written. Changes nothing. */
  ping(): Promise<void>;

  // People
  /** The user of a token's uid, with their profiles; null when there is none. */
  findPersonByUid(uid: string): Promise<Person | null>;
  /** The same for many at once, by uid; unknown ones are left out. */
  findPeopleByUid(uids: readonly string[]): Promise<Map<string, Person>>;
  /**
   * Resolves what clients call students: a profile id, else a user id, else a uid (in that order of preference).
   * Keys of the answer are the references as given; unknown ones are left out.
   */
  findStudents(refs: readonly string[]): Promise<Map<string, RosterStudent>>;
  /** Makes a user with the profile of their role. When the uid exists already, answers the existing person unchanged. */
  provisionPerson(person: NewPerson): Promise<Person>;
  /** True while there is not one user: decides whether a development server may add its demo school. */
  isEmpty(): Promise<boolean>;

  // Courses
  findCourse(courseId: CourseId): Promise<Course | null>;
  /** True for an approved enrolment. */
  isEnrolled(courseId: CourseId, studentId: StudentId): Promise<boolean>;
  /** Students with an approved enrolment, ordered by roll, then name. */
  listRoster(courseId: CourseId): Promise<RosterStudent[]>;

  // Sessions
  /** The class session as it stands in the projection; null when there is none. */
  findSession(sessionId: SessionId): Promise<StoredSession | null>;
  /**
   * The records of a session as they stand in the projection, one a student, in no particular order. A student who
   * isn't there any more is named by the id that the record holds.
   */
  readRecords(sessionId: SessionId): Promise<StoredRecord[]>;
  /**
   * Sessions that must be in memory: those whose journal was opened and whose end isn't projected yet, and those
   * that the database calls active without a journal (to be adopted).
   */
  listActiveSessions(): Promise<SessionId[]>;

  /**
   * Remembers that an open session was active at `at` (ms since the epoch), where that is later than what is
   * remembered. No entry of the journal; forgotten once the session's end is projected; nothing for other sessions.
   */
  touchSession(sessionId: SessionId, at: number): Promise<void>;
  /** The latest activity that was remembered of an open session; null when there is none. */
  readActivity(sessionId: SessionId): Promise<number | null>;

  // Journal
  /**
   * Adds entries numbered expectedSeq + 1 … expectedSeq + n, all or none, durable before it resolves.
   * `conflict`: somebody else has already written at that place; nothing was written.
   * Precondition: entries is not empty and numbered densely.
   */
  append(sessionId: SessionId, expectedSeq: number, entries: readonly Entry[]): Promise<AppendResult>;
  /** Entries with seq > afterSeq in order of seq, at most `limit` of them or a few more (a commit is never split). */
  readEntries(sessionId: SessionId, afterSeq: number, limit: number): Promise<Entry[]>;
  /** The seq of the last entry of each of these journals; sessions without one are left out. */
  lastSeqs(sessionIds: readonly SessionId[]): Promise<Map<SessionId, number>>;
  /** Every session that has a journal, in order of id; for `verify`. */
  listJournals(afterSessionId: SessionId | null, limit: number): Promise<SessionId[]>;

  // Projection
  /** How far each of these sessions is projected; those that the projection doesn't know are left out. */
  projectedSeqs(sessionIds: readonly SessionId[]): Promise<Map<SessionId, number>>;
  /**
   * Brings records and the class session up to `projection.seq`. Idempotent, may come late or twice, never goes
   * back: a record whose stored seq is higher, or a session whose projected_seq is higher, is left alone.
   * Fields and rows that Rollcall didn't write stay untouched.
   */
  project(projection: Projection): Promise<void>;

  // Import
  /** Upserts a school, all or nothing where the database can (SQLite), else list by list in an order that a repeat completes. */
  importSchool(school: School, options: { dryRun: boolean }): Promise<ImportReport>;
}

/** A database that can't do what was asked right now. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
}

export type AppendResult = 'committed' | 'conflict';

export interface Person {
  readonly user_id: UserId;
  readonly uid: string;
  readonly name: string;
  readonly email: string | null;
  readonly profile_picture: string | null;
  readonly is_admin: boolean;
  readonly teacher: TeacherProfile | null;
  readonly student: RosterStudent | null;
}

export interface TeacherProfile {
  readonly teacher_id: TeacherId;
  readonly department: string | null;
  readonly designation: string | null;
}

export interface NewPerson {
  readonly uid: string;
  readonly name: string;
  readonly email: string | null;
  readonly role: 'teacher' | 'student' | 'admin';
}

export interface Course {
  readonly course_id: CourseId;
  readonly title: string | null;
  readonly course_code: string | null;
  /** Profile id of the course's teacher; null when it has none. */
  readonly teacher_id: TeacherId | null;
  readonly co_teacher_ids: readonly TeacherId[];
}

export interface StoredSession extends SessionFacts {
  readonly status: SessionStatus;
  /** Milliseconds since the epoch; null where not known. */
  readonly started_at: number | null;
  readonly ended_at: number | null;
  /** seq up to which records and session were projected; 0 without a journal. */
  readonly projected_seq: number;
}

/** A record of the projection. `seq` is 0 for one that Rollcall never wrote. */
export interface StoredRecord extends Omit<RosterRow, 'student'> {
  readonly student_id: StudentId;
  readonly seq: number;
}

/** What changed in a session between two projections. */
export interface Projection {
  readonly session_id: SessionId;
  /** The session as it stands at `seq`. */
  readonly session: SessionFacts & {
    readonly status: 'active' | 'completed';
    readonly started_at: number;
    readonly ended_at: number | null;
  };
  readonly seq: number;
  /** The records that changed since the last projection (all of them at the first), each with the seq of its last change. */
  readonly records: ReadonlyArray<StoredRecord>;
}

/**
 * A school as an import brings it: checked, ids filled in, every reference inside it or in the database. Null says
 * nothing: a stored value stays. A list is said as a whole: an empty `co_teacher_ids` takes the co-teachers away.
 */
export interface School {
  readonly teachers: ReadonlyArray<{
    readonly id: string;
    readonly uid: string;
    readonly name: string;
    readonly email: string | null;
    readonly department: string | null;
    readonly designation: string | null;
    readonly profile_picture: string | null;
  }>;
  readonly students: ReadonlyArray<{
    readonly id: string;
    readonly uid: string;
    readonly name: string;
    readonly email: string | null;
    readonly roll: string | null;
    readonly section: string | null;
    readonly department: string | null;
    readonly semester: string | null;
    readonly profile_picture: string | null;
  }>;
  readonly admins: ReadonlyArray<{ readonly uid: string; readonly name: string; readonly email: string | null }>;
  readonly courses: ReadonlyArray<{
    readonly id: string;
    readonly title: string;
    readonly course_code: string | null;
    readonly credit: number | null;
    readonly teacher_id: string | null;
    readonly co_teacher_ids: readonly string[];
  }>;
  readonly enrollments: ReadonlyArray<{
    readonly course_id: string;
    readonly student_id: string;
    readonly status: 'pending' | 'approved' | 'rejected';
  }>;
  readonly sessions: ReadonlyArray<{
    readonly id: string;
    readonly course_id: string | null;
    /** Only where the session is not its course's teacher's. */
    readonly teacher_id: string | null;
    readonly date: string;
    readonly start_time: string | null;
    readonly end_time: string | null;
    readonly topic: string | null;
    readonly description: string | null;
    readonly status: 'scheduled' | 'completed' | 'cancelled';
  }>;
}

export type SchoolList = keyof School;

/** Counts per list. `left` are rows that were already so, and sessions that run or ran under Rollcall. */
export interface ImportReport {
  readonly added: Readonly<Record<SchoolList, number>>;
  readonly changed: Readonly<Record<SchoolList, number>>;
  readonly left: Readonly<Record<SchoolList, number>>;
  /** References to teachers, students or courses that neither the school nor the database has; then nothing was kept. */
  readonly unresolved: ReadonlyArray<{
    readonly list: SchoolList;
    readonly index: number;
    readonly field: string;
    readonly value: string;
  }>;
}
