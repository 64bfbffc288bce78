import type { ClientEventName } from '@rollcall/protocol';

export type Fields = Record<string, unknown>;

/** A payload of each event that is good but for whom it is from: what the bad ones are made of. */
export const GOOD: Record<ClientEventName, Fields> = {
  startAttendanceSession: { session_id: 'session-1' },
  joinAttendanceSession: { session_id: 'session-1' },
  leaveAttendanceSession: { session_id: 'session-1' },
  markStudentPresent: { session_id: 'session-1', student_id: 'student-1' },
  markStudentAbsent: { session_id: 'session-1', student_id: 'student-1', remarks: 'away' },
  markStudentAttendance: { session_id: 'session-1', student_id: 'student-1', status: 'late' },
  bulkUpdateAttendance: { session_id: 'session-1', attendanceUpdates: [{ student_id: 'student-1', status: 'late' }] },
  clearStudentMark: { session_id: 'session-1', student_id: 'student-1' },
  amendAttendance: { session_id: 'session-1', student_id: 'student-1', status: 'late', reason: 'a note came' },
  getAttendanceSessionData: { session_id: 'session-1' },
  watchAttendanceSession: { session_id: 'session-1' },
  getOnlineStudents: { session_id: 'session-1' },
  keepAttendanceSessionAlive: { session_id: 'session-1' },
  endAttendanceSession: { session_id: 'session-1' },
  subscribeToCourse: { course_id: 'course-1' },
  unsubscribeFromCourse: { course_id: 'course-1' },
  checkActiveSessions: { course_id: 'course-1' },
  getActiveSessions: { course_id: 'course-1' },
  refreshToken: { token: 'a.b.c' },
};

export const EVENTS = Object.keys(GOOD) as ClientEventName[];
export const STUDENT_EVENTS: readonly string[] = ['joinAttendanceSession', 'leaveAttendanceSession'];

const OPERATORS: readonly unknown[] = [
  { $ne: null },
  { $gt: '' },
  { $regex: '.*' },
  { toString: 'x' },
  ['session-1'],
  Buffer.from('x'),
];
const ID = [7, true, '', 'x'.repeat(129), '\ud800', ...OPERATORS];
const text = (max: number): unknown[] => [7, false, 'x'.repeat(max + 1), '\udfff', ...OPERATORS];
const FLAG = ['true', 1, ...OPERATORS];
const MINUTES = [-1, '5', 100_001, ...OPERATORS];

/** Bad values of each field; those of required fields include that it is missing or null. */
const BAD: Record<string, readonly unknown[]> = {
  session_id: [undefined, null, ...ID],
  student_id: [undefined, null, ...ID],
  status: [undefined, null, '', 'Present', 'here', '__proto__', 7, ...OPERATORS],
  attendanceUpdates: [
    undefined,
    null,
    [],
    {},
    'x',
    { length: 1 },
    { $each: [] },
    Array.from({ length: 10_000 }, () => ({ student_id: 'student-1', status: 'late' })),
    Array.from({ length: 5_001 }, () => null),
    [null],
    [[]],
    [{ student_id: 'student-2', status: 'late' }, 7],
    [{ student_id: { $ne: null }, status: 'late' }],
    [{ student_id: 'student-1', status: { $ne: null } }],
    [{ student_id: 'student-1', status: 'late', remarks: { $ne: null } }],
    [{ student_id: 'student-1', status: 'late', expected_seq: -1 }],
    Buffer.from('x'),
  ],
  remarks: text(1_000),
  reason: [undefined, null, '', '  \n', ...text(1_000)],
  expected_seq: [-1, 1.5, '3', 2 ** 60, true, ...OPERATORS],
  op_id: ['', ...text(64)],
  walk_in: FLAG,
  partial: FLAG,
  since_seq: [-1, 1.5, '3', 2 ** 60, true, ...OPERATORS],
  since_chain: ['', 'b1946ac92492d23', 'B1946AC92492D234', 7, ...OPERATORS],
  code: text(2_048),
  topic: text(500),
  token: [undefined, null, '', ...text(16_384)],
  policy: ['open', 7, true, []],
  'policy.check_in': ['', 'closed', 7, ...OPERATORS],
  'policy.visibility': ['public', ...OPERATORS],
  'policy.auto_mark': FLAG,
  'policy.late_after_minutes': MINUTES,
  'policy.inactivity_minutes': MINUTES,
  'policy.max_minutes': MINUTES,
};

const OF_STUDENT = ['session_id', 'student_id', 'remarks', 'op_id', 'walk_in', 'expected_seq'];
const POLICY = ['check_in', 'visibility', 'auto_mark', 'late_after_minutes', 'inactivity_minutes', 'max_minutes'];
const FIELDS: Record<ClientEventName, readonly string[]> = {
  startAttendanceSession: ['session_id', 'op_id', 'topic', 'policy', ...POLICY.map((field) => `policy.${field}`)],
  joinAttendanceSession: ['session_id', 'op_id', 'code', 'since_seq', 'since_chain'],
  leaveAttendanceSession: ['session_id', 'op_id'],
  markStudentPresent: OF_STUDENT,
  markStudentAbsent: OF_STUDENT,
  markStudentAttendance: [...OF_STUDENT, 'status'],
  clearStudentMark: ['session_id', 'student_id', 'op_id', 'expected_seq'],
  amendAttendance: ['session_id', 'student_id', 'status', 'reason', 'remarks', 'op_id', 'expected_seq'],
  bulkUpdateAttendance: ['session_id', 'op_id', 'walk_in', 'partial', 'attendanceUpdates'],
  getAttendanceSessionData: ['session_id', 'op_id', 'since_seq', 'since_chain'],
  watchAttendanceSession: ['session_id', 'op_id'],
  getOnlineStudents: ['session_id', 'op_id'],
  keepAttendanceSessionAlive: ['session_id', 'op_id'],
  endAttendanceSession: ['session_id', 'op_id'],
  subscribeToCourse: ['op_id'],
  unsubscribeFromCourse: ['op_id'],
  checkActiveSessions: ['op_id'],
  getActiveSessions: ['op_id'],
  refreshToken: ['token'],
};

/** course_id is required of some events only. */
const COURSE_ID: Partial<Record<ClientEventName, readonly unknown[]>> = {
  startAttendanceSession: ID,
  subscribeToCourse: [undefined, null, ...ID],
  unsubscribeFromCourse: [undefined, null, ...ID],
  checkActiveSessions: ID,
  getActiveSessions: ID,
};

export interface BadPayload {
  /** What the refusal must name, or begin with. */
  readonly field: string;
  readonly payload: unknown;
}

function withField(event: ClientEventName, field: string, value: unknown): Fields {
  const [outer = '', inner] = field.split('.');
  const payload = { ...GOOD[event], [outer]: inner === undefined ? value : { [inner]: value } };
  if (value === undefined) delete payload[outer];
  return payload;
}

/** Everything that an event may be sent and must refuse. */
export function badPayloads(event: ClientEventName): BadPayload[] {
  const wholes = [undefined, null, 7, -0.5, 'session-1', '', true, [], [GOOD[event]], Buffer.from('session-1')];
  const ofFields = FIELDS[event].flatMap((field) =>
    (BAD[field] ?? []).map((value) => ({ field, payload: withField(event, field, value) })),
  );
  const ofCourse = (COURSE_ID[event] ?? []).map((value) => ({
    field: 'course_id',
    payload: withField(event, 'course_id', value),
  }));
  return [...wholes.map((payload) => ({ field: 'payload', payload })), ...ofFields, ...ofCourse];
}

export const shown = (value: unknown): string => (JSON.stringify(value) ?? 'undefined').slice(0, 120);
