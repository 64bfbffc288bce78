import type { UserId } from '@rollcall/protocol';
import type { Person } from '../../storage/port.js';

/** For as long as this node may not have read what another one wrote before a socket came here, in ms. */
const KEPT_MS = 12_000;
/** What the times of two nodes may differ by, in ms: where their clocks differ by more than a second, all go by one. */
const CLOCKS_MS = 1_500;

/** What can be put back. */
export interface Restorable {
  readonly person: Person;
  restore(): void;
}

interface Arrival {
  /** Wall clock, ms since the epoch. */
  readonly at: number;
  /** By a clock that never jumps, in ms. */
  readonly since: number;
}

/**
 * Sockets that have just come to this node of several. A user who is acknowledged by one node and reconnects to another
 * at once may be faster than the word between the two: what they are to be put back into is then still unknown here.
 */
export class Arrivals<Connection extends Restorable> {
  readonly #now: () => number;
  /** The latest last. */
  readonly #all = new Map<Connection, Arrival>();
  readonly #byUser = new Map<UserId, Set<Connection>>();

  constructor(now: () => number) {
    this.#now = now;
  }

  add(connection: Connection): void {
    const { person } = connection;
    this.#all.set(connection, { at: this.#now(), since: performance.now() });
    const theirs = this.#byUser.get(person.user_id);
    if (theirs) theirs.add(connection);
    else this.#byUser.set(person.user_id, new Set([connection]));
  }

  /** The connection is gone, or is no longer Rollcall's. */
  release(connection: Connection): void {
    const arrival = this.#all.get(connection);
    if (!arrival) return;
    this.#all.delete(connection);
    const { user_id } = connection.person;
    const theirs = this.#byUser.get(user_id);
    theirs?.delete(connection);
    if (theirs?.size === 0) this.#byUser.delete(user_id);
  }

  /**
   * Another node's entry has become known. Puts back whoever came here after it was written, since they would have been
   * put back then: into what they checked in to, or of everybody where a session has become known.
   */
  putBack(entryAt: number, userId: UserId | 'everybody'): void {
    const those = userId === 'everybody' ? this.#all.keys() : (this.#byUser.get(userId) ?? []);
    for (const connection of [...those]) {
      const arrival = this.#all.get(connection);
      if (arrival && arrival.at >= entryAt - CLOCKS_MS) connection.restore();
    }
  }

  get size(): number {
    return this.#all.size;
  }

  /** To be called now and then: lets go of those who have been here for long. */
  releaseOld(): void {
    const old = performance.now() - KEPT_MS;
    for (const [connection, { since }] of this.#all) {
      if (since > old) break;
      this.release(connection);
    }
  }
}
