import type { SignIns } from '../storage/port.js';

/** How far back a poll reads beyond the one before it, in ms: clocks of servers differ, and so does when they write. */
const OVERLAP_MS = 5 * 60_000;
/** For how long a closed web session is remembered, in ms: longer than any access token of it counts. */
const REMEMBERED_MS = 3_600_000;

/**
 * The web sessions that were closed in the last hour, on whatever server: an access token of one counts no longer,
 * although its signature is good. This server's own sign-outs and those that other servers tell of are known at once,
 * all others with the next poll of the database.
 */
export class ClosedSessions {
  readonly #signIn: SignIns;
  readonly #now: () => number;
  /** By id, with when it was heard of. */
  readonly #closed = new Map<string, number>();
  readonly #listeners: Array<(ids: ReadonlySet<string>) => void> = [];
  #polledAt: number | undefined;

  /** @param now ms since the epoch */
  constructor(signIn: SignIns, now: () => number) {
    this.#signIn = signIn;
    this.#now = now;
  }

  has(id: string): boolean {
    return this.#closed.has(id);
  }

  /** Calls with the ids that are new, once each. */
  onClosed(listener: (ids: ReadonlySet<string>) => void): void {
    this.#listeners.push(listener);
  }

  add(ids: Iterable<string>): void {
    const now = this.#now();
    const news = new Set([...ids].filter((id) => !this.#closed.has(id)));
    for (const id of news) this.#closed.set(id, now);
    if (news.size > 0) for (const listener of this.#listeners) listener(news);
  }

  /** Reads from the database what was closed since the last time. @throws {StorageError} */
  async poll(): Promise<void> {
    const now = this.#now();
    const since = (this.#polledAt ?? now - REMEMBERED_MS) - OVERLAP_MS;
    const closed = await this.#signIn.closedWebSessions(since);
    this.#polledAt = now;
    this.add(closed);
    // They were put in in the order of time.
    for (const [id, at] of this.#closed) {
      if (at > now - REMEMBERED_MS - OVERLAP_MS) break;
      this.#closed.delete(id);
    }
  }
}
