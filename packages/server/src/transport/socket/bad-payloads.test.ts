import type { ClientEventName, SessionId } from '@rollcall/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readEntries } from '../../storage/contract/journal-access.js';
import { schoolOf } from '../../testing/school.js';
import { type Client, freshId, startServer, type TestServer } from '../../testing/server.js';
import { badPayloads, EVENTS, GOOD, STUDENT_EVENTS, shown } from './bad-payloads.test.support.js';

const session_id = 'session-1';

/** An active session, its teacher, a student in it, and one who looks on. */
async function startClass() {
  const server = await startServer(
    { RATE_LIMIT_TEACHER_PER_SECOND: '0', RATE_LIMIT_STUDENT_PER_SECOND: '0' },
    schoolOf(3),
  );
  const [teacher, student, onlooker] = await Promise.all(['ada', 's-1', 's-2'].map((uid) => server.connect(uid)));
  if (!teacher || !student || !onlooker) throw new TypeError('three clients');
  await teacher.send('startAttendanceSession', { session_id });
  await onlooker.send('joinAttendanceSession', { session_id });
  await onlooker.send('subscribeToCourse', { course_id: 'course-1' });
  await onlooker.next('attendanceSessionJoined');
  return {
    server,
    teacher,
    student,
    onlooker,
    sender: (event: string) => (STUDENT_EVENTS.includes(event) ? student : teacher),
  };
}

const journal = ({ storage }: TestServer) => readEntries(storage, session_id as SessionId, 0, 10_000);
const roundTrip = (client: Client) => client.send('unsubscribeFromCourse', { course_id: 'none' });

test.each(EVENTS)('[ANS-14] every bad payload of %s is BAD_REQUEST naming the field', async (event) => {
  const { server, onlooker, sender } = await startClass();
  const client = sender(event);
  const before = await journal(server);
  const heard = onlooker.events.length;
  for (const { field, payload } of badPayloads(event)) {
    const answer = await client.send(event, payload);
    const what = `${field} of ${shown(payload)}`;
    expect(answer, what).toMatchObject({ ok: false, error: { code: 'BAD_REQUEST', retryable: false } });
    expect(String(answer.error?.details?.['field']).slice(0, field.length), what).toBe(field);
    expect(answer.error?.message, what).toContain(answer.error?.details?.['field']);
    const told = await client.next('attendanceError');
    expect(told, what).toMatchObject({ event, code: 'BAD_REQUEST', message: answer.error?.message });
  }
  expect(await journal(server)).toEqual(before);
  await roundTrip(onlooker);
  expect(onlooker.events.slice(heard).filter((each) => each.event !== 'attendanceStatistics')).toEqual([]);
});

test.each(EVENTS)('[ANS-15] %s with odd arguments is answered once and the server lives on', async (event) => {
  const { server, sender } = await startClass();
  const { socket } = sender(event);
  const answers: unknown[][] = [];
  const acked = (...args: unknown[]) =>
    new Promise<void>((resolve) => {
      socket.emit(event, ...args, (...answer: unknown[]) => {
        answers.push(answer);
        resolve();
      });
    });
  // The last of several arguments is the callback, the first is the payload.
  await acked();
  await acked(null, GOOD[event]);
  await acked(7, GOOD[event], GOOD[event]);
  for (const [answer] of answers) expect(answer).toMatchObject({ ok: false, error: { code: 'BAD_REQUEST' } });
  expect(answers.map((each) => each.length)).toEqual([1, 1, 1]);

  const client = sender(event);
  await roundTrip(client);
  const errors = client.all('attendanceError').length;
  for (const args of [[], [undefined], [null, 'no function'], [Buffer.alloc(3), {}], [[], []]])
    socket.emit(event, ...args);
  // A callback may be what a client calls a field: it is no function on the wire.
  client.emit(event, { ...GOOD[event], session_id: undefined, course_id: {}, token: null, ack: true });
  await expect.poll(() => client.all('attendanceError').length, { timeout: 20_000 }).toBe(errors + 6);
  expect(client.all('attendanceError').every(({ code }) => code === 'BAD_REQUEST')).toBe(true);
  const late = await server.connect('cyd');
  expect(await late.send('getAttendanceSessionData', { session_id })).toMatchObject({ ok: true });
});

test('[ANS-15] a second argument that isn’t a callback is ignored', async () => {
  const { teacher } = await startClass();
  teacher.socket.emit('markStudentPresent', GOOD.markStudentPresent, { status: 'late' });
  expect(await teacher.next('studentMarkedPresent')).toMatchObject({ attendanceRecord: { status: 'present' } });
});

test('[ANS-18] unknown fields are ignored, whatever they are called', async () => {
  const { teacher } = await startClass();
  const odd = JSON.parse('{"__proto__":{"status":"excused"},"constructor":{"prototype":1},"hasOwnProperty":0}');
  const extras = { ...odd, $where: 'sleep(1000)', toString: null, extra: { deep: [[[{}]]] }, file: Buffer.from('x') };
  const answer = await teacher.send('markStudentAttendance', { ...GOOD.markStudentAttendance, ...extras });
  expect(answer).toMatchObject({ ok: true, attendanceRecord: { status: 'late' } });
  const rows = [{ student_id: 'student-2', status: 'late', ...extras }];
  const bulk = await teacher.send('bulkUpdateAttendance', { session_id, attendanceUpdates: rows });
  expect(bulk).toMatchObject({ ok: true, totalUpdated: 1 });
  expect(({} as Record<string, unknown>)['status']).toBeUndefined();
});

test('[ANS-14] fields are taken from the payload alone, not from its prototype', async () => {
  const { teacher } = await startClass();
  const inherited = JSON.parse('{"__proto__":{"session_id":"session-1","student_id":"student-1"}}');
  const answer = await teacher.send('markStudentPresent', inherited);
  expect(answer.error).toMatchObject({ code: 'BAD_REQUEST', details: { field: 'session_id' } });
  for (const id of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', '$ne', '../..', "' OR 1=1 --"]) {
    const unknown = await teacher.send('markStudentPresent', { session_id, student_id: id });
    expect(unknown.error?.code, id).toBe('STUDENT_NOT_FOUND');
    const elsewhere = await teacher.send('getAttendanceSessionData', { session_id: id });
    expect(elsewhere.error?.code, id).toBe('SESSION_NOT_FOUND');
    expect((await teacher.send('subscribeToCourse', { course_id: id })).error?.code, id).toBe('COURSE_NOT_FOUND');
  }
});

test('[ANS-17] an optional field sent as null counts as not given', async () => {
  const { server, teacher, student } = await startClass();
  const nulls = { op_id: null, remarks: null, walk_in: null, partial: null, since_seq: null, code: null };
  const more = { course_id: null, topic: null, policy: null };
  const steps: Array<[Client, ClientEventName, object]> = [
    [student, 'joinAttendanceSession', nulls],
    [teacher, 'startAttendanceSession', { ...nulls, ...more }],
    [teacher, 'markStudentAbsent', { student_id: 'student-1', remarks: 'kept' }],
    [teacher, 'markStudentPresent', { student_id: 'student-1', ...nulls }],
    [
      teacher,
      'bulkUpdateAttendance',
      { attendanceUpdates: [{ student_id: 'student-2', status: 'late', remarks: null }], ...nulls },
    ],
    [teacher, 'getAttendanceSessionData', nulls],
    [student, 'leaveAttendanceSession', nulls],
  ];
  for (const [client, event, fields] of steps) {
    expect(await client.send(event, { session_id, ...fields }), event).toMatchObject({ ok: true });
  }
  const [record] = (await readEntries(server.storage, session_id as SessionId, 0, 100)).filter(
    (entry) => entry.type === 'marked' && entry.status === 'present',
  );
  expect(record).toMatchObject({ remarks: 'kept' });
  expect(await teacher.send('checkActiveSessions', { course_id: null })).toMatchObject({ ok: true, course_id: null });
  const policy = { check_in: null, auto_mark: null, late_after_minutes: null, visibility: null, max_minutes: 7.5 };
  const started = await teacher.send('startAttendanceSession', { session_id: freshId('session'), policy });
  expect(started).toMatchObject({ ok: true, policy: { ...server.config.policy, max_minutes: 7.5 } });
});

test('[ANS-16] whatever is refused stores nothing; [ANS-15] and any payload at all is answered', async () => {
  const { server, teacher, sender } = await startClass();
  const key = fc.constantFrom(
    'session_id',
    'sessionId',
    'student_id',
    'status',
    'remarks',
    'op_id',
    'attendanceUpdates',
    'policy',
    '__proto__',
    'x',
  );
  const leaf = fc.oneof(
    fc.constantFrom('session-1', 'student-1', 'present', 'course-1'),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const payload = fc.oneof(fc.jsonValue(), fc.dictionary(key, leaf, { noNullPrototype: true }));
  const rows = fc.array(fc.oneof(leaf, fc.dictionary(key, leaf, { noNullPrototype: true })), { maxLength: 4 });
  const event = fc.constantFrom(...EVENTS.filter((name) => name !== 'endAttendanceSession'));
  await fc.assert(
    fc.asyncProperty(event, payload, rows, async (name, some, updates) => {
      const before = await journal(server);
      const bulk = name === 'bulkUpdateAttendance' && typeof some === 'object' && some !== null && !Array.isArray(some);
      const sent = bulk ? { session_id, ...some, attendanceUpdates: updates } : some;
      const answer = await sender(name).send(name, sent);
      expect(typeof answer.ok).toBe('boolean');
      if (!answer.ok) {
        expect(answer.error?.code).not.toBe('INTERNAL');
        expect(await journal(server)).toEqual(before);
      }
    }),
    { numRuns: 400 },
  );
  expect(await teacher.send('getAttendanceSessionData', { session_id })).toMatchObject({ ok: true });
});
