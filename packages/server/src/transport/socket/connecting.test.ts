import { io, type Socket } from 'socket.io-client';
import { expect, onTestFinished, test } from 'vitest';
import { refusalOfConnection } from '../../testing/refusals.js';
import { schoolOf } from '../../testing/school.js';
import { type Client, clientOf, startServer, type TestServer, tokenOf } from '../../testing/server.js';

const session_id = 'session-1';
const roundTrip = (client: Client) => client.send('unsubscribeFromCourse', { course_id: 'none' });

/** A socket that isn't connected yet, and all that it is sent: messages of Engine.IO as they come. */
async function socketOf({ url }: TestServer, uid: string, transports = ['websocket']) {
  const messages: string[] = [];
  const options = { auth: { token: await tokenOf(uid) }, transports, forceNew: true, autoConnect: false };
  const socket: Socket = io(url, options);
  socket.io.on('open', () => {
    socket.io.engine.on('packet', ({ type, data }: { type: string; data?: unknown }) => {
      if (type === 'message') messages.push(String(data));
    });
  });
  onTestFinished(() => {
    socket.disconnect();
  });
  return { socket, messages };
}

test.each(['websocket', 'polling'])('[CONN-1] a whole class runs over %s', async (transport) => {
  const server = await startServer({}, schoolOf(1));
  const transports = [transport];
  const teacher = await server.connect('ada', { transports });
  const student = await server.connect('s-1', { transports });
  expect(teacher.socket.io.engine.transport.name).toBe(transport);
  await teacher.send('startAttendanceSession', { session_id });
  await student.send('joinAttendanceSession', { session_id });
  await teacher.send('markStudentPresent', { session_id, student_id: 'student-1' });
  expect(await student.next('attendanceUpdated')).toMatchObject({ status: 'present' });
  await teacher.send('endAttendanceSession', { session_id });
  await student.next('attendanceSessionEnded');
});

test('[CONN-1] polling is upgraded to a websocket', async () => {
  const server = await startServer({}, schoolOf(1));
  const client = await server.connect('ada', { transports: ['polling', 'websocket'] });
  await expect.poll(() => client.socket.io.engine.transport.name, { timeout: 20_000 }).toBe('websocket');
  expect(await client.send('startAttendanceSession', { session_id })).toMatchObject({ ok: true });
});

test('[CONN-1] Socket.IO 4 is spoken under /socket.io in the default namespace alone', async () => {
  const { url } = await startServer({}, schoolOf(1));
  const handshake = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
  expect(await handshake.text()).toMatch(/^0\{"sid":/);
  expect((await fetch(`${url}/socket.io/?EIO=3&transport=polling`)).status).toBe(400);
  expect((await fetch(`${url}/engine.io/?EIO=4&transport=polling`)).status).toBe(404);
  const auth = { token: await tokenOf('ada') };
  expect(await refusalOfConnection(`${url}/other`, { auth })).toMatchObject({ message: 'Invalid namespace' });
});

test('[CONN-8] the authenticated user is attached to the socket as socket.user', async () => {
  const server = await startServer({}, schoolOf(1));
  const [student, teacher] = [await server.connect('s-1'), await server.connect('ada')];
  const userOf = ({ socket }: Client) => {
    const found = server.rollcall.io.of('/').sockets.get(socket.id ?? '');
    return (found as unknown as { user?: unknown } | undefined)?.user;
  };
  const person = await server.storage.people.findPersonByUid('s-1');
  const { user_id, name, email, profile_picture } = person ?? {};
  expect(userOf(student)).toEqual({ user_id, uid: 's-1', name, email, profile_picture });
  expect(userOf(teacher)).toMatchObject({ uid: 'ada', name: 'Ada Osei' });
});

test.each(['websocket', 'polling'])(
  '[CONN-14] what a client sends in its connect handler is answered over %s',
  async (transport) => {
    const server = await startServer({}, schoolOf(4));
    const teacher = await socketOf(server, 'ada', [transport]);
    const started = new Promise((resolve) => {
      teacher.socket.on('connect', () => teacher.socket.emit('startAttendanceSession', { session_id }, resolve));
    });
    teacher.socket.connect();
    expect(await started).toMatchObject({ ok: true });
    for (const uid of ['s-1', 's-2', 's-3', 's-4']) {
      const { socket } = await socketOf(server, uid, [transport]);
      const joined = new Promise((resolve) => {
        socket.on('attendanceSessionJoined', resolve);
        socket.on('connect', () => socket.emit('joinAttendanceSession', { session_id }));
      });
      socket.connect();
      expect(await joined).toMatchObject({ session_id });
    }
  },
);

test('[CONN-14] what was emitted before the connection is answered after it', async () => {
  const server = await startServer({}, schoolOf(1));
  const { socket } = await socketOf(server, 'ada');
  const client = clientOf(socket);
  client.emit('startAttendanceSession', { session_id });
  client.emit('markStudentPresent', { session_id, student_id: 'student-1' });
  socket.connect();
  await client.next('attendanceSessionStarted');
  expect(await client.next('studentMarkedPresent')).toMatchObject({ student_id: 'student-1' });
});

/** Runs a class with all that can happen in one and returns what two of its sockets were sent. */
async function messagesOfAClass(): Promise<string[]> {
  const server = await startServer({}, schoolOf(2));
  const [ada, bo] = [await socketOf(server, 'ada'), await socketOf(server, 's-1')];
  const [teacher, student] = [clientOf(ada.socket), clientOf(bo.socket)];
  for (const { socket } of [ada, bo]) socket.connect();
  await student.send('subscribeToCourse', { course_id: 'course-1' });
  await student.send('joinAttendanceSession', { session_id });
  await teacher.send('startAttendanceSession', { session_id });
  await student.send('joinAttendanceSession', { session_id });
  for (const status of ['present', 'late', 'excused', 'absent']) {
    await teacher.send('markStudentAttendance', { session_id, student_id: 'student-1', status });
  }
  const attendanceUpdates = [{ student_id: 'student-2', status: 'late' }];
  await teacher.send('bulkUpdateAttendance', { session_id, attendanceUpdates });
  for (const event of ['getAttendanceSessionData', 'getOnlineStudents', 'watchAttendanceSession']) {
    await teacher.send(event, { session_id });
  }
  await teacher.send('subscribeToCourse', { course_id: 'course-9' });
  await teacher.send('endAttendanceSession', { session_id });
  await student.send('leaveAttendanceSession', { session_id });
  await student.next('attendanceSessionEnded');
  await roundTrip(teacher);
  return [...ada.messages, ...bo.messages];
}

test('[CONN-15] every server event carries exactly one argument, an object', async () => {
  const events = (await messagesOfAClass()).filter((message) => message.startsWith('2'));
  const seen = new Set<string>();
  for (const message of events) {
    const [event, ...args] = JSON.parse(message.replace(/^2\d*/, '')) as [string, ...unknown[]];
    expect(args, event).toHaveLength(1);
    expect(args[0], event).toBeTypeOf('object');
    expect(Array.isArray(args[0]) || args[0] === null, event).toBe(false);
    seen.add(event);
  }
  expect(seen.size).toBeGreaterThanOrEqual(20);
});

test('[CONN-16] a server event never asks for an acknowledgement', async () => {
  const events = (await messagesOfAClass()).filter((message) => message.startsWith('2'));
  expect(events.length).toBeGreaterThan(20);
  // An id between type and data is what asks for one.
  for (const message of events) expect(message.slice(0, 2)).toBe('2[');
});

test('[CONN-17] an unknown event gets no answer and doesn’t cut the connection', async () => {
  const server = await startServer({}, schoolOf(1));
  const { socket, messages } = await socketOf(server, 'ada');
  const client = clientOf(socket);
  socket.connect();
  await roundTrip(client);
  const before = messages.length;
  const { id } = socket;
  for (const event of [
    'sendMessage',
    'typing',
    '__proto__',
    'constructor',
    'Markstudentpresent',
    'error',
    'connection',
    '',
  ]) {
    socket.emit(event, { session_id });
    socket.emit(event, { session_id }, () => expect.unreachable(`${event} was acknowledged`));
  }
  await roundTrip(client);
  expect(messages.slice(before)).toHaveLength(1);
  expect(socket.connected).toBe(true);
  expect(socket.id).toBe(id);
});

test('[CONN-18] unknown events are counted in the metrics', async () => {
  const server = await startServer({}, schoolOf(1));
  const client = await server.connect('ada');
  for (let i = 0; i < 7; i += 1) client.emit('sendMessage', { text: 'hello' });
  await client.send('startAttendanceSession', { session_id });
  await client.send('refreshToken', { token: 'bad' });
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toMatch(/^rollcall_unknown_events_total 7$/m);
  expect(metrics).not.toContain('sendMessage');
});

test('[CONN-26] connection state recovery is off', async () => {
  const server = await startServer({}, schoolOf(1));
  const { socket, messages } = await socketOf(server, 'ada');
  const client = clientOf(socket);
  socket.connect();
  await roundTrip(client);
  const [connected] = messages;
  // With recovery on, the server would hand out a private id to come back with.
  expect(JSON.parse(connected?.slice(1) ?? '')).toEqual({ sid: socket.id });
  const back = new Promise<void>((resolve) => socket.once('connect', resolve));
  socket.io.engine.close();
  await back;
  expect(socket.recovered).toBeFalsy();
});
