import type { SessionId, StudentId } from '@rollcall/protocol';
import { LRUCache } from 'lru-cache';
import type { Commit, StoredCommit } from '../../journal/commit.js';
import { type AppendResult, StorageError } from '../port.js';
import type { Collections, StoredRow } from './collections.js';
import { isDuplicateKey } from './connection.js';
import { readId } from './stored-values.js';

/**
 * `<session_id>:<first_seq>`. A session id may hold colons, yet no two places share an _id: what follows the last
 * colon is all digits and is the seq, what comes before it is the session.
 */
export const commitId = (sessionId: string, firstSeq: number): string => `${sessionId}:${firstSeq}`;

const COMMIT_FIELDS = {
  _id: 0,
  first_seq: 1,
  last_seq: 1,
  format: 1,
  facts: 1,
  personal: 1,
  chain: 1,
  entries: 1,
};

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

  async append(sessionId: SessionId, commit: Commit, reopens = false): Promise<AppendResult> {
    if (!(await this.#endsAt(sessionId, commit.first_seq - 1))) return 'conflict';
    const stored: StoredRow = {
      _id: commitId(sessionId, commit.first_seq),
      session_id: sessionId,
      ...commit,
      ...((commit.first_seq === 1 || reopens) && { open: true }),
    };
    try {
      await this.#collection.insertOne(stored);
    } catch (error) {
      // What the encoder says of a document that doesn't fit; just above 16 MB it is the server that refuses.
      if (error instanceof RangeError) throw new StorageError(TOO_LARGE, { cause: error });
      if (!isDuplicateKey(error)) throw error;
      await this.#seen(stored._id);
      return 'conflict';
    }
    this.#ends.set(sessionId, commit.last_seq);
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

  async readCommits(sessionId: SessionId, afterSeq: number, limit: number): Promise<StoredCommit[]> {
    const commits: StoredCommit[] = [];
    let entries = 0;
    // Every commit holds an entry or more, so `limit` commits are enough.
    const rows = this.#collection
      .find({ session_id: sessionId, last_seq: { $gt: afterSeq } }, { projection: COMMIT_FIELDS })
      .sort({ last_seq: 1 })
      .limit(Math.max(1, limit));
    for await (const { first_seq, last_seq, format = 1, facts, personal, chain, entries: plain } of rows) {
      commits.push({ first_seq, last_seq, format, facts, personal, chain, entries: plain });
      entries += last_seq - Math.max(afterSeq, first_seq - 1);
      this.#ends.set(sessionId, Math.max(last_seq, this.#ends.get(sessionId) ?? 0));
      if (entries >= limit) break;
    }
    return commits;
  }

  /**
   * Answered from the index alone. In this form, a descending sort by the index and the first of each group, MongoDB
   * seeks the end of each session (DISTINCT_SCAN) and doesn't walk the commits before it.
   */
  async lastSeqs(sessionIds: readonly SessionId[]): Promise<Map<SessionId, number>> {
    if (sessionIds.length === 0) return new Map();
    const rows = await this.#collection
      .aggregate<{ _id: SessionId; seq: number }>([
        { $match: { session_id: { $in: sessionIds } } },
        { $sort: { session_id: -1, last_seq: -1 } },
        { $group: { _id: '$session_id', seq: { $first: '$last_seq' } } },
      ])
      .toArray();
    return new Map(rows.map(({ _id, seq }) => [_id, seq]));
  }

  async list(afterSessionId: SessionId | null, limit: number): Promise<SessionId[]> {
    // By any commit: a journal that has lost its first one is to be verified all the same.
    const rows = await this.#collection
      .aggregate<{ _id: SessionId }>([
        { $match: { session_id: afterSessionId === null ? { $exists: true } : { $gt: afterSessionId } } },
        { $group: { _id: '$session_id' } },
        { $sort: { _id: 1 } },
        { $limit: limit },
      ])
      .toArray();
    return rows.map(({ _id }) => _id);
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

  /** Those of the sessions whose journal is open. */
  async open(sessionIds: readonly SessionId[]): Promise<Set<string>> {
    const rows = await this.#collection
      .find({ session_id: { $in: [...sessionIds] }, open: true }, { projection: { _id: 0, session_id: 1 } })
      .toArray();
    return new Set(rows.map((batch) => batch.session_id));
  }

  /** Those of the sessions that have a journal. */
  async withJournal(sessionIds: readonly string[]): Promise<Set<string>> {
    if (sessionIds.length === 0) return new Set();
    const rows = await this.#collection
      .find({ _id: { $in: sessionIds.map((id) => commitId(id, 1)) } }, { projection: { session_id: 1 } })
      .toArray();
    return new Set(rows.map((batch) => batch.session_id));
  }

  /** Remembered on the batch that opened the journal. */
  async touch(sessionId: SessionId, at: number): Promise<void> {
    await this.#collection.updateOne({ _id: commitId(sessionId, 1), open: true }, { $max: { active_at: at } });
  }

  async activity(sessionId: SessionId): Promise<number | null> {
    const opening = await this.#collection.findOne(
      { _id: commitId(sessionId, 1), open: true },
      { projection: { active_at: 1 } },
    );
    return opening?.active_at ?? null;
  }

  /** Beside the activity. */
  async rememberLeft(sessionId: SessionId, moves: ReadonlyArray<readonly [StudentId, boolean]>): Promise<void> {
    const opening = { _id: commitId(sessionId, 1), open: true } as const;
    const [gone, back] = [true, false].map((left) => moves.flatMap(([id, has]) => (has === left ? [id] : [])));
    if (gone?.length) await this.#collection.updateOne(opening, { $addToSet: { left: { $each: gone } } });
    if (back?.length) await this.#collection.updateOne(opening, { $pull: { left: { $in: back } } });
  }

  async left(sessionId: SessionId): Promise<StudentId[]> {
    const opening = await this.#collection.findOne(
      { _id: commitId(sessionId, 1), open: true },
      { projection: { left: 1 } },
    );
    return [...(opening?.left ?? [])] as StudentId[];
  }

  /** What the session holds up to its end, or its last amendment, is projected: it need not be in memory any more. */
  async close(sessionId: SessionId, upTo: number): Promise<void> {
    await this.#collection.updateMany(
      { session_id: sessionId, open: true, last_seq: { $lte: upTo } },
      { $unset: { open: '', active_at: '', left: '' } },
    );
  }
}
