import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';

export const BIN = fileURLToPath(new URL('../../bin/rollcall.js', import.meta.url));

/** A new, empty folder, removed after the test. */
export async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Nothing of the surroundings may change what is tested. */
const environment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'], ...env });

/** Runs `rollcall …` in a folder and waits for its end. */
export function rollcall(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [BIN, ...args], { cwd, env: environment(env) }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

export class RunningServer {
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';
  readonly exit: Promise<number | null>;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.exit = new Promise((resolve) => {
      child.on('close', resolve);
    });
  }

  get stdout(): string {
    return this.#stdout;
  }
  get stderr(): string {
    return this.#stderr;
  }
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }
  get pid(): number | undefined {
    return this.#child.pid;
  }
  get port(): number {
    return Number(/running on port (\d+)/.exec(this.#stdout)?.[1]);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<number | null> {
    this.kill('SIGTERM');
    return this.exit;
  }
}

/** Starts `rollcall serve --port 0` in a folder, resolves once it says that it runs, and ends it after the test. */
export async function startServer(
  cwd: string,
  env: NodeJS.ProcessEnv = {},
  args: readonly string[] = ['--port', '0'],
): Promise<RunningServer> {
  const child = spawn(process.execPath, [BIN, 'serve', ...args], {
    cwd,
    env: environment({ LOG_LEVEL: 'warn', ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const server = new RunningServer(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await server.exit;
  });
  await expect
    .poll(() => (child.exitCode === null ? server.stdout : `ended: ${server.stderr}`), { timeout: 30_000 })
    .toMatch(/Server started at|^ended/);
  if (child.exitCode !== null) throw new Error(`the server ended: ${server.stderr}`);
  return server;
}
