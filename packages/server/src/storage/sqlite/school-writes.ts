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
import { appendAccess } from './access-log.js';
import { changeAccount, createAccount } from './account-writes.js';
import { changeCourse, createCourse, putEnrollment, withdraw } from './catalogue-writes.js';
import type { Connection } from './connection.js';
import { cancelScheduled, changeScheduled, scheduleSession } from './timetable-writes.js';

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

/** Inside a transaction of the caller. */
export function writeSchool(db: Connection, call: SchoolWriteCall): unknown {
  switch (call.verb) {
    case 'createAccount':
      return createAccount(db, ...call.args);
    case 'changeAccount':
      return changeAccount(db, ...call.args);
    case 'createCourse':
      return createCourse(db, ...call.args);
    case 'changeCourse':
      return changeCourse(db, ...call.args);
    case 'putEnrollment':
      return putEnrollment(db, ...call.args);
    case 'withdraw':
      return withdraw(db, ...call.args);
    case 'scheduleSession':
      return scheduleSession(db, ...call.args);
    case 'changeScheduled':
      return changeScheduled(db, ...call.args);
    case 'cancelScheduled':
      return cancelScheduled(db, ...call.args);
    case 'appendAccess':
      return appendAccess(db, ...call.args);
  }
}

const NAMES: ReadonlySet<string> = new Set<keyof SchoolWrites>([
  'createAccount',
  'changeAccount',
  'createCourse',
  'changeCourse',
  'putEnrollment',
  'withdraw',
  'scheduleSession',
  'changeScheduled',
  'cancelScheduled',
  'appendAccess',
]);

export const isSchoolWrite = (call: { readonly verb: string }): call is SchoolWriteCall => NAMES.has(call.verb);
