import type { UserId } from '@rollcall/protocol';
import type { Person } from '../../storage/port.js';

/** Connections of one user to one node. A school's screens may all be signed in as one teacher. */
export const CONNECTIONS_MAX = 50;
export const TEACHER_CONNECTIONS_MAX = 250;

/**
 * How many connections each user has. Over the bound it is the new one that isn't let in: to cut an old one instead
 * would have a school's screens push each other out for ever, and who has the token could push out its owner.
 */
export class Crowd {
  readonly #counts = new Map<UserId, number>();

  isFull({ user_id, teacher, is_admin }: Person): boolean {
    const max = teacher || is_admin ? TEACHER_CONNECTIONS_MAX : CONNECTIONS_MAX;
    return (this.#counts.get(user_id) ?? 0) >= max;
  }

  enter({ user_id }: Person): void {
    this.#counts.set(user_id, (this.#counts.get(user_id) ?? 0) + 1);
  }

  leave({ user_id }: Person): void {
    const left = (this.#counts.get(user_id) ?? 0) - 1;
    if (left > 0) this.#counts.set(user_id, left);
    else this.#counts.delete(user_id);
  }
}
