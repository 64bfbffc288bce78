import type { UserId } from '@rollcall/protocol';
import type { Person } from '../../storage/port.js';
import type { SocketConnection } from './connection.js';

/** For as long as this node may not have read what another one wrote before a socket came here, in ms. */
const KEPT_MS = 12_000;
/** What the clocks of two nodes may differ by, in ms. */
const CLOCKS_MS = 2_000;

interface Arrival {
  readonly connection: SocketConnection;
  readonly person: Person;
  /** Wall clock, ms since the epoch. */
  readonly at: number;
}

/**
 * Sockets that have just come to this node of several. A user who is acknowledged by one node and reconnects to another
 * at once may be faster than the word between the two: what they are to be put back into is then still unknown here.
 */
export class Arrivals {
  readonly #now: () => number;
  /** The latest arrival last. */
  readonly #byUser = new Map<UserId, Arrival[]>();

  constructor(now: () => number) {
    this.#now = now;
  }

  add(connection: SocketConnection, person: Person): void {
    const before = this.#byUser.get(person.user_id) ?? [];
    this.#byUser.delete(person.user_id);
    this.#byUser.set(person.user_id, [...before, { connection, person, at: this.#now() }]);
  }

  /**
   * Another node's entry has become known. Puts back whoever came here after it was written, since they would have been
   * put back then: into what they checked in to, or of everybody where a session has become known.
   */
  putBack(entryAt: number, userId: UserId | 'everybody'): void {
    const those = userId === 'everybody' ? [...this.#byUser.values()].flat() : (this.#byUser.get(userId) ?? []);
    for (const { connection, person, at } of those) if (at >= entryAt - CLOCKS_MS) connection.restore(person);
  }

  /** To be called now and then: lets go of those who have been here for long. */
  forgetOld(): void {
    const old = this.#now() - KEPT_MS;
    for (const [userId, arrivals] of this.#byUser) {
      if ((arrivals.at(-1)?.at ?? 0) > old) break;
      this.#byUser.delete(userId);
    }
  }
}
