import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import type { Lab } from '../experiment.js';
import { freePort } from './server-process.js';

/** True where a Redis answers on this port. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    const settle = (alive: boolean) => {
      socket.destroy();
      resolve(alive);
    };
    socket.setTimeout(500, () => settle(false));
    socket.on('error', () => settle(false));
    socket.on('data', (bytes) => settle(bytes.toString().includes('PONG')));
    socket.write('PING\r\n');
  });
}

/** A Redis of an experiment's own, so that it can be stopped and killed. */
export class RedisProcess {
  readonly #port: number;
  #child: ChildProcess | undefined;

  private constructor(port: number) {
    this.#port = port;
  }

  static async start(lab: Lab): Promise<RedisProcess> {
    const redis = new RedisProcess(await freePort());
    lab.defer(() => redis.kill());
    redis.spawn();
    await lab.until(() => answers(redis.#port), 'Redis answers');
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** On the same port, empty. Returns before it answers. */
  spawn(): void {
    const args = ['--port', String(this.#port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    this.#child = spawn('redis-server', args, { stdio: 'ignore' });
  }

  /** Accepts connections, and no more (SIGSTOP). */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async listening(lab: Lab): Promise<void> {
    await lab.until(() => answers(this.#port), 'Redis answers');
  }
}
