import { RollcallError } from '@rollcall/protocol';

/** Commands of one connection that may wait for the one before them. */
const WAITING_MAX = 5_000;

/** A task calls `proceed` once the next one may begin; it may go on working after that. */
export type OrderedTask = (proceed: () => void) => void;

/**
 * Begins the commands of one connection in the order in which they came: a mark right behind a start waits until
 * the session is there, while marks in a row don't wait for each other's commits.
 */
export class InOrder {
  /** Made when the first one has to wait: most connections never do, and there are thousands. */
  #waiting: OrderedTask[] | undefined;
  #busy = false;
  #draining = false;

  /** @throws {RollcallError} OVERLOADED */
  add(task: OrderedTask): void {
    if (!this.#busy && !this.#draining) {
      this.#begin(task);
      return;
    }
    this.#waiting ??= [];
    if (this.#waiting.length >= WAITING_MAX) throw new RollcallError('OVERLOADED');
    this.#waiting.push(task);
  }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    while (!this.#busy) {
      const task = this.#waiting?.shift();
      if (!task) break;
      this.#begin(task);
    }
    this.#draining = false;
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
