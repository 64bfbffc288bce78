import { setImmediate as endOfTurn } from 'node:timers/promises';
import { type Policy, RollcallError, type SessionId, type StudentId, type UserId } from '@rollcall/protocol';
import { type Commit, JournalError } from '../journal/commit.js';
import { encodeOpening } from '../journal/encode.js';
import type { Entry, StartedEntry } from '../journal/entries.js';
import type { AppendResult, Storage, StoredSession } from '../storage/port.js';
import { activeAsFound, completedAsFound } from './adoption.js';
import { CheckIns } from './check-ins.js';
import { Departures } from './departures.js';
import { type Follower, requireNames } from './follower.js';
import { LiveSession, type LiveSessionContext, type Publisher } from './live-session.js';
import { OverSessions } from './over-sessions.js';
import type { Caller, Publication } from './publication.js';
import { readJournal } from './read-journal.js';
import { SessionState, stateOf } from './session-state.js';
import type { SessionWatcher } from './session-watcher.js';
import { AT_THE_BEGINNING, type CursorsByName, cursorsOf, readReached } from './standing.js';

const RESTORE_AT_ONCE = 8;
/** Sessions asked for in one query. */
const LOOK_AT_ONCE = 1_000;
/** How soon an opening whose answer was lost is looked for again, and at the most, in ms. */
const LOOK_AGAIN_FIRST_MS = 100;
const LOOK_AGAIN_MAX_MS = 5_000;
/** How long the followers' last work may take when the server stops, in ms: what isn't done is done by the next start. */
const FOLLOWERS_WITHIN_MS = 2_000;

export interface LiveSessionsOptions {
  readonly storage: Storage;
  readonly publisher: Publisher;
  readonly now: () => number;
  readonly newRecordId: () => string;
  /** Milliseconds a student may be away without being announced as left. */
  readonly presenceGraceMs: number;
  /** Whether other servers may write to the same journals now. */
  readonly shared: () => boolean;
  /** Policy of a session that is adopted from the database. */
  readonly policy: Policy;
  /** How long a check-in code is shown, in ms. */
  readonly codeWindowMs: number;
  /** A student sent a wrong check-in code to this node. */
  readonly onWrongCode: (live: LiveSession, studentId: StudentId) => void;
  /** Who follows the journals beside the records. */
  readonly followers: readonly Follower[];
  readonly onProjectionError: (sessionId: SessionId, error: unknown) => void;
  /** A follower failed; it is called again. */
  readonly onFollowerBehind: (sessionId: SessionId, follower: string, error: unknown) => void;
  readonly onRestoreError: (sessionId: SessionId, error: unknown) => void;
  /** A journal that this version can't read; told once for each session. */
  readonly onUnreadable: (error: JournalError) => void;
  /** Something that follows a session failed; what was committed stays so. */
  readonly onFollowerError: (sessionId: SessionId, error: unknown) => void;
}

/** A session wherever it stands. `state` is null for one without a journal: only the projection knows it. */
export type FoundSession =
  | { readonly kind: 'live'; readonly live: LiveSession }
  | { readonly kind: 'ended'; readonly live: LiveSession; readonly state: SessionState }
  | { readonly kind: 'stored'; readonly stored: StoredSession };

/** How a session is made active. */
export interface Opening {
  /** Makes the opening entry; called only where there is no journal yet. Throws the refusal. */
  entry(stored: StoredSession | undefined): Promise<StartedEntry>;
  /** Answered in the turn in which the session became active. */
  readonly caller: Caller<'start'>;
}

/** What came of an opening: the session was started, was active already, or its journal has ended. */
export type Opened =
  | { readonly kind: 'started' | 'active'; readonly live: LiveSession }
  | { readonly kind: 'over'; readonly state: SessionState };

/** activeAttendanceSessions: every active session, in memory, as the journal has it. */
export class LiveSessions {
  readonly #options: LiveSessionsOptions;
  readonly #context: LiveSessionContext;
  readonly #watchers: SessionWatcher[] = [];
  #restored = false;
  readonly #active = new Map<SessionId, LiveSession>();
  readonly #opening = new Map<SessionId, Promise<unknown>>();
  /** Journals that are being read because somebody asked for their session. */
  readonly #finding = new Map<SessionId, Promise<FoundSession | undefined>>();
  /** Sessions whose journal this version can't read, and why. They are left alone. */
  readonly #unreadable = new Map<SessionId, JournalError>();
  /** Openings whose answer was lost and whose journal couldn't be looked at yet. */
  readonly #lookAgain = new Map<SessionId, NodeJS.Timeout>();
  readonly #checkIns = new CheckIns();
  readonly #over = new OverSessions();
  readonly #departures: Departures;

  constructor(options: LiveSessionsOptions) {
    requireNames(options.followers);
    this.#options = options;
    this.#departures = new Departures(options.storage.journal);
    this.#context = {
      ...options,
      onChanged: (live, committedHere) => this.#tellWatchers(live, (watcher) => watcher.changed(live, committedHere)),
      onCheckedIn: (live, userId) => this.#checkIns.add(userId, live),
      onEnded: (live) => this.#ended(live),
      onUnreadable: (live, error) => {
        if (live.state.ending) this.#over.forget(live);
        else this.#forget(live);
        this.#leaveAlone(error);
      },
    };
  }

  /** Why each session that is left alone can't be read. */
  get unreadable(): ReadonlyMap<SessionId, JournalError> {
    return this.#unreadable;
  }

  #leaveAlone(error: JournalError): void {
    if (this.#unreadable.has(error.session_id)) return;
    this.#unreadable.set(error.session_id, error);
    this.#options.onUnreadable(error);
  }

  /** What follows a session must not undo what is committed: its faults are its own. */
  #tellWatchers(live: LiveSession, tell: (watcher: SessionWatcher) => void): void {
    for (const watcher of this.#watchers) {
      try {
        tell(watcher);
      } catch (error) {
        this.#options.onFollowerError(live.session_id, error);
      }
    }
  }

  get activeAttendanceSessions(): ReadonlyMap<SessionId, LiveSession> {
    return this.#active;
  }

  /** To be called before `restore`. */
  follow(watcher: SessionWatcher): void {
    this.#watchers.push(watcher);
  }

  /** Another node says that a session's journal goes on to `seq`. */
  async journalReaches(sessionId: SessionId, seq: number): Promise<void> {
    const live = this.#active.get(sessionId) ?? this.#over.find(sessionId) ?? (await this.#findLive(sessionId));
    live?.journalReaches(seq);
  }

  async #findLive(sessionId: SessionId): Promise<LiveSession | undefined> {
    if (this.#unreadable.has(sessionId)) return undefined;
    const shared = this.#finding.get(sessionId);
    // A journal that was being read already may have been read before it was written.
    if (shared) await shared.catch(() => {});
    const found = this.#inMemory(sessionId) ?? (await this.find(sessionId));
    return found && found.kind !== 'stored' ? found.live : undefined;
  }

  /** Looks for sessions that other nodes started, for what they wrote, and for how far they followed it. */
  async pollDatabase(): Promise<void> {
    const { storage } = this.#options;
    for (const id of await storage.journal.listActiveSessions()) {
      // One damaged journal must not keep this node from following all others.
      if (!this.#active.has(id)) await this.journalReaches(id, 0).catch((error) => this.#notRestored(id, error));
    }
    const known = new Map([...this.#active.values(), ...this.#over.values()].map((live) => [live.session_id, live]));
    for (const some of parts([...known.keys()])) {
      for (const [id, seq] of await storage.journal.lastSeqs(some)) known.get(id)?.journalReaches(seq);
    }
    const left = [...known.values()].flatMap((live) => (live.followers.isLeft ? [live.session_id] : []));
    for (const some of parts(left)) {
      for (const [id, name, seq] of await readReached(some, this.#options)) known.get(id)?.followers.reached(name, seq);
    }
  }

  active(sessionId: SessionId): LiveSession | undefined {
    return this.#active.get(sessionId);
  }

  /** A student left the session on purpose, or is back after that: no restart puts back who has left. */
  departed({ session_id }: LiveSession, studentId: StudentId, left: boolean): void {
    this.#departures.note(session_id, studentId, left);
  }

  /** Sessions that the student of this user has checked in to. */
  checkedInBy(userId: UserId): LiveSession[] {
    return this.#checkIns.of(userId);
  }

  /**
   * Brings every active session back into memory. Called once, before the port opens.
   * @param stopped leaves the sessions that haven't been read yet
   */
  async restore(stopped?: AbortSignal): Promise<number> {
    const ids = await this.#options.storage.journal.listActiveSessions();
    const queue = ids[Symbol.iterator]();
    const worker = async () => {
      for (const id of queue) {
        if (stopped?.aborted) return;
        // One damaged journal must not keep all other classes from going on.
        await this.#load(id).catch((error) => this.#notRestored(id, error));
      }
    };
    await Promise.all(Array.from({ length: RESTORE_AT_ONCE }, worker));
    this.#restored = true;
    return this.#active.size;
  }

  #notRestored(sessionId: SessionId, error: unknown): void {
    const cause = error instanceof RollcallError ? error.cause : error;
    // Those are told of when they are met, and once.
    if (!(cause instanceof JournalError)) this.#options.onRestoreError(sessionId, error);
  }

  /**
   * Finds a session in memory, in the journal or in the database; undefined when nobody knows it. Whoever asks while
   * the database is being asked shares its answer.
   * @throws {RollcallError} JOURNAL_UNREADABLE
   */
  async find(sessionId: SessionId): Promise<FoundSession | undefined> {
    await this.#opening.get(sessionId)?.catch(() => {});
    const known = this.#inMemory(sessionId);
    if (known) return known;
    const shared = this.#finding.get(sessionId);
    if (shared) return shared;
    const found = this.#load(sessionId).finally(() => {
      if (this.#finding.get(sessionId) === found) this.#finding.delete(sessionId);
    });
    this.#finding.set(sessionId, found);
    return found;
  }

  #inMemory(sessionId: SessionId): FoundSession | undefined {
    const live = this.#active.get(sessionId);
    if (live) return { kind: 'live', live };
    const over = this.#over.find(sessionId);
    return over && { kind: 'ended', live: over, state: over.state };
  }

  /** Makes a session active, or finds what it is already. Openings of the same session wait for each other. */
  open(sessionId: SessionId, opening: Opening): Promise<Opened> {
    const before = this.#opening.get(sessionId) ?? Promise.resolve();
    const done = before
      .catch(() => {})
      .then(() => this.#open(sessionId, opening))
      .finally(() => {
        if (this.#opening.get(sessionId) === done) this.#opening.delete(sessionId);
      });
    this.#opening.set(sessionId, done);
    return done;
  }

  async #open(sessionId: SessionId, { entry, caller }: Opening): Promise<Opened> {
    for (;;) {
      const found = this.#inMemory(sessionId) ?? (await this.#load(sessionId));
      if (found?.kind === 'live') return { kind: 'active', live: found.live };
      if (found?.kind === 'ended') return { kind: 'over', state: found.state };
      const started = await entry(found?.stored);
      const commit = encodeOpening(sessionId, [started]);
      const committed = this.#append(sessionId, commit);
      const [state, result] = await Promise.all([this.#prepare(started, commit.chain), committed]);
      if (result === 'conflict') continue;
      const outcome = { kind: 'start', seq: started.seq, duplicate: false } as const;
      // Word of the commit may have come back by another node before its own answer did.
      const known = this.#active.get(sessionId);
      const live = known ?? this.#activate(state, AT_THE_BEGINNING, 'here');
      const publication: Publication = { entries: [started], answer: () => caller.answer(outcome, live, publication) };
      if (known) publication.answer?.();
      else this.#options.publisher.committed(live, publication);
      return { kind: 'started', live };
    }
  }

  /** An opening whose answer was lost may be committed: it is looked up until that is known. */
  async #append(sessionId: SessionId, commit: Commit): Promise<AppendResult> {
    try {
      return await this.#options.storage.journal.append(sessionId, commit);
    } catch (cause) {
      const { ends } = await readJournal(this.#options.storage, sessionId, 0).catch(() => {
        this.#lookAgainFor(sessionId, LOOK_AGAIN_FIRST_MS);
        throw cause;
      });
      if (ends.get(commit.last_seq) === commit.chain) return ends.size === 1 ? 'committed' : 'conflict';
      throw cause;
    }
  }

  #lookAgainFor(sessionId: SessionId, afterMs: number): void {
    clearTimeout(this.#lookAgain.get(sessionId));
    const look = () => {
      this.#lookAgain.delete(sessionId);
      this.#findLive(sessionId).catch(() => this.#lookAgainFor(sessionId, Math.min(2 * afterMs, LOOK_AGAIN_MAX_MS)));
    };
    this.#lookAgain.set(sessionId, setTimeout(look, afterMs).unref());
  }

  async #prepare(started: StartedEntry, chain: string): Promise<SessionState> {
    // The database is given its work at the end of this turn.
    await endOfTurn();
    const state = SessionState.fromJournal([started], chain);
    this.#options.publisher.opening(state);
    return state;
  }

  async #load(sessionId: SessionId): Promise<FoundSession | undefined> {
    const known = this.#unreadable.get(sessionId);
    if (known) throw new RollcallError('JOURNAL_UNREADABLE', { cause: known });
    try {
      return await this.#loadReadable(sessionId);
    } catch (cause) {
      if (!(cause instanceof JournalError)) throw cause;
      this.#leaveAlone(cause);
      throw new RollcallError('JOURNAL_UNREADABLE', { cause });
    }
  }

  async #loadReadable(sessionId: SessionId): Promise<FoundSession | undefined> {
    const { storage } = this.#options;
    const [journal, stored, left] = await Promise.all([
      readJournal(storage, sessionId, 0),
      storage.projection.findSession(sessionId),
      storage.journal.readLeft(sessionId),
    ]);
    // Somebody else may have brought it in while the database was asked.
    const live = this.#active.get(sessionId);
    if (live) return { kind: 'live', live };
    if (journal.chain === undefined) {
      if (stored?.status === 'active') return this.#adopt(stored);
      return stored ? { kind: 'stored', stored } : undefined;
    }
    const state = stateOf(sessionId, journal.entries, journal.chain);
    const cursors = await cursorsOf(state, stored?.projected_seq ?? 0, this.#options);
    if (!state.ending) {
      return { kind: 'live', live: this.#loaded(state, cursors, journal.entries, 'elsewhere', left) };
    }
    return { kind: 'ended', state, live: await this.#loadedOver(state, cursors) };
  }

  /** Somebody else may have brought it in meanwhile. */
  async #loadedOver(state: SessionState, cursors: CursorsByName): Promise<LiveSession> {
    const known = this.#over.find(state.facts.session_id);
    if (known) return known;
    const mayBeOurs = !this.#restored || !this.#options.shared();
    const live = new LiveSession(state, { cursors, mayBeOurs }, this.#context);
    this.#over.add(live);
    // An end or an amendment was journalled, and the process died before the records were written.
    await live.settle().catch(() => {});
    return live;
  }

  /** Whoever waits for amendments of a session that is over keeps it in memory, so that it hears of them. */
  hold(live: LiveSession): void {
    this.#over.hold(live);
  }

  release(live: LiveSession): void {
    this.#over.release(live);
  }

  /** A session that was completed before Rollcall came is given a journal, which begins with its records as found. */
  async adoptCompleted(stored: StoredSession): Promise<LiveSession> {
    const { session_id } = stored;
    const entries = await completedAsFound(stored, this.#options);
    const commit = encodeOpening(session_id, entries);
    if ((await this.#append(session_id, commit)) === 'committed') {
      return this.#loadedOver(SessionState.fromJournal(entries, commit.chain), AT_THE_BEGINNING);
    }
    const known = await this.#load(session_id);
    if (known?.kind !== 'ended') throw new RollcallError('STORAGE_UNAVAILABLE');
    return known.live;
  }

  /** A session that the database calls active and that has no journal: its first entry holds what was found. */
  async #adopt(stored: StoredSession): Promise<FoundSession> {
    const entry = await activeAsFound(stored, this.#options);
    const commit = encodeOpening(stored.session_id, [entry]);
    if ((await this.#append(stored.session_id, commit)) === 'conflict') {
      const found = await this.#load(stored.session_id);
      if (found) return found;
      throw new RollcallError('STORAGE_UNAVAILABLE');
    }
    const state = SessionState.fromJournal([entry], commit.chain);
    return { kind: 'live', live: this.#loaded(state, AT_THE_BEGINNING, [entry], 'here') };
  }

  /** Started by another node, or adopted: the course's room on this one is told now. At the start there is nobody yet. */
  #loaded(
    state: SessionState,
    cursors: CursorsByName,
    [first]: readonly Entry[],
    from: 'here' | 'elsewhere',
    left: readonly StudentId[] = [],
  ): LiveSession {
    // Another reader may have been first.
    const known = this.#active.get(state.facts.session_id);
    if (known) return known;
    const live = this.#activate(state, cursors, from, left);
    if (this.#restored && first) this.#options.publisher.committed(live, { entries: [first] });
    return live;
  }

  #activate(
    state: SessionState,
    cursors: CursorsByName,
    from: 'here' | 'elsewhere',
    left: readonly StudentId[] = [],
  ): LiveSession {
    const mayBeOurs = from === 'here' || !this.#restored;
    const live = new LiveSession(state, { cursors, mayBeOurs }, this.#context);
    live.presence.rememberLeft(left);
    this.#active.set(live.session_id, live);
    for (const { student, checked_in_at } of state.lines.values()) {
      if (checked_in_at !== null && student.user_id !== null) this.#checkIns.add(student.user_id, live);
    }
    this.#tellWatchers(live, (watcher) => watcher.activated(live, this.#restored ? from : 'restored'));
    return live;
  }

  #ended(live: LiveSession): void {
    this.#over.add(live);
    this.#forget(live);
  }

  /** The session isn't active on this node any more. */
  #forget(live: LiveSession): void {
    this.#active.delete(live.session_id);
    this.#departures.forget(live.session_id);
    live.presence.clear();
    this.#tellWatchers(live, (watcher) => watcher.ended(live));
    this.#checkIns.forget(live);
  }

  /** Sessions of which something may not be in the records yet. */
  get unrecorded(): readonly LiveSession[] {
    return [...this.#active.values(), ...this.#over.values()];
  }

  /** Waits for every pending commit and projection, and gives followers a chance to follow them. */
  async close(): Promise<void> {
    for (const timer of this.#lookAgain.values()) clearTimeout(timer);
    const all = this.unrecorded;
    await Promise.allSettled([...all.map((live) => live.settle()), this.#departures.settle()]);
    const late = new Promise((resolve) => setTimeout(resolve, FOLLOWERS_WITHIN_MS).unref());
    await Promise.race([Promise.all(all.map((live) => live.followers.flushOthers())), late]);
    for (const live of all) live.dispose();
  }
}

/** As many as are asked for in one query. */
function* parts(ids: readonly SessionId[]): Iterable<SessionId[]> {
  for (let from = 0; from < ids.length; from += LOOK_AT_ONCE) yield ids.slice(from, from + LOOK_AT_ONCE);
}
