import { RollcallError } from '@rollcall/protocol';
import { LRUCache } from 'lru-cache';

const KEYS_MAX = 50_000;

/** So many tries of one thing within any stretch of this length, by this server. */
export class TriesLimit {
  readonly #tries: number;
  readonly #withinMs: number;
  readonly #now: () => number;
  /** When the last tries of a key were made, the oldest first. */
  readonly #made = new LRUCache<string, readonly number[]>({ max: KEYS_MAX });

  /** @param now monotonic ms: a jump of the clock must neither free nor lock anybody */
  constructor(tries: number, withinMs: number, now: () => number = () => performance.now()) {
    this.#tries = tries;
    this.#withinMs = withinMs;
    this.#now = now;
  }

  /** Counts a try; one that is refused isn't counted. @throws {RollcallError} RATE_LIMITED, with the seconds to wait */
  take(key: string): void {
    const now = this.#now();
    const recent = (this.#made.get(key) ?? []).filter((at) => at > now - this.#withinMs);
    const [oldest = now] = recent;
    if (recent.length >= this.#tries) {
      const retry_after = Math.ceil((oldest + this.#withinMs - now) / 1000);
      throw new RollcallError('RATE_LIMITED', { details: { retry_after } });
    }
    this.#made.set(key, [...recent, now]);
  }
}
