import type { SeenServer } from '../storage/port.js';

/** Clocks that differ by less agree: the way to the database takes some of it, in ms. */
const AGREE_MS = 1_000;
/** From here on a difference is worth telling, in ms. */
const TELL_MS = 3_000;

/**
 * What is known of the clocks of the servers on one database, all by how far they are ahead of the database's clock.
 * While the clocks of live servers agree, each goes by its own. Where they don't, somebody is wrong, and all go by the
 * one clock that they have in common: the database's.
 */
export class Clocks {
  #own: number | null = null;
  #live: readonly SeenServer[] = [];
  #correction = 0;
  #lead = 0;

  /**
   * @param own how far this machine's clock is ahead; null while that isn't known
   * @param live other servers that live
   * @param all every server that is still noted
   */
  saw(own: number | null, live: readonly SeenServer[], all: readonly SeenServer[]): void {
    this.#own = own;
    this.#live = live;
    if (own === null) return;
    const together = [own, ...live.flatMap(({ ahead_ms }) => ahead_ms ?? [])];
    this.#correction = Math.max(...together) - Math.min(...together) > AGREE_MS ? -own : 0;
    // Also of those that are gone: what they wrote is still judged.
    const lead = own + this.#correction - Math.min(own, ...all.flatMap(({ ahead_ms }) => ahead_ms ?? []));
    this.#lead = lead > AGREE_MS ? lead : 0;
  }

  /** What to add to this machine's clock, in ms: 0 while the clocks of live servers agree. */
  get correction(): number {
    return this.#correction;
  }

  /** How far the time of this server may be ahead of a time that some server wrote, in ms; 0 where clocks agree. */
  get lead(): number {
    return this.#lead;
  }

  /** Which clocks are apart by more than a few seconds, one line each. */
  apart(): string[] {
    const own = this.#own;
    if (own === null) return [];
    const lines = this.#live.flatMap(({ name, ahead_ms }) =>
      ahead_ms === null || Math.abs(ahead_ms - own) < TELL_MS
        ? []
        : [
            `the clock of ${name} is ${inWords(Math.abs(ahead_ms - own))} ${ahead_ms > own ? 'ahead of' : 'behind'} this server's`,
          ],
    );
    if (Math.abs(own) < TELL_MS) return lines;
    return [
      ...lines,
      `this server's clock is ${inWords(Math.abs(own))} ${own > 0 ? 'ahead of' : 'behind'} the database's`,
    ];
  }
}

function inWords(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
