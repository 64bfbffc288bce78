import { Worker } from 'node:worker_threads';
import { RollcallError } from '@rollcall/protocol';
import type { ReportMade, ReportMessage } from './report-worker.js';

/** What one report may take of memory, in MB: a register of CELLS_MAX cells as a spreadsheet fits. */
const MEMORY_MB = 1_536;
/** Reports that wait for the one that is being made. */
const WAITING_MAX = 20;

/**
 * Makes reports in a thread, since a large one takes seconds: one at a time, each in a thread of its own that ends
 * with it and gives back its memory.
 */
export class ReportThread {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;
  #worker: Worker | undefined;

  /**
   * @param prepare reads what the report is made of, once it is its turn, and sends it in messages; the last of them
   *   says what to make
   * @throws {RollcallError} OVERLOADED when too many wait, or when the report doesn't fit into memory
   */
  make(prepare: (send: (message: ReportMessage) => void) => Promise<void>): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#closed || this.#waiting >= WAITING_MAX) {
      return Promise.reject(new RollcallError('OVERLOADED', { details: { retry_after: 5 } }));
    }
    this.#waiting += 1;
    const made = this.#last.then(() => this.#make(prepare));
    this.#last = made
      .catch(() => undefined)
      .finally(() => {
        this.#waiting -= 1;
      });
    return made;
  }

  async #make(prepare: (send: (message: ReportMessage) => void) => Promise<void>): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#closed) throw new RollcallError('OVERLOADED');
    // Flags of the process (`--input-type` of a script on standard input, say) are not for a file of ours.
    const worker = new Worker(new URL('./report-worker.js', import.meta.url), {
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    });
    this.#worker = worker;
    const bytes = new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) => {
      worker.once('message', (made: ReportMade) => resolve(made.bytes));
      worker.once('error', (error) => reject(isOutOfMemory(error) ? tooLarge(error) : error));
      worker.once('exit', () => reject(new RollcallError('OVERLOADED')));
    });
    // While it is being prepared, nobody waits for the bytes yet.
    bytes.catch(() => undefined);
    try {
      await prepare((message) => worker.postMessage(message));
      return await bytes;
    } finally {
      this.#worker = undefined;
      await worker.terminate();
    }
  }

  /** Gives up what is being made and what waits. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
    await this.#last;
  }
}

const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';

const tooLarge = (cause: unknown): RollcallError =>
  new RollcallError('OVERLOADED', { message: 'The report does not fit into memory: ask for fewer days', cause });
