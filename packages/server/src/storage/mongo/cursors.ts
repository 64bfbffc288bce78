import type { SessionId } from '@rollcall/protocol';
import type { mongo } from 'mongoose';
import type { Cursors, SessionCursors } from '../port.js';
import type { Collections } from './collections.js';
import { COLLECTION_OPTIONS, isDuplicateKey } from './connection.js';
import type { Journal } from './journal.js';
import { projectedSeqs } from './sessions.js';

interface CursorRow {
  /** The session. */
  readonly _id: string;
  /** By the name of the follower. */
  readonly cursors: Readonly<Record<string, number>>;
}

/** Made with the first cursor: where only the records are followed there is none. */
const collectionOf = (db: mongo.Db): mongo.Collection<CursorRow> =>
  db.collection<CursorRow>('rollcall_cursors', COLLECTION_OPTIONS);

export async function readCursors(
  db: mongo.Db,
  journal: Journal,
  sessionIds: readonly SessionId[],
): Promise<Map<SessionId, SessionCursors>> {
  const [listed, rows] = await Promise.all([
    journal.open(sessionIds),
    collectionOf(db)
      .find({ _id: { $in: [...sessionIds] } })
      .toArray(),
  ]);
  const seqs = new Map(rows.map(({ _id, cursors }) => [_id, new Map(Object.entries(cursors))]));
  return new Map(sessionIds.map((id) => [id, { listed: listed.has(id), seqs: seqs.get(id) ?? new Map() }]));
}

export async function moveCursor(db: mongo.Db, ...[id, follower, seq]: Parameters<Cursors['move']>): Promise<void> {
  const move = () =>
    collectionOf(db).updateOne({ _id: id }, { $max: { [`cursors.${follower}`]: seq } }, { upsert: true });
  try {
    await move();
  } catch (error) {
    // Another follower made the row in the same moment.
    if (!isDuplicateKey(error)) throw error;
    await move();
  }
}

/** Cursors never go back, so each may be looked at in its turn; and a commit behind `upTo` is open by itself. */
export async function closeFollowed(
  db: mongo.Db,
  collections: Collections,
  journal: Journal,
  ...[id, upTo, followers]: Parameters<Cursors['close']>
): Promise<void> {
  const [cursors, projected] = await Promise.all([readCursors(db, journal, [id]), projectedSeqs(collections, [id])]);
  const seqs = cursors.get(id)?.seqs;
  const reached = [projected.get(id), ...followers.map((name) => seqs?.get(name))];
  if (reached.every((seq) => seq !== undefined && seq >= upTo)) await journal.close(id, upTo);
}
