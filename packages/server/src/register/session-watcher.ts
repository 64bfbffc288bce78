import type { LiveSession } from './live-session.js';

/** Who follows the sessions in memory: timeouts, other nodes. */
export interface SessionWatcher {
  /** A session came into memory: restored at the start, started or adopted here, or found in the journal later. */
  activated(live: LiveSession, from: 'restored' | 'here' | 'elsewhere'): void;
  /** Entries became part of a session's state. `committedHere`: by this node. */
  changed(live: LiveSession, committedHere: boolean): void;
  ended(live: LiveSession): void;
}
