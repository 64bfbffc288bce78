import type { UserId } from '@rollcall/protocol';
import type { LiveSession } from './live-session.js';

/** Active sessions by who has checked in: students who reconnect all at once must not walk every session each. */
export class CheckIns {
  readonly #sessions = new Map<UserId, Set<LiveSession>>();

  add(userId: UserId, live: LiveSession): void {
    const sessions = this.#sessions.get(userId);
    if (sessions) sessions.add(live);
    else this.#sessions.set(userId, new Set([live]));
  }

  of(userId: UserId): LiveSession[] {
    return [...(this.#sessions.get(userId) ?? [])];
  }

  /** The session isn't active any more. */
  forget(live: LiveSession): void {
    for (const { student } of live.state.lines.values()) {
      if (student.user_id === null) continue;
      const sessions = this.#sessions.get(student.user_id);
      if (sessions?.delete(live) && sessions.size === 0) this.#sessions.delete(student.user_id);
    }
  }
}
