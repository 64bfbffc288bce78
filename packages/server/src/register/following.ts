import type { SessionState } from './session-state.js';

/**
 * How long what another node wrote is left to that node, in ms: longer than from one look at the cursors to the next.
 * Should it have died before it did so, whoever is left does it then.
 */
const LEAVE_MS = 25_000;
const RETRY_FIRST_MS = 200;
const RETRY_MAX_MS = 10_000;

export interface FollowingOptions {
  readonly state: SessionState;
  /** How far the database says that it was followed. */
  readonly cursor: number;
  /** False of a session that another node has started. */
  readonly mayBeOurs: boolean;
  readonly gatherMs: number;
  /** Follows what comes after `from`, or some of it, durably; answers how far it has come. */
  readonly advance: (from: number) => Promise<number>;
  readonly onError: (error: unknown) => void;
}

/**
 * One follower of one session: when it is called, and how far it is. What it fails to do it does later. Of several
 * nodes the one that wrote an entry follows it.
 */
export class Following {
  readonly #options: FollowingOptions;
  #cursor: number;
  /** Something of what is due was written here: it is left to nobody else. */
  #mayBeOurs: boolean;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer is due, by `performance.now()`. */
  #dueAt = 0;
  #stopped = false;
  #retryMs = RETRY_FIRST_MS;

  constructor(options: FollowingOptions) {
    this.#options = options;
    this.#cursor = options.cursor;
    this.#mayBeOurs = options.mayBeOurs;
    if (this.isBehind) this.#schedule(0);
  }

  get cursor(): number {
    return this.#cursor;
  }

  /** The state has more entries. @param mayBeOurs false where another node wrote them */
  committed(mayBeOurs: boolean): void {
    this.#mayBeOurs ||= mayBeOurs;
    this.#schedule(this.#options.state.ending ? 0 : this.#options.gatherMs);
  }

  /** Some of what is due was left to the node that wrote it, and nobody has said yet that it is done. */
  get isLeft(): boolean {
    return !this.#mayBeOurs && this.isBehind;
  }

  get isBehind(): boolean {
    return this.#options.state.seq > this.#cursor;
  }

  /** The database says that it was followed up to `seq`. False where that is no news, or is about to be said here. */
  reached(seq: number): boolean {
    if (this.#running || seq <= this.#cursor) return false;
    this.#cursor = seq;
    if (this.isBehind) return true;
    this.#mayBeOurs = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return true;
  }

  /** Resolves once everything that was written here is followed. Rejects when that fails. */
  async flush(): Promise<void> {
    while (this.#running) await this.#running.catch(() => {});
    if (this.#mayBeOurs && this.isBehind) await this.#run();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** @param ms for what was written here */
  #schedule(ms: number): void {
    if (this.#running || this.#stopped) return;
    const wait = this.#mayBeOurs ? ms : LEAVE_MS;
    const dueAt = performance.now() + wait;
    if (this.#timer && this.#dueAt <= dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#run().catch(() => {});
    }, wait).unref();
  }

  #run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running = this.#advance().finally(() => {
      this.#running = undefined;
      if (this.isBehind) this.#schedule(this.#retryMs);
    });
    return this.#running;
  }

  async #advance(): Promise<void> {
    this.#mayBeOurs = false;
    try {
      const { state, advance } = this.#options;
      const upTo = state.seq;
      do this.#cursor = await advance(this.#cursor);
      while (this.#cursor < upTo);
      this.#retryMs = this.#options.gatherMs;
    } catch (error) {
      this.#mayBeOurs = true;
      this.#retryMs = Math.min(Math.max(this.#retryMs, RETRY_FIRST_MS) * 2, RETRY_MAX_MS);
      this.#options.onError(error);
      throw error;
    }
  }
}
