import type { Entry } from '../journal/entries.js';
import type { SessionState } from './session-state.js';

/** The follower that writes the records: the first, whose cursor is the session's projected seq. */
export const RECORDS = 'records';

/** What is made from the journals of all sessions, behind them and off the path of the acknowledgement. */
export interface Follower {
  /** Names its cursors in the database, so it never changes: lower-case letters and underscores. */
  readonly name: string;
  /** How long entries are gathered before it is called, in ms; an end is told at once. */
  readonly gatherMs: number;
  /**
   * Takes the next entries of a session, in order and without gaps; its cursor moves once this resolves. After a crash,
   * or when another node died, it gets entries again that it had: each at least once. Of one session it is called again
   * only after it has answered. A rejection is tried again, later and later, with these entries and those behind them.
   * @param session as it stands, which may be further than the last of these entries
   */
  follow(session: SessionState, entries: readonly Entry[]): Promise<void>;
}

/** @throws {TypeError} for names that can't be names of cursors */
export function requireNames(followers: readonly Follower[]): void {
  const names = new Set([RECORDS]);
  for (const { name } of followers) {
    if (!/^[a-z][a-z_]*$/.test(name)) throw new TypeError(`a follower can't be named ${JSON.stringify(name)}`);
    if (names.has(name)) throw new TypeError(`two followers are named ${name}`);
    names.add(name);
  }
}
