import type { SessionId } from '@rollcall/protocol';
import { LRUCache } from 'lru-cache';
import type { Entry } from '../../journal/entries.js';
import { type AppendResult, StorageError } from '../port.js';
import type { Batch, Collections } from './collections.js';
import { isDuplicateKey } from './connection.js';
import { readId } from './stored-values.js';

/**
 * `<session_id>:<first_seq>`. A session id may hold colons, yet no two places share an _id: what follows the last
 * colon is all digits and is the seq, what comes before it is the session.
 */
export const batchId = (sessionId: string, firstSeq: number): string => `${sessionId}:${firstSeq}`;

const TOO_LARGE = 'mongodb: a commit is larger than the 16 MB that a document may have';

const SEEN_MAX_MS = 5_000;
const SEEN_STEP_MS = 50;

/**
 * The journals of all sessions: one document a commit.
 *
 * A batch may only begin where another ends. That end is a fact once it is committed, since batches are never
 * changed or taken away. So a writer that knows an end (it wrote that batch, or read it) needs one insert and no
 * look before it: if nobody has written there it is committed, and if somebody has, the two collide on _id. An end
 * that isn't known is looked up first; where no batch ends, the append is a conflict. Overlaps and gaps can't arise.
 */
export class Journal {
  readonly #collection: Collections['journal'];
  readonly #sessions: Collections['sessions'];
  /** The last end known of each session; forgetting one costs a look-up. */
  readonly #ends = new LRUCache<SessionId, number>({ max: 10_000 });

  constructor(c: Collections) {
    this.#collection = c.journal;
    this.#sessions = c.sessions;
  }

  async append(sessionId: SessionId, expectedSeq: number, entries: readonly Entry[]): Promise<AppendResult> {
    const last_seq = expectedSeq + entries.length;
    if (entries.length === 0 || !entries.every((entry, i) => entry.seq === expectedSeq + i + 1)) {
      throw new Error(`entries of ${sessionId} are not numbered densely from ${expectedSeq + 1}`);
    }
    if (!(await this.#endsAt(sessionId, expectedSeq))) return 'conflict';
    const batch: Batch = {
      _id: batchId(sessionId, expectedSeq + 1),
      session_id: sessionId,
      first_seq: expectedSeq + 1,
      last_seq,
      entries,
      ...(expectedSeq === 0 && { open: true }),
    };
    try {
      await this.#collection.insertOne(batch);
    } catch (error) {
      // What the encoder says of a document that doesn't fit; just above 16 MB it is the server that refuses.
      if (error instanceof RangeError) throw new StorageError(TOO_LARGE, { cause: error });
      if (!isDuplicateKey(error)) throw error;
      await this.#seen(batch._id);
      return 'conflict';
    }
    this.#ends.set(sessionId, last_seq);
    return 'committed';
  }

  async #endsAt(sessionId: SessionId, seq: number): Promise<boolean> {
    if (seq === 0 || this.#ends.get(sessionId) === seq) return true;
    const batch = await this.#collection.findOne({ session_id: sessionId, last_seq: seq }, { projection: { _id: 1 } });
    return batch !== null;
  }

  /**
   * Resolves when the batch that was in the way can be read: until a majority has it, it can't, and a writer that
   * reads again would find nothing new.
   */
  async #seen(id: string): Promise<void> {
    const deadline = Date.now() + SEEN_MAX_MS;
    while (!(await this.#collection.findOne({ _id: id }, { projection: { _id: 1 } }))) {
      if (Date.now() > deadline) throw new StorageError('mongodb: a write in the way is not yet held by a majority');
      await new Promise((resolve) => setTimeout(resolve, SEEN_STEP_MS));
    }
  }

  async read(sessionId: SessionId, afterSeq: number, limit: number): Promise<Entry[]> {
    const entries: Entry[] = [];
    // Every batch holds an entry or more, so `limit` batches are enough.
    const batches = this.#collection
      .find({ session_id: sessionId, last_seq: { $gt: afterSeq } }, { projection: { entries: 1, last_seq: 1 } })
      .sort({ last_seq: 1 })
      .limit(Math.max(1, limit));
    for await (const batch of batches) {
      entries.push(...batch.entries.filter((entry) => entry.seq > afterSeq));
      this.#ends.set(sessionId, Math.max(batch.last_seq, this.#ends.get(sessionId) ?? 0));
      if (entries.length >= limit) break;
    }
    return entries;
  }

  /** Answered from the index alone. */
  async lastSeqs(sessionIds: readonly SessionId[]): Promise<Map<SessionId, number>> {
    if (sessionIds.length === 0) return new Map();
    const rows = await this.#collection
      .aggregate<{ _id: SessionId; seq: number }>([
        { $match: { session_id: { $in: sessionIds } } },
        { $group: { _id: '$session_id', seq: { $max: '$last_seq' } } },
      ])
      .toArray();
    return new Map(rows.map(({ _id, seq }) => [_id, seq]));
  }

  async list(afterSessionId: SessionId | null, limit: number): Promise<SessionId[]> {
    const opened = await this.#collection
      .find(
        { first_seq: 1, ...(afterSessionId !== null && { session_id: { $gt: afterSessionId } }) },
        { projection: { _id: 0, session_id: 1 } },
      )
      .sort({ session_id: 1 })
      .limit(limit)
      .toArray();
    return opened.map((batch) => batch.session_id as SessionId);
  }

  /** Open journals, and sessions that the database calls active and that have no journal. */
  async listActive(): Promise<SessionId[]> {
    const [open, active] = await Promise.all([
      this.#collection.find({ open: true }, { projection: { _id: 0, session_id: 1 } }).toArray(),
      this.#sessions.find({ status: 'active' }, { projection: { _id: 1 } }).toArray(),
    ]);
    const ids = new Set(open.map((batch) => batch.session_id as SessionId));
    const claimed = active.flatMap((row) => (readId(row._id) ?? []) as SessionId[] | SessionId);
    const journalled = await this.withJournal(claimed.filter((id) => !ids.has(id)));
    for (const id of claimed) if (!journalled.has(id)) ids.add(id);
    return [...ids];
  }

  /** Those of the sessions that have a journal. */
  async withJournal(sessionIds: readonly string[]): Promise<Set<string>> {
    if (sessionIds.length === 0) return new Set();
    const rows = await this.#collection
      .find({ _id: { $in: sessionIds.map((id) => batchId(id, 1)) } }, { projection: { session_id: 1 } })
      .toArray();
    return new Set(rows.map((batch) => batch.session_id));
  }

  /** Remembered on the batch that opened the journal. */
  async touch(sessionId: SessionId, at: number): Promise<void> {
    await this.#collection.updateOne({ _id: batchId(sessionId, 1), open: true }, { $max: { active_at: at } });
  }

  async activity(sessionId: SessionId): Promise<number | null> {
    const opening = await this.#collection.findOne(
      { _id: batchId(sessionId, 1), open: true },
      { projection: { active_at: 1 } },
    );
    return opening?.active_at ?? null;
  }

  /** The end of the session is projected: it need not be in memory any more. */
  async close(sessionId: SessionId): Promise<void> {
    await this.#collection.updateOne({ _id: batchId(sessionId, 1) }, { $unset: { open: '', active_at: '' } });
  }
}
