import type { Policy, SessionId, StudentId } from '@rollcall/protocol';
import { JournalError } from '../journal/commit.js';
import {
  type Actor,
  type AdoptedEntry,
  type CodeKey,
  type Entry,
  opensJournal,
  type SessionFacts,
  type StartedEntry,
} from '../journal/entries.js';
import { byRoll, inRosterOrder } from '../journal/roster-order.js';
import { type Counts, type Ending, type FoldTarget, fold, type Line, type Operation } from './fold.js';
import type { DecisionTarget } from './making-entries.js';

export const noCounts = (): Counts => ({ present: 0, absent: 0, late: 0, excused: 0, checked_in: 0 });

/** Operations that changed nothing, kept for each session: no journal holds them, and any client can make more. */
const NO_OPS_MAX = 10_000;

/** The committed state of one session, folded from its journal and never ahead of it. */
export class SessionState implements FoldTarget {
  readonly facts: SessionFacts;
  readonly policy: Policy;
  readonly started_at: number;
  readonly started_by: Actor;
  /** Where check-ins need a code. */
  readonly code_key: CodeKey | undefined;
  /** The journal's chain after the commit that ends at `seq`. */
  chain: string;
  seq = 0;
  last_at = 0;
  readonly counts = noCounts();
  ending: Ending | null = null;

  #lines = new Map<StudentId, Line>();
  /** Whether students came in since the lines were last put in order. */
  #grown = false;
  readonly #userIds = new Map<string, StudentId>();
  readonly #uids = new Map<string, StudentId>();
  readonly #operations = new Map<string, Operation>();
  /** The oldest first. */
  readonly #noOps = new Map<string, Operation>();

  private constructor(opening: StartedEntry | AdoptedEntry, chain: string) {
    this.facts = opening.session;
    this.policy = opening.policy;
    this.started_at = opening.type === 'adopted' ? opening.started_at : opening.at;
    this.started_by = opening.actor;
    this.code_key = opening.codes;
    this.chain = chain;
  }

  /**
   * @param chain the journal's chain after the last of these entries
   * @throws {RangeError} when the entries are no dense journal from 1 on.
   */
  static fromJournal(entries: Iterable<Entry>, chain: string): SessionState {
    let state: SessionState | undefined;
    for (const entry of entries) {
      if (!state) {
        if (!opensJournal(entry)) throw new RangeError(`a journal begins with started or adopted, not ${entry.type}`);
        state = new SessionState(entry, chain);
      }
      fold(state, entry);
    }
    if (!state) throw new RangeError('the journal is empty');
    return state;
  }

  /** How many students are on the roster. */
  get size(): number {
    return this.#lines.size;
  }

  /** In the order of the roster, also where students came in later. */
  get lines(): ReadonlyMap<StudentId, Line> {
    if (this.#grown) {
      this.#grown = false;
      const lines = [...this.#lines.values()];
      if (lines.some((line, index) => index > 0 && byRoll((lines[index - 1] ?? line).student, line.student) > 0)) {
        const students = inRosterOrder(lines.map(({ student }) => student));
        const sorted = students.flatMap(({ student_id }) => this.#lines.get(student_id) ?? []);
        this.#lines = new Map(sorted.map((line) => [line.student.student_id, line]));
      }
    }
    return this.#lines;
  }

  line(studentId: StudentId): Line | undefined {
    return this.#lines.get(studentId);
  }

  resolve(ref: string): StudentId | undefined {
    return this.line(ref as StudentId)?.student.student_id ?? this.byUserId(ref) ?? this.byUid(ref);
  }

  byUserId(userId: string): StudentId | undefined {
    return this.#userIds.get(userId);
  }

  byUid(uid: string): StudentId | undefined {
    return this.#uids.get(uid);
  }

  operation(key: string): Operation | undefined {
    return this.#operations.get(key) ?? this.#noOps.get(key);
  }

  setLine(line: Line): void {
    const { student_id, user_id, uid } = line.student;
    if (!this.#lines.has(student_id)) {
      this.#grown = true;
      if (uid !== null && !this.#uids.has(uid)) this.#uids.set(uid, student_id);
      if (user_id !== null && !this.#userIds.has(user_id)) this.#userIds.set(user_id, student_id);
    }
    this.#lines.set(student_id, line);
  }

  setOperation(key: string, operation: Operation): void {
    this.#operations.set(key, operation);
  }

  /**
   * What folding the draft's entries would come to, now that they are committed, and the op_ids that changed nothing.
   * @param chain the journal's chain after the commit
   * @throws {RangeError} when the draft was made of another state than this one is now
   */
  take(draft: Draft, chain: string): void {
    if (draft.base_seq !== this.seq)
      throw new RangeError(`the draft is of ${draft.base_seq}, the state of ${this.seq}`);
    this.chain = chain;
    this.seq = draft.seq;
    this.last_at = draft.last_at;
    this.ending = draft.ending;
    Object.assign(this.counts, draft.counts);
    for (const line of draft.lines) this.setLine(line);
    for (const [key, operation] of draft.operations) this.#operations.set(key, operation);
    for (const [key, operation] of draft.noOps) this.#noOps.set(key, operation);
    for (const key of this.#noOps.keys()) {
      if (this.#noOps.size <= NO_OPS_MAX) break;
      this.#noOps.delete(key);
    }
  }
}

/** @throws {JournalError} for a journal whose entries don't follow from each other */
export function stateOf(sessionId: SessionId, entries: readonly Entry[], chain: string): SessionState {
  try {
    return SessionState.fromJournal(entries, chain);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new JournalError(sessionId, entries.at(-1)?.seq ?? 0, `is damaged: ${why}`, { cause });
  }
}

/** A session as it will be once the pending batch is committed; thrown away afterwards. Costs what the batch touches. */
export class Draft implements DecisionTarget {
  seq: number;
  last_at: number;
  readonly counts: Counts;
  ending: Ending | null;

  /** seq of what it was made of. */
  readonly base_seq: number;
  readonly #base: SessionState;
  readonly #lines = new Map<StudentId, Line>();
  readonly #userIds = new Map<string, StudentId>();
  readonly #uids = new Map<string, StudentId>();
  readonly #operations = new Map<string, Operation>();
  readonly #noOps = new Map<string, Operation>();

  constructor(base: SessionState) {
    this.#base = base;
    this.base_seq = base.seq;
    this.seq = base.seq;
    this.last_at = base.last_at;
    this.counts = { ...base.counts };
    this.ending = base.ending;
  }

  get facts(): SessionFacts {
    return this.#base.facts;
  }
  get policy(): Policy {
    return this.#base.policy;
  }
  get started_at(): number {
    return this.#base.started_at;
  }
  /** Those that differ from what it was made of. */
  get lines(): Iterable<Line> {
    return this.#lines.values();
  }
  get operations(): Iterable<[string, Operation]> {
    return this.#operations;
  }
  get noOps(): Iterable<[string, Operation]> {
    return this.#noOps;
  }

  line(studentId: StudentId): Line | undefined {
    return this.#lines.get(studentId) ?? this.#base.line(studentId);
  }

  resolve(ref: string): StudentId | undefined {
    return (
      this.line(ref as StudentId)?.student.student_id ??
      this.#base.byUserId(ref) ??
      this.#userIds.get(ref) ??
      this.#base.byUid(ref) ??
      this.#uids.get(ref)
    );
  }

  operation(key: string): Operation | undefined {
    return this.#operations.get(key) ?? this.#noOps.get(key) ?? this.#base.operation(key);
  }

  setLine(line: Line): void {
    const { student_id, user_id, uid } = line.student;
    if (!this.line(student_id)) {
      if (uid !== null && !this.#uids.has(uid)) this.#uids.set(uid, student_id);
      if (user_id !== null && !this.#userIds.has(user_id)) this.#userIds.set(user_id, student_id);
    }
    this.#lines.set(student_id, line);
  }

  setOperation(key: string, operation: Operation): void {
    this.#operations.set(key, operation);
  }

  rememberNoOp(key: string, operation: Operation): void {
    this.#noOps.set(key, operation);
  }
}
