import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { link, mkdir, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, connect as netConnect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Server } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import { expect, onTestFinished, test } from 'vitest';
import { attachRollcall } from '../attach.js';
import { freshFolder, type RunningServer, rollcall, startServer } from './rollcall.test.support.js';

const PRODUCTION = {
  NODE_ENV: 'production',
  ACCESS_TOKEN_SECRET: 'a-secret-of-the-tests-of-32-bytes',
  HOST: '127.0.0.1',
};

function connect(server: RunningServer, token: string): Promise<Socket> {
  const socket = io(server.url, { auth: { token }, transports: ['websocket'], reconnection: false, forceNew: true });
  onTestFinished(() => {
    socket.close();
  });
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.once('connect_error', reject);
  });
}

/** An access token by the link that the start has printed for this user. */
async function signIn(server: RunningServer, uid: string): Promise<string> {
  const link = new RegExp(`${uid} \\(.*\\): (http\\S+)`).exec(server.stdout)?.[1] ?? '';
  const response = await fetch(new URL('/api/v1/auth/sign-in', link), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: new URL(link).hash.slice(1) }),
  });
  const { access_token } = (await response.json()) as { access_token: string };
  return access_token;
}

test('[CLI-6] the start prints the four lines in their order once the port is open', async () => {
  const server = await startServer(await freshFolder(), PRODUCTION);
  expect(server.stdout.split('\n')).toEqual([
    `🚀 Chat server running on port ${server.port}`,
    '📡 Socket.IO server ready for connections',
    `🔗 WebSocket endpoint: ws://localhost:${server.port}`,
    expect.stringMatching(/^📊 Server started at: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    '',
  ]);
  expect((await fetch(new URL('/healthz', server.url))).status).toBe(200);
});

test('[CONF-6] port 0 takes a free port and logs it', async () => {
  const server = await startServer(await freshFolder(), { ...PRODUCTION, CHAT_PORT: '0' }, []);
  expect(server.port).toBeGreaterThan(0);
  expect((await fetch(new URL('/readyz', server.url))).status).toBe(200);
});

test('[CLI-1] serve runs on the port and host of its options, which come before the environment', async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const env = { ...PRODUCTION, CHAT_PORT: '1', HOST: '203.0.113.1' };
  const server = await startServer(await freshFolder(), env, ['--port', String(port), '--host', '127.0.0.1']);
  expect(server.port).toBe(port);
});

test('[CLI-7] SIGTERM and SIGINT end it with 0, also with clients connected', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const server = await startServer(await freshFolder());
    const socket = await connect(server, await signIn(server, 'ada'));
    const closed = new Promise((resolve) => socket.once('disconnect', resolve));
    server.kill(signal);
    expect(await server.exit).toBe(0);
    // Not `io server disconnect`: after that one, clients don't come back by themselves.
    expect(await closed).toMatch(/^transport (close|error)$/);
  }
});

test('[CLI-7] a second signal ends it at once with 1 where stopping takes its time', async () => {
  const server = await startServer(await freshFolder());
  // A request that never ends keeps the port from closing.
  const half = netConnect(server.port, '127.0.0.1');
  onTestFinished(() => {
    half.destroy();
  });
  half.on('error', () => undefined);
  await new Promise((resolve) => half.write('GET /healthz HTTP/1.1\r\nHost: x\r\n', resolve));
  await fetch(new URL('/healthz', server.url));
  let code: number | null | undefined;
  void server.exit.then((status) => {
    code = status;
  });
  await expect
    .poll(() => {
      server.kill('SIGTERM');
      return code;
    })
    .toBe(1);
});

test('[CLI-4] a port in use is one clear line and status 1', async () => {
  const server = await startServer(await freshFolder(), PRODUCTION);
  const { code, stdout, stderr } = await rollcall(await freshFolder(), ['serve', '--port', String(server.port)], {
    ...PRODUCTION,
    LOG_LEVEL: 'fatal',
  });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toBe(`rollcall: port ${server.port} of 127.0.0.1 is in use; take another with --port or CHAT_PORT\n`);
});

test('[CLI-121] a start that fails logs neither that it listens nor that it stopped', async () => {
  const server = await startServer(await freshFolder(), PRODUCTION);
  const { code, stderr } = await rollcall(await freshFolder(), ['serve', '--port', String(server.port)], {
    ...PRODUCTION,
    LOG_LEVEL: 'trace',
  });
  expect(code).toBe(1);
  expect(stderr).toContain('is in use');
  expect(stderr).not.toMatch(/"msg":"(listening|stopped)"/);
});

test('[CLI-9] a second server on a SQLite file is refused with the process of the first, until that has ended', async () => {
  const folder = await freshFolder();
  const first = await startServer(folder);
  const second = await rollcall(folder, ['serve', '--port', '0'], { LOG_LEVEL: 'fatal' });
  expect({ code: second.code, stdout: second.stdout }).toEqual({ code: 1, stdout: '' });
  expect(second.stderr).toBe(
    `rollcall: another server (process ${first.pid}) serves ${join(folder, 'data', 'rollcall.db')}: ` +
      'stop it, or take another database with DATABASE_URL or DATA_DIR\n',
  );
  expect((await fetch(new URL('/readyz', first.url))).status).toBe(200);
  // However it ends: nothing is left that would keep the next one out.
  first.kill('SIGKILL');
  await first.exit;
  const third = await startServer(folder);
  expect(third.pid).not.toBe(first.pid);
});

test('[CLI-122] a SQLite file is one by whatever symbolic or hard link it is named', async () => {
  const folder = await freshFolder();
  const file = join(folder, 'school.db');
  const env = (path: string) => ({ ...PRODUCTION, LOG_LEVEL: 'fatal', DATABASE_URL: `sqlite:${path}` });
  await mkdir(join(folder, 'elsewhere'));
  await symlink(join(folder, 'elsewhere'), join(folder, 'way'));
  // Made before there is a database: the server makes it at the end of the link.
  await symlink('../school.db', join(folder, 'elsewhere', 'early.db'));
  const first = await startServer(folder, env(join(folder, 'way', 'early.db')));
  expect(existsSync(file)).toBe(true);
  await symlink(file, join(folder, 'symbolic.db'));
  await link(file, join(folder, 'elsewhere', 'hard.db'));
  const names = ['school.db', 'symbolic.db', 'way/hard.db'];
  for (const name of names) {
    const { code, stderr } = await rollcall(folder, ['serve', '--port', '0'], env(join(folder, name)));
    expect({ code, stderr }, name).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^rollcall: another (server \(process \d+\) serves|process has) .*: stop it/),
    });
  }
  await first.stop();
  const second = await startServer(folder, env(join(folder, 'elsewhere', 'hard.db')));
  const third = await rollcall(folder, ['serve', '--port', '0'], env(file));
  expect(third.stderr).toMatch(/^rollcall: another process has .*school\.db open by another of its names/);
  await second.stop();
});

test('[CLI-122] [CLI-9] a file is served once, be it by serve or by an app with Rollcall attached', async () => {
  const folder = await freshFolder();
  const file = join(folder, 'school.db');
  const env = { ...PRODUCTION, LOG_LEVEL: 'fatal', DATABASE_URL: `sqlite:${file}` };
  const served = await startServer(folder, env);
  const options = { database: env.DATABASE_URL, secret: env.ACCESS_TOKEN_SECRET };
  const attach = () => attachRollcall(new Server(), options);
  await expect(attach()).rejects.toThrow(`another server (process ${served.pid}) serves ${file}`);
  await served.stop();
  const attached = await attach();
  await expect(attach()).rejects.toThrow(/another server serves/);
  const refused = await rollcall(folder, ['serve', '--port', '0'], env);
  expect(refused.stderr).toMatch(new RegExp(`another server \\(process ${process.pid}\\) serves`));
  await attached.close();
  await (await attach()).close();
});

test('[CONF-1] serve with bad variables names them all and exits with 1', async () => {
  const { code, stdout, stderr } = await rollcall(await freshFolder(), ['serve'], {
    NODE_ENV: 'production',
    CHAT_PORT: 'x',
    VISIBILITY: 'y',
  });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  for (const name of ['ACCESS_TOKEN_SECRET', 'CHAT_PORT', 'VISIBILITY']) expect(stderr).toContain(`  ${name}: `);
});

test('[CONF-3] serve with a short secret in production exits with 1', async () => {
  const { code, stderr } = await rollcall(await freshFolder(), ['serve'], {
    NODE_ENV: 'production',
    ACCESS_TOKEN_SECRET: 'x'.repeat(31),
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/ACCESS_TOKEN_SECRET: must have at least 32 bytes/);
});

test('[CONF-15] a start with a NODE_ENV that nobody knows warns of it once', async () => {
  const server = await startServer(await freshFolder(), { NODE_ENV: 'prod' });
  await server.stop();
  expect(
    server.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([{ level: 40, msg: 'NODE_ENV is not production, development or test: this is development mode' }]);
});

test('[CONF-16] a start with a URI of MongoDB that names no database warns of it once, also where nothing answers', async () => {
  const start = (DATABASE_URL: string) =>
    rollcall(folder, ['serve', '--port', '0'], { ...PRODUCTION, LOG_LEVEL: 'warn', DATABASE_URL });
  const folder = await freshFolder();
  const options = '?serverSelectionTimeoutMS=3000';
  const [nameless, named] = await Promise.all([
    start(`mongodb://127.0.0.1:1/${options}`),
    start(`mongodb://127.0.0.1:1/school${options}`),
  ]);
  const [warning = '', ...rest] = nameless.stderr.split('\n');
  expect(JSON.parse(warning)).toMatchObject({
    level: 40,
    msg: 'the URI of MongoDB names no database: the one called test is used',
  });
  expect(rest.join('\n')).toBe(named.stderr);
  expect(named.stderr).toMatch(/^rollcall: mongodb: /);
});

test('[DEV-6] a development start prints links that sign in a teacher and two students', async () => {
  const server = await startServer(await freshFolder());
  const [teacher] = await Promise.all(
    ['ada', 'student123', 'student124'].map(async (uid) => connect(server, await signIn(server, uid))),
  );
  const answer = await teacher?.emitWithAck('getAttendanceSessionData', { session_id: 'session123' });
  expect(answer).toMatchObject({
    ok: true,
    session: { status: 'scheduled', course_id: 'course-1', teacher_name: 'Ada Osei' },
    statistics: { totalStudents: 40 },
  });
});

test('[DEV-6] under npm run dev only the first start prints the long notice', async () => {
  const folder = await freshFolder();
  const args = ['--port', '0', '--notice-once', join(folder, 'shown')];
  const first = await startServer(folder, {}, args);
  await expect.poll(() => first.stdout).toContain('Development mode');
  await first.stop();
  const second = await startServer(folder, {}, args);
  await second.stop();
  expect(second.stdout).toMatch(/Server started at/);
  expect(second.stdout).not.toContain('Development mode');
});

test('[DEV-7] the printed snippet runs the usage example from start to end', async () => {
  const server = await startServer(await freshFolder());
  await expect.poll(() => server.stdout).toMatch(/^EOF$/m);
  const snippet = /^node --input-type=module <<'EOF'\n[\s\S]*?^EOF$/m.exec(server.stdout)?.[0] ?? '';
  expect(snippet).toContain("emit('startAttendanceSession', { session_id: 'session123' })");
  const shell = spawn('sh', ['-c', snippet], { cwd: fileURLToPath(new URL('../..', import.meta.url)) });
  let said = '';
  shell.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  shell.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  expect(await new Promise((resolve) => shell.on('close', resolve)), said).toBe(0);
  const told = [...said.matchAll(/^(Session started|Joined session|Student marked present|Session ended):/gm)];
  expect(told.map(([, what]) => what)).toEqual([
    'Session started',
    'Joined session',
    'Student marked present',
    'Session ended',
  ]);
  expect(said).toMatch(/presentCount: 1/);
});

test('[DEV-4] a database with users of its own gets no demo data, and its start no links into it', async () => {
  const folder = await freshFolder();
  await writeFile(join(folder, 'school.json'), JSON.stringify({ admins: [{ uid: 'root', name: 'Office' }] }));
  expect((await rollcall(folder, ['import', 'school.json'])).code).toBe(0);
  const server = await startServer(folder);
  await expect.poll(() => server.stdout).toContain('users of its own');
  expect(server.stdout).not.toContain('student123');
  const { stdout } = await rollcall(folder, ['token', '--uid', 'student123']);
  await expect(connect(server, stdout.trim())).rejects.toThrow('User not found');
});

test('[DEV-5] there is no demo data in production, nor with a secret of one’s own', async () => {
  for (const env of [PRODUCTION, { ...PRODUCTION, NODE_ENV: 'development' }]) {
    const folder = await freshFolder();
    const server = await startServer(folder, env);
    expect(server.stdout).not.toContain('Development mode');
    const { stdout } = await rollcall(folder, ['token', '--uid', 'ada'], env);
    await expect(connect(server, stdout.trim())).rejects.toThrow('User not found');
  }
});
