import type { Server } from 'socket.io';
import { expect, test } from 'vitest';
import { attachRollcall } from './attach.js';
import { chatApp, PATIENCE, stranger } from './attach.test.support.js';
import { otherConnection } from './testing/database-file.js';
import { connectTo, SECRET, tokenOf } from './testing/server.js';

const session_id = 'session-1';
const RECOVERY = { connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true } };

/** Cut by the network, as it were: the client comes back by itself, and Socket.IO may restore what it was. */
const cut = (client: { socket: { io: { engine: { close(): void } } } }) => client.socket.io.engine.close();

const roomsOf = ({ sockets }: Server): string[] =>
  [...sockets.adapter.rooms.keys()].filter((room) => /^(attendance_|course_|rollcall:)/.test(room));

/** The whole class, with a student in it whose socket was heard by: without an event there is nothing to restore from. */
async function classOf(skipMiddlewares: boolean) {
  const app = await chatApp({ connectionStateRecovery: { ...RECOVERY.connectionStateRecovery, skipMiddlewares } });
  await app.attach({ policy: { check_in: 'code' }, codeSeconds: 1 });
  return app;
}

test.each([true, false])(
  '[EMBED-180] a socket that Socket.IO restores as another user is in no room of the one before (middlewares skipped: %s)',
  async (skipMiddlewares) => {
    const app = await classOf(skipMiddlewares);
    const teacher = await connectTo(app.url, 'ada', { reconnectionDelay: 10 });
    expect(await teacher.send('startAttendanceSession', { session_id })).toMatchObject({ ok: true });
    await teacher.send('subscribeToCourse', { course_id: 'course-1' });
    await teacher.next('attendanceCode');
    app.io.to('lobby').emit('chat', { text: 'an offset' });
    await teacher.next('chat');
    const id = teacher.socket.id;
    teacher.socket.auth = { token: await tokenOf('s-1') };
    const back = new Promise<void>((resolve) => teacher.socket.once('connect', resolve));
    cut(teacher);
    await back;
    expect(teacher.socket.recovered).toBe(true);
    expect(teacher.socket.id).toBe(id);
    const answer = await teacher.send('joinAttendanceSession', { session_id });
    expect(answer.error?.code).toBe('CODE_REQUIRED');
    expect(roomsOf(app.io)).toEqual([]);
    const heard = teacher.all('attendanceCode').length;
    // Another teacher's code of the next window was made, and told, after this socket came back.
    const colleague = await connectTo(app.url, 'cyd');
    await colleague.send('watchAttendanceSession', { session_id });
    await colleague.next('attendanceCode');
    await colleague.next('attendanceCode');
    expect(teacher.all('attendanceCode').length).toBe(heard);
    expect(await teacher.send('chat', 'still here')).toBe('sent');
  },
);

test.each([true, false])(
  '[EMBED-180] one that is restored with an expired token is in no room, one with a good token is put back (middlewares skipped: %s)',
  async (skipMiddlewares) => {
    const app = await chatApp({ connectionStateRecovery: { ...RECOVERY.connectionStateRecovery, skipMiddlewares } });
    await app.attach();
    const teacher = await connectTo(app.url, 'ada');
    await teacher.send('startAttendanceSession', { session_id });
    const student = await connectTo(app.url, 's-1', { reconnectionDelay: 10 });
    expect(await student.send('joinAttendanceSession', { session_id })).toMatchObject({ ok: true });
    app.io.to('lobby').emit('chat', { text: 'an offset' });
    await student.next('chat');
    const comeBack = async (token: string) => {
      student.socket.auth = { token };
      const back = new Promise<void>((resolve) => student.socket.once('connect', resolve));
      cut(student);
      await back;
      expect(student.socket.recovered).toBe(true);
    };
    await comeBack(await tokenOf('s-1'));
    await expect.poll(() => app.io.sockets.adapter.rooms.get('attendance_session-1')?.size, PATIENCE).toBe(1);
    await teacher.send('markStudentPresent', { session_id, student_id: 'student-1' });
    await student.next('attendanceUpdated');

    await comeBack(await tokenOf('s-1', { exp: 1 }, '-1h'));
    expect((await student.send('joinAttendanceSession', { session_id })).error?.code).toBe('UNAUTHENTICATED');
    expect(roomsOf(app.io).filter((room) => !room.includes('teachers'))).toEqual([]);
    const heard = student.all('attendanceUpdated').length;
    await teacher.send('markStudentAbsent', { session_id, student_id: 'student-1' });
    expect(await student.send('chat', 'still here')).toBe('sent');
    expect(student.all('attendanceUpdated').length).toBe(heard);
  },
);

test('[EMBED-180] rooms of Rollcall’s that another node kept are left before the socket is connected', async () => {
  const app = await chatApp(RECOVERY);
  const before = await connectTo(app.url, 's-1', { reconnectionDelay: 10 });
  const serverSide = [...app.io.sockets.sockets.values()][0];
  // As a node without this version would have left it.
  await serverSide?.join(['rollcall:teachers:session-1', 'attendance_session-1', 'my room']);
  app.io.to('lobby').emit('chat', { text: 'an offset' });
  await before.next('chat');
  await app.attach();
  const back = new Promise<void>((resolve) => before.socket.once('connect', resolve));
  cut(before);
  await back;
  expect(before.socket.recovered).toBe(true);
  expect(await before.send('chat', 'still here')).toBe('sent');
  expect(roomsOf(app.io)).toEqual([]);
  expect(app.io.sockets.adapter.rooms.get('my room')?.size).toBe(1);
});

test('[EMBED-181] while the database can’t be asked who a socket is, Rollcall’s events are refused for now, and it is served once it can', async () => {
  const app = await chatApp();
  const lines: string[] = [];
  const { pino } = await import('pino');
  await app.attach({ logger: pino({ level: 'warn' }, { write: (line: string) => lines.push(line) }) });
  const database = otherConnection(app.database.slice('sqlite:'.length));
  database.exec('ALTER TABLE users RENAME TO users_away');
  const teacher = await connectTo(app.url, 'ada');
  const refused = await teacher.send('startAttendanceSession', { session_id });
  expect(refused.error).toMatchObject({ code: 'STORAGE_UNAVAILABLE', retryable: true });
  expect(await teacher.next('attendanceError')).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  expect(await teacher.send('chat', 'still here')).toBe('sent');
  // A token that is no good is none, whatever the database does.
  const nobody = await stranger(app.url, { token: 'no token' });
  expect((await nobody.send('startAttendanceSession', { session_id })).error?.code).toBe('UNAUTHENTICATED');
  expect(lines.filter((line) => line.includes('who connects could not be looked up'))).toHaveLength(1);
  database.exec('ALTER TABLE users_away RENAME TO users');
  await expect.poll(async () => (await teacher.send('startAttendanceSession', { session_id })).ok, PATIENCE).toBe(true);
  expect(teacher.socket.connected).toBe(true);
});

test('[EMBED-182] authenticate says who a socket’s user is, by uid or user id; tokens count where it says nobody', async () => {
  const app = await chatApp();
  const { io, database } = app;
  const attached = await attachRollcall(io, {
    database,
    secret: SECRET,
    authenticate: async ({ handshake }) => {
      const { as } = handshake.auth as { as?: string };
      if (as === 'broken') throw new Error('the app’s sessions can’t be read');
      return as ?? null;
    },
  });
  const startedBy = async (auth: Record<string, unknown>) => {
    const client = await stranger(app.url, auth);
    const { error } = await client.send('startAttendanceSession', { session_id });
    return error?.code ?? 'started';
  };
  expect(await startedBy({ as: 'ada' })).toBe('started');
  expect(await startedBy({ as: 's-1' })).toBe('NOT_A_TEACHER');
  const ada = attached.activeAttendanceSessions.get(session_id as never)?.state.started_by.user_id;
  expect(await startedBy({ as: ada })).toBe('started');
  expect(await startedBy({})).toBe('UNAUTHENTICATED');
  expect(await startedBy({ as: 'nobody' })).toBe('UNAUTHENTICATED');
  expect(await startedBy({ token: await tokenOf('ada') })).toBe('started');
  expect(await startedBy({ as: 's-1', token: await tokenOf('ada') })).toBe('NOT_A_TEACHER');
  expect(await startedBy({ as: 'broken' })).toBe('INTERNAL');
  await attached.close();

  // Without any key at all.
  const alone = await attachRollcall(io, { database, authenticate: () => 'ada' });
  expect(await startedBy({ token: await tokenOf('s-1') })).toBe('started');
  await alone.close();
});

test('[EMBED-183] where the app signs somebody else in on a socket, it leaves the rooms of the one before at once', async () => {
  const app = await chatApp();
  const users = new Map<string, string | null>();
  const attached = await attachRollcall(app.io, {
    database: app.database,
    authenticate: (socket) => users.get(socket.id) ?? null,
  });
  const client = await stranger(app.url);
  const id = client.socket.id ?? '';
  const socket = app.io.sockets.sockets.get(id);
  if (!socket) throw new Error('not connected');
  const signIn = async (uid: string | null) => {
    users.set(id, uid);
    const done = attached.reauthenticate(socket);
    expect(roomsOf(app.io)).toEqual([]);
    await done;
  };
  await signIn('ada');
  expect(await client.send('startAttendanceSession', { session_id })).toMatchObject({ ok: true });
  expect(roomsOf(app.io)).toContain('rollcall:teachers:session-1');
  await signIn('s-1');
  expect((await client.send('markStudentPresent', { session_id, student_id: 's-1' })).error?.code).toBe(
    'NOT_A_TEACHER',
  );
  expect(await client.send('joinAttendanceSession', { session_id })).toMatchObject({ ok: true });
  await signIn(null);
  expect((await client.send('joinAttendanceSession', { session_id })).error?.code).toBe('UNAUTHENTICATED');
  await signIn('ada');
  expect(roomsOf(app.io)).toContain('rollcall:teachers:session-1');
  await attached.close();
});
