import type { SessionId, StudentId } from '@rollcall/protocol';
import type { Commit, StoredCommit } from '../../journal/commit.js';

/** The journals of all sessions: the truth that everything else can be made from again. */
export interface Journal {
  /**
   * Adds a commit at first_seq, all or nothing, durable before it resolves. `conflict`: the journal doesn't end just
   * before it, since somebody else has already written there; nothing was written.
   * @param reopens the commit comes behind the session's end: the session is listed as active again, in the same write,
   * until what the commit holds is projected
   */
  append(sessionId: SessionId, commit: Commit, reopens?: boolean): Promise<AppendResult>;
  /**
   * Commits that hold an entry with seq > afterSeq, in order: as many as are needed for `limit` such entries, or all
   * that there are. They are answered as they are stored, whatever their format.
   */
  readCommits(sessionId: SessionId, afterSeq: number, limit: number): Promise<StoredCommit[]>;
  /** The seq of the last entry of each of these journals; sessions without one are left out. */
  lastSeqs(sessionIds: readonly SessionId[]): Promise<Map<SessionId, number>>;
  /** Every session that has a journal, or that was written by one that is gone, in order of id; for `verify`. */
  listJournals(afterSessionId: SessionId | null, limit: number): Promise<SessionId[]>;

  /**
   * Sessions that must be in memory: those whose journal was opened and whose end isn't projected yet, or isn't past
   * for all who follow it, and those that the database calls active without a journal (to be adopted).
   */
  listActiveSessions(): Promise<SessionId[]>;

  /**
   * Remembers that an open session was active at `at` (ms since the epoch), where that is later than what is
   * remembered. No entry of the journal; forgotten once the session's end is projected; nothing for other sessions.
   */
  touchSession(sessionId: SessionId, at: number): Promise<void>;
  /** The latest activity that was remembered of an open session; null when there is none. */
  readActivity(sessionId: SessionId): Promise<number | null>;

  /**
   * Remembers of an open session which students have left it on purpose (true), or are back (false). No entry of the
   * journal; forgotten once the session's end is projected; nothing for other sessions.
   */
  rememberLeft(sessionId: SessionId, moves: ReadonlyArray<readonly [StudentId, boolean]>): Promise<void>;
  /** Students who have left an open session, in no order. */
  readLeft(sessionId: SessionId): Promise<StudentId[]>;
}

export type AppendResult = 'committed' | 'conflict';
