import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import type { Lab } from '../experiment.js';

export interface CrowdOrder {
  readonly url: string;
  /** A connection for each. */
  readonly uids: readonly string[];
  /** A frame that each sends once it is connected. */
  readonly each?: string;
  /** What the first one sends in one write when it is told to. */
  readonly frames: readonly string[];
}

export interface CrowdState {
  readonly connected: number;
  /** Acknowledgements, over all. */
  readonly answered: number;
  readonly events: number;
  readonly lost: number;
  readonly megabytes: number;
  readonly done: boolean;
}

const NOTHING: CrowdState = { connected: 0, answered: 0, events: 0, lost: 0, megabytes: 0, done: false };

/** An event with an acknowledgement, as a frame of Socket.IO. */
export const frameOf = (id: number, event: string, payload: object): string =>
  `42${id}${JSON.stringify([event, payload])}`;

/** Clients in a process of their own. */
export class Crowd {
  readonly #child: ChildProcess;
  #state = NOTHING;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (state) => {
      this.#state = state as CrowdState;
    });
  }

  static async start(lab: Lab, order: CrowdOrder): Promise<Crowd> {
    const child = fork(new URL('./crowd-process.js', import.meta.url), { stdio: 'inherit' });
    // In truth they are not on the server's machine: what they take must not be taken from the class beside.
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    const crowd = new Crowd(child);
    lab.defer(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    child.send(order);
    await lab.until(() => crowd.state.done, `${order.uids.length} clients connect`, { within: 240_000, every: 100 });
    return crowd;
  }

  /** Sends `frames` in one write. */
  burst(): void {
    this.#child.send('burst');
  }

  /** As it was a moment ago. */
  get state(): CrowdState {
    if (this.#child.exitCode !== null) throw new Error('the process of the clients is gone');
    return this.#state;
  }
}
