import type { SessionId } from '@rollcall/protocol';

/** How far each follower of the journals has come, for all followers but the records: the projection knows its own. */
export interface Cursors {
  /** Where the followers of these sessions stand. Every session that is asked for is answered. */
  read(sessionIds: readonly SessionId[]): Promise<Map<SessionId, SessionCursors>>;
  /** The follower has followed the session's journal up to `seq`. Never goes back. */
  move(sessionId: SessionId, follower: string, seq: number): Promise<void>;
  /**
   * Lists an ended session as active no longer, where the records and all these followers are at `upTo` and the
   * journal goes no further. Else it changes nothing: whoever comes there last asks again.
   */
  close(sessionId: SessionId, upTo: number, followers: readonly string[]): Promise<void>;
}

export interface SessionCursors {
  /** Whether the journal is among those that `listActiveSessions` lists: not everybody is past its end. */
  readonly listed: boolean;
  /** By the name of the follower; one that hasn't begun is left out. */
  readonly seqs: ReadonlyMap<string, number>;
}
