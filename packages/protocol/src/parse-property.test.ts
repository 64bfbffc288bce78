import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clientExamples } from './examples.js';
import {
  ATTENDANCE_STATUSES,
  bulkRow,
  type ClientEventName,
  clientEvents,
  parseClientEvent,
  parseWith,
  RollcallError,
} from './index.js';

const names = Object.keys(clientEvents) as ClientEventName[];
const fields = [...new Set(names.flatMap((name) => Object.keys(clientEvents[name].shape)))];
const keys = [...fields, 'sessionId', 'studentId', 'courseId', '__proto__', 'constructor', 'toString', 'then', '$ne'];

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  key: fc.oneof(fc.constantFrom(...keys), fc.string()),
  maxDepth: 3,
});

const good = fc.constantFrom(...names.flatMap((name) => Object.values(clientExamples[name])));
/** Payloads that are nearly right: the known names, with values that fit somewhere or nowhere. */
const almost = fc.dictionary(fc.constantFrom(...keys), fc.oneof(good, anything, fc.string({ unit: 'binary' })));

/** What came of it; fails where anything but a RollcallError was thrown. */
function outcome(parse: () => unknown): 'accepted' | 'refused' {
  try {
    parse();
    return 'accepted';
  } catch (error) {
    expect(error).toBeInstanceOf(RollcallError);
    if (!(error instanceof RollcallError)) throw error;
    expect(error.code).toBe('BAD_REQUEST');
    expect(error.details?.field).toBeTypeOf('string');
    expect(JSON.parse(JSON.stringify(error.toWire()))).toEqual(error.toWire());
    return 'refused';
  }
}

test('[ANS-20] parsing any value at all throws nothing but a RollcallError', () => {
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.oneof(anything, almost), (name, payload) => {
      outcome(() => parseClientEvent(name, payload));
      outcome(() => parseWith(bulkRow, payload, ['attendanceUpdates', 0]));
    }),
    { numRuns: 3_000 },
  );
});

const encodes = (value: string): boolean => Buffer.from(value, 'utf8').toString('utf8') === value;
const isId = (value: unknown): boolean =>
  typeof value === 'string' && value.length >= 1 && value.length <= 128 && encodes(value);
const isText = (value: unknown, min: number, max: number): boolean =>
  value === undefined ||
  value === null ||
  (typeof value === 'string' && value.length >= min && value.length <= max && encodes(value));

/** markStudentAttendance as the rules have it, without the schemas. */
const isLegalMark = (mark: Record<string, unknown>): boolean =>
  isId(mark['session_id']) &&
  isId(mark['student_id']) &&
  ATTENDANCE_STATUSES.some((status) => status === mark['status']) &&
  isText(mark['remarks'], 0, 1_000) &&
  isText(mark['op_id'], 1, 64) &&
  (mark['walk_in'] === undefined || mark['walk_in'] === null || typeof mark['walk_in'] === 'boolean');

const text = (max: number) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: max + 2 }) },
    { weight: 1, arbitrary: fc.integer({ min: max - 1, max: max + 1 }).map((length) => 'x'.repeat(length)) },
    { weight: 1, arbitrary: fc.constantFrom<unknown>('', '\ud800', 'ok\udfff', null, undefined, 0, {}, []) },
  );

test('[ANS-14] a mark is accepted exactly where the rules allow it', () => {
  const seen = { accepted: 0, refused: 0 };
  const marks = fc.record({
    session_id: text(128),
    student_id: text(128),
    status: fc.constantFrom<unknown>(...ATTENDANCE_STATUSES, ...ATTENDANCE_STATUSES, 'Present', null, 3),
    remarks: text(1_000),
    op_id: text(64),
    walk_in: fc.constantFrom<unknown>(true, false, undefined, null, true, false, 'true'),
  });
  fc.assert(
    fc.property(marks, (mark) => {
      const came = outcome(() => parseClientEvent('markStudentAttendance', mark));
      expect(came).toBe(isLegalMark(mark) ? 'accepted' : 'refused');
      seen[came] += 1;
    }),
    { numRuns: 3_000 },
  );
  expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(100);
});
