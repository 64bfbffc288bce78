import type { Connection } from './connection.js';

/** How long a slice should keep others from writing, in ms. */
const SLICE_MS = 8;
/** Rest after a slice, in ms: at least this, and longer than the slice, so that who waits for the lock gets it. */
const REST_MS = 10;
const REST_SHARE = 1.5;
const [FEWEST_ROWS, FIRST_ROWS, MOST_ROWS] = [20, 250, 10_000];
/** Slices after which the log is copied into the database file: other connections then seldom find it long enough to. */
const SLICES_A_CHECKPOINT = 8;

/**
 * Work on many rows in transactions of a few ms, with rests between them, so that a server that appends at the same
 * time waits no longer than for one of them.
 */
export class Slices {
  readonly #db: Connection;
  #rows = FIRST_ROWS;
  #done = 0;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** One transaction. */
  one(work: () => void): void {
    this.#slice(() => {
      work();
      return 0;
    });
  }

  /** Rows numbered from 1 to `count`, so many at once as fit. */
  each(count: number, work: (first: number, last: number) => void): void {
    for (let first = 1; first <= count; ) {
      const last = Math.min(first + this.#rows - 1, count);
      const from = first;
      this.#slice(() => {
        work(from, last);
        return last - from + 1;
      });
      first = last + 1;
    }
  }

  /** Until `work`, which is told how many rows to take at most, has taken fewer. */
  until(work: (rows: number) => number): void {
    for (;;) {
      const most = this.#rows;
      let taken = 0;
      this.#slice(() => {
        taken = work(most);
        return taken;
      });
      if (taken < most) return;
    }
  }

  #slice(work: () => number): void {
    let began = 0;
    const rows = this.#db.transaction(() => {
      // The wait for the lock is not of the slice's making.
      began = performance.now();
      return work();
    });
    const took = performance.now() - began;
    if (rows >= this.#rows || took > SLICE_MS) this.#adapt(took);
    this.#done++;
    if (this.#done % SLICES_A_CHECKPOINT === 0) this.#db.checkpoint();
    rest(Math.max(REST_MS, took * REST_SHARE));
  }

  /** Halved at once where a slice took too long, and grown with care. */
  #adapt(took: number): void {
    const factor = Math.min(1.5, Math.max(0.5, SLICE_MS / Math.max(took, 0.1)));
    this.#rows = Math.round(Math.min(MOST_ROWS, Math.max(FEWEST_ROWS, this.#rows * factor)));
  }
}

/** The thread has nothing else to do, and SQLite's calls are synchronous anyway. */
function rest(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
