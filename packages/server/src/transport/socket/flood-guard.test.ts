import { expect, test } from 'vitest';
import { schoolOf } from '../../testing/school.js';
import { type Client, startServer } from '../../testing/server.js';

const session_id = 'session-1';
const disconnection = ({ socket }: Client): Promise<string> =>
  new Promise((resolve) => {
    socket.once('disconnect', resolve);
  });

test.each(['websocket', 'polling'])(
  '[CONN-27] over %s a student’s frame larger than any command of theirs is refused, a teacher’s is not',
  async (transport) => {
    const server = await startServer({}, schoolOf(1));
    const teacher = await server.connect('ada', { transports: [transport] });
    const student = await server.connect('s-1', { transports: [transport] });
    await teacher.send('startAttendanceSession', { session_id });
    const notes = 'x'.repeat(1_100_000);
    expect(await teacher.send('markStudentPresent', { session_id, student_id: 'student-1', notes })).toMatchObject({
      ok: true,
    });
    expect(await student.send('joinAttendanceSession', { session_id, notes: 'x'.repeat(900_000) })).toMatchObject({
      ok: true,
    });
    const back = new Promise<void>((resolve) => student.socket.once('connect', resolve));
    const cut = disconnection(student);
    student.emit('joinAttendanceSession', { session_id, notes });
    expect(await cut).toMatch(/^transport (close|error)$/);
    await back;
    expect(await student.send('joinAttendanceSession', { session_id })).toMatchObject({ ok: true });
  },
);

test('[CONN-27] a student’s connection that sends megabytes at once is cut', async () => {
  const server = await startServer({}, schoolOf(1));
  const student = await server.connect('s-1', { reconnection: false });
  const notes = 'x'.repeat(400_000);
  const join = () => student.send('joinAttendanceSession', { session_id: 'none', notes });
  expect((await join()).error?.code).toBe('SESSION_NOT_ACTIVE');
  const cut = disconnection(student);
  for (let sent = 0; sent < 10; sent += 1) student.emit('joinAttendanceSession', { session_id: 'none', notes });
  expect(await cut).toMatch(/^transport (close|error)$/);
});

test.each(['joinAttendanceSession', 'refreshToken', 'an event nobody knows'])(
  '[APP-17] who floods the server with %s is cut off, and others are served',
  async (event) => {
    const server = await startServer({}, schoolOf(1));
    const teacher = await server.connect('ada');
    await teacher.send('startAttendanceSession', { session_id });
    const student = await server.connect('s-1', { reconnection: false });
    const cut = disconnection(student);
    for (let sent = 0; sent < 20_000; sent += 1) student.emit(event, {});
    expect(await cut).toMatch(/^transport (close|error)$/);
    expect(await teacher.send('markStudentPresent', { session_id, student_id: 'student-1' })).toMatchObject({
      ok: true,
    });
  },
);

test('[APP-11] refreshToken counts as an event too', async () => {
  const server = await startServer({ RATE_LIMIT_STUDENT_PER_SECOND: '5' }, schoolOf(1));
  const student = await server.connect('s-1');
  const answers = await Promise.all(Array.from({ length: 60 }, () => student.send('refreshToken', { token: 'none' })));
  const codes = answers.map(({ error }) => error?.code);
  expect(codes.filter((code) => code === 'UNAUTHENTICATED').length).toBeGreaterThanOrEqual(20);
  expect(codes.filter((code) => code === 'RATE_LIMITED').length).toBeGreaterThan(0);
});
