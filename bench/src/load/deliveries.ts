import { setTimeout as delay } from 'node:timers/promises';
import { VoidRun } from '../harness/no-figures.js';
import { type Client, seqIn } from './client.js';

/** How long nothing may come while something is still missing, in ms. */
const STALLED_MS = 15_000;

/** How many changes, and which: two tallies of as many rising numbers that add up to the same hold the same numbers. */
class Tally {
  count = 0;
  sum = 0;
  last = 0;

  add(seq: number): void {
    this.count += 1;
    this.sum += seq;
    this.last = seq;
  }
}

/** Holds what every listener of one session was sent against what was acknowledged. */
export class Deliveries {
  readonly #listeners = new Map<Client, Tally>();
  readonly #expected = new Tally();
  #received = 0;
  /** What `#received` is when nothing is missing. */
  #due = 0;
  #fault: string | undefined;
  /** When the last one came. */
  lastAt = 0;

  /** Deliveries so far, by all listeners. */
  get received(): number {
    return this.#received;
  }

  /** From now on this client has to get every change, whether as one event each or batched. */
  listen(client: Client): void {
    const tally = new Tally();
    tally.count = this.#expected.count;
    tally.sum = this.#expected.sum;
    this.#listeners.set(client, tally);
    const take = (seq: number): void => {
      if (seq <= tally.last)
        this.#fault ??= `${client.uid} got change ${seq} after ${tally.last}: doubled or out of order`;
      tally.add(seq);
      this.#received += 1;
      this.lastAt = performance.now();
    };
    client.on('attendanceUpdated', (frame) => take(seqIn(frame)));
    client.on('attendanceBulkUpdated', (frame) => take(seqIn(frame)));
    client.on('attendanceChanges', (frame) => {
      const [, { changes }] = JSON.parse(frame.toString('utf8', 2)) as [string, { changes: Array<{ seq: number }> }];
      for (const { seq } of changes) take(seq);
    });
  }

  /** The client is to get nothing any more. Call it when nothing is missing. */
  forget(client: Client): void {
    this.#listeners.delete(client);
  }

  acknowledged(seq: number): void {
    this.#expected.add(seq);
    this.#due += this.#listeners.size;
  }

  /** The last change that was acknowledged. */
  get lastSeq(): number {
    return this.#expected.last;
  }

  /** Resolves once every listener has everything that was acknowledged. */
  async complete(): Promise<void> {
    let before = this.#received;
    let since = performance.now();
    while (this.#received < this.#due) {
      this.#throwFault();
      await delay(1);
      if (this.#received !== before) [before, since] = [this.#received, performance.now()];
      else if (performance.now() - since > STALLED_MS) throw new VoidRun(this.#lost());
    }
    this.#throwFault();
    for (const [{ uid }, tally] of this.#listeners) {
      if (tally.count < this.#expected.count) throw new VoidRun(this.#lost());
      if (tally.count > this.#expected.count) throw new VoidRun(`${uid} got more changes than were acknowledged`);
      if (tally.sum !== this.#expected.sum) throw new VoidRun(`${uid} got other changes than were acknowledged`);
    }
  }

  #throwFault(): void {
    const fault = this.#fault ?? [...this.#listeners.keys()].find((client) => client.fault !== undefined)?.fault;
    if (fault !== undefined) throw new VoidRun(fault);
  }

  #lost(): string {
    const short = [...this.#listeners.values()].filter((tally) => tally.count < this.#expected.count);
    const least = Math.min(...short.map((tally) => tally.count));
    return `lost: ${short.length} of ${this.#listeners.size} listeners miss changes, one got ${least} of ${this.#expected.count}`;
  }
}
