import type { SessionId } from '@rollcall/protocol';
import type { Storage } from '../storage/port.js';
import { type Follower, RECORDS } from './follower.js';
import type { SessionState } from './session-state.js';

/** How far each follower of a session is; that of the records is its projected seq. Who isn't named is at the start. */
export type CursorsByName = ReadonlyMap<string, number>;

export const AT_THE_BEGINNING: CursorsByName = new Map();

interface Followed {
  readonly storage: Storage;
  readonly followers: readonly Follower[];
}

/**
 * How far everybody is when a session comes into memory. One that isn't listed as active is past for all who followed
 * it while it was, and who was registered since begins behind its end. To be asked after the journal was read: what is
 * committed later lists it again.
 */
export async function cursorsOf(
  state: SessionState,
  projectedSeq: number,
  { storage, followers }: Followed,
): Promise<CursorsByName> {
  const cursors = new Map([[RECORDS, projectedSeq]]);
  if (followers.length === 0) return cursors;
  const { session_id } = state.facts;
  const found = (await storage.cursors.read([session_id])).get(session_id);
  const names = followers.map(({ name }) => name);
  for (const name of names) cursors.set(name, found?.listed ? (found.seqs.get(name) ?? 0) : state.seq);
  const isPast = [...cursors.values()].every((seq) => seq >= state.seq);
  // Whoever came last to its end died before the session was closed.
  if (state.ending && found?.listed && isPast) await storage.cursors.close(session_id, state.seq, names);
  return cursors;
}

/** How far the database says that each follower of these sessions is. */
export async function readReached(
  sessionIds: readonly SessionId[],
  { storage, followers }: Followed,
): Promise<Array<readonly [SessionId, string, number]>> {
  const projected = await storage.projection.projectedSeqs(sessionIds);
  const reached = Array.from(projected, ([id, seq]) => [id, RECORDS, seq] as const);
  if (followers.length === 0) return reached;
  const cursors = await storage.cursors.read(sessionIds);
  const others = Array.from(cursors, ([id, { seqs }]) => Array.from(seqs, ([name, seq]) => [id, name, seq] as const));
  return [...reached, ...others.flat()];
}
