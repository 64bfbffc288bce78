import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '../experiment.js';

/** strace on a running process and all its threads, until `stop`. */
export class Strace {
  readonly #file: string;
  readonly #stop: () => Promise<void>;

  private constructor(file: string, stop: () => Promise<void>) {
    this.#file = file;
    this.#stop = stop;
  }

  static async on(lab: Lab, pid: number, args: readonly string[]): Promise<Strace> {
    const file = join(await lab.folder(), 'trace');
    const child = spawn('strace', ['-f', '-p', String(pid), '-o', file, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const gone = once(child, 'exit');
    const stop = async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      await gone;
    };
    lab.defer(stop);
    await lab.until(() => /attached/.test(said) || child.exitCode !== null, 'strace attaches');
    if (child.exitCode !== null) throw new Error(`strace: ${said}`);
    // Threads are attached one after the other.
    await lab.lasting(300);
    return new Strace(file, stop);
  }

  /** Lets go of the process. @returns what was traced, line by line */
  async stop(): Promise<string[]> {
    await this.#stop();
    return (await readFile(this.#file, 'latin1')).split('\n');
  }
}

/** A system call: where in the trace it began, and where it came back. */
export interface Call {
  readonly name: string;
  readonly text: string;
  readonly began: number;
  readonly ended: number;
  readonly result: string;
}

const WHOLE = /^(\d+)\s+(\w+)\((.*)\)\s+= (.*)$/;
const BEGUN = /^(\d+)\s+(\w+)\((.*) <unfinished \.\.\.>$/;
const RESUMED = /^(\d+)\s+<\.\.\. (\w+) resumed>(.*)\)\s+= (.*)$/;

/** Puts together what other threads' calls cut in two. */
export function callsOf(lines: readonly string[]): Call[] {
  const calls: Call[] = [];
  const open = new Map<string, { name: string; text: string; began: number }>();
  lines.forEach((line, at) => {
    const [, thread = '', name = '', text = '', result = ''] = WHOLE.exec(line) ?? [];
    if (name) {
      calls.push({ name, text, began: at, ended: at, result });
      return;
    }
    const [, beginner = '', begun = '', head = ''] = BEGUN.exec(line) ?? [];
    if (begun) {
      open.set(beginner, { name: begun, text: head, began: at });
      return;
    }
    const [, resumer = thread, , rest = '', outcome = ''] = RESUMED.exec(line) ?? [];
    const before = open.get(resumer);
    if (!before) return;
    open.delete(resumer);
    calls.push({ ...before, text: before.text + rest, ended: at, result: outcome });
  });
  return calls.sort((a, b) => a.began - b.began);
}
