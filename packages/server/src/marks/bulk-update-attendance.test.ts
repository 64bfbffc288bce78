import { expect, test } from 'vitest';
import {
  accepted,
  bulk,
  caughtUp,
  dataOf,
  joined,
  journalOf,
  mark,
  refused,
  rowOf,
  rowsOf,
  startedClass,
  UNLIMITED,
} from '../testing/class.js';
import { fileOf, otherConnection } from '../testing/database-file.js';
import { schoolOf } from '../testing/school.js';
import { type Client, type Payload, startServer } from '../testing/server.js';

const row = (n: number | string, status: unknown = 'present', extra: object = {}) => ({
  student_id: typeof n === 'number' ? `student-${n}` : n,
  status,
  ...extra,
});
const rows = (count: number, status: string) => Array.from({ length: count }, (_, n) => row(n + 1, status));
const statusesOf = async (teacher: Parameters<typeof dataOf>[0]) =>
  Object.fromEntries(rowsOf(await dataOf(teacher)).map(({ student_id, status }) => [student_id, status]));

test('[BULK-1] a bulk takes 5,000 rows of all four statuses, and one', async () => {
  const { server, teacher } = await startedClass(5_000);
  const statuses = ['present', 'late', 'excused', 'absent'];
  const updates = Array.from({ length: 5_000 }, (_, n) => row(n + 1, statuses[n % 4], { remarks: `row ${n}` }));
  const answer = await accepted(bulk(teacher, updates));
  expect(answer).toMatchObject({ totalUpdated: 5_000, failed: [], seq: 5_001 });
  expect(await dataOf(teacher)).toMatchObject({
    statistics: { presentCount: 1_250, lateCount: 1_250, excusedCount: 1_250, absentCount: 1_250 },
  });
  expect(await accepted(bulk(teacher, [row(1, 'late')]))).toMatchObject({ totalUpdated: 1, seq: 5_002 });
  expect(await journalOf(server)).toHaveLength(5_002);
});

test.each([
  ['no rows', []],
  ['5,001 rows', rows(5_001, 'present')],
  ['an object', { 0: row(1) }],
  ['nothing', undefined],
])('[BULK-1] %s is BAD_REQUEST naming attendanceUpdates', async (_, updates) => {
  const { server, teacher } = await startedClass(1);
  const error = await refused(bulk(teacher, updates));
  expect(error).toMatchObject({ code: 'BAD_REQUEST', details: { field: 'attendanceUpdates' } });
  expect(error.message).toContain('attendanceUpdates');
  expect(await journalOf(server)).toHaveLength(1);
});

test('[BULK-2] [BULK-3] bad rows fail the whole request, and each is named', async () => {
  const { server, teacher } = await startedClass(3);
  const student = await joined(server, 's-1');
  const updates = [
    row(1),
    row('nobody'),
    row(2, 'asleep'),
    row('student-outsider'),
    { status: 'late' },
    row(3, 'late'),
    null,
    { studentId: 'student-1', status: 'asleep' },
  ];
  const error = await refused(bulk(teacher, updates));
  expect(error.code).toBe('BAD_REQUEST');
  expect(error.details?.['rows']).toEqual([
    { index: 1, student_id: 'nobody', code: 'STUDENT_NOT_FOUND', message: expect.any(String) },
    { index: 2, student_id: 'student-2', code: 'BAD_REQUEST', message: expect.stringContaining('status') },
    { index: 3, student_id: 'student-outsider', code: 'NOT_ENROLLED', message: expect.any(String) },
    { index: 4, student_id: null, code: 'BAD_REQUEST', message: expect.stringContaining('student_id') },
    { index: 6, student_id: null, code: 'BAD_REQUEST', message: expect.any(String) },
    { index: 7, student_id: 'student-1', code: 'BAD_REQUEST', message: expect.stringContaining('status') },
  ]);
  expect(await refused(bulk(teacher, [row(1), row('nobody')]))).toMatchObject({
    code: 'STUDENT_NOT_FOUND',
    details: { rows: [{ index: 1 }] },
  });
  expect(await journalOf(server)).toHaveLength(2);
  expect(await statusesOf(teacher)).toEqual({ 'student-1': 'absent', 'student-2': 'absent', 'student-3': 'absent' });
  await caughtUp(student);
  expect(student.all('attendanceBulkUpdated')).toEqual([]);
});

test('[BULK-4] with partial the good rows are applied and the rest is reported', async () => {
  const { server, teacher } = await startedClass(3);
  const updates = [row(1, 'late'), row('nobody'), row(2, 'asleep'), row(3), row('outsider')];
  const answer = await accepted(bulk(teacher, updates, { partial: true }));
  expect(answer).toMatchObject({
    totalUpdated: 2,
    failed: [
      { index: 1, student_id: 'nobody', code: 'STUDENT_NOT_FOUND' },
      { index: 2, student_id: 'student-2', code: 'BAD_REQUEST' },
      { index: 4, student_id: 'outsider', code: 'NOT_ENROLLED' },
    ],
    seq: 3,
  });
  expect(await statusesOf(teacher)).toEqual({ 'student-1': 'late', 'student-2': 'absent', 'student-3': 'present' });
  const none = await accepted(bulk(teacher, [row('nobody')], { partial: true }));
  expect(none).toMatchObject({ totalUpdated: 0, updatedRecords: [], failed: [{ index: 0 }], seq: 3 });
  expect(await journalOf(server)).toHaveLength(3);
  await caughtUp(teacher);
  expect(teacher.all('attendanceBulkUpdated')).toHaveLength(1);
});

test('[BULK-5] the last row wins, also where a student is named by different ids', async () => {
  const { server, teacher } = await startedClass(2);
  const { student } = rowOf(await dataOf(teacher), 'student-1') as { student?: Payload };
  const updates = [
    row(1, 'late'),
    row('s-1', 'excused'),
    row(student?.['user_id'] as string, 'present'),
    row(2, 'late'),
  ];
  const answer = await accepted(bulk(teacher, updates));
  expect(answer).toMatchObject({ totalUpdated: 2, seq: 3 });
  expect(await statusesOf(teacher)).toEqual({ 'student-1': 'present', 'student-2': 'late' });
  const twice = [row('outsider', 'present'), row('student-outsider', 'late')];
  expect(await accepted(bulk(teacher, twice, { walk_in: true }))).toMatchObject({ totalUpdated: 1, seq: 4 });
  expect(await statusesOf(teacher)).toMatchObject({ 'student-outsider': 'late' });
  expect(await journalOf(server)).toHaveLength(4);
});

test('[BULK-6] [BULK-12] a bulk writes one entry per changed student, in one commit', async () => {
  const { server, teacher } = await startedClass(5);
  await accepted(mark(teacher, 'student-2', 'late'));
  const answer = await accepted(bulk(teacher, rows(4, 'late')));
  expect(answer['seq']).toBe(5);
  const written = (await journalOf(server)).slice(2);
  expect(written).toMatchObject([
    { seq: 3, student_id: 'student-1' },
    { seq: 4, student_id: 'student-3' },
    { seq: 5, student_id: 'student-4' },
  ]);
  const commits = "SELECT first_seq, last_seq FROM journal WHERE session_id = 'session-1' AND first_seq > 2";
  expect(otherConnection(fileOf(server)).rows(commits)).toEqual([[3, 5]]);
});

test('[BULK-7] [BULK-8] [BULK-9] a bulk is one event, and the answer has every student named', async () => {
  const { server, teacher } = await startedClass(4);
  const second = await server.connect('cyd');
  await dataOf(second);
  const student = await joined(server, 's-4');
  await accepted(mark(teacher, 'student-2', 'late', { remarks: 'bus' }));
  const { ok, seq, ...answer } = await accepted(bulk(teacher, [row(1, 'late'), row(2, 'late'), row(3, 'excused')]));
  expect([ok, seq]).toEqual([true, 5]);
  expect(await teacher.next('attendanceBulkUpdateComplete')).toEqual(answer);
  expect(answer).toMatchObject({ session_id: 'session-1', totalUpdated: 3, failed: [] });
  const standing = (payload: Payload) =>
    Object.fromEntries(
      rowsOf(payload, 'updatedRecords').map(({ student_id, status, seq }) => [student_id, [status, seq]]),
    );
  const expected = { 'student-1': ['late', 4], 'student-2': ['late', 3], 'student-3': ['excused', 5] };
  expect(standing(answer)).toEqual(expected);
  for (const client of [teacher, second, student]) {
    const event = await client.next('attendanceBulkUpdated');
    expect(event).toEqual({
      session_id: 'session-1',
      updatedRecords: expect.any(Array),
      updated_by: 'Ada Osei',
      updated_at: expect.any(String),
      seq: 5,
    });
    expect(standing(event)).toEqual(expected);
  }
  await caughtUp(teacher, student);
  for (const client of [teacher, student]) {
    expect(client.all('attendanceUpdated')).toHaveLength(1);
    expect(client.all('attendanceBulkUpdated')).toHaveLength(1);
  }
});

test('[BULK-10] a bulk that changes nothing is answered and neither stored nor broadcast', async () => {
  const { server, teacher } = await startedClass(3);
  await accepted(bulk(teacher, rows(3, 'late')));
  const again = await accepted(bulk(teacher, rows(2, 'late')));
  expect(again).toMatchObject({ totalUpdated: 2, seq: 4 });
  expect(rowsOf(again, 'updatedRecords').map(({ seq }) => seq)).toEqual([2, 3]);
  expect(await journalOf(server)).toHaveLength(4);
  await caughtUp(teacher);
  expect(teacher.all('attendanceBulkUpdated')).toHaveLength(1);
  expect(teacher.all('attendanceError')).toEqual([]);
});

test('[BULK-11] under visibility private a student gets their own record, where it changed', async () => {
  const { server, teacher } = await startedClass(3, { policy: { visibility: 'private' } });
  const [one, two, three] = await Promise.all(['s-1', 's-2', 's-3'].map((uid) => joined(server, uid)));
  if (!one || !two || !three) throw new Error('not joined');
  await accepted(mark(teacher, 'student-2', 'late'));
  await accepted(bulk(teacher, [row(1, 'late'), row(2, 'late')]));
  expect(await one.next('attendanceBulkUpdated')).toMatchObject({
    updatedRecords: [{ student_id: 'student-1', status: 'late' }],
  });
  await caughtUp(one, two, three, teacher);
  expect(rowsOf(one.all('attendanceBulkUpdated')[0] as Payload, 'updatedRecords')).toHaveLength(1);
  expect([...two.all('attendanceBulkUpdated'), ...three.all('attendanceBulkUpdated')]).toEqual([]);
  expect(rowsOf(await teacher.next('attendanceBulkUpdated'), 'updatedRecords')).toHaveLength(2);
});

test('[BULK-13] remarks of rows are kept, set and cleared as those of marks', async () => {
  const { teacher } = await startedClass(3);
  await accepted(bulk(teacher, [row(1, 'late', { remarks: 'a' }), row(2, 'late', { remarks: 'b' }), row(3, 'late')]));
  await accepted(bulk(teacher, [row(1, 'present'), row(2, 'late', { remarks: '' }), row(3, 'late', { remarks: 'c' })]));
  const data = await dataOf(teacher);
  expect([1, 2, 3].map((n) => rowOf(data, `student-${n}`).remarks)).toEqual(['a', null, 'c']);
});

test('[BULK-13] walk-ins, open rosters and unknown students are as with marks', async () => {
  const { server, teacher } = await startedClass(1);
  const updates = [row(1, 'late'), row('outsider', 'late')];
  expect(await refused(bulk(teacher, updates))).toMatchObject({ code: 'NOT_ENROLLED' });
  const answer = await accepted(bulk(teacher, updates, { walk_in: true }));
  expect(rowsOf(answer, 'updatedRecords').map(({ student_id }) => student_id)).toEqual([
    'student-1',
    'student-outsider',
  ]);
  expect(await refused(bulk(teacher, [row('nobody')], { walk_in: true }))).toMatchObject({ code: 'STUDENT_NOT_FOUND' });
  expect((await journalOf(server)).at(-1)).toMatchObject({ previous_status: null, status: 'late' });
  await accepted(teacher.send('startAttendanceSession', { session_id: 'open' }));
  const open = await accepted(bulk(teacher, [row('s-1', 'present'), row('nowhere', 'absent')], { session_id: 'open' }));
  expect(open).toMatchObject({ totalUpdated: 2, seq: 3 });
  expect(await dataOf(teacher, 'open')).toMatchObject({ statistics: { totalStudents: 2, presentCount: 1 } });
});

test('[BULK-2] bulks of two devices at once are each whole', async () => {
  const server = await startServer(UNLIMITED, schoolOf(50));
  const [one, two] = await Promise.all([server.connect('ada'), server.connect('cyd')]);
  await accepted(one.send('startAttendanceSession', { session_id: 'session-1' }));
  const sent = Array.from({ length: 20 }, (_, n) => bulk(n % 2 ? one : two, rows(50, n % 2 ? 'present' : 'late')));
  await Promise.all(sent.map(accepted));
  const marked = (await journalOf(server)).slice(1);
  for (const entry of marked) {
    const group = entry.type === 'marked' ? entry.group : undefined;
    const mates = marked.filter((other) => other.type === 'marked' && other.group === group);
    expect(mates).toHaveLength(50);
  }
  expect(new Set(Object.values(await statusesOf(one))).size).toBe(1);
});

test('[BULK-240] while the rows of a bulk are checked others are answered', async () => {
  const { server, teacher } = await startedClass(2);
  const other = await server.connect('cyd');
  const there = (client: Client) => server.rollcall.io.of('/').sockets.get(String(client.socket.id))?.conn;
  const order: string[] = [];
  there(teacher)?.on('packetCreate', () => order.push('bulk'));
  there(other)?.on('packetCreate', () => order.push('other'));
  const read = new Promise<void>((resolve) => {
    there(teacher)?.on('packet', ({ type }: { type: string }) => type === 'message' && resolve());
  });
  const answer = refused(
    bulk(
      teacher,
      Array.from({ length: 5_000 }, () => ({ student_id: 7 })),
    ),
  );
  await read;
  await accepted(other.send('unsubscribeFromCourse', { course_id: 'none' }));
  expect(await answer).toMatchObject({ code: 'BAD_REQUEST' });
  expect(order.indexOf('other')).toBeLessThan(order.indexOf('bulk'));
});
