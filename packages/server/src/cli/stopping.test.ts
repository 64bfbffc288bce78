import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lockWrites, otherConnection } from '../testing/database-file.js';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../testing/mongo-server.js';
import { hasRedis, REDIS_MISSING, startRedis } from '../testing/redis-server.js';
import { TcpProxy } from '../testing/tcp-proxy.js';
import { BIN, freshFolder } from './rollcall.test.support.js';

const ACCESS_TOKEN_SECRET = 'a-secret-of-the-tests-of-32-bytes';
const PRODUCTION = { NODE_ENV: 'production', HOST: '127.0.0.1', ACCESS_TOKEN_SECRET };
const PATIENCE = { timeout: 30_000 };

type Serving = ChildProcess & { readonly said: () => string };

/** `rollcall serve` from its first moment on. It ends with the test. */
function serve(cwd: string, env: Record<string, string>): Serving {
  const child = spawn(process.execPath, [BIN, 'serve', '--port', '0'], {
    cwd,
    env: { PATH: process.env['PATH'], LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let said = '';
  const hear = (text: string) => {
    said += text;
  };
  child.stdout.setEncoding('utf8').on('data', hear);
  child.stderr.setEncoding('utf8').on('data', hear);
  return Object.assign(child, { said: () => said });
}

const isServing = (child: Serving) => expect.poll(child.said, PATIENCE).toContain('Server started at');

/** The exit status after one signal; a process that is there after 10 s is killed, and has none. */
async function statusAfter(child: Serving, signal: NodeJS.Signals): Promise<number | null> {
  const ended = once(child, 'close');
  child.kill(signal);
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  const [code] = await ended;
  clearTimeout(late);
  return code;
}

/** A line to a server, the address of its end, and a promise of the moment in which it falls silent. */
async function lineTo(
  url: URL,
): Promise<{ proxy: TcpProxy; address: string; silent: (piece: number) => Promise<void> }> {
  const proxy = await TcpProxy.start({ host: url.hostname, port: Number(url.port) });
  onTestFinished(() => proxy.cut());
  const silent = (piece: number) =>
    new Promise<void>((resolve) => {
      let sent = 0;
      proxy.onSent = () => {
        if (++sent !== piece) return;
        proxy.line = 'silent';
        resolve();
      };
    });
  return { proxy, address: `127.0.0.1:${proxy.port}`, silent };
}

const mongo = await testMongoUri();

describe.skipIf(mongo === undefined)(`stopping on MongoDB${mongo ? '' : ` (${MONGO_MISSING})`}`, () => {
  test('[CLI-120] a signal ends a start with 0 wherever MongoDB has fallen silent: connecting, seeding, restoring', async () => {
    const count = async (uri: string): Promise<number> => {
      const { proxy, address } = await lineTo(new URL(uri));
      let sent = 0;
      proxy.onSent = () => {
        sent++;
      };
      const child = serve(await freshFolder(), { DATABASE_URL: uri.replace(/\/\/[^/?]+/, `//${address}`) });
      await isServing(child);
      expect(await statusAfter(child, 'SIGTERM')).toBe(0);
      return sent;
    };
    const fresh = async () => {
      const uri = (await testMongoUri()) ?? '';
      onTestFinished(() => dropTestDatabase(uri));
      return uri;
    };
    const pieces = await count(await fresh());
    const moments = [1, ...[0.2, 0.4, 0.6, 0.8].map((part) => Math.floor(part * pieces))];
    for (const [index, moment] of moments.entries()) {
      const uri = await fresh();
      const { address, silent } = await lineTo(new URL(uri));
      const fell = silent(moment);
      const child = serve(await freshFolder(), {
        DATABASE_URL: `${uri.replace(/\/\/[^/?]+/, `//${address}`)}?serverSelectionTimeoutMS=60000&socketTimeoutMS=60000`,
      });
      await fell;
      const status = await statusAfter(child, index % 2 === 0 ? 'SIGTERM' : 'SIGINT');
      expect(status, `at ${moment} of ${pieces}: ${child.said()}`).toBe(0);
      expect(child.said()).not.toMatch(/Server started|"stopped"/);
    }
  });

  test('[CLI-120] a signal ends a server with 0 also while MongoDB is silent and a mark waits for it', async () => {
    const uri = (await testMongoUri()) ?? '';
    onTestFinished(() => dropTestDatabase(uri));
    const { proxy, address } = await lineTo(new URL(uri));
    const child = serve(await freshFolder(), {
      LOG_LEVEL: 'error',
      DATABASE_URL: `${uri.replace(/\/\/[^/?]+/, `//${address}`)}?serverSelectionTimeoutMS=60000&socketTimeoutMS=60000`,
    });
    await isServing(child);
    const { answer } = await markWaiting(child, () => {
      proxy.line = 'silent';
    });
    expect(await statusAfter(child, 'SIGTERM')).toBe(0);
    expect(await answer).not.toMatchObject({ ok: true });
  });

  test.skipIf(!hasRedis())(
    `[CLI-120] a signal while the start waits for Redis ends it with 0 ${hasRedis() ? '' : REDIS_MISSING}`,
    async () => {
      const redis = await startRedis();
      const uri = (await testMongoUri()) ?? '';
      onTestFinished(() => dropTestDatabase(uri));
      const { address, silent } = await lineTo(new URL(redis.url));
      const fell = silent(1);
      const child = serve(await freshFolder(), { ...PRODUCTION, DATABASE_URL: uri, REDIS_URL: `redis://${address}` });
      await fell;
      expect(await statusAfter(child, 'SIGTERM')).toBe(0);
      expect(child.said()).toBe('');
    },
  );
});

test('[CLI-120] a signal while the start waits for another process’s lock on the SQLite file ends it with 0', async () => {
  const folder = await freshFolder();
  await mkdir(join(folder, 'data'));
  const file = join(folder, 'data', 'rollcall.db');
  // A file without a schema yet: the start has to write it.
  otherConnection(file).exec('PRAGMA journal_mode = WAL');
  lockWrites(file);
  const child = serve(folder, {});
  // The server claims the file, and opens it next.
  await expect.poll(() => existsSync(`${file}.lock`), PATIENCE).toBe(true);
  expect(await statusAfter(child, 'SIGTERM')).toBe(0);
  expect(child.said()).toBe('');
});

test('[CLI-120] a signal ends a server with 0 also while a mark waits for another process’s lock on the SQLite file', async () => {
  const folder = await freshFolder();
  const child = serve(folder, { LOG_LEVEL: 'error' });
  await isServing(child);
  const { answer } = await markWaiting(child, () => {
    lockWrites(join(folder, 'data', 'rollcall.db'));
  });
  expect(await statusAfter(child, 'SIGTERM')).toBe(0);
  expect(await answer).not.toMatchObject({ ok: true });
});

/**
 * Signs in the demo school's teacher, lets the database be held up, and sends a command that has to be written.
 * @returns the answer to come, in an object, so that nobody waits for it yet
 */
async function markWaiting(child: Serving, holdUp: () => void): Promise<{ readonly answer: Promise<unknown> }> {
  const [, port] = /running on port (\d+)/.exec(child.said()) ?? [];
  // The snippet has the teacher's token first.
  const token = () => /auth: \{ token: '([^']+)'/.exec(child.said())?.[1];
  await expect.poll(token, PATIENCE).toBeDefined();
  const url = `http://127.0.0.1:${port}`;
  const socket = io(url, { auth: { token: token() }, transports: ['websocket'], reconnection: false });
  onTestFinished(() => {
    socket.disconnect();
  });
  await new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(undefined));
    socket.once('connect_error', reject);
  });
  holdUp();
  const answer = socket.timeout(20_000).emitWithAck('startAttendanceSession', { session_id: 'session123' });
  // What was sent before this request has arrived when it is answered.
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  return { answer: answer.catch((error: unknown) => error) };
}
