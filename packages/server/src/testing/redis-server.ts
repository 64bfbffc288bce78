import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { createClient, ErrorReply } from 'redis';
import { onTestFinished } from 'vitest';

/** Title of what is skipped where there is no Redis to test with. */
export const REDIS_MISSING = 'needs a redis-server on the PATH (Debian: apt-get install redis-server)';

/** Throws where ROLLCALL_TEST_REQUIRE lists `redis` and there is none. */
export function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    if ((process.env['ROLLCALL_TEST_REQUIRE'] ?? '').split(',').some((name) => name.trim() === 'redis')) {
      throw new Error(REDIS_MISSING);
    }
    return false;
  }
}

/** A Redis of a test's own, so that it can be stopped and killed. It ends with the test. */
export interface TestRedis {
  readonly url: string;
  readonly pid: number;
  /** Stops it in the middle of what it does (SIGSTOP). */
  freeze(): void;
  thaw(): void;
  kill(): Promise<void>;
  /** On the same port, empty. */
  start(): Promise<void>;
}

/** @param options further options of redis-server, such as `--requirepass` */
export async function startRedis(options: readonly string[] = []): Promise<TestRedis> {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let process: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    process = spawn(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...options],
      {
        stdio: 'ignore',
      },
    );
    await ready(url);
  };
  const kill = async (): Promise<void> => {
    if (!process || process.exitCode !== null || process.signalCode !== null) return;
    const gone = once(process, 'exit');
    process.kill('SIGKILL');
    await gone;
  };
  await start();
  onTestFinished(kill);
  return {
    url,
    get pid() {
      return process?.pid ?? 0;
    },
    freeze: () => void process?.kill('SIGSTOP'),
    thaw: () => void process?.kill('SIGCONT'),
    kill,
    start,
  };
}

async function ready(url: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const client = createClient({ url, socket: { reconnectStrategy: false } });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.ping();
      client.destroy();
      return;
    } catch (error) {
      // It is there, and keeps its door shut.
      if (error instanceof ErrorReply && error.message.startsWith('NOAUTH')) return client.destroy();
      if (Date.now() > deadline) throw error;
    }
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
