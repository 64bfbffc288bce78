import type { SessionId } from '@rollcall/protocol';
import { JournalError } from '../journal/commit.js';
import { decodeCommit } from '../journal/decode.js';
import type { Entry } from '../journal/entries.js';
import type { Reports } from '../storage/port.js';
import type { Amendment } from './register-of.js';

export interface FoundAmendments {
  readonly amendments: readonly Amendment[];
  /** Sessions whose journal this version can't read, or that is damaged. */
  readonly unreadable: ReadonlySet<SessionId>;
}

/** Sessions whose ends are asked for at once. */
const SESSIONS_AT_ONCE = 200;
/** Entries that are read first: amendments are few, and most sessions have none. */
const FIRST_ENTRIES = 16;

/** What was changed in these sessions after their end, in the order of each session's journal. */
export async function amendmentsOf(reports: Reports, sessionIds: readonly SessionId[]): Promise<FoundAmendments> {
  const amendments: Amendment[] = [];
  const unreadable = new Set<SessionId>();
  for (let from = 0; from < sessionIds.length; from += SESSIONS_AT_ONCE) {
    const lastSeqs = await reports.lastSeqs(sessionIds.slice(from, from + SESSIONS_AT_ONCE));
    for (const [sessionId, lastSeq] of lastSeqs) {
      try {
        const entries = await entriesAfterEnd(reports, sessionId, lastSeq);
        amendments.push(...entries.flatMap((entry) => amendmentOf(sessionId, entry) ?? []));
      } catch (error) {
        // The records are worth showing without it, and the report says so.
        if (!(error instanceof JournalError)) throw error;
        unreadable.add(sessionId);
      }
    }
  }
  return { amendments, unreadable };
}

/** Backwards from the end of the journal, since what comes before the session's end is long and not asked for. */
async function entriesAfterEnd(reports: Reports, sessionId: SessionId, lastSeq: number): Promise<readonly Entry[]> {
  for (let count = FIRST_ENTRIES; ; count *= 8) {
    const after = Math.max(0, lastSeq - count);
    const commits = await reports.readCommits(sessionId, after, count);
    const entries = commits.flatMap((commit) => decodeCommit(sessionId, commit).entries);
    const end = entries.findLastIndex(({ type }) => type === 'ended');
    if (end >= 0) return entries.slice(end + 1);
    // It still runs, or the whole journal is read: nothing comes after the end.
    if (after === 0 || entries.length === 0) return [];
  }
}

function amendmentOf(sessionId: SessionId, entry: Entry): Amendment | undefined {
  if (entry.type !== 'amended') return undefined;
  const { student_id, status, previous_status, reason, actor, at } = entry;
  // A reason that was removed is empty.
  return { session_id: sessionId, student_id, previous_status, status, by: actor.name, at, reason: reason || null };
}
