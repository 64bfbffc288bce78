import { Worker } from 'node:worker_threads';
import { atEndOfTurn } from '../../end-of-turn.js';
import { StorageError } from '../port.js';
import type { Call, Reply, VerbName, VerbResult, Verbs, WorkerData } from './verbs.js';

/** How long a database that is being closed may wait for another process that writes, in ms. */
const CLOSING_PATIENCE_MS = 2_000;

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: StorageError) => void;
}

/**
 * The main thread's end of the worker. Calls of one turn of the event loop go over in one message. A worker that
 * dies takes the calls under way with it (they reject; whether they were carried out is unknown), and the next call
 * starts another.
 */
export class WorkerLink {
  readonly #path: string;
  readonly #patience = new Int32Array(new SharedArrayBuffer(4)).fill(1);
  readonly #waiting = new Map<number, Waiting>();
  protected thread: Worker | undefined;
  #gone: Promise<void> = Promise.resolve();
  #outbox: Call[] = [];
  #nextId = 1;
  /** Why calls are refused from now on. */
  #over: string | undefined;
  #closing: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  call<Name extends VerbName>(verb: Name, ...args: Parameters<Verbs[Name]>): Promise<VerbResult<Name>> {
    if (this.#over !== undefined) return Promise.reject(new StorageError(this.#over));
    return this.#enqueue(verb, args);
  }

  /** Resolves when every call accepted before it is answered and the worker is gone. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const patience = setTimeout(() => Atomics.store(this.#patience, 0, 0), CLOSING_PATIENCE_MS);
    const started = this.thread !== undefined || this.#outbox.length > 0;
    // A worker that dies now has answered its callers with an error, and there is nothing left to close.
    const closed = started ? this.#enqueue('close', []).catch(() => undefined) : Promise.resolve();
    this.#over ??= 'the database is closed';
    await closed;
    // It ends by itself: to terminate a thread inside the driver's native code would end the process.
    await this.#gone;
    clearTimeout(patience);
  }

  #enqueue<Name extends VerbName>(verb: Name, args: Parameters<Verbs[Name]>): Promise<VerbResult<Name>> {
    const id = this.#nextId++;
    const answer = new Promise<VerbResult<Name>>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    // What arrived together is committed together.
    if (this.#outbox.length === 0) atEndOfTurn(() => this.#send());
    this.#outbox.push({ id, verb, args } as unknown as Call);
    return answer;
  }

  #send(): void {
    const calls = this.#outbox;
    this.#outbox = [];
    if (calls.length === 0) return;
    try {
      this.thread ??= this.#start();
      this.thread.postMessage(calls);
    } catch {
      for (const call of calls) this.#sendAlone(call);
    }
  }

  /** One call that can't cross the border (a function inside it) must not keep the others back. */
  #sendAlone(call: Call): void {
    try {
      this.thread ??= this.#start();
      this.thread.postMessage([call]);
    } catch (error) {
      this.#settle(call.id)?.reject(new StorageError(`${call.verb}: ${String(error)}`, { cause: error }));
    }
  }

  #start(): Worker {
    // Flags of the process (`--input-type` of a script on standard input, say) are not for a file of ours.
    const workerData: WorkerData = { path: this.#path, patience: this.#patience };
    const options = { workerData, execArgv: [] };
    const worker = new Worker(new URL('./worker.js', import.meta.url), options);
    let cause: unknown;
    worker.on('message', (replies: readonly Reply[]) => this.#receive(replies));
    worker.on('error', (error) => {
      cause = error;
    });
    this.#gone = new Promise((resolve) => {
      worker.on('exit', () => {
        if (this.thread === worker) this.#lose(cause);
        resolve();
      });
    });
    return worker;
  }

  #receive(replies: readonly Reply[]): void {
    for (const reply of replies) {
      const waiting = this.#settle(reply.id);
      if (reply.ok) waiting?.resolve(reply.value as never);
      else waiting?.reject(new StorageError(reply.code ? `${reply.message} (${reply.code})` : reply.message));
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #lose(cause: unknown): void {
    this.thread = undefined;
    if (this.#path === ':memory:') this.#over ??= 'the in-memory database is lost: its thread has died';
    if (this.#over !== undefined) this.#outbox = [];
    const unsent = new Set(this.#outbox.map(({ id }) => id));
    for (const id of [...this.#waiting.keys()]) {
      if (!unsent.has(id)) this.#settle(id)?.reject(new StorageError('the database thread has died', { cause }));
    }
  }
}
