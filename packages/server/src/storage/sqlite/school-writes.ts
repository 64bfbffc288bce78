import { appendAccess } from './access-log.js';
import { changeAccount, createAccount } from './account-writes.js';
import { changeCourse, createCourse, putEnrollment, withdraw } from './catalogue-writes.js';
import type { Connection } from './connection.js';
import { noteSchoolChange } from './school.js';
import type { SchoolWriteCall, SchoolWrites } from './school-write-verbs.js';
import { cancelScheduled, changeScheduled, scheduleSession } from './timetable-writes.js';

/** What may give or take a right: running servers are to hear of it. */
const OF_RIGHTS: ReadonlySet<string> = new Set<keyof SchoolWrites>([
  'createAccount',
  'changeAccount',
  'createCourse',
  'changeCourse',
  'putEnrollment',
  'withdraw',
]);

/** Inside a transaction of the caller. */
export function writeSchool(db: Connection, call: SchoolWriteCall): unknown {
  const result = write(db, call);
  const { outcome } = (result ?? {}) as { readonly outcome?: unknown };
  if (OF_RIGHTS.has(call.verb) && (outcome === 'added' || outcome === 'changed')) noteSchoolChange(db);
  return result;
}

function write(db: Connection, call: SchoolWriteCall): unknown {
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
