import type { AttendanceStatus } from '@rollcall/protocol';
import type { SessionRow, StoredRow, Student } from './payloads.js';

export interface User {
  readonly user_id: string;
  readonly uid: string;
}

export interface Teacher {
  readonly teacher_id: string;
  readonly name: string;
}

/** A record as it was read back. */
export interface Stored {
  readonly student: Student;
  readonly row: StoredRow;
}

export interface Updated extends Stored {
  readonly previous_status: AttendanceStatus;
}

type Eventually<Value> = Value | Promise<Value>;

/** The services that the seed document names, over one database or the other. */
export interface DirectDatabase {
  getUserByUID(uid: string): Eventually<User | null>;
  getTeacherByUserId(user_id: string): Eventually<Teacher | null>;
  getStudentByUserId(user_id: string): Eventually<Student | null>;
  /** Makes the session and a record for each approved enrolment, one by one. */
  startAttendanceSession(session_id: string, course_id: string, teacher: Teacher): Eventually<void>;
  /** Checks session, teacher and enrolment, updates the record, and reads it back with its student. */
  markStudent(session_id: string, student_id: string, status: AttendanceStatus, teacher: Teacher): Eventually<Updated>;
  getAttendanceSessionData(session_id: string): Eventually<{ session: SessionRow; records: readonly Stored[] }>;
  endAttendanceSession(session_id: string): Eventually<void>;
}
