import { RollcallError } from '@rollcall/protocol';
import { type Turn, turnNow } from '../../end-of-turn.js';

/** Commands of one connection that may wait for the one before them. */
const WAITING_MAX = 5_000;
/** Once a turn of the event loop has lasted so long, in ms, a connection's further commands wait for the next one. */
const TURN_MS = 5;

/** A task calls `proceed` once the next one may begin; it may go on working after that. */
export type OrderedTask = (proceed: () => void) => void;

/**
 * Begins the commands of one connection in the order in which they came: a mark right behind a start waits until
 * the session is there, while marks in a row don't wait for each other's commits. A connection that sends a thousand
 * at once leaves the event loop to others in between.
 */
export class InOrder {
  /** Made when the first one has to wait: most connections never do, and there are thousands. */
  #waiting: OrderedTask[] | undefined;
  #busy = false;
  #draining = false;
  /** In which turn a command was begun last. */
  #turn: Turn | undefined;
  #continuing = false;
  readonly #turnMs: number;

  /** @param turnMs how long a turn may last before further commands are put off to the next one */
  constructor(turnMs = TURN_MS) {
    this.#turnMs = turnMs;
  }

  /** @throws {RollcallError} OVERLOADED */
  add(task: OrderedTask): void {
    const free = !this.#busy && !this.#draining && (this.#waiting?.length ?? 0) === 0;
    if (free && this.#mayBegin()) {
      this.#begin(task);
      return;
    }
    this.#waiting ??= [];
    if (this.#waiting.length >= WAITING_MAX) throw new RollcallError('OVERLOADED');
    this.#waiting.push(task);
    if (free) this.#continueLater();
  }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    while (!this.#busy && this.#waiting && this.#waiting.length > 0) {
      if (!this.#mayBegin()) {
        this.#continueLater();
        break;
      }
      const task = this.#waiting.shift();
      if (task) this.#begin(task);
    }
    this.#draining = false;
  }

  #continueLater(): void {
    if (this.#continuing) return;
    this.#continuing = true;
    setImmediate(() => {
      this.#continuing = false;
      this.#drain();
    });
  }

  /** The first command of a turn always may. */
  #mayBegin(): boolean {
    const now = turnNow();
    if (this.#turn === now && performance.now() - now.began > this.#turnMs) return false;
    this.#turn = now;
    return true;
  }

  #begin(task: OrderedTask): void {
    this.#busy = true;
    let proceeded = false;
    task(() => {
      if (proceeded) return;
      proceeded = true;
      this.#busy = false;
      this.#drain();
    });
  }
}
