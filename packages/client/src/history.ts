import type { LiveChange } from './live-change.js';

/** A place in a session's journal and, by its chain, of which journal. */
export interface Position {
  readonly seq: number;
  /** undefined where the server doesn't say it. */
  readonly chain?: string | undefined;
}

interface Since {
  readonly since_seq: number;
  readonly since_chain?: string;
}

/** An answer to a request with `since_seq`, of a teacher or a student. */
interface CatchUp extends Position {
  readonly changes?: readonly Entry[] | undefined;
  readonly reset?: true | undefined;
}

const isWhole = (answer: CatchUp): boolean => answer.reset === true || 'attendanceRecords' in answer;

type Entry = Pick<LiveChange, 'seq' | 'type' | 'at' | 'student_id'>;

const printOf = ({ type, at, student_id = '' }: Entry): string => `${type} ${at} ${student_id}`;

/**
 * Tells whether the server still has the journal that the applied entries are of. After a database was restored from
 * a backup the same numbers may stand for other entries, so a number alone can't tell.
 *
 * A server that sends chains proves a position by them. The entries applied since the last proven one are remembered:
 * a catch-up asks from there, so that its answer holds them again and they can be compared.
 */
export class History {
  #proven: { readonly seq: number; readonly chain: string } | undefined;
  readonly #sinceProven = new Map<number, string>();
  /** Chains of commits whose last entry isn't applied yet. */
  readonly #coming = new Map<number, string>();

  /**
   * Asks for what came after `seq`, up to where everything is applied.
   *
   * @returns the answer, and whether it goes on from what was applied; undefined where it has to be asked for again
   */
  async ask<Answer extends CatchUp>(
    seq: number,
    send: (since: Since) => Promise<Answer>,
  ): Promise<{ answer: Answer; goesOn: boolean } | undefined> {
    const since: Since = this.#proven
      ? { since_seq: this.#proven.seq, since_chain: this.#proven.chain }
      : { since_seq: seq };
    let answer = await send(since);
    if (!isWhole(answer) && answer.seq < seq && since.since_seq < seq) {
      // A backup, or a node that hasn't heard of the newest entries: asked from there it reads the journal first.
      answer = await send({ since_seq: seq });
      if (!isWhole(answer) && answer.seq >= seq) return undefined;
    }
    return { answer, goesOn: !isWhole(answer) && answer.seq >= seq && !this.#contradicts(answer) };
  }

  /** Begins anew at a snapshot. */
  restart({ seq, chain }: Position): void {
    this.#proven = chain === undefined ? undefined : { seq, chain };
    this.#sinceProven.clear();
    this.#coming.clear();
  }

  /** An entry was applied, in its turn. */
  applied(entry: Entry): void {
    const { seq } = entry;
    const chain = this.#coming.get(seq);
    if (chain !== undefined) this.#prove({ seq, chain });
    else if (this.#proven && seq > this.#proven.seq) this.#sinceProven.set(seq, printOf(entry));
  }

  /** A commit told its chain. Returns false where that is the chain of another journal. */
  told({ seq, chain }: Position): boolean {
    if (chain === undefined || !this.#proven || seq < this.#proven.seq) return true;
    if (seq === this.#proven.seq) return chain === this.#proven.chain;
    this.#coming.set(seq, chain);
    return true;
  }

  /** The connection is gone, and with it what was still to be applied. */
  interrupted(): void {
    this.#coming.clear();
  }

  /** Everything up to the answer of a catch-up is applied, and the answer contradicted nothing. */
  settled({ seq, chain }: Position): void {
    if (chain === undefined) this.restart({ seq });
    else this.#prove({ seq, chain });
  }

  /** True where the answer to a catch-up from the last proven position isn't of the journal that was applied. */
  #contradicts({ seq, chain, changes = [] }: CatchUp): boolean {
    if (chain !== undefined && this.#proven?.seq === seq && this.#proven.chain !== chain) return true;
    if (this.#sinceProven.size === 0) return false;
    const answered = new Map(changes.map((change) => [change.seq, printOf(change)]));
    return [...this.#sinceProven].some(([at, print]) => at <= seq && answered.get(at) !== print);
  }

  #prove(position: { seq: number; chain: string }): void {
    if (!this.#proven || position.seq >= this.#proven.seq) this.#proven = position;
    for (const known of [this.#sinceProven, this.#coming]) {
      for (const at of known.keys()) if (at <= position.seq) known.delete(at);
    }
  }
}
