import type { SessionId } from '@rollcall/protocol';
import { canonicalJson } from './canonical-json.js';
import { firstChain, JOURNAL_FORMAT, JournalError, nextChain, type StoredCommit } from './commit.js';
import { decodeCommit } from './decode.js';
import type { Entry } from './entries.js';
import { hashOf } from './personal.js';
import { placesOf } from './places.js';

/** Something in a journal that is not as it was written. */
export interface Finding {
  readonly seq: number;
  /** What was changed: `facts`, `chain`, `personal` or what lies in it (`remarks`, `actor.name` …), `format`, `seq`. */
  readonly field: string;
  readonly what: string;
}

const CHANGED = 'was changed after it was committed';

/** The chain of a commit that isn't the one its facts give: which of the two was changed shows by the commit after it. */
interface Doubt {
  readonly seq: number;
  readonly computed: string;
  readonly stored: string;
  /** What doesn't fit the hashes of these facts: of no account if it was the facts that were changed. */
  readonly values: Finding[];
}

/** Recomputes every hash of one journal, commit by commit in order, and reads its entries. */
export class JournalInspection {
  readonly findings: Finding[] = [];
  readonly entries: Entry[] = [];
  /** False once a commit couldn't be read: what comes after it can't be folded. */
  isReadable = true;
  /** seq up to which commits are of the form from before there was a chain; 0 where all are chained. */
  unchainedUpTo = 0;
  /** Values that were removed on a person's request. */
  removed = 0;

  readonly #sessionId: SessionId;
  #last = 0;
  /** The chain so far; undefined behind a commit whose chain can't be known. */
  #chain: string | undefined;
  #doubt: Doubt | undefined;

  /** @param after where to begin, instead of at the first commit: a seq and the chain there, which are trusted */
  constructor(sessionId: SessionId, after?: { readonly seq: number; readonly chain: string }) {
    this.#sessionId = sessionId;
    this.#last = after?.seq ?? 0;
    this.#chain = after?.chain ?? firstChain(sessionId);
  }

  get seq(): number {
    return this.#last;
  }

  add(commit: StoredCommit): void {
    const { first_seq, last_seq, format } = commit;
    if (first_seq !== this.#last + 1 || last_seq < first_seq) {
      this.#found(first_seq, 'seq', `the commit ${first_seq} to ${last_seq} comes where ${this.#last + 1} belongs`);
      this.isReadable = false;
    }
    this.#last = Math.max(last_seq, first_seq);
    if (format === 1) this.#unchained(commit);
    else if (format === JOURNAL_FORMAT) this.#chained(commit);
    this.#decode(commit);
  }

  /** A commit that the database couldn't hand out. */
  unreadable(seq: number, why: string): void {
    this.#found(seq, 'facts, personal or chain', `the commit cannot be read: ${why}`);
    this.isReadable = false;
    this.#chain = undefined;
    this.#last = seq;
  }

  /** After the last commit. */
  finish(): void {
    if (this.#doubt) this.#misfit(this.#doubt);
    this.#doubt = undefined;
  }

  #misfit({ seq }: Doubt): void {
    if (this.#toldOfFacts(seq)) return;
    this.#found(seq, 'facts or chain', 'the facts do not fit the chain: one of them was changed');
  }

  #toldOfFacts(firstSeq: number): boolean {
    return this.findings.some(({ seq, field }) => field === 'facts' && seq >= firstSeq);
  }

  #found(seq: number, field: string, what: string): void {
    this.findings.push({ seq, field, what });
  }

  #unchained({ last_seq, first_seq }: StoredCommit): void {
    if (this.unchainedUpTo !== first_seq - 1) {
      this.#found(first_seq, 'format', 'a commit without a chain comes behind one that has a chain');
    }
    this.unchainedUpTo = last_seq;
  }

  #chained({ first_seq, facts, personal, chain }: StoredCommit): void {
    if (typeof facts !== 'string') this.#found(first_seq, 'facts', 'the commit has no facts');
    else this.#followChain(first_seq, facts, chain);
    const read = typeof facts === 'string' ? this.#canonical(first_seq, 'facts', facts) : undefined;
    const values = this.#canonical(first_seq, 'personal', personal);
    if (read !== undefined && values !== undefined) this.#personal(first_seq, read, values);
  }

  #followChain(seq: number, facts: string, chain: unknown): void {
    this.#settleDoubt(facts, chain);
    const computed = this.#chain === undefined ? undefined : nextChain(this.#chain, facts);
    if (typeof chain !== 'string' || !/^[0-9a-f]{64}$/.test(chain)) {
      this.#found(seq, 'chain', `the chain ${CHANGED}: it is not 64 hex digits`);
      this.#chain = computed;
    } else if (computed === undefined || computed === chain) {
      this.#chain = chain;
    } else {
      this.#doubt = { seq, computed, stored: chain, values: [] };
      this.#chain = chain;
    }
  }

  /** If the commit after it was made on the stored chain, the facts were changed; if on the computed one, the chain. */
  #settleDoubt(facts: string, chain: unknown): void {
    const doubt = this.#doubt;
    if (!doubt) return;
    this.#doubt = undefined;
    if (nextChain(doubt.computed, facts) === chain) {
      this.#found(doubt.seq, 'chain', `the chain ${CHANGED}`);
      this.findings.push(...doubt.values);
      this.#chain = doubt.computed;
    } else if (nextChain(doubt.stored, facts) !== chain) this.#misfit(doubt);
    else if (!this.#toldOfFacts(doubt.seq)) this.#found(doubt.seq, 'facts', `a fact ${CHANGED}`);
  }

  #canonical(seq: number, part: 'facts' | 'personal', json: unknown): unknown {
    if (typeof json !== 'string') {
      if (part === 'personal') this.#found(seq, part, 'the commit has no personal part');
      return undefined;
    }
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      this.#found(seq, part, `the ${part} part ${CHANGED}: it is no JSON`);
      return undefined;
    }
    if (canonicalJson(value) === json) return value;
    this.#found(seq, part, `the ${part} part ${CHANGED}: it is not canonical JSON`);
    return undefined;
  }

  #personal(seq: number, facts: unknown, values: unknown): void {
    const { hashes, places } = placesOf(facts);
    const found = this.#doubt?.seq === seq ? this.#doubt.values : this.findings;
    if (!Array.isArray(values) || values.length !== hashes.length) {
      const what = `the personal part ${CHANGED}: the facts name ${hashes.length} values`;
      found.push({ seq, field: 'personal', what });
      return;
    }
    for (const [index, value] of values.entries()) {
      if (value === null) this.removed += 1;
      else if (hashOf(JSON.stringify(value)) !== hashes[index]) {
        const place = places.get(index) ?? { seq, field: 'personal' };
        found.push({ ...place, what: `the value ${CHANGED}: it does not have the hash that the facts keep of it` });
      }
    }
  }

  #decode(commit: StoredCommit): void {
    try {
      for (const entry of decodeCommit(this.#sessionId, commit).entries) this.entries.push(entry);
    } catch (error) {
      this.isReadable = false;
      const known = error instanceof JournalError;
      const seq = known ? error.seq : commit.first_seq;
      // What hashes have told of already needs no second line.
      if (this.findings.some((finding) => finding.seq >= commit.first_seq)) return;
      const mayBeFacts = this.#doubt?.seq === commit.first_seq;
      const format = commit.format !== 1 && commit.format !== JOURNAL_FORMAT;
      const what = known ? `the journal ${error.what}` : `the facts cannot be read: ${String(error)}`;
      this.#found(seq, format ? 'format' : mayBeFacts || commit.format === 1 ? 'facts' : 'facts or personal', what);
    }
  }
}
