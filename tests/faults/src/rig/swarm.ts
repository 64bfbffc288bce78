import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Lab } from '../experiment.js';

export interface SwarmOrder {
  readonly url: string;
  /** Students s-1 … */
  readonly clients: number;
  /** The first of them join this session. */
  readonly session_id: string;
  readonly joining: number;
}

export interface SwarmState {
  readonly connected: number;
  /** Of those that join: how many have. */
  readonly joined: number;
  /** Connections that were lost, over all. */
  readonly lost: number;
  /** Of those that joined: the lowest of the last seqs that they were sent. */
  readonly lowest_seq: number;
  /** Longest time that a client was without a connection, in ms. */
  readonly longest_away: number;
  readonly refused: readonly string[];
}

/** Thousands of stock clients with the delays that the library has by default, in a process of their own. */
export class Swarm {
  readonly #child: ChildProcess;
  #state: SwarmState | undefined;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (state) => {
      this.#state = state as SwarmState;
    });
  }

  static async start(lab: Lab, order: SwarmOrder): Promise<Swarm> {
    const child = fork(new URL('./swarm-process.js', import.meta.url), { stdio: 'inherit' });
    const swarm = new Swarm(child);
    lab.defer(() => swarm.end());
    child.send(order);
    const all = () => swarm.state.connected === order.clients && swarm.state.joined === order.joining;
    await lab.until(all, `${order.clients} clients connect`, { within: 240_000, every: 100 });
    return swarm;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  /** As it was a tenth of a second ago at most. */
  get state(): SwarmState {
    if (this.#child.exitCode !== null) throw new Error('the process of the clients is gone');
    return this.#state ?? { connected: 0, joined: 0, lost: 0, lowest_seq: 0, longest_away: 0, refused: [] };
  }
}
