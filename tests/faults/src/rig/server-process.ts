import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Lab } from '../experiment.js';
import { SECRET } from './token.js';

const BIN = fileURLToPath(new URL('../../../../packages/server/bin/rollcall.js', import.meta.url));

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Nothing of the surroundings may change what is tried. */
const environment = (variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOST: '127.0.0.1',
  ACCESS_TOKEN_SECRET: SECRET,
  LOG_LEVEL: 'info',
  LOG_FORMAT: 'json',
  RATE_LIMIT_TEACHER_PER_SECOND: '0',
  RATE_LIMIT_STUDENT_PER_SECOND: '0',
  ...variables,
});

export interface ServeOptions {
  readonly database: string;
  readonly variables?: Record<string, string>;
  /** Modules that Node loads before the server, to put a fault into its process. */
  readonly preload?: readonly string[];
}

/** `rollcall serve` as a process of its own on a port that it keeps, to be stopped, killed and started again. */
export class ServerProcess {
  readonly port: number;
  readonly #options: ServeOptions;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #stdout = '';
  #stderr = '';
  #exit: Promise<number | null> = Promise.resolve(null);

  private constructor(port: number, folder: string, options: ServeOptions) {
    this.port = port;
    this.#folder = folder;
    this.#options = options;
  }

  static async start(lab: Lab, options: ServeOptions): Promise<ServerProcess> {
    const server = new ServerProcess(await freePort(), await lab.folder(), options);
    lab.defer(() => server.kill());
    await server.start(lab);
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }
  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('the server does not run');
    return this.#child.pid;
  }
  /** What it has logged, of all its lives. */
  get log(): string {
    return this.#stderr;
  }
  /** Resolves with the exit status of this life; null where a signal ended it. */
  get exit(): Promise<number | null> {
    return this.#exit;
  }

  /** Resolves once it says that it runs. */
  async start(lab: Lab): Promise<void> {
    const imports = (this.#options.preload ?? []).flatMap((module) => ['--import', module]);
    this.#stdout = '';
    const child = spawn(process.execPath, [...imports, BIN, 'serve', '--port', String(this.port)], {
      cwd: this.#folder,
      env: environment({ ...this.#options.variables, DATABASE_URL: this.#options.database }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#exit = new Promise((resolve) => child.once('close', resolve));
    const up = () => this.#stdout.includes('Server started at');
    const over = () => child.exitCode !== null || child.signalCode !== null;
    await lab.until(() => up() || over(), 'the server starts');
    if (!up()) throw new Error(`the server ended at its start: ${this.#stderr.slice(-2_000)}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#exit;
  }

  /** SIGTERM. @returns the exit status */
  stop(): Promise<number | null> {
    this.signal('SIGTERM');
    return this.#exit;
  }

  /** The sample of a metric without labels; NaN where it isn't there. */
  async metric(name: string): Promise<number> {
    const text = await fetch(`${this.url}/metrics`).then((response) => response.text());
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  }

  /** Status of `/readyz`; 0 where nobody answers. */
  ready(): Promise<number> {
    return fetch(`${this.url}/readyz`).then(
      ({ status }) => status,
      () => 0,
    );
  }
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `rollcall …` to its end. */
export function rollcall(cwd: string, args: readonly string[], variables: NodeJS.ProcessEnv): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { cwd, env: environment({ LOG_LEVEL: 'warn', ...variables }), maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, [BIN, ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}
