import { describe, expect, test } from 'vitest';
import { ackExamples, clientExamples, refusedAckExample, serverExamples } from './examples.js';
import {
  answers,
  type ClientEventName,
  clientEvents,
  errorRegistry,
  refusedAck,
  type ServerEventName,
  serverEvents,
} from './index.js';

const serverNames = Object.keys(serverEvents) as ServerEventName[];
const clientNames = Object.keys(clientEvents) as ClientEventName[];

const accepts = (name: ServerEventName, payload: unknown): boolean => serverEvents[name].safeParse(payload).success;

type Path = ReadonlyArray<string | number>;

/** Every place in a value, the value itself first. */
function* places(value: unknown, path: Path = []): Generator<{ path: Path; value: unknown }> {
  yield { path, value };
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    yield* places(item, [...path, Array.isArray(value) ? Number(key) : key]);
  }
}

/** A copy in which the object at `path` was edited. */
function edited(value: unknown, path: Path, edit: (object: Record<string, unknown>) => void): unknown {
  const copy = structuredClone(value);
  edit(
    path.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], copy) as Record<string, unknown>,
  );
  return copy;
}

const isPlainObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

describe.each(serverNames)('%s', (name) => {
  const example: unknown = serverExamples[name];

  test('[OBJ-12] the example conforms', () => {
    expect(serverEvents[name].parse(example)).toStrictEqual(example);
  });

  test('[OBJ-11] a stray field is refused wherever it is', () => {
    const objects = [...places(example)].filter(({ value }) => isPlainObject(value));
    expect(objects.length).toBeGreaterThan(0);
    for (const { path } of objects) {
      const stray = edited(example, path, (object) => {
        object['stray'] = 1;
      });
      expect(accepts(name, stray), `with a stray field at ${path.join('.') || 'the top'}`).toBe(false);
    }
  });

  test('[OBJ-5] a null that is left out is refused', () => {
    // A change has the fields of its type only (DATA-7).
    const nulls = [...places(example)].filter(({ path, value }) => value === null && !path.includes('changes'));
    for (const { path } of nulls) {
      const without = edited(example, path.slice(0, -1), (object) => {
        delete object[String(path.at(-1))];
      });
      expect(accepts(name, without), `without ${path.join('.')}`).toBe(false);
    }
  });

  test.each([undefined, null, 'text', 1, [[]]])(
    '[CONN-15] a payload that is no object is refused (case %#)',
    (payload) => {
      expect(accepts(name, payload)).toBe(false);
    },
  );
});

const withEmail: readonly ServerEventName[] = [
  'attendanceSessionStarted',
  'attendanceSessionData',
  'attendanceSessionEndedConfirm',
];

test.each(serverNames)('[OBJ-7] only three answers to teachers may hold an e-mail address: %s', (name) => {
  // The example of attendanceSessionData holds changes; its other form holds records.
  const example: unknown =
    name === 'attendanceSessionData'
      ? edited(ackExamples.watchAttendanceSession, [], (object) => {
          delete object['ok'];
        })
      : serverExamples[name];
  const students = [...places(example)].filter(({ path, value }) => path.at(-1) === 'student' && isPlainObject(value));
  for (const { path } of students) {
    const leaked = edited(example, path, (student) => {
      student['email'] = 'bo@school.example';
    });
    expect(accepts(name, leaked)).toBe(withEmail.includes(name));
  }
  if (withEmail.includes(name)) expect(students.length).toBeGreaterThan(0);
});

test('[OBJ-3] a record is never null', () => {
  expect(accepts('attendanceUpdated', { ...serverExamples.attendanceUpdated, attendanceRecord: null })).toBe(false);
  expect(accepts('attendanceSessionJoined', { ...serverExamples.attendanceSessionJoined, record: null })).toBe(false);
});

test.each(['2026-11-23', '2026-11-23T09:00:00+01:00', '23.11.2026', 1_795_424_400_000, ''])(
  '[OBJ-4] %j is no date in UTC',
  (at) => expect(accepts('attendanceStatistics', { ...serverExamples.attendanceStatistics, at })).toBe(false),
);

test('[DATA-4] session data holds records or changes, never both and never neither', () => {
  const { changes, ...head } = serverExamples.attendanceSessionData as { changes: unknown };
  expect(accepts('attendanceSessionData', { ...head, changes })).toBe(true);
  expect(accepts('attendanceSessionData', { ...head, attendanceRecords: [] })).toBe(true);
  expect(accepts('attendanceSessionData', { ...head, attendanceRecords: [], changes })).toBe(false);
  expect(accepts('attendanceSessionData', head)).toBe(false);
});

test.each([
  'attendanceSessionStarted',
  'attendanceSessionData',
  'attendanceSessionJoined',
  'attendanceChanges',
] as const)('[SEQ-160] %s may carry the chain of its seq, 16 hex digits', (name) => {
  const { chain, ...without } = { chain: undefined, ...serverExamples[name] };
  expect(chain).toMatch(/^[0-9a-f]{16}$/);
  expect(accepts(name, without)).toBe(true);
  for (const bad of [null, '', `${chain}0`, String(chain).toUpperCase(), 7]) {
    expect(accepts(name, { ...without, chain: bad }), String(bad)).toBe(false);
  }
});

test('[SEQ-161] only a whole answer may say reset, and none says that it is no reset', () => {
  const { changes, ...head } = serverExamples.attendanceSessionData as { changes: unknown };
  expect(accepts('attendanceSessionData', { ...head, attendanceRecords: [], reset: true })).toBe(true);
  expect(accepts('attendanceSessionData', { ...head, attendanceRecords: [], reset: false })).toBe(false);
  expect(accepts('attendanceSessionData', { ...head, changes, reset: true })).toBe(false);
  expect(accepts('attendanceSessionJoined', { ...serverExamples.attendanceSessionJoined, reset: true })).toBe(true);
  expect(accepts('attendanceSessionStarted', { ...serverExamples.attendanceSessionStarted, reset: true })).toBe(false);
});

test('[APP-7] studentLeft carries what studentLeftAttendance carries', () => {
  expect(serverEvents.studentLeft).toBe(serverEvents.studentLeftAttendance);
  expect(serverExamples.studentLeft).toEqual(serverExamples.studentLeftAttendance);
});

test.each(['studentLeftAttendance', 'attendanceUpdated', 'studentJoinedAttendance'] as const)(
  '[APP-8] %s carries its ids under both names',
  (name) => {
    const { sessionId, ...oneSession } = serverExamples[name];
    const { studentId, ...oneStudent } = serverExamples[name];
    expect([sessionId, studentId]).toEqual([serverExamples[name].session_id, serverExamples[name].student_id]);
    expect(accepts(name, oneSession)).toBe(false);
    expect(accepts(name, oneStudent)).toBe(false);
  },
);

const seqOf = (ack: object) => ('seq' in ack ? { seq: ack.seq } : {});

describe.each(clientNames)('the answer to %s', (name) => {
  const { ack, events, refusals } = answers[name];

  test('[OBJ-12] the example of its acknowledgement conforms', () => {
    expect(ack.parse(ackExamples[name])).toStrictEqual(ackExamples[name]);
  });

  test('[ANS-3] a refusal conforms', () => {
    expect(ack.parse(refusedAckExample)).toStrictEqual(refusedAckExample);
  });

  test('[ANS-2] an acknowledgement without ok, or with a stray field, is refused', () => {
    const { ok, ...payload } = ackExamples[name];
    expect(ok).toBe(true);
    expect(ack.safeParse(payload).success).toBe(false);
    expect(ack.safeParse({ ...ackExamples[name], ok: false }).success).toBe(false);
    expect(ack.safeParse({ ...ackExamples[name], stray: 1 }).success).toBe(false);
  });

  test('[ANS-2] it holds the payload of the answer event', () => {
    // Of the four answers to one mark, the example is that of its status.
    const event = name === 'markStudentAttendance' ? 'studentMarkedLate' : events[0];
    if (event !== undefined)
      expect(ack.parse({ ...serverExamples[event], ...seqOf(ackExamples[name]), ok: true })).toBeTruthy();
    expect(refusals).toContain('attendanceError');
  });
});

test('[ANS-9] an answer may say that it is a duplicate, and never that it is not', () => {
  const { ack } = answers.markStudentPresent;
  expect(ack.safeParse({ ...ackExamples.markStudentPresent, duplicate: true }).success).toBe(true);
  expect(ack.safeParse({ ...ackExamples.markStudentPresent, duplicate: false }).success).toBe(false);
});

test.each([
  'startAttendanceSession',
  'joinAttendanceSession',
  'markStudentPresent',
  'markStudentAbsent',
  'markStudentAttendance',
  'bulkUpdateAttendance',
  'getAttendanceSessionData',
  'watchAttendanceSession',
  'endAttendanceSession',
] as const)('[ANS-2] the acknowledgement of %s is refused without a seq', (name) => {
  const { seq, ...rest } = ackExamples[name];
  expect(seq).toBeGreaterThan(0);
  expect(answers[name].ack.safeParse(rest).success).toBe(false);
});

test.each(Object.keys(errorRegistry))('[ANS-13] %s of the registry is a code on the wire', (code) => {
  const refused = { ok: false, error: { code, message: 'why', retryable: false } };
  expect(refusedAck.safeParse(refused).success).toBe(true);
  expect(refusedAck.safeParse({ ...refused, error: { ...refused.error, code: `${code}_X` } }).success).toBe(false);
});

test('[OBJ-12] there is an example of every event and every answer', () => {
  expect(Object.keys(clientExamples).sort()).toEqual([...clientNames].sort());
  expect(Object.keys(ackExamples).sort()).toEqual([...clientNames].sort());
  expect(Object.keys(serverExamples).sort()).toEqual([...serverNames].sort());
});
