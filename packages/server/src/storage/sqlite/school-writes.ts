import { appendAccess } from './access-log.js';
import { changeAccount, createAccount } from './account-writes.js';
import { changeCourse, createCourse, putEnrollment, withdraw } from './catalogue-writes.js';
import type { Connection } from './connection.js';
import type { SchoolWriteCall, SchoolWrites } from './school-write-verbs.js';
import { cancelScheduled, changeScheduled, scheduleSession } from './timetable-writes.js';

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
