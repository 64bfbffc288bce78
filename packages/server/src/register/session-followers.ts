import type { SessionId } from '@rollcall/protocol';
import type { Entry } from '../journal/entries.js';
import type { Projection, Storage } from '../storage/port.js';
import { type Follower, RECORDS } from './follower.js';
import { Following } from './following.js';
import { Projector } from './projector.js';
import type { SessionHistory } from './session-history.js';
import type { CursorsByName } from './standing.js';

/** Entries that a follower is given at once. */
const ENTRIES_AT_ONCE = 1_000;

export interface FollowersContext {
  readonly storage: Storage;
  /** Beside the records. */
  readonly followers: readonly Follower[];
  readonly onProjectionError: (sessionId: SessionId, error: unknown) => void;
  /** A follower failed; it is called again. */
  readonly onFollowerBehind: (sessionId: SessionId, follower: string, error: unknown) => void;
}

/** How a session came into memory. */
export interface Standing {
  readonly cursors: CursorsByName;
  /** False where another node started it, and follows that. */
  readonly mayBeOurs: boolean;
}

/**
 * All who follow the journal of one session: the projector, and whoever else is registered. Each has a pace of its own,
 * and a fault of one holds up nobody else. An ended session is closed by whoever is last to be past its end.
 */
export class SessionFollowers {
  readonly #context: FollowersContext;
  readonly #history: SessionHistory;
  readonly #records: Projector;
  readonly #others: ReadonlyMap<string, Following>;

  constructor(history: SessionHistory, standing: Standing, context: FollowersContext) {
    this.#context = context;
    this.#history = history;
    const { state } = history;
    const { cursors, mayBeOurs } = standing;
    this.#records = new Projector({
      state,
      projectedSeq: cursors.get(RECORDS) ?? 0,
      mayBeOurs,
      project: (projection) => this.#project(projection),
      onError: (error) => context.onProjectionError(this.#sessionId, error),
    });
    this.#others = new Map(
      context.followers.map((follower) => {
        const cursor = cursors.get(follower.name) ?? 0;
        return [follower.name, this.#following(follower, cursor, mayBeOurs)];
      }),
    );
  }

  get #sessionId(): SessionId {
    return this.#history.state.facts.session_id;
  }

  #following(follower: Follower, cursor: number, mayBeOurs: boolean): Following {
    const { state } = this.#history;
    const { cursors } = this.#context.storage;
    /** What it has taken, also where its cursor couldn't be moved yet. */
    let taken = cursor;
    return new Following({
      state,
      cursor,
      mayBeOurs,
      gatherMs: follower.gatherMs,
      advance: async (from) => {
        taken = Math.max(taken, from);
        const entries = await this.#entriesAfter(taken);
        if (entries.length > 0) await follower.follow(state, entries);
        taken += entries.length;
        await cursors.move(this.#sessionId, follower.name, taken);
        await this.#closeAt(taken);
        return taken;
      },
      onError: (error) => this.#context.onFollowerBehind(this.#sessionId, follower.name, error),
    });
  }

  async #entriesAfter(seq: number): Promise<readonly Entry[]> {
    const { state } = this.#history;
    if (seq >= state.seq) return [];
    const entries = await this.#history.entriesFrom(seq, ENTRIES_AT_ONCE);
    // What was committed elsewhere in the meantime isn't part of the state yet.
    const known = entries.filter((entry) => entry.seq <= state.seq);
    if (known.length === 0) throw new Error(`the journal has no entry ${seq + 1} yet`);
    return known;
  }

  async #project(projection: Projection): Promise<void> {
    const { projection: records } = this.#context.storage;
    if (this.#others.size === 0) return records.project(projection);
    await records.project({ ...projection, stays_open: true });
    await this.#closeAt(projection.seq);
  }

  /** Somebody is past the end of the session: perhaps as the last of all. */
  async #closeAt(seq: number): Promise<void> {
    const { state } = this.#history;
    if (!state.ending || seq < state.seq) return;
    await this.#context.storage.cursors.close(this.#sessionId, seq, [...this.#others.keys()]);
  }

  /** These entries have become part of the state. @param mayBeOurs false where another node wrote them */
  committed(entries: readonly Entry[], mayBeOurs: boolean): void {
    this.#records.committed(entries, mayBeOurs);
    for (const following of this.#others.values()) following.committed(mayBeOurs);
  }

  /** Some of what is due was left to the nodes that wrote it, and nobody has said yet that it is done. */
  get isLeft(): boolean {
    if (this.#records.isLeft) return true;
    for (const following of this.#others.values()) if (following.isLeft) return true;
    return false;
  }

  /** Somebody isn't at the end of the journal. */
  get isBehind(): boolean {
    if (this.#records.isBehind) return true;
    for (const following of this.#others.values()) if (following.isBehind) return true;
    return false;
  }

  /** The database says that this follower has come to `seq`. */
  reached(follower: string, seq: number): void {
    if (follower === RECORDS) this.#records.projectedTo(seq);
    else this.#others.get(follower)?.reached(seq);
  }

  /** Resolves once the records of what was written here are written. Rejects when the database refuses. */
  flushRecords(): Promise<void> {
    return this.#records.flush();
  }

  /** Resolves once the others had a last chance to follow what was written here. */
  async flushOthers(): Promise<void> {
    await Promise.allSettled(Array.from(this.#others.values(), (following) => following.flush()));
  }

  stop(): void {
    this.#records.stop();
    for (const following of this.#others.values()) following.stop();
  }
}
