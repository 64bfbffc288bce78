import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';

/** CPU time that a process has used so far, all its threads together, in µs. To the nanosecond where the kernel tells it. */
export function cpuOf(pid: number): number {
  let nanoseconds = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
    } catch (error) {
      // A thread that ended between the two reads.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return nanoseconds / 1000;
}

/** Resident memory of a process in bytes. */
export function residentOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

/** What a server process costs, asked from outside. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Runs `rollcall serve` on a free port; it collects its garbage at SIGUSR2, so that memory can be compared. */
  static async start(env: NodeJS.ProcessEnv): Promise<ServerProcess> {
    const rollcall = new URL('../../../packages/server/bin/rollcall.js', import.meta.url).pathname;
    const collect = 'data:text/javascript,process.on("SIGUSR2",()=>globalThis.gc())';
    const child = spawn(process.execPath, ['--expose-gc', '--import', collect, rollcall, 'serve', '--port', '0'], {
      env: { PATH: process.env['PATH'], NODE_ENV: 'production', HOST: '127.0.0.1', LOG_LEVEL: 'warn', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let written = '';
    for await (const data of child.stdout) {
      written += String(data);
      const port = /running on port (\d+)/.exec(written)?.[1];
      if (port === undefined) continue;
      child.stdout.resume();
      return new ServerProcess(child, `http://127.0.0.1:${port}`);
    }
    throw new Error('the server ended before it listened');
  }

  cpu(): number {
    return cpuOf(this.pid);
  }

  /** Memory that is in use after a collection, in bytes: JavaScript's heap and what hangs on it. */
  async live(): Promise<number> {
    let least = Number.POSITIVE_INFINITY;
    // What a first collection frees, others follow; the least of some is what is in use.
    for (let round = 0; round < 4; round += 1) {
      this.#child.kill('SIGUSR2');
      const metrics = await (await fetch(`${this.url}/metrics`)).text();
      const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
      least = Math.min(least, value('nodejs_heap_size_used_bytes') + value('nodejs_external_memory_bytes'));
    }
    return least;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}
