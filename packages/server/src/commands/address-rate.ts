import { LRUCache } from 'lru-cache';

const ADDRESSES_MAX = 10_000;
const WINDOW_MS = 60_000;

interface Window {
  count: number;
  /** By a clock that never jumps, in ms. */
  readonly until: number;
}

/** Counts what came from a network address, for callers who aren't signed in. A whole school may share one. */
export class AddressRate {
  readonly #perMinute: number;
  readonly #windows = new LRUCache<string, Window>({ max: ADDRESSES_MAX });
  readonly #now: () => number;

  /** @param now monotonic, in ms */
  constructor(perMinute = 600, now: () => number = () => performance.now()) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /** Counts one more. @returns after how many seconds the address may try again; undefined where it is within its rate */
  take(address: string): number | undefined {
    const now = this.#now();
    const known = this.#windows.get(address);
    const window = known && known.until > now ? known : { count: 0, until: now + WINDOW_MS };
    window.count += 1;
    this.#windows.set(address, window);
    return window.count > this.#perMinute ? Math.ceil((window.until - now) / 1_000) : undefined;
  }
}
