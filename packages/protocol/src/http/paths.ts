/**
 * Method and path of every operation of the HTTP API, under its name; below /api/v1. Without any schema, so that a
 * page that only calls them loads nothing else. What stands in `{?…}` goes into the query, as RFC 6570 has it; of GET and
 * DELETE all that isn't in the path does.
 */
export const paths = {
  getMe: 'GET /me',
  getToday: 'GET /me/today',

  listPeople: 'GET /people',
  createPerson: 'POST /people',
  getPerson: 'GET /people/{user_id}',
  changePerson: 'PATCH /people/{user_id}',

  listCourses: 'GET /courses',
  createCourse: 'POST /courses',
  getCourse: 'GET /courses/{course_id}',
  changeCourse: 'PATCH /courses/{course_id}',
  listEnrollments: 'GET /courses/{course_id}/enrollments',
  putEnrollment: 'PUT /courses/{course_id}/enrollments/{student_id}',
  withdrawEnrollment: 'DELETE /courses/{course_id}/enrollments/{student_id}',
  listCourseSessions: 'GET /courses/{course_id}/sessions',
  scheduleSession: 'POST /courses/{course_id}/sessions',
  getStudentAttendance: 'GET /courses/{course_id}/students/{student_id}/attendance',
  getOwnAttendance: 'GET /students/me/attendance',

  getSession: 'GET /sessions/{session_id}',
  changeSession: 'PATCH /sessions/{session_id}',
  cancelSession: 'POST /sessions/{session_id}/cancel',
  startSession: 'POST /sessions/{session_id}/start',
  endSession: 'POST /sessions/{session_id}/end',
  keepSessionAlive: 'POST /sessions/{session_id}/keep-alive',
  checkIn: 'POST /sessions/{session_id}/check-ins',
  getCard: 'GET /sessions/{session_id}/card',
  getJournal: 'GET /sessions/{session_id}/journal',
  makeDisplayToken: 'POST /sessions/{session_id}/display-tokens',
  makeTicket: 'POST /sessions/{session_id}/tickets',
  updateRecords: 'PATCH /sessions/{session_id}/records',
  putRecord: 'PUT /sessions/{session_id}/records/{student_id}',
  clearRecord: 'DELETE /sessions/{session_id}/records/{student_id}',

  getSignInWays: 'GET /auth/ways',
  peekSignInLink: 'POST /auth/sign-in/peek',
  signIn: 'POST /auth/sign-in',
  mailSignInLink: 'POST /auth/links',
  refreshAccess: 'POST /auth/refresh',
  signOut: 'POST /auth/sign-out',
  signOutEverywhere: 'POST /auth/sign-out-everywhere',
  startOidc: 'GET /auth/oidc/start',
  finishOidc: 'GET /auth/oidc/callback',
  logOutByOidc: 'POST /auth/oidc/back-channel-logout',
  invitePerson: 'POST /people/{user_id}/invites',

  getCourseRegister: 'GET /courses/{course_id}/register',
  getSessionRegister: 'GET /sessions/{session_id}/register',
  getArrivals: 'GET /sessions/{session_id}/arrivals',
  getCalendarAddress: 'GET /me/calendar',
  makeCalendarAddress: 'POST /me/calendar',
  removeCalendarAddress: 'DELETE /me/calendar',
  getCalendar: 'GET /calendar/{token}.ics',

  listAccess: 'GET /access-log',
  importSchool: 'POST /imports{?dry_run,withdraw_missing,filename}',

  getOpenApi: 'GET /openapi.json',
} as const;

export type OperationName = keyof typeof paths;
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Operations that change something once however often they are sent, by their op_id. */
export const REPEATABLE: readonly OperationName[] = [
  'startSession',
  'endSession',
  'keepSessionAlive',
  'checkIn',
  'updateRecords',
  'putRecord',
  'clearRecord',
];

/** The parts of an operation's place. `query` names what goes into the query although the method has a body. */
export function placeOf(name: OperationName): {
  readonly method: Method;
  readonly path: string;
  readonly query: readonly string[];
} {
  const [method, template = ''] = paths[name].split(' ') as [Method, string?];
  const [path = '', query] = template.split('{?');
  return { method, path, query: query === undefined ? [] : query.replace('}', '').split(',') };
}
