import type { SessionId } from '@rollcall/protocol';
import type { LiveSession } from './live-session.js';

/** Sessions that are over and kept in memory, for those who still look at them. */
const KEPT_MAX = 64;

/**
 * Sessions that are over, in memory: those whose records aren't written to the end yet, those whose amendments somebody
 * waits for, and the last ones that were looked at. They take amendments, and hear of those of other nodes.
 */
export class OverSessions {
  /** The one that was looked at last comes last. */
  readonly #kept = new Map<SessionId, LiveSession>();
  /** How many wait for amendments of a session. */
  readonly #held = new Map<LiveSession, number>();

  find(sessionId: SessionId): LiveSession | undefined {
    const live = this.#kept.get(sessionId);
    if (live) {
      this.#kept.delete(sessionId);
      this.#kept.set(sessionId, live);
    }
    return live;
  }

  add(live: LiveSession): void {
    this.#kept.set(live.session_id, live);
    for (const kept of this.#kept.values()) {
      if (this.#kept.size <= KEPT_MAX) break;
      if (kept !== live && !kept.isUnfinished && !this.#held.has(kept)) this.forget(kept);
    }
  }

  forget(live: LiveSession): void {
    if (this.#kept.get(live.session_id) === live) this.#kept.delete(live.session_id);
  }

  /** Keeps a session in memory until it is let go by as many `release`s. */
  hold(live: LiveSession): void {
    this.#held.set(live, (this.#held.get(live) ?? 0) + 1);
  }

  release(live: LiveSession): void {
    const others = (this.#held.get(live) ?? 0) - 1;
    if (others > 0) this.#held.set(live, others);
    else this.#held.delete(live);
  }

  values(): Iterable<LiveSession> {
    return this.#kept.values();
  }
}
