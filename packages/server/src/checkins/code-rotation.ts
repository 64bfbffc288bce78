import type { LiveSession } from '../register/live-session.js';
import type { LiveSessions } from '../register/live-sessions.js';
import type { SessionWatcher } from '../register/session-watcher.js';

/** A timer may come a little before its time. */
const AGAIN_MS = 5;

export interface CodeRotationOptions {
  readonly sessions: LiveSessions;
  /** Tells the teachers of a session its new code. */
  readonly changed: (live: LiveSession) => void;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
}

/** Tells of each new check-in code when its time has come. Every node tells its own sockets. */
export class CodeRotation implements SessionWatcher {
  readonly #options: CodeRotationOptions;
  readonly #timers = new Map<LiveSession, NodeJS.Timeout>();

  constructor(options: CodeRotationOptions) {
    this.#options = options;
    options.sessions.follow(this);
  }

  activated(live: LiveSession): void {
    this.#schedule(live);
  }

  changed(): void {}

  ended(live: LiveSession): void {
    clearTimeout(this.#timers.get(live));
    this.#timers.delete(live);
  }

  close(): void {
    for (const live of [...this.#timers.keys()]) this.ended(live);
  }

  #schedule(live: LiveSession): void {
    const { codes } = live;
    if (!codes) return;
    const { now, changed } = this.#options;
    const told = codes.windowAt(now());
    // A clock that jumps costs a window at most: no wait is longer.
    const wait = Math.max(codes.nextAt(now()) - now(), AGAIN_MS);
    const timer = setTimeout(() => {
      if (codes.windowAt(now()) !== told) changed(live);
      this.#schedule(live);
    }, wait);
    this.#timers.set(live, timer.unref());
  }
}
