import { describe, expect, test } from 'vitest';
import { clientExamples } from './examples.js';
import {
  badRequest,
  bulkRow,
  type ClientEventName,
  clientEvents,
  ID_MAX_LENGTH,
  parseClientEvent,
  parseWith,
  RollcallError,
} from './index.js';

const names = Object.keys(clientEvents) as ClientEventName[];

/** The refusal of a payload; fails where it is accepted or anything else is thrown. */
function refusal(name: ClientEventName, payload: unknown): RollcallError {
  try {
    parseClientEvent(name, payload);
  } catch (error) {
    if (error instanceof RollcallError) return error;
    throw error;
  }
  throw new Error(`${name} accepted ${JSON.stringify(payload)}`);
}

function expectBadRequest(name: ClientEventName, payload: unknown, field: string): void {
  const error = refusal(name, payload);
  expect(error.code).toBe('BAD_REQUEST');
  expect(error.details?.field).toBe(field);
  expect(error.message.startsWith(`${field}: `)).toBe(true);
}

const notObjects: ReadonlyArray<readonly [string, unknown]> = [
  ['nothing', undefined],
  ['null', null],
  ['a number', 7],
  ['a string', 'session-1'],
  ['a boolean', true],
  ['an array', [{ session_id: 'session-1' }]],
  ['a function', () => undefined],
];

const notIds: ReadonlyArray<readonly [string, unknown]> = [
  ['missing', undefined],
  ['null', null],
  ['a number', 12345],
  ['a boolean', true],
  ['an array', ['session-1']],
  ['an operator object', { $ne: null }],
  ['empty', ''],
  ['too long', 'x'.repeat(ID_MAX_LENGTH + 1)],
  ['a lone surrogate', 'a\ud800b'],
];

const SESSION = ['session_id'] as const;
const STUDENT = ['session_id', 'student_id'] as const;
const COURSE = ['course_id'] as const;

const requiredIds: Record<ClientEventName, readonly string[]> = {
  startAttendanceSession: SESSION,
  joinAttendanceSession: SESSION,
  leaveAttendanceSession: SESSION,
  markStudentPresent: STUDENT,
  markStudentAbsent: STUDENT,
  markStudentAttendance: STUDENT,
  clearStudentMark: STUDENT,
  bulkUpdateAttendance: SESSION,
  getAttendanceSessionData: SESSION,
  watchAttendanceSession: SESSION,
  getOnlineStudents: SESSION,
  keepAttendanceSessionAlive: SESSION,
  endAttendanceSession: SESSION,
  amendAttendance: STUDENT,
  subscribeToCourse: COURSE,
  unsubscribeFromCourse: COURSE,
  checkActiveSessions: [],
  getActiveSessions: [],
  refreshToken: [],
};

describe.each(names)('%s', (name) => {
  test('[OBJ-12] the example is accepted as it is', () => {
    expect(parseClientEvent(name, clientExamples[name])).toMatchObject(clientExamples[name]);
  });

  test.each(notObjects)('[ANS-14] a payload that is %s is refused by name', (_, payload) => {
    expectBadRequest(name, payload, 'payload');
  });

  test('[ANS-18] unknown fields are ignored', () => {
    const odd = { ...clientExamples[name], $where: 'true', constructor: { prototype: 1 }, extra: [{ $gt: '' }] };
    expect(parseClientEvent(name, odd)).toEqual(parseClientEvent(name, clientExamples[name]));
  });

  test('[ANS-14] a __proto__ key neither stands in for a field nor reaches a prototype', () => {
    const { ...given } = clientExamples[name];
    const tricky = JSON.parse(
      `{"__proto__": {"polluted": true, "session_id": "other"}, ${JSON.stringify(given).slice(1)}`,
    );
    const parsed = parseClientEvent(name, tricky);
    expect(parsed).toEqual(parseClientEvent(name, given));
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    expect('polluted' in {}).toBe(false);
  });

  test('[ANS-17] an optional field that is null counts as not given', () => {
    const bare = parseClientEvent(name, clientExamples[name]);
    const absent = Object.keys(clientEvents[name].shape).filter((field) => !(field in clientExamples[name]));
    const nulled = { ...clientExamples[name], ...Object.fromEntries(absent.map((field) => [field, null])) };
    expect(parseClientEvent(name, nulled)).toEqual(bare);
  });
});

describe.each(names.filter((name) => requiredIds[name].length > 0))('the ids of %s', (name) => {
  test.each(notIds)('[IDS-4] an id that is %s is refused by name', (_, id) => {
    for (const field of requiredIds[name]) expectBadRequest(name, { ...clientExamples[name], [field]: id }, field);
  });

  test('[IDS-5] camelCase ids are accepted', () => {
    const renamed = Object.fromEntries(
      Object.entries(clientExamples[name]).map(([field, value]) => [
        field.replace(/^(session|student|course)_id$/, '$1Id'),
        value,
      ]),
    );
    for (const field of requiredIds[name]) expect(Object.keys(renamed)).not.toContain(field);
    expect(parseClientEvent(name, renamed)).toEqual(parseClientEvent(name, clientExamples[name]));
  });

  test('[IDS-6] the snake_case id counts where both are sent', () => {
    const both = { ...clientExamples[name], sessionId: 'other', studentId: 'other', courseId: 'other' };
    expect(parseClientEvent(name, both)).toMatchObject(clientExamples[name]);
  });

  test('[IDS-6] a bad snake_case id is not helped by a good alias', () => {
    const [field = ''] = requiredIds[name];
    const alias = field.replace('_id', 'Id');
    expectBadRequest(name, { ...clientExamples[name], [field]: null, [alias]: 'session-1' }, field);
  });
});

test('[IDS-4] an id of 128 characters of any script is accepted', () => {
  const session_id = `${'é😀'.repeat(42)}xx`;
  expect(session_id.length).toBe(ID_MAX_LENGTH);
  expect(parseClientEvent('endAttendanceSession', { session_id }).session_id).toBe(session_id);
});

test('[IDS-5] the ids of bulk rows have the same aliases', () => {
  expect(parseWith(bulkRow, { studentId: 'student-1', status: 'late' })).toMatchObject({ student_id: 'student-1' });
});

const mark = { session_id: 'session-1', student_id: 'student-1', status: 'present' };

test.each([
  ['remarks', 'x'.repeat(1_001)],
  ['remarks', '\udc00'],
  ['remarks', { $set: 1 }],
  ['op_id', ''],
  ['op_id', 'x'.repeat(65)],
  ['op_id', 7],
  ['walk_in', 'true'],
  ['status', 'here'],
  ['status', null],
  ['status', { $ne: 'absent' }],
  ['status', ['present']],
])('[ANS-14] a mark with a bad %s is refused by name (case %#)', (field, value) => {
  expectBadRequest('markStudentAttendance', { ...mark, [field]: value }, field);
});

test.each([{}, { remarks: '' }, { remarks: 'Bus was late' }, { remarks: null }])(
  '[MARK-6] an empty remark is told from one left out: %j',
  (given: { remarks?: string | null }) => {
    expect(parseClientEvent('markStudentAttendance', { ...mark, ...given }).remarks).toBe(given.remarks ?? undefined);
  },
);

test.each([
  [[]],
  [new Array(5_001).fill({ student_id: 'student-1', status: 'present' })],
  [{ 0: { student_id: 'student-1', status: 'present' }, length: 1 }],
  ['student-1'],
  [null],
  [undefined],
])(
  '[ANS-14] a list of updates that is empty, over-long or no list is refused by name (case %#)',
  (attendanceUpdates) => {
    expectBadRequest('bulkUpdateAttendance', { session_id: 'session-1', attendanceUpdates }, 'attendanceUpdates');
  },
);

test('[BULK-1] a bulk takes 5,000 rows', () => {
  const attendanceUpdates = new Array(5_000).fill({ student_id: 'student-1', status: 'excused' });
  expect(
    parseClientEvent('bulkUpdateAttendance', { session_id: 's', attendanceUpdates }).attendanceUpdates,
  ).toHaveLength(5_000);
});

test('[BULK-3] a bad row is named by its place in the list', () => {
  const check = () => parseWith(bulkRow, { student_id: 'student-1', status: 'gone' }, ['attendanceUpdates', 3]);
  expect(check).toThrow(
    expect.objectContaining({ details: expect.objectContaining({ field: 'attendanceUpdates[3].status' }) }),
  );
});

test.each([
  ['policy', 'open'],
  ['policy', []],
  ['policy', 3],
  ['policy.check_in', { check_in: 'never' }],
  ['policy.check_in', { check_in: { $ne: 'open' } }],
  ['policy.auto_mark', { auto_mark: 'true' }],
  ['policy.late_after_minutes', { late_after_minutes: -0.5 }],
  ['policy.late_after_minutes', { late_after_minutes: '10' }],
  ['policy.visibility', { visibility: 'everyone' }],
  ['policy.inactivity_minutes', { inactivity_minutes: Number.POSITIVE_INFINITY }],
  ['policy.max_minutes', { max_minutes: Number.NaN }],
  ['policy.max_minutes', { max_minutes: 100_001 }],
])('[START-13] a bad %s is refused by name (case %#)', (field, policy) => {
  expectBadRequest('startAttendanceSession', { session_id: 'session-1', policy }, field);
});

test('[START-14] minutes may be fractions, and 0', () => {
  const policy = { late_after_minutes: 0.25, inactivity_minutes: 0 };
  expect(parseClientEvent('startAttendanceSession', { session_id: 's', policy }).policy).toStrictEqual(policy);
});

test('[ANS-17] a policy field that is null counts as not given', () => {
  const policy = { check_in: null, auto_mark: true, late_after_minutes: null, max_minutes: null };
  expect(parseClientEvent('startAttendanceSession', { session_id: 's', policy }).policy).toStrictEqual({
    auto_mark: true,
  });
  expect(parseClientEvent('startAttendanceSession', { session_id: 's', policy: null }).policy).toBeUndefined();
});

test.each([-1, 1.5, '3', Number.MAX_SAFE_INTEGER + 1, { $gt: 0 }])(
  '[ANS-14] since_seq %j is refused by name',
  (since_seq) => {
    expectBadRequest('getAttendanceSessionData', { session_id: 's', since_seq }, 'since_seq');
    expectBadRequest('joinAttendanceSession', { session_id: 's', since_seq }, 'since_seq');
  },
);

test.each(['', 'b1946ac92492d23', 'b1946ac92492d2347', 'B1946AC92492D234', 'g1946ac92492d234', 7, { $ne: '' }])(
  '[SEQ-160] since_chain %j is refused by name',
  (since_chain) => {
    for (const name of ['getAttendanceSessionData', 'joinAttendanceSession'] as const) {
      expectBadRequest(name, { session_id: 's', since_seq: 3, since_chain }, 'since_chain');
    }
  },
);

test('[SEQ-160] since_chain may be left out or null, with since_seq or without', () => {
  const parsed = (fields: object) => parseClientEvent('getAttendanceSessionData', { session_id: 's', ...fields });
  expect(parsed({ since_seq: 3, since_chain: 'b1946ac92492d234' }).since_chain).toBe('b1946ac92492d234');
  expect(parsed({ since_seq: 3, since_chain: null }).since_chain).toBeUndefined();
  expect(parsed({ since_seq: 3 }).since_chain).toBeUndefined();
});

test('[DATA-6] since_seq 0 is not the same as none', () => {
  expect(parseClientEvent('getAttendanceSessionData', { session_id: 's', since_seq: 0 }).since_seq).toBe(0);
  expect(parseClientEvent('getAttendanceSessionData', { session_id: 's' }).since_seq).toBeUndefined();
});

test.each([undefined, null, '', 5, { $ne: '' }, 'x'.repeat(16_385)])(
  '[ANS-14] a token that is no token-like string is refused by name (case %#)',
  (token) => expectBadRequest('refreshToken', { token }, 'token'),
);

test('[ANS-14] every bad field is in the details, the first one in the message', () => {
  const error = refusal('markStudentAttendance', { session_id: 1, student_id: {}, status: 'x' });
  expect(error.details?.issues?.map((issue) => issue.field)).toEqual(['session_id', 'student_id', 'status']);
  expect(error.details?.field).toBe('session_id');
});

test('[ANS-14] a refusal stays short, whatever was sent', () => {
  const schema = clientEvents.bulkUpdateAttendance;
  const bad = schema.safeParse({ session_id: 'x'.repeat(1_000_000), attendanceUpdates: 'x'.repeat(1_000_000) });
  expect(bad.success).toBe(false);
  if (!bad.success) expect(JSON.stringify(badRequest(bad.error).toWire()).length).toBeLessThan(2_000);
});
