import type { LiveChange, LiveSession, RollcallClientError } from '@rollcall/client';
import { expect, test, vi } from 'vitest';
import { schoolOf } from './testing/school.js';
import { byId, followed, sdk, upTo } from './testing/sdk.js';
import { startServer, tokenOf } from './testing/server.js';

const errorOf = (promise: Promise<unknown>): Promise<RollcallClientError> =>
  promise.then(
    () => Promise.reject(new Error('was not refused')),
    (error: RollcallClientError) => error,
  );
test('[SDK-12] a teacher’s session has the code of the moment, and a student joins with it', async () => {
  const { url } = await startServer({ CODE_SECONDS: '1' }, schoolOf(1));
  const live = await sdk(url, 'ada').openSession('session-1', { start: { policy: { check_in: 'code' } } });
  expect(live.code).toMatchObject({ session_id: 'session-1', code: expect.stringMatching(/^\d{6}$/) });
  const student = sdk(url, 's-1');
  expect((await errorOf(student.joinSession('session-1'))).code).toBe('CODE_REQUIRED');
  const next = await live.once('code');
  expect(live.code).toBe(next);
  expect(await student.joinSession('session-1', { code: next.words.join('-') })).toMatchObject({ state: 'live' });
  await live.end();
  expect(live.code).toBeUndefined();
});

test('[SDK-6] a class from start to end needs the SDK alone', async () => {
  const { url } = await startServer({}, schoolOf(20));
  const teacher = sdk(url, 'ada');
  const class1 = await teacher.openSession('session-1', { start: { topic: 'Joins' } });
  expect(class1).toMatchObject({ state: 'live', role: 'teacher', seq: 1 });
  expect(class1.session).toMatchObject({ topic: 'Joins', status: 'active' });
  expect(class1.records.size).toBe(20);
  const seen = followed(class1);

  const students = await Promise.all(upTo(1, 5).map((n) => sdk(url, `s-${n}`).joinSession('session-1')));
  const own = followed(students[0] as LiveSession);
  expect(students[0]).toMatchObject({ state: 'live', role: 'student', own: { student_id: 'student-1' } });
  await vi.waitFor(() => expect(class1.online.size).toBe(5), { timeout: 30_000 });

  await class1.markPresent('student-1', { remarks: 'first' });
  await class1.mark('student-2', 'late');
  const bulk = await class1.bulkUpdate([
    { student_id: 'student-2', status: 'late' },
    { student_id: 'student-3', status: 'present' },
    { student_id: 's-4', status: 'excused' },
  ]);
  expect(bulk).toMatchObject({ totalUpdated: 3, seq: 10 });
  await vi.waitFor(() => expect(class1.seq).toBe(10), { timeout: 30_000 });
  await vi.waitFor(() => expect(students[0]?.seq).toBe(10), { timeout: 30_000 });
  expect(students[0]?.own).toMatchObject({ status: 'present', remarks: 'first' });
  expect(own.changes.map(({ student_id, status }) => [student_id, status])).toEqual([
    ['student-1', 'present'],
    ['student-2', 'late'],
    ['student-3', 'present'],
    ['student-4', 'excused'],
  ]);
  expect(seen.changes.at(-1)).toMatchObject({
    status: 'excused',
    previous_status: 'absent',
    actor: { name: 'Ada Osei' },
  });
  await vi.waitFor(() =>
    expect(class1.statistics).toMatchObject({ presentCount: 2, lateCount: 1, excusedCount: 1, checkedInCount: 5 }),
  );

  const stored = await teacher.getSessionData({ session_id: 'session-1' });
  expect(byId(class1.records.values())).toEqual(byId(stored.attendanceRecords));

  const ends = students.map((live) => live.once('ended'));
  const ended = class1.once('ended');
  const { finalData } = await class1.end();
  expect(finalData.statistics).toMatchObject({ presentCount: 2 });
  expect(await ended).toMatchObject({ reason: 'teacher', ended_by: 'Ada Osei', finalData: { seq: 11 } });
  for (const end of await Promise.all(ends)) expect(end.reason).toBe('teacher');
  expect(class1).toMatchObject({ state: 'ended', session: { status: 'completed' } });
  expect(byId(class1.records.values())).toEqual(byId(finalData.attendanceRecords));
  // Nothing was lost, so nothing had to be asked for again.
  expect(seen.seqs()).toEqual(upTo(2, 11));
  expect(seen.resyncs()).toBe(0);
});

test('[SDK-6] each method answers with what the protocol says', async () => {
  const { url } = await startServer({}, schoolOf(3));
  const teacher = sdk(url, 'ada');
  const student = sdk(url, 's-1');
  const notice = student.once('courseSessionStarted');
  await expect(student.subscribeToCourse({ course_id: 'course-1' })).resolves.toMatchObject({ activeSessions: [] });
  const session = { session_id: 'session-1' };
  await expect(teacher.start(session)).resolves.toMatchObject({ totalStudents: 3, seq: 1 });
  expect(await notice).toMatchObject({ ...session, total_students: 3 });
  await expect(student.join(session)).resolves.toMatchObject({ student_id: 'student-1', seq: 2 });
  await expect(teacher.watch(session)).resolves.toMatchObject({ seq: 2 });
  await expect(teacher.markPresent({ ...session, student_id: 's-1' })).resolves.toMatchObject({
    attendanceRecord: { status: 'present' },
    seq: 3,
  });
  await expect(teacher.markAbsent({ ...session, student_id: 's-1' })).resolves.toMatchObject({ seq: 4 });
  await expect(teacher.mark({ ...session, student_id: 's-1', status: 'late' })).resolves.toMatchObject({ seq: 5 });
  const rows = [{ student_id: 's-2', status: 'present' as const }];
  await expect(teacher.bulkUpdate({ ...session, attendanceUpdates: rows })).resolves.toMatchObject({ totalUpdated: 1 });
  const changes = await teacher.getSessionData({ ...session, since_seq: 4 });
  expect(changes).toMatchObject({
    changes: [
      { seq: 5, status: 'late' },
      { seq: 6, status: 'present' },
    ],
  });
  await expect(teacher.onlineStudents(session)).resolves.toMatchObject({ online_count: 1 });
  const { activeSessions } = await student.activeSessions({ course_id: 'course-1' });
  expect(activeSessions).toMatchObject([session]);
  await expect(student.leave(session)).resolves.toMatchObject(session);
  await student.unsubscribeFromCourse({ course_id: 'course-1' });
  await expect(teacher.end(session)).resolves.toMatchObject({ finalData: { seq: 7 } });
});

test('[SDK-6] where websockets are blocked the client works over polling', async () => {
  const { url } = await startServer({}, schoolOf(3));
  const live = await sdk(url, 'ada', { transports: ['polling'] }).openSession('session-1', { start: {} });
  const student = await sdk(url, 's-1', { transports: ['polling'] }).joinSession('session-1');
  await live.markPresent('student-1');
  await vi.waitFor(() => expect(student.own?.status).toBe('present'), { timeout: 30_000 });
});

test('[SDK-6] a session that is over is opened as it ended', async () => {
  const { url } = await startServer({}, schoolOf(3));
  const teacher = sdk(url, 'ada');
  const live = await teacher.openSession('session-1', { start: {} });
  await live.markPresent('student-1');
  const { finalData } = await live.end();
  const later = await teacher.openSession('session-1');
  expect(later.state).toBe('ended');
  expect(later.session).toEqual(finalData.session);
  expect(byId(later.records.values())).toEqual(byId(finalData.attendanceRecords));
});

test('[SDK-2] a refusal of the server rejects with its code, message, retryable and details', async () => {
  const { url } = await startServer({}, schoolOf(3));
  const teacher = sdk(url, 'ada');
  await expect(errorOf(teacher.openSession('nowhere'))).resolves.toMatchObject({ code: 'SESSION_NOT_FOUND' });
  await expect(errorOf(sdk(url, 's-1').joinSession('session-1'))).resolves.toMatchObject({
    code: 'SESSION_NOT_ACTIVE',
    message: 'Attendance session not active',
    retryable: false,
  });
  const live = await teacher.openSession('session-1', { start: {} });
  const rows = [
    { student_id: 'student-1', status: 'present' as const },
    { student_id: 'nobody', status: 'present' as const },
  ];
  const error = await errorOf(live.bulkUpdate(rows));
  expect(error).toMatchObject({ code: 'STUDENT_NOT_FOUND', event: 'bulkUpdateAttendance' });
  expect(error.details?.rows).toMatchObject([{ index: 1, student_id: 'nobody', code: 'STUDENT_NOT_FOUND' }]);
  await expect(errorOf(sdk(url, 'eve').openSession('session-1'))).resolves.toMatchObject({
    code: 'NOT_SESSION_TEACHER',
  });
});

test('[SDK-5] marks beyond the rate come through all the same', async () => {
  const { url } = await startServer({ RATE_LIMIT_TEACHER_PER_SECOND: '8' }, schoolOf(60));
  const live = await sdk(url, 'ada').openSession('session-1', { start: {} });
  const marks = await Promise.all(upTo(1, 60).map((n) => live.markPresent(`student-${n}`)));
  expect(marks.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(upTo(2, 61));
});

test('[SDK-3] students who are added while a teacher looks on are there with all their data', async () => {
  const { url } = await startServer({}, schoolOf(12));
  const teacher = sdk(url, 'ada');
  const live = await teacher.openSession('open-class', { start: {} });
  const seen = followed(live);
  await Promise.all(upTo(1, 10).map((n) => sdk(url, `s-${n}`).join({ session_id: 'open-class' })));
  await live.markPresent('s-11');
  await vi.waitFor(() => {
    expect(live.records.size).toBe(11);
    for (const { student } of live.records.values()) expect(student.email).toMatch(/@school\.example$/);
  });
  const stored = await teacher.getSessionData({ session_id: 'open-class' });
  expect(byId(live.records.values())).toEqual(byId(stored.attendanceRecords));
  expect(seen.seqs()).toEqual(upTo(2, 12));
});

test('[SDK-3] under visibility private a student applies the changes of their own record alone', async () => {
  const { url } = await startServer({}, schoolOf(3));
  const live = await sdk(url, 'ada').openSession('session-1', { start: { policy: { visibility: 'private' } } });
  const student = await sdk(url, 's-1').joinSession('session-1');
  const seen = followed(student);
  await live.markPresent('student-2');
  await live.bulkUpdate(upTo(1, 3).map((n) => ({ student_id: `student-${n}`, status: 'late' as const })));
  await live.markPresent('student-3');
  await live.markAbsent('student-1');
  await vi.waitFor(() => expect(student.own?.status).toBe('absent'), { timeout: 30_000 });
  expect(seen.changes.map(({ student_id, status }) => [student_id, status])).toEqual([
    ['student-1', 'late'],
    ['student-1', 'absent'],
  ]);
  expect(seen.resyncs()).toBe(0);
  expect([...student.records.keys()]).toEqual(['student-1']);
});

test('[SDK-7] a token that runs out is exchanged without losing the connection', async () => {
  const { url } = await startServer({}, schoolOf(3));
  let asked = 0;
  const client = sdk(url, 'ada', {
    token: () => {
      asked += 1;
      return tokenOf('ada', { nonce: asked }, '2s');
    },
  });
  await client.ready();
  const states: string[] = [];
  client.on('state', ({ state }) => states.push(state));
  client.on('sessionExpired', () => states.push('expired'));
  const live = await client.openSession('session-1', { start: {} });
  await vi.waitFor(() => expect(asked).toBeGreaterThanOrEqual(4), { timeout: 20_000 });
  await live.markPresent('student-1');
  expect(states).toEqual([]);
});

test('[SDK-7] where the token function has nothing newer in time, a new connection gets a new token', async () => {
  const { url } = await startServer({}, schoolOf(3));
  const short = await tokenOf('ada', {}, '2s');
  let expired = false;
  const client = sdk(url, 'ada', { token: () => (expired ? tokenOf('ada') : short) });
  const live = await client.openSession('session-1', { start: {} });
  client.on('sessionExpired', () => {
    expired = true;
  });
  await client.once('sessionExpired');
  await expect(live.markPresent('student-1')).resolves.toMatchObject({ seq: 2 });
  await vi.waitFor(() => expect(live).toMatchObject({ state: 'live', seq: 2 }), { timeout: 30_000 });
});

test('[SDK-7] a token function is asked again where its token was refused', async () => {
  const { url } = await startServer({}, schoolOf(3));
  let asked = 0;
  const client = sdk(url, 'ada', {
    token: async () => {
      asked += 1;
      if (asked === 1) throw new Error('the token service is down');
      return asked === 2 ? 'not a token' : tokenOf('ada');
    },
  });
  await client.ready();
  expect(asked).toBe(3);
});

test('[SDK-7] a token that nothing can replace closes the client with UNAUTHENTICATED', async () => {
  const { url } = await startServer({}, schoolOf(3));
  const client = sdk(url, 'ada', { token: 'not a token' });
  const command = errorOf(client.start({ session_id: 'session-1' }));
  await expect(errorOf(client.ready())).resolves.toMatchObject({ code: 'UNAUTHENTICATED', message: 'Invalid token' });
  await expect(command).resolves.toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(client.state).toBe('closed');

  const stubborn = sdk(url, 'ada', { token: () => 'not a token either' });
  await expect(errorOf(stubborn.ready())).resolves.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('[SDK-163] what a teacher hears live has the seq, type, time and student that the journal gives afterwards', async () => {
  const { url } = await startServer({}, schoolOf(3));
  const teacher = sdk(url, 'ada');
  const live = await teacher.openSession('session-1', { start: { policy: { auto_mark: true } } });
  const { changes } = followed(live);
  await sdk(url, 's-1').joinSession('session-1');
  await live.mark('student-2', 'late');
  await live.bulkUpdate(['student-1', 'student-3'].map((student_id) => ({ student_id, status: 'excused' as const })));
  const since = await teacher.getSessionData({ session_id: 'session-1', since_seq: 1 });
  const told = 'changes' in since ? since.changes : [];
  expect(told.length).toBeGreaterThan(4);
  await vi.waitFor(() => expect(changes).toHaveLength(told.length), { timeout: 30_000 });
  // A catch-up compares these, to tell whether the server still has the journal that was followed.
  const shown = ({ seq, type, at, student_id }: (typeof told)[number] | LiveChange) => [seq, type, at, student_id];
  expect(changes.map(shown)).toEqual(told.map(shown));
});
