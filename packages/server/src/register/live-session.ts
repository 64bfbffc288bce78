import { RollcallError, type SessionId, type Statistics, type StudentId, type UserId } from '@rollcall/protocol';
import { atEndOfTurn } from '../end-of-turn.js';
import { type Commit, JournalError } from '../journal/commit.js';
import { CommitEncoder } from '../journal/encode.js';
import type { Entry } from '../journal/entries.js';
import type { AppendResult } from '../storage/port.js';
import { batchSize, onlyCheckIns } from './batch.js';
import { CheckInCodes, CodeAttempt } from './check-in-codes.js';
import type { Command, CommandType, OutcomeOf, Repeated } from './command.js';
import { fold, statisticsOf } from './fold.js';
import { PendingCommand } from './pending-command.js';
import { Presence } from './presence.js';
import type { Caller, Publication, Register } from './publication.js';
import { groupsOf, readJournal } from './read-journal.js';
import { repeatedOutcome } from './repeat.js';
import { type FollowersContext, SessionFollowers, type Standing } from './session-followers.js';
import { SessionHistory } from './session-history.js';
import { Draft, type SessionState } from './session-state.js';

/** Commands that may wait in one session before it answers OVERLOADED. */
const QUEUE_MAX = 20_000;
/** Times a batch is decided again because another writer came first. */
const CONFLICTS_MAX = 100;
/** From this many check-ins in one commit on, a hall is coming in. */
const STORM_MIN = 4;
/** What a hall that is coming in waits for each other, in ms: a commit takes the same CPU for one as for thirty. */
const STORM_GATHER_MS = 10;
/** How soon a journal that couldn't be read after an uncertain commit is looked at again, and at the most, in ms. */
const LOOK_AGAIN_FIRST_MS = 100;
const LOOK_AGAIN_MAX_MS = 5_000;

/** Where what was committed goes: the only way out of the register. */
export interface Publisher {
  /** A session will be active once its opening is committed, which takes a while: the time is free. */
  opening(state: SessionState): void;
  /** Called once per command whose entries were committed, in order of seq. Calls the publication's answer once. */
  committed(live: LiveSession, publication: Publication): void;
  /** Everything of one commit was given to `committed`. */
  flush(live: LiveSession): void;
  /** A student is gone for longer than the grace. */
  left(live: LiveSession, studentId: StudentId, at: number): void;
}

export interface LiveSessionContext extends FollowersContext {
  readonly publisher: Publisher;
  readonly now: () => number;
  readonly newRecordId: () => string;
  readonly presenceGraceMs: number;
  /** Whether other servers may write to the same journals now. */
  readonly shared: () => boolean;
  readonly onCheckedIn: (live: LiveSession, userId: UserId) => void;
  /** A student sent a wrong check-in code to this node. */
  readonly onWrongCode: (live: LiveSession, studentId: StudentId) => void;
  /** Entries became part of the state. `committedHere`: by this object, and not read from the journal. */
  readonly onChanged: (live: LiveSession, committedHere: boolean) => void;
  readonly onEnded: (live: LiveSession) => void;
  /** The journal goes on with something that this version can't read: the session is to be left alone. */
  readonly onUnreadable: (live: LiveSession, error: JournalError) => void;
  /** Something that follows the session failed; the change is committed all the same. */
  readonly onFollowerError: (sessionId: SessionId, error: unknown) => void;
}

/**
 * One active session in memory. Commands that arrive while a commit is under way form the next batch: one commit, one
 * fsync, one broadcast a batch. The state is folded only from committed entries, so nothing uncommitted is ever seen.
 */
export class LiveSession implements Register {
  readonly state: SessionState;
  readonly presence: Presence;
  /** What led to the state. */
  readonly history: SessionHistory;
  /** Who follows the journal: the records, and others. */
  readonly followers: SessionFollowers;
  /** Where check-ins need a code. */
  readonly codes: CheckInCodes | undefined;
  readonly #context: LiveSessionContext;
  readonly #encoder: CommitEncoder;
  #queue: PendingCommand[] = [];
  #running: Promise<void> | undefined;
  #atRest: () => void = () => {};
  /** True after a commit whose fate isn't known: the journal is read before anything else is decided. */
  #uncertain = false;
  #lookAgain: NodeJS.Timeout | undefined;
  #lookAgainMs = LOOK_AGAIN_FIRST_MS;
  #unreadable: JournalError | undefined;
  /** Until then check-ins wait for each other, by `performance.now()`. */
  #stormUntil = 0;
  #gathering: NodeJS.Timeout | undefined;
  /** Who waits for the journal to have been looked into. */
  #askers: Array<{ readonly resolve: () => void; readonly reject: (error: unknown) => void }> = [];
  /** Highest seq that another node told of. */
  #heard = 0;

  constructor(state: SessionState, standing: Standing, context: LiveSessionContext) {
    this.state = state;
    this.#encoder = new CommitEncoder(state.facts.session_id);
    this.history = new SessionHistory(state, context.storage);
    this.codes = state.code_key && new CheckInCodes(state.code_key, state.started_at);
    this.#context = context;
    this.presence = new Presence({
      graceMs: context.presenceGraceMs,
      onLeft: (studentId, at) => context.publisher.left(this, studentId, at),
    });
    this.followers = new SessionFollowers(this.history, standing, context);
  }

  get session_id(): SessionId {
    return this.state.facts.session_id;
  }

  get statistics(): Statistics {
    return statisticsOf(this.state.counts, this.presence.count);
  }

  /**
   * Queues a command; resolves after it was committed and its caller answered.
   * @throws {RollcallError} the refusal; STORAGE_UNAVAILABLE when the batch could not be committed; OVERLOADED.
   */
  async submit<Type extends CommandType>(command: Command<Type>, caller: Caller<Type>): Promise<OutcomeOf<Type>> {
    if (this.#unreadable) throw unreadable(this.#unreadable);
    if (this.#queue.length >= QUEUE_MAX) throw new RollcallError('OVERLOADED');
    const pending = new PendingCommand(command, caller, this.#attempt());
    this.#queue.push(pending);
    this.#run();
    if (command.type !== 'check_in') this.#hurry();
    return pending.done;
  }

  #attempt(): CodeAttempt | undefined {
    const { now, onWrongCode } = this.#context;
    return this.codes && new CodeAttempt(this.codes, now(), (studentId) => onWrongCode(this, studentId));
  }

  /** Resolves once the queue is empty and the records are up to date. */
  async settle(): Promise<void> {
    while (this.#running) await this.#running;
    await this.followers.flushRecords();
  }

  /** True while something is under way, or not everybody has followed to the end. */
  get isUnfinished(): boolean {
    return this.#running !== undefined || this.followers.isBehind;
  }

  /** Stops timers; the session is no longer in memory. */
  dispose(): void {
    clearTimeout(this.#lookAgain);
    this.presence.clear();
    this.followers.stop();
  }

  /**
   * Another node says that the journal goes on to `seq`. What is missing is read and published in its turn.
   */
  journalReaches(seq: number): void {
    if (seq <= this.state.seq) return;
    this.#heard = Math.max(this.#heard, seq);
    this.#run();
  }

  /** Reads what others may have written. @throws {RollcallError} STORAGE_UNAVAILABLE */
  readJournalNow(): Promise<void> {
    if (this.#unreadable) return Promise.reject(unreadable(this.#unreadable));
    return new Promise((resolve, reject) => {
      this.#askers.push({ resolve, reject });
      this.#run();
    });
  }

  get #behind(): boolean {
    return this.#uncertain || this.#heard > this.state.seq || this.#askers.length > 0;
  }

  #run(): void {
    this.#running ??= new Promise((resolve) => {
      this.#atRest = resolve;
      this.#nextBatch();
    });
  }

  /** All that arrived in this turn of the event loop joins the batch, and of a hall that is coming in a little more. */
  #nextBatch(): void {
    const wait = this.#stormUntil - performance.now();
    if (wait > 0 && onlyCheckIns(this.#queue)) this.#gathering = setTimeout(() => this.#hurry(), wait);
    else atEndOfTurn(() => void this.#batch());
  }

  /** What is being gathered is enough. */
  #hurry(): void {
    if (!this.#gathering) return;
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    atEndOfTurn(() => void this.#batch());
  }

  async #batch(): Promise<void> {
    const batch = this.#queue.splice(0, batchSize(this.#queue));
    if (batch.length >= STORM_MIN && onlyCheckIns(batch)) this.#stormUntil = performance.now() + STORM_GATHER_MS;
    let failed = false;
    try {
      if (this.#behind) await this.#catchUp();
      if (batch.length > 0) await this.#commit(batch);
    } catch (cause) {
      failed = true;
      this.#uncertain = true;
      const error = refusalOf(cause);
      for (const waiting of [...batch, ...this.#askers.splice(0)]) waiting.reject(error);
      if (cause instanceof JournalError) this.#giveUp(cause);
      else this.#lookAgainSoon();
    }
    if (this.#queue.length > 0 || (this.#behind && !failed)) {
      this.#nextBatch();
      return;
    }
    this.#running = undefined;
    this.#atRest();
  }

  /** What others wrote, or what was committed with a lost answer, must be told also if nobody sends a command. */
  #lookAgainSoon(): void {
    clearTimeout(this.#lookAgain);
    this.#lookAgain = setTimeout(() => this.#run(), this.#lookAgainMs);
    this.#lookAgain.unref();
    this.#lookAgainMs = Math.min(2 * this.#lookAgainMs, LOOK_AGAIN_MAX_MS);
  }

  #giveUp(error: JournalError): void {
    this.#unreadable = error;
    for (const pending of this.#queue.splice(0)) pending.reject(unreadable(error));
    this.#context.onUnreadable(this, error);
  }

  async #commit(batch: readonly PendingCommand[]): Promise<void> {
    for (let attempt = 1; attempt <= CONFLICTS_MAX; attempt += 1) {
      let draft = new Draft(this.state);
      for (const pending of batch) pending.decide(draft, this.#context.now(), this.#context.newRecordId);
      const entries = batch.flatMap((pending) => pending.entries);
      let { chain } = this.state;
      if (entries.length > 0) {
        const commit = this.#encoder.encode(chain, this.state.seq, entries);
        chain = commit.chain;
        if ((await this.#append(commit)) === 'conflict') {
          await this.#catchUp();
          continue;
        }
      } else if (attempt === 1 && this.#context.shared() && batch.some((pending) => pending.needsFreshState)) {
        // What isn't written meets no conflict. Once is enough: the state is then no older than the commands are.
        const failure = await this.#failureOf(this.#catchUp());
        if (!failure && this.state.seq > draft.base_seq) continue;
        if (failure) {
          for (const pending of batch) if (pending.needsFreshState) pending.decided = { error: failure };
          // What is refused must not be remembered as done.
          draft = new Draft(this.state);
        }
      }
      this.state.take(draft, chain);
      if (entries.length > 0) this.#changed(entries, { committedHere: true, mayBeOurs: true });
      for (const pending of batch) this.#answer(pending);
      this.#context.publisher.flush(this);
      return;
    }
    throw new RollcallError('OVERLOADED');
  }

  /** A commit whose answer was lost is committed all the same: the chain says whether what is there is this very one. */
  async #append(commit: Commit): Promise<AppendResult> {
    try {
      // Behind the end there are amendments, whose records are to be written as well.
      const reopens = this.state.ending !== null;
      return await this.#context.storage.journal.append(this.session_id, commit, reopens);
    } catch (cause) {
      const { ends } = await readJournal(this.#context.storage, this.session_id, this.state.seq).catch(() => {
        throw cause;
      });
      if (ends.get(commit.last_seq) !== commit.chain) throw cause;
      // Somebody else may have written behind it.
      this.#heard = Math.max(this.#heard, ...ends.keys());
      return 'committed';
    }
  }

  async #failureOf(question: Promise<void>): Promise<RollcallError | undefined> {
    try {
      await question;
      return undefined;
    } catch (cause) {
      return new RollcallError('STORAGE_UNAVAILABLE', { cause });
    }
  }

  /** These entries have become part of the state. */
  #changed(entries: readonly Entry[], by: Origin): void {
    for (const entry of entries) {
      if (entry.type !== 'checked_in') continue;
      const userId = this.state.line(entry.student_id)?.student.user_id;
      if (userId) this.#context.onCheckedIn(this, userId);
    }
    this.history.add(entries);
    this.followers.committed(entries, by.mayBeOurs);
    this.#context.onChanged(this, by.committedHere);
  }

  #answer<Type extends CommandType>(pending: PendingCommand<Type>): void {
    const { caller, decided } = pending;
    if (!decided || 'error' in decided) {
      pending.reject(decided?.error);
      return;
    }
    if ('repeated' in decided) {
      this.#repeat(pending, decided).then(
        (first) => pending.resolve(first),
        (error: unknown) => pending.reject(error),
      );
      return;
    }
    const { entries, outcome } = decided;
    const publication: Publication = { entries, answer: () => caller.answer(outcome, this, publication) };
    try {
      if (entries.length === 0) publication.answer?.();
      else this.#publish(publication);
      pending.resolve(outcome);
    } catch (error) {
      // The change is committed; a fault in telling of it is this caller's alone.
      pending.reject(error);
    }
  }

  async #repeat<Type extends CommandType>(
    { command, caller }: PendingCommand<Type>,
    { repeated }: Repeated,
  ): Promise<OutcomeOf<Type>> {
    const outcome = await repeatedOutcome(this.history, command, caller, repeated.seq);
    caller.answer(outcome, this, { entries: [] });
    return outcome;
  }

  #publish(publication: Publication): void {
    const ended = publication.entries.some((entry) => entry.type === 'ended');
    try {
      this.#context.publisher.committed(this, publication);
    } finally {
      if (ended) this.#context.onEnded(this);
    }
  }

  /** Reads and publishes what was committed without this object knowing: by another node, or with a lost answer. */
  async #catchUp(): Promise<void> {
    // Who asks while the journal is being read may mean what was written since.
    const askers = this.#askers.splice(0);
    try {
      await this.#readOn();
    } catch (cause) {
      for (const { reject } of askers) reject(new RollcallError('STORAGE_UNAVAILABLE', { cause }));
      throw cause;
    }
    for (const { resolve } of askers) resolve();
  }

  async #readOn(): Promise<void> {
    const heard = this.#heard;
    const { entries, chain } = await readJournal(this.#context.storage, this.session_id, this.state.seq);
    // After a commit whose answer was lost, they may well be ours.
    const mayBeOurs = this.#uncertain;
    this.#uncertain = false;
    this.#lookAgainMs = LOOK_AGAIN_FIRST_MS;
    clearTimeout(this.#lookAgain);
    if (entries.length > 0) {
      this.#foldAll(entries);
      this.state.chain = chain ?? this.state.chain;
      this.#changed(entries, { committedHere: false, mayBeOurs });
      for (const group of groupsOf(entries)) this.#publishSafely({ entries: group });
      this.#context.publisher.flush(this);
    }
    // Whoever told of more than there is was wrong, or asked to look; what was told meanwhile still counts.
    if (this.#heard === heard) this.#heard = 0;
  }

  #foldAll(entries: readonly Entry[]): void {
    for (const entry of entries) {
      try {
        fold(this.state, entry);
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new JournalError(this.session_id, entry.seq, `is damaged: ${why}`, { cause });
      }
    }
  }

  /** These entries are part of the state now: a fault in telling of some must not keep the others from being told. */
  #publishSafely(publication: Publication): void {
    try {
      this.#publish(publication);
    } catch (error) {
      this.#context.onFollowerError(this.session_id, error);
    }
  }
}

/** Where entries came from. */
interface Origin {
  /** By this object, and not read from the journal. */
  readonly committedHere: boolean;
  /** Committed here, or it isn't known by whom: they are followed here. */
  readonly mayBeOurs: boolean;
}

const unreadable = (cause: JournalError): RollcallError => new RollcallError('JOURNAL_UNREADABLE', { cause });

function refusalOf(cause: unknown): RollcallError {
  if (cause instanceof RollcallError) return cause;
  if (cause instanceof JournalError) return unreadable(cause);
  return new RollcallError('STORAGE_UNAVAILABLE', { cause });
}
