import type { Policy, StudentId } from '@rollcall/protocol';
import { type Entry, opensJournal, type SessionFacts } from '../journal/entries.js';
import { type Ending, type FoldTarget, fold, type Line } from '../register/fold.js';
import { noCounts } from '../register/session-state.js';

/** A journal folded entry by entry that keeps every state a student's line went through, not only the last. */
export class JournalHistory implements FoldTarget {
  readonly facts: SessionFacts;
  readonly policy: Policy;
  readonly started_at: number;
  seq = 0;
  last_at = 0;
  readonly counts = noCounts();
  ending: Ending | null = null;
  /** seq of the entry that ended the session. */
  endSeq: number | null = null;
  readonly #lines = new Map<StudentId, Line[]>();

  private constructor(opening: Entry) {
    if (!opensJournal(opening)) throw new RangeError(`a journal begins with started or adopted, not ${opening.type}`);
    this.facts = opening.session;
    this.policy = opening.policy;
    this.started_at = opening.type === 'adopted' ? opening.started_at : opening.at;
  }

  /** @throws {RangeError} when the entries are no dense journal from 1 on */
  static of(entries: readonly Entry[]): JournalHistory {
    const [opening] = entries;
    if (!opening) throw new RangeError('the journal is empty');
    const history = new JournalHistory(opening);
    for (const entry of entries) {
      fold(history, entry);
      if (entry.type === 'ended') history.endSeq ??= entry.seq;
    }
    return history;
  }

  get students(): Iterable<StudentId> {
    return this.#lines.keys();
  }

  get lastLines(): Line[] {
    return [...this.#lines.values()].flatMap((lines) => lines.at(-1) ?? []);
  }

  line(studentId: StudentId): Line | undefined {
    return this.#lines.get(studentId)?.at(-1);
  }

  /** The line as it stood after entry `seq`. */
  lineAsOf(studentId: StudentId, seq: number): Line | undefined {
    return this.#lines.get(studentId)?.findLast((line) => line.seq <= seq);
  }

  setLine(line: Line): void {
    const lines = this.#lines.get(line.student.student_id);
    if (lines) lines.push(line);
    else this.#lines.set(line.student.student_id, [line]);
  }

  // Names and repeats matter to commands, not to what was written.
  resolve(): undefined {
    return undefined;
  }
  operation(): undefined {
    return undefined;
  }
  setOperation(): void {}
}
