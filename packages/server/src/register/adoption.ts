import type { Policy } from '@rollcall/protocol';
import type { AdoptedEntry, EndedEntry, SessionFacts } from '../journal/entries.js';
import type { Storage, StoredSession } from '../storage/port.js';
import { newCodeKey } from './check-in-codes.js';
import { SYSTEM } from './making-entries.js';
import { rosterOf } from './roster.js';

export interface AdoptionOptions {
  readonly storage: Storage;
  readonly now: () => number;
  readonly newRecordId: () => string;
  readonly policy: Policy;
  readonly codeWindowMs: number;
}

/** What the journal of a session begins with that the database calls active and that has none: what was found. */
export async function activeAsFound(stored: StoredSession, options: AdoptionOptions): Promise<AdoptedEntry> {
  const { storage, now, policy, codeWindowMs, newRecordId } = options;
  const roster = await rosterOf(storage, stored, now(), newRecordId);
  return {
    type: 'adopted',
    seq: 1,
    at: now(),
    actor: SYSTEM,
    session: factsOf(stored),
    policy,
    started_at: stored.started_at ?? now(),
    roster,
    ...(policy.check_in === 'code' ? { codes: newCodeKey(codeWindowMs) } : {}),
  };
}

/** The same for a session that was completed before Rollcall came: its records as found, and its end. */
export async function completedAsFound(
  stored: StoredSession,
  { storage, now, policy, newRecordId }: AdoptionOptions,
): Promise<[AdoptedEntry, EndedEntry]> {
  const found = await storage.projection.readRecords(stored.session_id);
  const existing = new Set(found.map(({ student_id }) => student_id));
  const at = now();
  const everybody = await rosterOf(storage, stored, at, newRecordId);
  // Those enrolled since were not part of it.
  const roster = everybody.filter(({ student }) => existing.has(student.student_id));
  // Where the database doesn't say when it ended: when something of it was last changed.
  const changed_at = found.reduce((latest, { updated_at }) => Math.max(latest, updated_at), stored.started_at ?? 0);
  const ended_at = stored.ended_at ?? (changed_at || at);
  const started_at = stored.started_at ?? ended_at;
  return [
    { type: 'adopted', seq: 1, at, actor: SYSTEM, session: factsOf(stored), policy, started_at, roster },
    { type: 'ended', seq: 2, at: ended_at, actor: SYSTEM, reason: 'teacher' },
  ];
}

function factsOf(stored: StoredSession): SessionFacts {
  const { status: _, started_at: __, ended_at: ___, projected_seq: ____, ...facts } = stored;
  return facts;
}
