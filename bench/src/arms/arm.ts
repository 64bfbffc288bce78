import { type ChildProcess, fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type SchoolSize, SECRET } from '../school.js';
import { cpuMs, cpuMsByThread } from './cpu.js';
import { type Database, type DatabaseKind, makeDatabase, type Seed } from './database.js';
import type { Answer, Question } from './probe.js';
import { type Span, type Spans, THREADS_FOLDER } from './spans.js';

export type ArmKind = 'raw-ws' | 'socket-io' | 'direct' | 'rollcall';

export interface ArmSpec {
  /** A letter of the README; two of a kind in one workload are told apart by what follows it. */
  readonly label: string;
  readonly kind: ArmKind;
  readonly database: DatabaseKind;
  /** Instead of the workload's. */
  readonly school?: SchoolSize;
  /** Fills the database after the school is in it. */
  readonly seed?: Seed;
}

/** What is looked at beyond a workload's figures, of `rollcall` arms. */
export interface Watch {
  /** Folder for CPU profiles, and for when and on what threads CPU time was spent on what is measured. */
  readonly folder: string;
  /** Whether there are profiles: they cost CPU time themselves. */
  readonly profile: boolean;
}

const SAMPLED_EVERY_US = 500;
const START_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 15_000;
/** The server gathers changes of the collections for 100 ms: work of a round must not be counted to nobody. */
const QUIET_MS = 160;
/** CPU time in QUIET_MS of a server that does nothing: being sampled keeps even that one busy. */
const AT_REST_MS = 3;
const AT_REST_PROFILED_MS = 60;
const QUIET_WITHIN_MS = 20_000;

const ROLLCALL = fileURLToPath(new URL('../../../packages/server/bin/rollcall.js', import.meta.url));
const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A server in a process of its own. */
export class Arm {
  readonly label: string;
  readonly kind: ArmKind;
  readonly port: number;
  readonly school: SchoolSize;
  readonly database: Database;
  readonly #process: ChildProcess;
  readonly #watch: Watch | undefined;
  readonly #spans: Span[] = [];

  private constructor(
    spec: ArmSpec,
    server: ChildProcess,
    port: number,
    school: SchoolSize,
    database: Database,
    watch: Watch | undefined,
  ) {
    this.label = spec.label;
    this.kind = spec.kind;
    this.port = port;
    this.school = school;
    this.database = database;
    this.#process = server;
    this.#watch = watch;
  }

  static async start(spec: ArmSpec, usual: SchoolSize, watched?: Watch): Promise<Arm> {
    const school = spec.school ?? usual;
    const database = await makeDatabase(spec.database, school, spec.seed);
    const watch = spec.kind === 'rollcall' ? watched : undefined;
    const server = launch(spec, school, database, watch);
    try {
      return new Arm(spec, server, await portOf(server, spec.label), school, database, watch);
    } catch (error) {
      server.kill('SIGKILL');
      await database.remove();
      throw error;
    }
  }

  get pid(): number {
    return this.#process.pid ?? Number.NaN;
  }

  cpuMs(): number {
    return cpuMs(this.pid);
  }

  /** Call it where what is measured begins, and what it gives where that ends. */
  span(): () => void {
    if (this.#watch === undefined) return () => {};
    const [from, before] = [nowUs(), cpuMsByThread(this.pid)];
    return () => {
      const threads = Object.entries(cpuMsByThread(this.pid)).map(([tid, ms]) => [tid, ms - (before[tid] ?? 0)]);
      this.#spans.push({ from, to: nowUs(), threads: Object.fromEntries(threads) });
    };
  }

  /** Resolves when the server has nothing left to do. */
  async quiet(): Promise<void> {
    const deadline = performance.now() + QUIET_WITHIN_MS;
    const atRest = this.#watch?.profile ? AT_REST_PROFILED_MS : AT_REST_MS;
    for (let before = this.cpuMs(); performance.now() < deadline; ) {
      await delay(QUIET_MS);
      const now = this.cpuMs();
      if (now - before < atRest) return;
      before = now;
    }
  }

  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const exited = () => reject(new Error(`${this.label} ended while it was asked`));
      this.#process.once('exit', exited);
      this.#process.once('message', (answer) => {
        this.#process.off('exit', exited);
        resolve(answer as Answer);
      });
      this.#process.send(question);
    });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      const exited = new Promise((resolve) => this.#process.once('exit', resolve));
      this.#process.kill('SIGTERM');
      const forced = setTimeout(() => this.#process.kill('SIGKILL'), STOP_WITHIN_MS);
      await exited;
      clearTimeout(forced);
    }
    if (this.#watch) {
      const spans: Spans = { pid: this.pid, spans: this.#spans };
      await writeFile(join(this.#watch.folder, `${this.pid}.spans.json`), JSON.stringify(spans));
    }
    await this.database.remove();
  }
}

/** By the clock that V8's profiles are stamped with, which is the machine's and not a process's. */
const nowUs = (): number => Number(process.hrtime.bigint() / 1_000n);

function launch(spec: ArmSpec, school: SchoolSize, database: Database, watch: Watch | undefined): ChildProcess {
  const options = {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'] as ['ignore', 'pipe', 'inherit', 'ipc'],
    execArgv: [
      '--expose-gc',
      `--import=${new URL('./probe.js', import.meta.url).href}`,
      ...(watch?.profile
        ? ['--cpu-prof', `--cpu-prof-dir=${watch.folder}`, `--cpu-prof-interval=${SAMPLED_EVERY_US}`]
        : []),
    ],
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      CHAT_PORT: '0',
      ACCESS_TOKEN_SECRET: SECRET,
      DATABASE_URL: database.url,
      LOG_LEVEL: 'warn',
      RATE_LIMIT_TEACHER_PER_SECOND: '0',
      RATE_LIMIT_STUDENT_PER_SECOND: '0',
      ...(watch && { [THREADS_FOLDER]: watch.folder }),
    },
  };
  if (spec.kind === 'rollcall') return fork(ROLLCALL, ['serve'], options);
  return fork(beside(`./${spec.kind}.js`), [JSON.stringify(school)], options);
}

function portOf(server: ChildProcess, label: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${label} did not start`)), START_WITHIN_MS);
    let printed = '';
    server.stdout?.on('data', (text: Buffer) => {
      if (printed.length > 10_000) return;
      printed += text;
      const port = /running on port (\d+)/.exec(printed)?.[1];
      if (port === undefined) return;
      clearTimeout(late);
      resolve(Number(port));
    });
    server.once('exit', (code) => {
      clearTimeout(late);
      reject(new Error(`${label} ended with status ${code} before it listened`));
    });
  });
}
