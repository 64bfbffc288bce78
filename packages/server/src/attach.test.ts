import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { Server } from 'socket.io';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type AttachOptions, attachRollcall } from './attach.js';
import { chatApp, PATIENCE, stranger } from './attach.test.support.js';
import { ConfigError } from './config/config.js';
import { lockWrites } from './testing/database-file.js';
import { type Client, connectTo, SECRET, temporaryFolder, tokenOf } from './testing/server.js';

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

test('[EMBED-1] [CODE-11] check-in codes inside an app’s server lead to where it is reached', async () => {
  const app = await chatApp();
  const linkBy = async (options: Partial<AttachOptions>) => {
    const attached = await app.attach({ policy: { check_in: 'code' }, codeSeconds: 60, ...options });
    const teacher = await connectTo(app.url, 'ada');
    expect(await teacher.send('startAttendanceSession', { session_id: 'session-1' })).toMatchObject({ ok: true });
    const { code, url, next_at, valid_until } = await teacher.next('attendanceCode');
    expect(Date.parse(String(valid_until)) - Date.parse(String(next_at))).toBe(60_000);
    const student = await connectTo(app.url, 's-1');
    const answer = await student.send('joinAttendanceSession', { session_id: 'session-1', code });
    await attached.close();
    return { origin: new URL(String(url)).origin, answer };
  };
  expect(await linkBy({})).toMatchObject({ origin: app.url.replace('127.0.0.1', 'localhost'), answer: { ok: true } });
  expect(await linkBy({ publicUrl: 'https://app.example' })).toMatchObject({ origin: 'https://app.example' });
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

test('[EMBED-3] a join under way when its token expires brings the socket back into no room', async () => {
  const app = await chatApp();
  await app.attach();
  const teacher = await connectTo(app.url, 'ada');
  for (const session_id of ['session-1', 'lab']) {
    expect(await teacher.send('startAttendanceSession', { session_id })).toMatchObject({ ok: true });
  }
  const student = await connectTo(app.url, 's-1', { token: await tokenOf('s-1', {}, '2s') });
  expect(await student.send('joinAttendanceSession', { session_id: 'lab' })).toMatchObject({ ok: true });
  const lock = lockWrites(app.database.slice('sqlite:'.length));
  const joining = student.send('joinAttendanceSession', { session_id: 'session-1' });
  const { rooms } = app.io.sockets.adapter;
  await expect.poll(() => rooms.has('attendance_lab'), PATIENCE).toBe(false);
  lock.release();
  expect(await joining).toMatchObject({ ok: true });
  expect(await student.send('chat', 'still here')).toBe('sent');
  expect([...rooms.keys()].filter((room) => room.includes('session-1') && !room.includes('teachers'))).toEqual([]);
  const { online_count } = await teacher.send('getOnlineStudents', { session_id: 'session-1' });
  expect(online_count).toBe(0);
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

/** Resolves once the user of this socket is served: their token is looked at when Rollcall comes. */
const served = ({ socket }: Client) =>
  expect
    .poll(async () => {
      const pending = socket.timeout(1_000).emitWithAck('checkActiveSessions', {});
      return pending.then((answer: { ok: boolean }) => answer.ok).catch(() => false);
    }, PATIENCE)
    .toBe(true);

test('[EMBED-1] sockets that were connected before are served too', async () => {
  const app = await chatApp();
  const teacher = await connectTo(app.url, 'ada');
  await app.attach();
  await served(teacher);
});

test('[EMBED-1] a socket that the app was letting in when Rollcall came is served too', async () => {
  const app = await chatApp();
  let begun = () => {};
  let goOn = () => {};
  const beingLetIn = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const letIn = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  app.io.use((_socket, next) => {
    begun();
    void letIn.then(() => next());
  });
  const connecting = connectTo(app.url, 'ada');
  await beingLetIn;
  await app.attach();
  goOn();
  await served(await connecting);
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

test('[EMBED-8] what is wrong with an option is told by its own name beside the variable of the same meaning', async () => {
  const { io } = await chatApp();
  const { error } = await refusal(io, {
    database: 'postgres://x',
    secret: SECRET,
    jwks: { issuer: 'https://id.example', audience: 'school' },
    provisionFromToken: 'perhaps',
    policy: {
      check_in: 'closed',
      auto_mark: 'yes please',
      late_after_minutes: -1,
      visibility: 'all',
      inactivity_minutes: 'ten',
      max_minutes: -1,
    },
    codeSeconds: 0,
    publicUrl: 'school.example',
    timeZone: 'Europe/Nowhere',
    rateLimits: { teacherPerSecond: -5, studentPerSecond: Number.NaN },
    finalDataRecords: 1.5,
  });
  const options = [...String(error).matchAll(/^ {2}([A-Z_]+): .* \(option ([\w.]+)\)$/gm)];
  expect(Object.fromEntries(options.map(([, variable, option]) => [variable, option]))).toEqual({
    DATABASE_URL: 'database',
    JWT_ISSUER: 'jwks.issuer',
    JWT_AUDIENCE: 'jwks.audience',
    PROVISION_FROM_TOKEN: 'provisionFromToken',
    CHECK_IN: 'policy.check_in',
    AUTO_MARK: 'policy.auto_mark',
    LATE_AFTER_MINUTES: 'policy.late_after_minutes',
    VISIBILITY: 'policy.visibility',
    INACTIVITY_MINUTES: 'policy.inactivity_minutes',
    MAX_MINUTES: 'policy.max_minutes',
    CODE_SECONDS: 'codeSeconds',
    PUBLIC_URL: 'publicUrl',
    SCHOOL_TIME_ZONE: 'timeZone',
    RATE_LIMIT_TEACHER_PER_SECOND: 'rateLimits.teacherPerSecond',
    RATE_LIMIT_STUDENT_PER_SECOND: 'rateLimits.studentPerSecond',
    FINAL_DATA_RECORDS: 'finalDataRecords',
  });
  const keys = await refusal(io, { database: 'sqlite::memory:', jwks: { url: 'id.example' } });
  expect(String(keys.error)).toMatch(/ {2}JWKS_URL: .* \(option jwks\.url\)$/);
  vi.stubEnv('NODE_ENV', 'production');
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const short = await refusal(io, { database: 'sqlite::memory:', secret: 'short' });
  expect(String(short.error)).toMatch(/ {2}ACCESS_TOKEN_SECRET: .* \(option secret\)$/);
});

/** What attaching is refused with, and which variables or options a ConfigError names. */
async function refusal(io: unknown, options?: unknown): Promise<{ readonly error: unknown; readonly named: string[] }> {
  try {
    const attached = await attachRollcall(io as Server, options as AttachOptions);
    onTestFinished(() => attached.close());
  } catch (error) {
    return { error, named: error instanceof ConfigError ? error.problems.map(({ variable }) => variable) : [] };
  }
  throw new Error('was attached');
}

test('[EMBED-5] an option that doesn’t exist is refused by name, wherever it is and together with what else is wrong', async () => {
  const { io, database } = await chatApp();
  const given = { database, secret: SECRET };
  for (const [options, named] of [
    [{ autoMark: true }, ['autoMark']],
    [{ policy: { autoMark: true, visibility: 'private' } }, ['policy.autoMark']],
    [{ rateLimits: { studentsPerSecond: 1 } }, ['rateLimits.studentsPerSecond']],
    [{ jwks: { url: 'https://id.example/keys', isuer: 'x' } }, ['jwks.isuer']],
    [
      { constructor: 1, policy: 'private', namespace: 5, severalNodes: 'false' },
      ['constructor', 'policy', 'namespace', 'severalNodes'],
    ],
    [{ polcy: {}, policy: { visibility: 'all' }, secret: undefined }, ['polcy', 'ACCESS_TOKEN_SECRET', 'VISIBILITY']],
  ] as const) {
    const refused = await refusal(io, { ...given, ...options });
    expect(refused.named).toEqual(named);
    for (const name of named) expect(String(refused.error)).toContain(name);
  }
  // What is given as nothing isn't given, as everywhere.
  const attached = await attachRollcall(io, {
    ...given,
    policy: undefined,
    rateLimits: null,
  } as unknown as AttachOptions);
  await attached.close();
});

test('[EMBED-6] without a server, or without what is required, nothing is opened and what is missing is named', async () => {
  const path = join(await temporaryFolder(), 'new.db');
  const { io, database } = await chatApp();
  for (const none of [undefined, null, {}, 'io', createServer(), io.of('/')]) {
    const { error } = await refusal(none, { database: `sqlite:${path}`, secret: SECRET });
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toMatch(/a Socket\.IO 4 server as its first argument/);
  }
  expect((await refusal(io, { database: `sqlite:${path}`, sercet: SECRET })).named).toEqual([
    'sercet',
    'ACCESS_TOKEN_SECRET',
  ]);
  expect(existsSync(path)).toBe(false);
  for (const nothing of [undefined, null, {}]) {
    expect((await refusal(io, nothing)).named).toEqual(['DATABASE_URL', 'ACCESS_TOKEN_SECRET']);
  }
  for (const odd of ['sqlite::memory:', []]) expect((await refusal(io, odd)).named).toEqual(['options']);
  expect((await refusal(io, { secret: SECRET })).named).toEqual(['DATABASE_URL']);
  expect((await refusal(io, { database, secret: '', jwks: {} })).named).toEqual(['ACCESS_TOKEN_SECRET']);
});

test('[EMBED-7] where attaching fails once the database is open it is closed, and the process ends', async () => {
  const database = `sqlite:${join(await temporaryFolder(), 'app.db')}`;
  const app = `
    import { Server } from 'socket.io';
    import { attachRollcall } from ${JSON.stringify(new URL('./attach.js', import.meta.url).href)};
    const io = new Server();
    io.adapter(class {
      constructor({ name }) {
        if (name === '/class') throw new Error('the adapter is not ready');
      }
      init() {}
    });
    attachRollcall(io, ${JSON.stringify({ database, secret: SECRET, namespace: '/class' })})
      .catch((error) => console.log(error.message));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', app], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let said = '';
  let ended: number | null | undefined;
  child.on('close', (code) => {
    ended = code;
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await expect.poll(() => ended, PATIENCE).toBeDefined();
  expect({ ended, said }).toEqual({ ended: 0, said: 'the adapter is not ready\n' });
});
