import { setImmediate as endOfTurn } from 'node:timers/promises';
import { type Policy, RollcallError, type SessionId, type StudentId, type UserId } from '@rollcall/protocol';
import { LRUCache } from 'lru-cache';
import type { Entry, RosterRow, RosterStudent, StartedEntry } from '../journal/entries.js';
import type { Storage, StoredSession } from '../storage/port.js';
import { newCodeKey } from './check-in-codes.js';
import { newRow, SYSTEM } from './decide.js';
import { readJournal } from './journal.js';
import { LiveSession, type LiveSessionContext, type Publisher } from './live-session.js';
import { projectionOf } from './projector.js';
import { SessionState } from './session-state.js';

/** Completed sessions kept in memory for those who still look at them. */
const ARCHIVE_MAX = 64;
const RESTORE_AT_ONCE = 8;
/** Sessions asked for in one query. */
const LOOK_AT_ONCE = 1_000;

export interface LiveSessionsOptions {
  readonly storage: Storage;
  readonly publisher: Publisher;
  readonly now: () => number;
  readonly newRecordId: () => string;
  /** Milliseconds a student may be away without being announced as left. */
  readonly presenceGraceMs: number;
  /** Other nodes write to the same journals. */
  readonly shared: boolean;
  /** Policy of a session that is adopted from the database. */
  readonly policy: Policy;
  /** How long a check-in code is shown, in ms. */
  readonly codeWindowMs: number;
  readonly onProjectionError: (sessionId: SessionId, error: unknown) => void;
  readonly onRestoreError: (sessionId: SessionId, error: unknown) => void;
}

/** A session wherever it stands. `state` is null for one without a journal: only the projection knows it. */
export type FoundSession =
  | { readonly kind: 'live'; readonly live: LiveSession }
  | { readonly kind: 'ended'; readonly state: SessionState }
  | { readonly kind: 'stored'; readonly stored: StoredSession };

/** Who follows the sessions in memory: timeouts, other nodes. */
export interface SessionWatcher {
  /** A session came into memory: restored at the start, started or adopted here, or found in the journal later. */
  activated(live: LiveSession, from: 'restored' | 'here' | 'elsewhere'): void;
  /** Entries became part of a session's state. `here`: they were committed by this node. */
  changed(live: LiveSession, here: boolean): void;
  ended(live: LiveSession): void;
}

/** What `open` does in each case. */
export interface Opening {
  /** Makes the opening entry; called only where there is no journal yet. Throws the refusal. */
  build(stored: StoredSession | undefined): Promise<StartedEntry>;
  /** Called while the opening entry is being committed, with what the session will be: the time is free. */
  prepare(state: SessionState): void;
  /** Called in the turn in which the session became active. */
  started(live: LiveSession): void;
  /** The session is active already. */
  already(live: LiveSession): Promise<void> | void;
  /** The session's journal has ended. */
  over(state: SessionState): Promise<void> | void;
}

/** activeAttendanceSessions: every active session, in memory, as the journal has it. */
export class LiveSessions {
  readonly #options: LiveSessionsOptions;
  readonly #context: LiveSessionContext;
  readonly #watchers: SessionWatcher[] = [];
  #restored = false;
  readonly #active = new Map<SessionId, LiveSession>();
  readonly #opening = new Map<SessionId, Promise<unknown>>();
  /** Journals that are being read because somebody asked for their session. */
  readonly #finding = new Map<SessionId, Promise<unknown>>();
  /** By user: a storm of reconnecting students must not walk every session for each of them. */
  readonly #checkedIn = new Map<UserId, Set<LiveSession>>();
  /** Over, and their records not written to the end yet. */
  readonly #finishing = new Set<LiveSession>();
  readonly #archive = new LRUCache<SessionId, SessionState>({ max: ARCHIVE_MAX });

  constructor(options: LiveSessionsOptions) {
    this.#options = options;
    this.#context = {
      ...options,
      onChanged: (live, here) => {
        for (const watcher of this.#watchers) watcher.changed(live, here);
      },
      onCheckedIn: (live, userId) => this.#rememberCheckIn(live, userId),
      onEnded: (live) => this.#ended(live),
    };
  }

  get activeAttendanceSessions(): ReadonlyMap<SessionId, LiveSession> {
    return this.#active;
  }

  /** To be called before `restore`. */
  follow(watcher: SessionWatcher): void {
    this.#watchers.push(watcher);
  }

  /** Another node says that a session's journal goes on to `seq`. */
  async hear(sessionId: SessionId, seq: number): Promise<void> {
    const live = this.#active.get(sessionId) ?? (await this.#findLive(sessionId));
    live?.hear(seq);
  }

  async #findLive(sessionId: SessionId): Promise<LiveSession | undefined> {
    const found = await this.find(sessionId);
    return found?.kind === 'live' ? found.live : undefined;
  }

  /** Looks for sessions that other nodes started, for what they wrote, and for what they projected of it. */
  async lookAround(): Promise<void> {
    const { storage } = this.#options;
    // Those that were over before it was asked: a session isn't listed any more once its end is projected.
    const over = [...this.#finishing];
    const ids = new Set(await storage.journal.listActiveSessions());
    for (const live of over) if (!ids.has(live.session_id)) live.projectedTo(live.state.seq);
    for (const id of ids) if (!this.#active.has(id)) await this.hear(id, 0);
    for (const known of parts([...this.#active.keys()])) {
      for (const [id, seq] of await storage.journal.lastSeqs(known)) this.#active.get(id)?.hear(seq);
    }
    const left = [...this.#active].flatMap(([id, live]) => (live.isLeftToOthers ? [id] : []));
    for (const some of parts(left)) {
      for (const [id, seq] of await storage.projection.projectedSeqs(some)) this.#active.get(id)?.projectedTo(seq);
    }
  }

  active(sessionId: SessionId): LiveSession | undefined {
    return this.#active.get(sessionId);
  }

  /** Sessions that the student of this user has checked in to. */
  checkedInBy(userId: UserId): LiveSession[] {
    return [...(this.#checkedIn.get(userId) ?? [])];
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
        await this.#load(id).catch((error) => this.#options.onRestoreError(id, error));
      }
    };
    await Promise.all(Array.from({ length: RESTORE_AT_ONCE }, worker));
    this.#restored = true;
    return this.#active.size;
  }

  /** Finds a session in memory, in the journal or in the database; undefined when nobody knows it. */
  async find(sessionId: SessionId): Promise<FoundSession | undefined> {
    await this.#opening.get(sessionId)?.catch(() => {});
    // A crowd that asks for one long journal must not have it read once for each of them.
    await this.#finding.get(sessionId)?.catch(() => {});
    const known = this.#inMemory(sessionId);
    if (known) return known;
    const found = this.#load(sessionId).finally(() => {
      if (this.#finding.get(sessionId) === found) this.#finding.delete(sessionId);
    });
    this.#finding.set(sessionId, found);
    return found;
  }

  #inMemory(sessionId: SessionId): FoundSession | undefined {
    const live = this.#active.get(sessionId);
    if (live) return { kind: 'live', live };
    const state = this.#archive.get(sessionId);
    return state && { kind: 'ended', state };
  }

  /**
   * Makes a session active, or finds that it is. Starts of the same session wait for each other.
   * @throws {RollcallError} SESSION_ENDED when the session is over.
   */
  open(sessionId: SessionId, opening: Opening): Promise<void> {
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

  async #open(sessionId: SessionId, opening: Opening): Promise<void> {
    for (;;) {
      const found = this.#inMemory(sessionId) ?? (await this.#load(sessionId));
      if (found?.kind === 'live') return opening.already(found.live);
      if (found?.kind === 'ended') return opening.over(found.state);
      const started = await opening.build(found?.stored);
      const committed = this.#options.storage.journal.append(sessionId, 0, [started]);
      const [state, result] = await Promise.all([this.#prepare(started, opening), committed]);
      if (result === 'conflict') continue;
      const known = this.#active.get(sessionId);
      // Word of the commit came back by another node before its own answer did.
      if (known) return opening.started(known);
      const live = this.#activate(state, 0, 'here');
      this.#options.publisher.committed(live, [started], () => opening.started(live));
      return;
    }
  }

  async #prepare(started: StartedEntry, opening: Opening): Promise<SessionState> {
    // The database is given its work at the end of this turn.
    await endOfTurn();
    const state = SessionState.fromJournal([started]);
    opening.prepare(state);
    return state;
  }

  async #load(sessionId: SessionId): Promise<FoundSession | undefined> {
    const { storage } = this.#options;
    const [entries, stored] = await Promise.all([
      readJournal(storage, sessionId, 0),
      storage.projection.findSession(sessionId),
    ]);
    // Somebody else may have brought it in while the database was asked.
    const live = this.#active.get(sessionId);
    if (live) return { kind: 'live', live };
    if (entries.length === 0) {
      if (stored?.status === 'active') return this.#adopt(stored);
      return stored ? { kind: 'stored', stored } : undefined;
    }
    const state = SessionState.fromJournal(entries);
    const projectedSeq = stored?.projected_seq ?? 0;
    if (!state.ending) return { kind: 'live', live: this.#loaded(state, projectedSeq, entries, 'elsewhere') };
    if (projectedSeq < state.seq) await this.#catchUpProjection(state, projectedSeq);
    this.#archive.set(sessionId, state);
    return { kind: 'ended', state };
  }

  /** An end was journalled and the process died before the records were written. */
  async #catchUpProjection(state: SessionState, projectedSeq: number): Promise<void> {
    const lines = [...state.lines.values()].filter((line) => line.seq > projectedSeq);
    try {
      await this.#options.storage.projection.project(projectionOf(state, lines));
    } catch (error) {
      this.#options.onProjectionError(state.facts.session_id, error);
    }
  }

  /** A session that the database calls active and that has no journal: its first entry holds what was found. */
  async #adopt(stored: StoredSession): Promise<FoundSession> {
    const { storage, now, policy, codeWindowMs } = this.#options;
    const { status: _, started_at, ended_at: __, projected_seq: ___, ...session } = stored;
    const roster = await rosterOf(storage, stored, now(), this.#options.newRecordId);
    const entry: Entry = {
      type: 'adopted',
      seq: 1,
      at: now(),
      actor: SYSTEM,
      session,
      policy,
      started_at: started_at ?? now(),
      roster,
      ...(policy.check_in === 'code' ? { codes: newCodeKey(codeWindowMs) } : {}),
    };
    const result = await storage.journal.append(stored.session_id, 0, [entry]);
    if (result === 'conflict') {
      const found = await this.#load(stored.session_id);
      if (found) return found;
      throw new RollcallError('STORAGE_UNAVAILABLE');
    }
    return { kind: 'live', live: this.#loaded(SessionState.fromJournal([entry]), 0, [entry], 'here') };
  }

  /** Started by another node, or adopted: the course's room on this one is told now. At the start there is nobody yet. */
  #loaded(
    state: SessionState,
    projectedSeq: number,
    [first]: readonly Entry[],
    from: 'here' | 'elsewhere',
  ): LiveSession {
    const live = this.#activate(state, projectedSeq, from);
    if (this.#restored && first) this.#options.publisher.committed(live, [first]);
    return live;
  }

  #activate(state: SessionState, projectedSeq: number, from: 'here' | 'elsewhere'): LiveSession {
    const live = new LiveSession(state, projectedSeq, from === 'here' || !this.#restored, this.#context);
    this.#active.set(live.session_id, live);
    for (const { student, checked_in_at } of state.lines.values()) {
      if (checked_in_at !== null && student.user_id !== null) this.#rememberCheckIn(live, student.user_id);
    }
    for (const watcher of this.#watchers) watcher.activated(live, this.#restored ? from : 'restored');
    return live;
  }

  #rememberCheckIn(live: LiveSession, userId: UserId): void {
    const sessions = this.#checkedIn.get(userId);
    if (sessions) sessions.add(live);
    else this.#checkedIn.set(userId, new Set([live]));
  }

  #ended(live: LiveSession): void {
    this.#active.delete(live.session_id);
    this.#archive.set(live.session_id, live.state);
    this.#finishing.add(live);
    live.presence.clear();
    for (const watcher of this.#watchers) watcher.ended(live);
    live.finished().then(() => this.#finishing.delete(live));
    for (const { student } of live.state.lines.values()) {
      const sessions = student.user_id === null ? undefined : this.#checkedIn.get(student.user_id);
      if (sessions?.delete(live) && sessions.size === 0 && student.user_id !== null) {
        this.#checkedIn.delete(student.user_id);
      }
    }
  }

  /** Waits for every pending commit and projection; afterwards nothing is left to lose. */
  async close(): Promise<void> {
    const all = [...this.#active.values(), ...this.#finishing];
    await Promise.allSettled(all.map((live) => live.settle()));
    for (const live of all) live.dispose();
  }
}

/** As many as are asked for in one query. */
function* parts(ids: readonly SessionId[]): Iterable<SessionId[]> {
  for (let from = 0; from < ids.length; from += LOOK_AT_ONCE) yield ids.slice(from, from + LOOK_AT_ONCE);
}

/**
 * The lines a session begins with: one for each approved enrolment of its course, and what records the database has
 * already, with their ids and marks as found: also of students who are in the database no more, since they were in
 * the class all the same.
 */
export async function rosterOf(
  storage: Storage,
  session: Pick<StoredSession, 'session_id' | 'course_id'>,
  at: number,
  newRecordId: () => string,
): Promise<RosterRow[]> {
  const [enrolled, records] = await Promise.all([
    session.course_id === null ? [] : storage.courses.listRoster(session.course_id),
    storage.projection.readRecords(session.session_id),
  ]);
  const students = new Map(enrolled.map((student) => [student.student_id, student]));
  const strangers = records.filter(({ student_id }) => !students.has(student_id));
  if (strangers.length > 0) {
    const found = await storage.people.findStudents(strangers.map(({ student_id }) => student_id));
    for (const { student_id } of strangers) {
      const student = found.get(student_id);
      // Another student may have as user id or uid what was the profile id of one who is gone.
      students.set(student_id, student?.student_id === student_id ? student : whoIsGone(student_id));
    }
  }
  const existing = new Map(records.map((record) => [record.student_id, record]));
  return [...students.values()].map((student) => {
    const record = existing.get(student.student_id);
    if (!record) return newRow(student, at, newRecordId());
    const { student_id: _, seq: __, ...row } = record;
    return { ...row, student };
  });
}

/** A student of whom nothing is left but the id. */
const whoIsGone = (student_id: StudentId): RosterStudent => ({
  student_id,
  user_id: null,
  uid: null,
  name: student_id,
  email: null,
  roll: null,
  section: null,
  profile_picture: null,
});
