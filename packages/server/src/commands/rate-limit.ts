import { LRUCache } from 'lru-cache';

/** How long an event may be held back before it is refused instead, in ms. */
export const DELAY_MAX_MS = 2_000;
/** The burst, as a multiple of what a second allows. */
export const BURST = 4;
const USERS_MAX = 100_000;

/**
 * Generic cell rate algorithm: one number per user says when their next event would be due at the steady rate.
 * Pure.
 * @param due `due` of the user's last event, 0 for none; times in ms
 * @param perSecond events a second; 0 is no limit
 * @param cost how many events it counts for; more than the burst is as much as the burst
 * @returns wait in ms (0: at once) and the new `due`; or `retry_after` in seconds when the event is refused
 */
export function admit(
  due: number,
  now: number,
  perSecond: number,
  cost = 1,
): { readonly wait: number; readonly due: number } | { readonly retry_after: number } {
  if (perSecond <= 0) return { wait: 0, due };
  const interval = 1000 / perSecond;
  const next = Math.max(due, now);
  // At rates under a quarter a second four times that is not one event: nobody could ever do anything.
  const burst = Math.max(1, BURST * perSecond);
  const taken = Math.min(cost, burst);
  const wait = Math.max(0, next - now - (burst - taken) * interval);
  if (wait > DELAY_MAX_MS) return { retry_after: Math.ceil((wait - DELAY_MAX_MS) / 1000) };
  return { wait, due: next + taken * interval };
}

/** Per user and never per address: a classroom shares one. */
export class RateLimit {
  readonly #due = new LRUCache<string, number>({ max: USERS_MAX });
  readonly #now: () => number;

  /** @param now monotonic ms: a jump of the clock must neither free nor lock anybody */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @returns ms to wait, or the refusal */
  take(user: string, perSecond: number, cost = 1): { readonly wait: number } | { readonly retry_after: number } {
    const result = admit(this.#due.get(user) ?? 0, this.#now(), perSecond, cost);
    if ('due' in result) this.#due.set(user, result.due);
    return result;
  }
}
