import type { AccessEntry } from '../../journal/access-entry.js';
import type {
  AccountChange,
  CourseChange,
  NewAccount,
  NewCourse,
  NewEnrollment,
  NewSession,
  SchoolChange,
  SessionChange,
} from '../port.js';

/** Changes of the school, each of which is a transaction of its own. */
export interface SchoolWrites {
  createAccount(account: NewAccount): SchoolChange;
  changeAccount(userId: string, change: AccountChange): SchoolChange;
  createCourse(course: NewCourse): SchoolChange;
  changeCourse(courseId: string, change: CourseChange): SchoolChange;
  putEnrollment(enrollment: NewEnrollment): SchoolChange;
  withdraw(courseId: string, studentId: string): SchoolChange;
  scheduleSession(session: NewSession): SchoolChange;
  changeScheduled(sessionId: string, change: SessionChange): SchoolChange;
  cancelScheduled(sessionId: string): SchoolChange;
  appendAccess(entry: AccessEntry): number;
}

export type SchoolWriteCall = {
  readonly [Name in keyof SchoolWrites]: {
    readonly id: number;
    readonly verb: Name;
    readonly args: Parameters<SchoolWrites[Name]>;
  };
}[keyof SchoolWrites];
