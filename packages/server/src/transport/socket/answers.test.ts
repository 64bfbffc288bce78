import { answers, type ClientEventName, errorRegistry } from '@rollcall/protocol';
import { expect, test, vi } from 'vitest';
import { openMigrated } from '../../storage/sqlite/migrations.js';
import { schoolOf } from '../../testing/school.js';
import { type Client, type Payload, startServer } from '../../testing/server.js';

const session_id = 'session-1';
const student_id = 'student-1';
const roundTrip = (client: Client) => client.send('unsubscribeFromCourse', { course_id: 'none' });

interface Step {
  readonly by: 'teacher' | 'student';
  readonly event: ClientEventName;
  readonly payload: Payload;
  /** The seed's answer. */
  readonly answeredBy: string | undefined;
}

const step = (by: Step['by'], event: ClientEventName, answeredBy: string | undefined, more: object = {}): Step => ({
  by,
  event,
  answeredBy,
  payload: { session_id, ...more },
});

/** Every command, in an order in which each of them succeeds. */
const CLASS: readonly Step[] = [
  step('teacher', 'startAttendanceSession', 'attendanceSessionStarted'),
  step('student', 'joinAttendanceSession', 'attendanceSessionJoined'),
  step('teacher', 'markStudentPresent', 'studentMarkedPresent', { student_id }),
  step('teacher', 'markStudentAbsent', 'studentMarkedAbsent', { student_id }),
  step('teacher', 'markStudentAttendance', 'studentMarkedPresent', { student_id, status: 'present' }),
  step('teacher', 'markStudentAttendance', 'studentMarkedAbsent', { student_id, status: 'absent' }),
  step('teacher', 'markStudentAttendance', 'studentMarkedLate', { student_id, status: 'late' }),
  step('teacher', 'markStudentAttendance', 'studentMarkedExcused', { student_id, status: 'excused' }),
  step('teacher', 'bulkUpdateAttendance', 'attendanceBulkUpdateComplete', {
    attendanceUpdates: [{ student_id, status: 'late' }],
  }),
  step('teacher', 'getAttendanceSessionData', 'attendanceSessionData'),
  step('teacher', 'getAttendanceSessionData', 'attendanceSessionData', { since_seq: 0 }),
  step('teacher', 'watchAttendanceSession', 'attendanceSessionData'),
  step('teacher', 'getOnlineStudents', 'onlineStudentsData'),
  step('student', 'subscribeToCourse', 'activeSessionsData', { course_id: 'course-1' }),
  step('student', 'checkActiveSessions', 'activeSessionsData', { course_id: 'course-1' }),
  step('student', 'getActiveSessions', 'activeSessionsData'),
  step('student', 'unsubscribeFromCourse', undefined, { course_id: 'course-1' }),
  step('student', 'leaveAttendanceSession', 'attendanceSessionLeft'),
  step('teacher', 'endAttendanceSession', 'attendanceSessionEndedConfirm'),
];

async function startClass(variables: Record<string, string> = {}) {
  const server = await startServer(variables, schoolOf(2));
  const [teacher, student] = [await server.connect('ada'), await server.connect('s-1')];
  return { server, clients: { teacher, student } };
}

/** Counts the acknowledgements on the wire: the client library hides all but the first. */
function acknowledgements({ socket }: Client): { count: number } {
  const counted = { count: 0 };
  socket.io.engine.on('packet', ({ type, data }: { type: string; data?: unknown }) => {
    if (type === 'message' && /^3\d/.test(String(data))) counted.count += 1;
  });
  return counted;
}

test('[ANS-1] a command with a callback gets exactly one acknowledgement, whether it succeeds or not', async () => {
  const { clients } = await startClass();
  const counts = { teacher: acknowledgements(clients.teacher), student: acknowledgements(clients.student) };
  let sent = 0;
  for (const { by, event, payload } of CLASS) {
    await clients[by].send(event, payload);
    await clients[by].send(event, {});
    await clients[by].send(event, { ...payload, op_id: 'again' });
    await clients[by].send(event, { ...payload, op_id: 'again' });
    sent += 4;
  }
  for (const client of Object.values(clients)) await roundTrip(client);
  expect(counts.teacher.count + counts.student.count).toBe(sent + 2);
});

test('[ANS-1] a command without a callback gets no acknowledgement', async () => {
  const { clients } = await startClass();
  const count = acknowledgements(clients.teacher);
  clients.teacher.emit('startAttendanceSession', { session_id });
  await clients.teacher.next('attendanceSessionStarted');
  clients.teacher.emit('startAttendanceSession', {});
  await clients.teacher.next('attendanceError');
  expect(count.count).toBe(0);
});

const WITH_SEQ = /^(start|join|mark|bulk|getAttendanceSessionData|watch|end)/;

test('[ANS-2] an acknowledgement holds ok, the fields of its answer event and, where it is due, seq', async () => {
  const { clients } = await startClass();
  for (const { by, event, payload, answeredBy } of CLASS) {
    const from = clients[by].events.length;
    const { ok, ...ack } = await clients[by].send(event, payload);
    expect(ok, event).toBe(true);
    expect('seq' in ack, event).toBe(WITH_SEQ.test(event));
    await roundTrip(clients[by]);
    if (answeredBy === undefined) continue;
    const answer = clients[by].events.slice(from).find((each) => each.event === answeredBy)?.payload;
    expect(ack, event).toEqual('seq' in ack ? { seq: ack['seq'], ...answer } : answer);
  }
});

test('[ANS-4] a command that succeeded is answered by the seed’s event too, to the calling socket alone', async () => {
  const { server, clients } = await startClass();
  const others = await Promise.all(['ada', 's-1', 'cyd', 's-2'].map((uid) => server.connect(uid)));
  for (const { by, event, payload, answeredBy } of CLASS) {
    const from = clients[by].events.length;
    clients[by].emit(event, payload);
    if (answeredBy !== undefined) await clients[by].next(answeredBy);
    await roundTrip(clients[by]);
    const expected: string[] = [...(answers[event].events as readonly string[])];
    const seen = clients[by].events.slice(from).map((each) => each.event);
    const own = seen.filter((name) => expected.includes(name));
    expect(own, event).toEqual(answeredBy?.startsWith('studentMarked') ? [answeredBy] : expected);
    expect(seen, event).not.toContain('attendanceError');
    for (const other of others) {
      await roundTrip(other);
      const heard = other.events.map((each) => each.event);
      for (const name of expected) expect(heard, `${name} of ${event}`).not.toContain(name);
    }
  }
});

test('[ANS-5] a refused command is answered by attendanceError, to the calling socket alone', async () => {
  const { server, clients } = await startClass();
  await clients.teacher.send('startAttendanceSession', { session_id });
  const other = await server.connect('ada');
  const from = clients.teacher.events.length;
  clients.teacher.emit('joinAttendanceSession', { session_id });
  clients.teacher.emit('markStudentPresent', { session_id: 'nowhere', student_id });
  clients.teacher.emit('markStudentPresent', { sessionId: 'elsewhere', student_id });
  clients.teacher.emit('markStudentPresent', { student_id });
  clients.teacher.emit('markStudentPresent', { session_id: { $ne: null }, student_id });
  await roundTrip(clients.teacher);
  const errors = clients.teacher.events.slice(from);
  expect(errors.every(({ event }) => event === 'attendanceError')).toBe(true);
  const [wrong, nowhere, alias, ...unnamed] = errors.map(({ payload }) => payload);
  const event = 'markStudentPresent';
  const unknown = { message: 'Session not found', code: 'SESSION_NOT_FOUND', event };
  expect(wrong).toEqual({
    message: 'Student profile not found',
    code: 'NOT_A_STUDENT',
    event: 'joinAttendanceSession',
    session_id,
  });
  expect(nowhere).toEqual({ ...unknown, session_id: 'nowhere' });
  expect(alias).toEqual({ ...unknown, session_id: 'elsewhere' });
  for (const error of unnamed) {
    expect(error).toEqual({ message: expect.stringContaining('session_id'), code: 'BAD_REQUEST', event });
  }
  expect(unnamed).toHaveLength(2);
  await roundTrip(other);
  expect(other.all('attendanceError')).toEqual([]);
});

test('[ANS-6] a change is in the database file when its acknowledgement arrives', async () => {
  const { server, clients } = await startClass();
  const { database } = server.config;
  if (database.kind !== 'sqlite') throw new TypeError('not a SQLite database');
  const file = openMigrated(database.path);
  const stored = () => file.row('SELECT max(last_seq) FROM journal WHERE session_id = ?', [session_id])?.[0];
  for (const { by, event, payload } of CLASS.filter(({ event }) => WITH_SEQ.test(event))) {
    const seq = await new Promise((resolve) => {
      clients[by].socket.emit(event, payload, (ack: Payload) => resolve([ack['seq'], stored()]));
    });
    expect(seq, event).toEqual([expect.any(Number), (seq as number[])[0]]);
  }
  file.close();
});

test('[ANS-7] every command on a session may carry an op_id of 1–64 characters', async () => {
  const { clients } = await startClass();
  for (const [index, { by, event, payload }] of CLASS.entries()) {
    const longest = `${index}`.padEnd(64, '✓');
    expect(await clients[by].send(event, { ...payload, op_id: longest }), event).toMatchObject({ ok: true });
  }
  for (const op_id of ['', 'x'.repeat(65), 7, { $ne: null }]) {
    const answer = await clients.teacher.send('endAttendanceSession', { session_id, op_id });
    expect(answer.error).toMatchObject({ code: 'BAD_REQUEST', details: { field: 'op_id' } });
  }
});

test('[ANS-13] what the registry says of a code is what a refusal says', async () => {
  const { server, clients } = await startClass({ RATE_LIMIT_STUDENT_PER_SECOND: '2' });
  await clients.teacher.send('startAttendanceSession', { session_id });
  const refusals = [
    await clients.teacher.send('markStudentPresent', { session_id, student_id: 'nobody' }),
    await clients.teacher.send('subscribeToCourse', { course_id: 'nowhere' }),
    await clients.teacher.send('subscribeToCourse', { course_id: 'course-2' }),
    await clients.student.send('joinAttendanceSession', { session_id: 'session-2' }),
    ...(await Promise.all(Array.from({ length: 40 }, () => roundTrip(clients.student)))).filter(({ ok }) => !ok),
  ];
  await server.storage.close();
  refusals.push(await clients.teacher.send('markStudentPresent', { session_id, student_id }));
  const seen = new Set<string>();
  for (const { error } of refusals) {
    if (!error) throw new Error('not refused');
    const { message, retryable } = errorRegistry[error.code as keyof typeof errorRegistry];
    expect(error).toMatchObject({ message, retryable });
    seen.add(error.code);
  }
  const codes = ['STUDENT_NOT_FOUND', 'COURSE_NOT_FOUND', 'FORBIDDEN', 'SESSION_NOT_ACTIVE', 'RATE_LIMITED'];
  expect([...seen].sort()).toEqual([...codes, 'STORAGE_UNAVAILABLE'].sort());
});

test('[ANS-19] a fault of the server is INTERNAL, logged with its stack, and its cause isn’t told', async () => {
  const log: Array<{ level: number; err?: { message: string; stack: string } }> = [];
  const options = { onLog: (line: string) => log.push(JSON.parse(line)) };
  const server = await startServer({ LOG_LEVEL: 'info' }, schoolOf(1), options);
  // A bug in an adapter: it throws what is no StorageError.
  vi.spyOn(server.storage.projection, 'findSession').mockRejectedValueOnce(new RangeError('a journal of no sense'));
  const teacher = await server.connect('ada');
  const answer = await teacher.send('getAttendanceSessionData', { session_id });
  expect(answer).toEqual({ ok: false, error: { code: 'INTERNAL', message: 'Internal error', retryable: true } });
  expect(await teacher.next('attendanceError')).toEqual({
    code: 'INTERNAL',
    message: 'Internal error',
    event: 'getAttendanceSessionData',
    session_id,
  });
  const [fault] = log.filter(({ level }) => level === 50);
  expect(fault?.err?.message).toContain('journal');
  expect(fault?.err?.stack).toMatch(/RangeError.*\n\s+at /);
  expect(await teacher.send('startAttendanceSession', { session_id: 'another' })).toMatchObject({ ok: true });
});
