import { expect, onTestFinished, test, vi } from 'vitest';
import { clientOf, errorOf, refused, scripted } from './testing/scripted-server.js';

const mark = (student_id: string) => ({ session_id: 'session-1', student_id });

test('[SDK-1] a command without an answer is sent again, unchanged, over the connection that still speaks', async () => {
  const { url, received, connections, io } = await scripted((_, times) =>
    times < 3 ? undefined : { ok: true, seq: 2, duplicate: true },
  );
  const talk = setInterval(() => io.emit('attendanceStatistics', { session_id: 'another' }), 20);
  onTestFinished(() => clearInterval(talk));
  const client = clientOf(url, { timeout: 150 });
  await expect(client.markPresent(mark('student-1'))).resolves.toMatchObject({ seq: 2, duplicate: true });
  expect(received.map(({ payload }) => payload)).toEqual(
    Array(3).fill({ ...mark('student-1'), op_id: expect.any(String) }),
  );
  expect(new Set(received.map(({ payload }) => payload['op_id'])).size).toBe(1);
  expect(connections).toHaveLength(1);
});

test('[SDK-1] a connection on which nothing is heard any more is given up, and the command sent over a new one', async () => {
  const { url, received, connections } = await scripted(({ socket }) =>
    socket === connections[0] ? undefined : { ok: true, seq: 2 },
  );
  const client = clientOf(url, { timeout: 150 });
  await client.markPresent(mark('student-1'));
  expect(connections).toHaveLength(2);
  expect(received).toHaveLength(2);
  expect(received[0]?.payload).toEqual(received[1]?.payload);
});

test('[SDK-1] each command has an op_id of its own, and a caller’s op_id is kept', async () => {
  const { url, received } = await scripted(() => ({ ok: true, seq: 1 }));
  const client = clientOf(url);
  await Promise.all([
    client.markPresent(mark('student-1')),
    client.markAbsent(mark('student-2')),
    client.markAbsent(mark('student-3'), { op_id: 'mine' }),
  ]);
  const ids = received.map(({ payload }) => payload['op_id']);
  expect(new Set(ids).size).toBe(3);
  expect(ids).toContain('mine');
});

test('[SDK-2] a refusal rejects with its code, message, retryable and details, and isn’t tried again', async () => {
  const details = { field: 'student_id' };
  const { url, received } = await scripted(() => refused('BAD_REQUEST', { details }));
  const error = await errorOf(clientOf(url).markPresent(mark('student-1')));
  expect(error).toMatchObject({
    name: 'RollcallClientError',
    code: 'BAD_REQUEST',
    message: 'BAD_REQUEST it is',
    retryable: false,
    details,
    event: 'markStudentPresent',
    op_id: received[0]?.payload['op_id'],
    uncertain: false,
  });
  expect(received).toHaveLength(1);
});

test('[SDK-2] an answer that is none rejects instead of being taken for one', async () => {
  const { url } = await scripted(() => ({ seq: 4 }));
  await expect(errorOf(clientOf(url).markPresent(mark('student-1')))).resolves.toMatchObject({ code: 'INTERNAL' });
});

test('[SDK-5] a retryable refusal is tried again with a growing delay and the same op_id', async () => {
  const { url, received } = await scripted((_, times) =>
    times < 5 ? refused('STORAGE_UNAVAILABLE', { retryable: true }) : { ok: true, seq: 2 },
  );
  await clientOf(url).markPresent(mark('student-1'));
  expect(new Set(received.map(({ payload }) => payload['op_id'])).size).toBe(1);
  const gaps = received.slice(1).map(({ at }, index) => at - (received[index]?.at ?? at));
  expect(gaps).toHaveLength(4);
  // Each delay is between half and all of 200 ms × 2^n: two steps on, it has grown whatever the jitter.
  expect(gaps[2]).toBeGreaterThan(gaps[0] ?? 0);
  expect(gaps[3]).toBeGreaterThan(gaps[1] ?? 0);
});

test('[SDK-5] at the caller’s deadline the last refusal is the answer', async () => {
  const { url, received } = await scripted(() => refused('STORAGE_UNAVAILABLE', { retryable: true }));
  const error = await errorOf(clientOf(url).markPresent(mark('student-1'), { deadline: 700 }));
  expect(error).toMatchObject({ code: 'STORAGE_UNAVAILABLE', retryable: true, uncertain: false });
  expect(received.length).toBeGreaterThan(1);
});

test('[SDK-5] a limit that lasts longer than one would wait is told at once', async () => {
  const { url, received } = await scripted(() =>
    refused('RATE_LIMITED', { retryable: true, details: { retry_after: 60 } }),
  );
  const error = await errorOf(clientOf(url).join({ session_id: 'session-1', code: '000000' }));
  expect(error).toMatchObject({ code: 'RATE_LIMITED', details: { retry_after: 60 } });
  expect(received).toHaveLength(1);
});

test('[SDK-5] without any answer the deadline rejects with TIMEOUT and says that the effect is uncertain', async () => {
  const { url } = await scripted(() => undefined);
  const client = clientOf(url);
  await client.ready();
  const error = await errorOf(client.markPresent(mark('student-1'), { deadline: 100 }));
  expect(error).toMatchObject({ code: 'TIMEOUT', uncertain: true, op_id: expect.any(String) });
  expect(client.pending).toBe(0);
});

test('[SDK-8] a command that is tried again is never overtaken by a later one for the same record', async () => {
  const { url, received } = await scripted(({ event }, times) =>
    event === 'markStudentPresent' && times < 3
      ? refused('STORAGE_UNAVAILABLE', { retryable: true })
      : { ok: true, seq: 2 },
  );
  const client = clientOf(url);
  const settled: string[] = [];
  await Promise.all([
    client.markPresent(mark('student-1')).then(() => settled.push('first')),
    client.markAbsent(mark('student-1')).then(() => settled.push('second')),
    client.markAbsent(mark('student-2')).then(() => settled.push('another record')),
    client.end({ session_id: 'session-1' }).then(() => settled.push('the session')),
  ]);
  expect(settled).toEqual(['another record', 'first', 'second', 'the session']);
  const sent = received.map(({ event, payload }) => [event, payload['student_id']]);
  expect(sent.slice(-3)).toEqual([
    ['markStudentPresent', 'student-1'],
    ['markStudentAbsent', 'student-1'],
    ['endAttendanceSession', undefined],
  ]);
});

test('[SDK-8] what is called without a connection is sent in its order once there is one', async () => {
  const { url, received } = await scripted(() => ({ ok: true, seq: 2 }));
  const client = clientOf(url);
  expect(client.state).toBe('connecting');
  const students = Array.from({ length: 200 }, (_, n) => `student-${n}`);
  await Promise.all(students.map((student) => client.markPresent(mark(student))));
  expect(received.map(({ payload }) => payload['student_id'])).toEqual(students);
});

test('[SDK-8] a command given up before it was sent is never sent, and one given up later is uncertain', async () => {
  const { url, received, io } = await scripted(({ payload }) =>
    payload['student_id'] === 'never answered' ? undefined : { ok: true, seq: 2 },
  );
  const client = clientOf(url);
  const early = new AbortController();
  const first = errorOf(client.markPresent(mark('student-1'), { signal: early.signal }));
  early.abort();
  await expect(first).resolves.toMatchObject({ code: 'ABORTED', uncertain: false });
  await expect(errorOf(client.end({ session_id: 's' }, { signal: early.signal }))).resolves.toMatchObject({
    code: 'ABORTED',
  });
  await client.ready();

  const late = new AbortController();
  const second = errorOf(client.markPresent(mark('never answered'), { signal: late.signal }));
  await vi.waitFor(() => expect(received).toHaveLength(1), { timeout: 30_000 });
  late.abort();
  await expect(second).resolves.toMatchObject({ code: 'ABORTED', uncertain: true });
  io.disconnectSockets(true);
  await client.markPresent(mark('student-3'));
  expect(received.map(({ payload }) => payload['student_id'])).toEqual(['never answered', 'student-3']);
});

test('[SDK-8] closing rejects what has no answer and whatever comes after', async () => {
  const { url } = await scripted(() => undefined);
  const client = clientOf(url);
  await client.ready();
  const open = errorOf(client.markPresent(mark('student-1')));
  client.close();
  await expect(open).resolves.toMatchObject({ code: 'CLOSED', uncertain: true });
  await expect(errorOf(client.markPresent(mark('student-1')))).resolves.toMatchObject({ code: 'CLOSED' });
  await expect(errorOf(client.ready())).resolves.toMatchObject({ code: 'CLOSED' });
  expect(client.state).toBe('closed');
});

test('[SDK-9] a course is subscribed to again after a reconnect, until it is unsubscribed from or refused', async () => {
  const { url, received, io } = await scripted(({ payload }, times) =>
    payload['course_id'] === 'lost' && times > 2 ? refused('FORBIDDEN') : { ok: true, activeSessions: [] },
  );
  const client = clientOf(url);
  for (const course_id of ['kept', 'lost', 'dropped']) await client.subscribeToCourse({ course_id });
  await client.unsubscribeFromCourse({ course_id: 'dropped' });
  const subscriptions = () =>
    received.filter(({ event }) => event === 'subscribeToCourse').map(({ payload }) => payload['course_id']);
  for (const expected of [['kept', 'lost'], ['kept']]) {
    const before = subscriptions().length;
    io.disconnectSockets(true);
    await vi.waitFor(() => expect(subscriptions().slice(before)).toEqual(expected), { timeout: 30_000 });
    await client.activeSessions();
  }
});

test('[SDK-4] a server that takes the namespace away is connected to again', async () => {
  const { url, connections } = await scripted(() => ({ ok: true, seq: 1 }));
  const client = clientOf(url);
  await client.ready();
  connections[0]?.disconnect(false);
  await vi.waitFor(() => expect(connections).toHaveLength(2), { timeout: 30_000 });
  await client.markPresent(mark('student-1'));
});

test('[SDK-220] a socket that the server lets in once more is the connection that it was', async () => {
  const { url, received, io } = await scripted(({ event }) =>
    event === 'markStudentPresent' ? undefined : { ok: true, activeSessions: [] },
  );
  const again: Array<() => void> = [];
  io.use((_socket, next) => {
    again.push(next);
    next();
  });
  const client = clientOf(url);
  const open = errorOf(client.markPresent(mark('student-1')));
  await vi.waitFor(() => expect(received).toHaveLength(1), { timeout: 30_000 });
  for (const next of again) next();
  await client.activeSessions();
  // Nothing is sent again, as it would be on a new connection.
  expect(received.filter(({ event }) => event === 'markStudentPresent')).toHaveLength(1);
  client.close();
  await open;
});
