import type { ClientEventName } from '@rollcall/protocol';
import { getOnlineStudents } from '../checkins/get-online-students.js';
import { joinAttendanceSession } from '../checkins/join-attendance-session.js';
import { leaveAttendanceSession } from '../checkins/leave-attendance-session.js';
import {
  checkActiveSessions,
  getActiveSessions,
  subscribeToCourse,
  unsubscribeFromCourse,
} from '../courses/active-sessions.js';
import { amendAttendance } from '../marks/amend-attendance.js';
import { bulkUpdateAttendance } from '../marks/bulk-update-attendance.js';
import { clearStudentMark } from '../marks/clear-student-mark.js';
import { markStudentAbsent, markStudentAttendance, markStudentPresent } from '../marks/mark-students.js';
import { endAttendanceSession } from '../sessions/end-attendance-session.js';
import { getAttendanceSessionData, watchAttendanceSession } from '../sessions/get-attendance-session-data.js';
import { startAttendanceSession } from '../sessions/start-attendance-session.js';
import { keepAttendanceSessionAlive } from '../timeouts/keep-attendance-session-alive.js';
import type { AnyCommand } from './command.js';

/** Events about the connection itself rather than about attendance. */
type ConnectionEvent = 'refreshToken';

/** Every command that a caller may give. An event without a place here doesn't compile. */
export const commandTable: { readonly [Name in Exclude<ClientEventName, ConnectionEvent>]: AnyCommand } = {
  startAttendanceSession,
  joinAttendanceSession,
  leaveAttendanceSession,
  markStudentPresent,
  markStudentAbsent,
  markStudentAttendance,
  clearStudentMark,
  bulkUpdateAttendance,
  getAttendanceSessionData,
  watchAttendanceSession,
  getOnlineStudents,
  keepAttendanceSessionAlive,
  endAttendanceSession,
  amendAttendance,
  subscribeToCourse,
  unsubscribeFromCourse,
  checkActiveSessions,
  getActiveSessions,
};
