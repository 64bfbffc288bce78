import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Lab } from '../experiment.js';
import { freePort } from './server-process.js';

/** A MongoDB of an experiment's own whose data outlive it: what ROLLCALL_TEST_MONGO_COMMAND starts. */
export class MongoProcess {
  readonly #port: number;
  readonly #file: string;
  #child: ChildProcess | undefined;
  #uri = '';

  private constructor(port: number, file: string) {
    this.#port = port;
    this.#file = file;
  }

  static async start(lab: Lab): Promise<MongoProcess> {
    const mongo = new MongoProcess(await freePort(), join(await lab.folder(), 'data'));
    lab.defer(() => mongo.end('SIGKILL'));
    await mongo.start(lab);
    return mongo;
  }

  get uri(): string {
    return this.#uri;
  }

  /** On the same port and data. */
  async start(lab: Lab): Promise<void> {
    const command = process.env['ROLLCALL_TEST_MONGO_COMMAND'] ?? '';
    const child = spawn(command, [String(this.#port), this.#file], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    await lab.until(() => text.includes('\n') || child.exitCode !== null, 'the database starts');
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
    this.#uri = text.split('\n')[0]?.trim() ?? '';
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}
