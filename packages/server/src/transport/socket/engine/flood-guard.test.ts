import { once } from 'node:events';
import type { Socket as TcpSocket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { schoolOf } from '../../../testing/school.js';
import { type Client, startServer, type TestServer, tokenOf } from '../../../testing/server.js';

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

/** A websocket without a library of Socket.IO's behind it. */
async function rawWebsocket({ port }: TestServer): Promise<{ ws: WebSocket; tcp: TcpSocket; heard: string[] }> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
  onTestFinished(() => ws.terminate());
  const heard: string[] = [];
  ws.on('message', (data) => heard.push(String(data)));
  ws.on('error', () => {});
  await once(ws, 'open');
  const { _socket: tcp } = ws as unknown as { _socket: TcpSocket };
  return { ws, tcp, heard };
}

test('[CONN-29] of many CONNECTs on one connection none makes a second socket', async () => {
  const server = await startServer({}, schoolOf(1));
  const { ws, tcp, heard } = await rawWebsocket(server);
  const connect = `40${JSON.stringify({ token: await tokenOf('s-1') })}`;
  const closed = once(ws, 'close');
  // In one piece, so that all are there before the first is let in.
  tcp.cork();
  for (let n = 0; n < 20; n += 1) ws.send(connect);
  tcp.uncork();
  await closed;
  expect(heard.filter((frame) => frame.startsWith('40'))).toEqual([]);
  await expect.poll(() => server.rollcall.io.of('/').sockets.size).toBe(0);

  // One after the other is another matter: refused, or gone, it may ask again.
  const patient = await rawWebsocket(server);
  const answered = (start: string, count: number) =>
    expect.poll(() => patient.heard.filter((frame) => frame.startsWith(start)).length).toBe(count);
  patient.ws.send('40{"token":"none"}');
  await answered('44', 1);
  patient.ws.send(connect);
  await answered('40', 1);
  patient.ws.send('41');
  await expect.poll(() => server.rollcall.io.of('/').sockets.size).toBe(0);
  patient.ws.send(connect);
  await answered('40', 2);
  patient.ws.send(connect);
  await once(patient.ws, 'close');
});

test.each(['', '/,', '/,7', '7'])(
  '[CONN-29] however the default namespace is written, “%s” too, a connection has one socket',
  async (namespace) => {
    const server = await startServer({}, schoolOf(1));
    let made = 0;
    server.rollcall.io.on('connection', () => {
      made += 1;
    });
    const auth = JSON.stringify({ token: await tokenOf('s-1') });
    for (const spellings of [Array.from({ length: 20 }, () => namespace), ['', namespace], [namespace, '']]) {
      const { ws, tcp, heard } = await rawWebsocket(server);
      tcp.cork();
      for (const spelling of spellings) ws.send(`40${spelling}${auth}`);
      tcp.uncork();
      await expect.poll(() => ws.readyState, { timeout: 20_000 }).toBe(WebSocket.CLOSED);
      expect(heard.filter((frame) => frame.startsWith('40'))).toEqual([]);
    }
    expect(made).toBe(0);
    await expect.poll(() => server.rollcall.io.of('/').sockets.size).toBe(0);

    const patient = await rawWebsocket(server);
    patient.ws.send(`40${namespace}${auth}`);
    await expect.poll(() => patient.heard.filter((frame) => frame.startsWith('40')).length).toBe(1);
    expect(server.rollcall.io.of('/').sockets.size).toBe(1);
    patient.ws.send(`40${namespace}${auth}`);
    await once(patient.ws, 'close');
  },
);

test('[CONN-29] a namespace that isn’t there, or is asked for with a query, makes no socket', async () => {
  const server = await startServer({}, schoolOf(1));
  const { ws, heard } = await rawWebsocket(server);
  const auth = JSON.stringify({ token: await tokenOf('s-1') });
  for (const namespace of ['/?x=1,', '/#a,', '//,', '/socket,', '/']) ws.send(`40${namespace}${auth}`);
  await expect.poll(() => heard.filter((frame) => frame.startsWith('44')).length).toBe(5);
  expect(server.rollcall.io.of('/').sockets.size).toBe(0);
});

test.each([
  ['CONNECTs', '40'],
  ['empty packets', '6'],
])('[CONN-28] a request of thousands of %s is refused, and a websocket of them cut', async (_what, packet) => {
  const server = await startServer({}, schoolOf(1));
  const { engine } = server.rollcall.io;
  const url = `${server.url}/socket.io/?EIO=4&transport=polling`;
  const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1)) as { sid: string };
  expect(engine.clientsCount).toBe(1);
  let sockets = 0;
  server.rollcall.io.of('/').use((_socket, next) => {
    sockets += 1;
    next();
  });
  const body = Array.from({ length: 20_000 }, () => packet).join('\u001e');
  await fetch(`${url}&sid=${sid}`, { method: 'POST', body, headers: { 'content-type': 'text/plain' } });
  await expect.poll(() => engine.clientsCount).toBe(0);
  const { ws } = await rawWebsocket(server);
  const closed = once(ws, 'close');
  for (let n = 0; n < 40_000; n += 1) ws.send(packet);
  await closed;
  expect(sockets).toBeLessThan(2);
});

test('[CONN-30] who sends pings and reads no answers is cut off', async () => {
  const server = await startServer({}, schoolOf(1));
  const { ws, tcp } = await rawWebsocket(server);
  const closed = new Promise((resolve) => tcp.once('close', resolve));
  tcp.pause();
  // Until it is closed: what a connection takes before its answers have to wait differs between machines.
  const payload = Buffer.alloc(125);
  const flood = setInterval(() => {
    for (let n = 0; n < 1_000 && tcp.writableLength < 1_000_000; n += 1) ws.ping(payload, true, () => {});
  }, 1);
  onTestFinished(() => clearInterval(flood));
  await expect.poll(() => server.rollcall.io.engine.clientsCount, { timeout: 60_000 }).toBe(0);
  // To hear of the end, it has to read.
  tcp.resume();
  await closed;
});
