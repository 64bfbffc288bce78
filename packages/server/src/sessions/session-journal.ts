import type { Change, SessionId } from '@rollcall/protocol';
import type { Services } from '../commands/command.js';
import { changeOf } from '../commands/present.js';
import { sessionForTeacher } from '../commands/rights.js';
import { readJournal } from '../register/read-journal.js';
import type { Person } from '../storage/port.js';

export interface JournalPage {
  readonly session_id: SessionId;
  readonly changes: Change[];
  /** Of the last entry that the journal holds. */
  readonly seq: number;
  /** After which the next page begins; null on the last one. */
  readonly next_after_seq: number | null;
}

/**
 * A page of a session's journal for one of its teachers.
 * @param limit entries at the most
 * @throws {RollcallError} NOT_A_TEACHER, SESSION_NOT_FOUND, NOT_SESSION_TEACHER
 */
export async function sessionJournal(
  person: Person,
  sessionId: SessionId,
  { after_seq, limit }: { readonly after_seq: number; readonly limit: number },
  services: Services,
): Promise<JournalPage> {
  const found = await sessionForTeacher(person, sessionId, 'view attendance data', services);
  const seq = found.kind === 'stored' ? 0 : (found.kind === 'live' ? found.live.state : found.state).seq;
  if (after_seq >= seq) return { session_id: sessionId, changes: [], seq, next_after_seq: null };
  const read =
    found.kind === 'live'
      ? await found.live.history.entriesFrom(after_seq, limit)
      : (await readJournal(services.storage, sessionId, after_seq, limit)).entries;
  // A commit is read whole, and may be longer than the page.
  const entries = read.filter((entry) => entry.seq <= seq).slice(0, limit);
  const last = entries.at(-1)?.seq ?? seq;
  return { session_id: sessionId, changes: entries.map(changeOf), seq, next_after_seq: last < seq ? last : null };
}
