import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Server } from 'socket.io';
import { io as connect } from 'socket.io-client';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openStorage } from './app.js';
import { type AttachedRollcall, type AttachOptions, attachRollcall } from './attach.js';
import { schoolOf } from './testing/school.js';
import { type Client, clientOf, connectTo, SECRET, temporaryFolder, tokenOf } from './testing/server.js';

const PATIENCE = { timeout: 20_000 };

interface App {
  readonly io: Server;
  readonly url: string;
  readonly database: string;
  attach(options?: Partial<AttachOptions>): Promise<AttachedRollcall>;
}

/** A chat server that was there before Rollcall, with middleware, events and a room of its own. */
async function chatApp(): Promise<App> {
  const path = join(await temporaryFolder(), 'app.db');
  const storage = await openStorage({ kind: 'sqlite', path }, { warn: () => {} });
  await storage.importSchool(schoolOf(2), { dryRun: false });
  await storage.close();
  const httpServer = createServer();
  const io = new Server(httpServer);
  io.use((socket, next) => {
    if (socket.handshake.auth['banned'] === true) next(Object.assign(new Error('Banned'), { data: { by: 'chat' } }));
    else next();
  });
  io.on('connection', (socket) => {
    void socket.join('lobby');
    Object.assign(socket, { user: 'the app’s own' });
    socket.on('chat', (text: string, ack?: (answer: string) => void) => {
      io.to('lobby').emit('chat', { text });
      ack?.('sent');
    });
    socket.on('who', (ack: (answer: unknown) => void) => ack((socket as unknown as { user: unknown }).user));
  });
  await new Promise<void>((resolve) => {
    httpServer.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(async () => {
    await io.close();
  });
  const { port } = httpServer.address() as AddressInfo;
  const database = `sqlite:${path}`;
  return {
    io,
    database,
    url: `http://127.0.0.1:${port}`,
    async attach(options = {}) {
      const attached = await attachRollcall(io, { database, secret: SECRET, ...options });
      onTestFinished(() => attached.close());
      return attached;
    },
  };
}

async function stranger(url: string, auth: Record<string, unknown> = {}): Promise<Client> {
  const socket = connect(url, { transports: ['websocket'], forceNew: true, auth });
  onTestFinished(() => {
    socket.disconnect();
  });
  const client = clientOf(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return client;
}

test('[EMBED-1] attachRollcall adds a whole class to an app’s Socket.IO server', async () => {
  const app = await chatApp();
  const attached = await app.attach();
  const teacher = await connectTo(app.url, 'ada');
  const student = await connectTo(app.url, 's-1');
  expect(await teacher.send('startAttendanceSession', { session_id: 'session-1' })).toMatchObject({ ok: true, seq: 1 });
  expect([...attached.activeAttendanceSessions.keys()]).toEqual(['session-1']);
  expect(await student.send('joinAttendanceSession', { session_id: 'session-1' })).toMatchObject({ ok: true });
  await teacher.send('markStudentPresent', { session_id: 'session-1', student_id: 'student-1' });
  expect(await student.next('attendanceUpdated')).toMatchObject({ status: 'present' });
  await teacher.send('endAttendanceSession', { session_id: 'session-1' });
  expect(await student.next('attendanceSessionEnded')).toMatchObject({ reason: 'teacher' });
});

test('[EMBED-2] the app’s events, rooms, middleware errors and socket.user work as before', async () => {
  const app = await chatApp();
  await app.attach();
  const teacher = await connectTo(app.url, 'ada');
  const other = await stranger(app.url);
  expect(await teacher.send('chat', 'hello')).toBe('sent');
  expect(await other.next('chat')).toEqual({ text: 'hello' });
  expect(await teacher.socket.timeout(10_000).emitWithAck('who')).toBe('the app’s own');
  await expect(stranger(app.url, { banned: true })).rejects.toMatchObject({ message: 'Banned', data: { by: 'chat' } });
});

test('[EMBED-3] a socket without a valid token stays connected and only Rollcall’s events answer UNAUTHENTICATED', async () => {
  const app = await chatApp();
  await app.attach();
  for (const auth of [{}, { token: 'no token' }, { token: await tokenOf('nobody') }]) {
    const client = await stranger(app.url, auth);
    const answer = await client.send('startAttendanceSession', { session_id: 'session-1' });
    expect(answer).toMatchObject({ ok: false, error: { code: 'UNAUTHENTICATED' } });
    expect(await client.next('attendanceError')).toMatchObject({ event: 'startAttendanceSession' });
    expect(await client.send('chat', 'still here')).toBe('sent');
  }
});

test('[EMBED-3] a socket whose token expires gets sessionExpired, leaves Rollcall’s rooms and stays the app’s', async () => {
  const app = await chatApp();
  await app.attach();
  const teacher = await connectTo(app.url, 'ada');
  await teacher.send('startAttendanceSession', { session_id: 'session-1' });
  const expiring = await connectTo(app.url, 'cyd', { token: await tokenOf('cyd', {}, '2s') });
  await expiring.send('watchAttendanceSession', { session_id: 'session-1' });
  await expiring.next('sessionExpired');
  await expect
    .poll(
      async () => (await expiring.send('watchAttendanceSession', { session_id: 'session-1' })).error?.code,
      PATIENCE,
    )
    .toBe('UNAUTHENTICATED');
  await expect.poll(() => app.io.sockets.adapter.rooms.get('rollcall:teachers:session-1')?.size, PATIENCE).toBe(1);
  expect(await expiring.send('chat', 'still here')).toBe('sent');
  expect(expiring.socket.connected).toBe(true);
});

test('[EMBED-2] an app’s own refreshToken event works as before, and a bad token is refused by the acknowledgement alone', async () => {
  const app = await chatApp();
  app.io.on('connection', (socket) => {
    socket.on('refreshToken', (payload: unknown, ack?: (answer: unknown) => void) => {
      if ((payload as { token?: unknown } | null)?.token === undefined) ack?.({ app: 'took it' });
    });
  });
  await app.attach();
  const client = await connectTo(app.url, 'ada');
  for (const payload of [{ refresh: 'r-1' }, null, 'r-1', 7, {}]) {
    expect(await client.socket.timeout(10_000).emitWithAck('refreshToken', payload)).toEqual({ app: 'took it' });
  }
  const bad = await client.send('refreshToken', { token: 'no token' });
  expect(bad).toMatchObject({ ok: false, error: { code: 'UNAUTHENTICATED' } });
  expect(await client.send('refreshToken', { token: await tokenOf('ada') })).toMatchObject({ ok: true });
  expect(client.all('attendanceError')).toEqual([]);
});

test('[EMBED-1] sockets that were connected before are served too', async () => {
  const app = await chatApp();
  const teacher = await connectTo(app.url, 'ada');
  await app.attach();
  await expect
    .poll(async () => {
      const pending = teacher.socket.timeout(1_000).emitWithAck('checkActiveSessions', {});
      return pending.then((answer: { ok: boolean }) => answer.ok).catch(() => false);
    }, PATIENCE)
    .toBe(true);
});

test('[EMBED-4] detaching leaves the app’s server running and open', async () => {
  const app = await chatApp();
  const attached = await app.attach();
  const teacher = await connectTo(app.url, 'ada');
  await teacher.send('startAttendanceSession', { session_id: 'session-1' });
  await attached.close();
  expect(teacher.socket.connected).toBe(true);
  expect(await teacher.send('chat', 'after')).toBe('sent');
  const other = await stranger(app.url);
  expect(await other.send('chat', 'new')).toBe('sent');
  const again = await app.attach();
  expect([...again.activeAttendanceSessions.keys()]).toEqual(['session-1']);
});

test('[EMBED-1] options that can’t be used are refused by name', async () => {
  const app = await chatApp();
  await expect(app.attach({ database: 'postgres://x' })).rejects.toThrow(/DATABASE_URL/);
  const { io, database } = app;
  await expect(attachRollcall(io, { database })).rejects.toThrow(/ACCESS_TOKEN_SECRET/);
  vi.stubEnv('NODE_ENV', 'production');
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  await expect(app.attach({ secret: 'short' })).rejects.toThrow(/ACCESS_TOKEN_SECRET: must have at least 32 bytes/);
});
