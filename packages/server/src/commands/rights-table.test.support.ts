import type { ClientEventName } from '@rollcall/protocol';

/** Uids by what they are to course-1: see schoolOf, and `bare` is a user without any profile. */
export const ROLES = ['ada', 'cyd', 'eve', 's-1', 'outsider', 'pending', 'root', 'bare'] as const;
export type Role = (typeof ROLES)[number];

/** own: course-1, which ada and cyd teach; foreign: course-2, which eve teaches; open: without a course, by ada. */
export type SessionKind =
  | `${'own' | 'foreign'}-${'scheduled' | 'active' | 'ended' | 'cancelled'}`
  | `open-${'active' | 'ended'}`
  | 'unknown';
export type CourseKind = 'own' | 'foreign' | 'unknown' | 'none';

const CODES = {
  ok: 'ok',
  NAT: 'NOT_A_TEACHER',
  NAS: 'NOT_A_STUDENT',
  NST: 'NOT_SESSION_TEACHER',
  NF: 'SESSION_NOT_FOUND',
  SNA: 'SESSION_NOT_ACTIVE',
  END: 'SESSION_ENDED',
  NE: 'NOT_ENROLLED',
  FB: 'FORBIDDEN',
  CNF: 'COURSE_NOT_FOUND',
  ACT: 'SESSION_ACTIVE',
} as const;
export type Expected = (typeof CODES)[keyof typeof CODES];

/*
 * Who may do what, cell by cell. Columns: the session's teacher (ada), its co-teacher (cyd), a foreign teacher (eve),
 * an enrolled student (s-1), one who isn't (outsider: enrolled in course-2), one whose enrolment is pending, an admin
 * (root) and a user without a profile (bare).
 */
const START = `
                      ada  cyd  eve  s-1  outs pend root bare
  own-scheduled       ok   ok   NST  NAT  NAT  NAT  ok   NAT
  own-active          ok   ok   NST  NAT  NAT  NAT  ok   NAT
  own-ended           END  END  NST  NAT  NAT  NAT  END  NAT
  own-cancelled       END  END  NST  NAT  NAT  NAT  END  NAT
  foreign-scheduled   NST  NST  ok   NAT  NAT  NAT  ok   NAT
  foreign-active      NST  NST  ok   NAT  NAT  NAT  ok   NAT
  foreign-ended       NST  NST  END  NAT  NAT  NAT  END  NAT
  open-active         ok   NST  NST  NAT  NAT  NAT  ok   NAT
  open-ended          END  NST  NST  NAT  NAT  NAT  END  NAT
  unknown             ok   ok   ok   NAT  NAT  NAT  ok   NAT`;

/** Marks, bulk updates, watching, the list of those online: on active sessions only. */
const LIVE = `
                      ada  cyd  eve  s-1  outs pend root bare
  own-scheduled       SNA  SNA  NST  NAT  NAT  NAT  SNA  NAT
  own-active          ok   ok   NST  NAT  NAT  NAT  ok   NAT
  own-ended           END  END  NST  NAT  NAT  NAT  END  NAT
  own-cancelled       END  END  NST  NAT  NAT  NAT  END  NAT
  foreign-scheduled   NST  NST  SNA  NAT  NAT  NAT  SNA  NAT
  foreign-active      NST  NST  ok   NAT  NAT  NAT  ok   NAT
  foreign-ended       NST  NST  END  NAT  NAT  NAT  END  NAT
  open-active         ok   NST  NST  NAT  NAT  NAT  ok   NAT
  open-ended          END  NST  NST  NAT  NAT  NAT  END  NAT
  unknown             NF   NF   NF   NAT  NAT  NAT  NF   NAT`;

const READ = `
                      ada  cyd  eve  s-1  outs pend root bare
  own-scheduled       ok   ok   NST  NAT  NAT  NAT  ok   NAT
  own-active          ok   ok   NST  NAT  NAT  NAT  ok   NAT
  own-ended           ok   ok   NST  NAT  NAT  NAT  ok   NAT
  own-cancelled       ok   ok   NST  NAT  NAT  NAT  ok   NAT
  foreign-scheduled   NST  NST  ok   NAT  NAT  NAT  ok   NAT
  foreign-active      NST  NST  ok   NAT  NAT  NAT  ok   NAT
  foreign-ended       NST  NST  ok   NAT  NAT  NAT  ok   NAT
  open-active         ok   NST  NST  NAT  NAT  NAT  ok   NAT
  open-ended          ok   NST  NST  NAT  NAT  NAT  ok   NAT
  unknown             NF   NF   NF   NAT  NAT  NAT  NF   NAT`;

const END = `
                      ada  cyd  eve  s-1  outs pend root bare
  own-scheduled       SNA  SNA  NST  NAT  NAT  NAT  SNA  NAT
  own-active          ok   ok   NST  NAT  NAT  NAT  ok   NAT
  own-ended           SNA  SNA  NST  NAT  NAT  NAT  SNA  NAT
  own-cancelled       SNA  SNA  NST  NAT  NAT  NAT  SNA  NAT
  foreign-scheduled   NST  NST  SNA  NAT  NAT  NAT  SNA  NAT
  foreign-active      NST  NST  ok   NAT  NAT  NAT  ok   NAT
  foreign-ended       NST  NST  SNA  NAT  NAT  NAT  SNA  NAT
  open-active         ok   NST  NST  NAT  NAT  NAT  ok   NAT
  open-ended          SNA  NST  NST  NAT  NAT  NAT  SNA  NAT
  unknown             NF   NF   NF   NAT  NAT  NAT  NF   NAT`;

const JOIN = `
                      ada  cyd  eve  s-1  outs pend root bare
  own-scheduled       NAS  NAS  NAS  SNA  SNA  SNA  NAS  NAS
  own-active          NAS  NAS  NAS  ok   NE   NE   NAS  NAS
  own-ended           NAS  NAS  NAS  SNA  SNA  SNA  NAS  NAS
  own-cancelled       NAS  NAS  NAS  SNA  SNA  SNA  NAS  NAS
  foreign-scheduled   NAS  NAS  NAS  SNA  SNA  SNA  NAS  NAS
  foreign-active      NAS  NAS  NAS  NE   ok   NE   NAS  NAS
  foreign-ended       NAS  NAS  NAS  SNA  SNA  SNA  NAS  NAS
  open-active         NAS  NAS  NAS  ok   ok   ok   NAS  NAS
  open-ended          NAS  NAS  NAS  SNA  SNA  SNA  NAS  NAS
  unknown             NAS  NAS  NAS  SNA  SNA  SNA  NAS  NAS`;

/** A late or needless leave is no error for who may join. */
/** On sessions that are over only. */
const AMEND = `
                      ada  cyd  eve  s-1  outs pend root bare
  own-scheduled       SNA  SNA  NST  NAT  NAT  NAT  SNA  NAT
  own-active          ACT  ACT  NST  NAT  NAT  NAT  ACT  NAT
  own-ended           ok   ok   NST  NAT  NAT  NAT  ok   NAT
  own-cancelled       END  END  NST  NAT  NAT  NAT  END  NAT
  foreign-scheduled   NST  NST  SNA  NAT  NAT  NAT  SNA  NAT
  foreign-active      NST  NST  ACT  NAT  NAT  NAT  ACT  NAT
  foreign-ended       NST  NST  ok   NAT  NAT  NAT  ok   NAT
  open-active         ACT  NST  NST  NAT  NAT  NAT  ACT  NAT
  open-ended          ok   NST  NST  NAT  NAT  NAT  ok   NAT
  unknown             NF   NF   NF   NAT  NAT  NAT  NF   NAT`;

const LEAVE = `
                      ada  cyd  eve  s-1  outs pend root bare
  own-scheduled       NAS  NAS  NAS  ok   NE   NE   NAS  NAS
  own-active          NAS  NAS  NAS  ok   NE   NE   NAS  NAS
  own-ended           NAS  NAS  NAS  ok   NE   NE   NAS  NAS
  own-cancelled       NAS  NAS  NAS  ok   NE   NE   NAS  NAS
  foreign-scheduled   NAS  NAS  NAS  NE   ok   NE   NAS  NAS
  foreign-active      NAS  NAS  NAS  NE   ok   NE   NAS  NAS
  foreign-ended       NAS  NAS  NAS  NE   ok   NE   NAS  NAS
  open-active         NAS  NAS  NAS  ok   ok   ok   NAS  NAS
  open-ended          NAS  NAS  NAS  ok   ok   ok   NAS  NAS
  unknown             NAS  NAS  NAS  NF   NF   NF   NAS  NAS`;

const COURSE = `
                      ada  cyd  eve  s-1  outs pend root bare
  own                 ok   ok   FB   ok   FB   FB   ok   FB
  foreign             FB   FB   ok   FB   ok   FB   ok   FB
  unknown             CNF  CNF  CNF  CNF  CNF  CNF  CNF  CNF`;

/** Leaving a room needs no right, and asking without a course tells of one's own. */
const ANYONE = `
                      ada  cyd  eve  s-1  outs pend root bare
  own                 ok   ok   ok   ok   ok   ok   ok   ok
  foreign             ok   ok   ok   ok   ok   ok   ok   ok
  unknown             ok   ok   ok   ok   ok   ok   ok   ok`;
const NO_COURSE = `
                      ada  cyd  eve  s-1  outs pend root bare
  none                ok   ok   ok   ok   ok   ok   ok   ok`;

function rows<Place extends string>(table: string): Array<{ place: Place; role: Role; expected: Expected }> {
  const [, , ...lines] = table.split('\n');
  return lines.flatMap((line) => {
    const [place, ...codes] = line.trim().split(/\s+/);
    return ROLES.map((role, column) => {
      const code = codes[column] as keyof typeof CODES;
      return { place: place as Place, role, expected: CODES[code] };
    });
  });
}

export type SessionEvent =
  | 'startAttendanceSession'
  | 'joinAttendanceSession'
  | 'leaveAttendanceSession'
  | 'markStudentPresent'
  | 'markStudentAbsent'
  | 'markStudentAttendance'
  | 'clearStudentMark'
  | 'bulkUpdateAttendance'
  | 'getAttendanceSessionData'
  | 'watchAttendanceSession'
  | 'getOnlineStudents'
  | 'keepAttendanceSessionAlive'
  | 'endAttendanceSession'
  | 'amendAttendance';

const sessionTables: Record<SessionEvent, string> = {
  startAttendanceSession: START,
  joinAttendanceSession: JOIN,
  leaveAttendanceSession: LEAVE,
  markStudentPresent: LIVE,
  markStudentAbsent: LIVE,
  markStudentAttendance: LIVE,
  clearStudentMark: LIVE,
  bulkUpdateAttendance: LIVE,
  getAttendanceSessionData: READ,
  watchAttendanceSession: LIVE,
  getOnlineStudents: LIVE,
  keepAttendanceSessionAlive: LIVE,
  endAttendanceSession: END,
  amendAttendance: AMEND,
};

export type CourseEvent = Exclude<ClientEventName, SessionEvent | 'refreshToken'>;

const courseTables: Record<CourseEvent, readonly string[]> = {
  subscribeToCourse: [COURSE],
  unsubscribeFromCourse: [ANYONE],
  checkActiveSessions: [COURSE, NO_COURSE],
  getActiveSessions: [COURSE, NO_COURSE],
};

export interface SessionCell {
  readonly of: 'session';
  readonly event: SessionEvent;
  readonly place: SessionKind;
  readonly role: Role;
  readonly expected: Expected;
}

export const sessionCells: readonly SessionCell[] = Object.entries(sessionTables).flatMap(([event, table]) =>
  rows<SessionKind>(table).map((row) => ({ of: 'session', event: event as SessionEvent, ...row })),
);

export interface CourseCell {
  readonly of: 'course';
  readonly event: CourseEvent;
  readonly place: CourseKind;
  readonly role: Role;
  readonly expected: Expected;
}

export const courseCells: readonly CourseCell[] = Object.entries(courseTables).flatMap(([event, tables]) =>
  tables.flatMap((table) =>
    rows<CourseKind>(table).map((row) => ({ of: 'course', event: event as CourseEvent, ...row })),
  ),
);
