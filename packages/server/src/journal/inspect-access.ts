import { ACCESS_FORMAT, ACTOR_NAME, FIRST_ACCESS_CHAIN, fieldsIn, PURPOSE, type StoredAccess } from './access-entry.js';
import { canonicalJson } from './canonical-json.js';
import { nextChain } from './commit.js';
import { hashOf } from './personal.js';

/** Something in the access log that is not as it was written. */
export interface AccessFinding {
  readonly number: number;
  /** `facts`, `chain`, `facts or chain`, `number`, `format`, `personal`, or a value such as `actor`, `actor.name`, `purpose`. */
  readonly field: string;
  readonly what: string;
}

const CHANGED = 'was changed after it was written';
const VALUES: Readonly<Record<number, string>> = { [ACTOR_NAME]: 'actor.name', [PURPOSE]: 'purpose' };

/** A chain that isn't the one that its facts give: which of the two was changed shows by the entry behind it. */
interface Doubt {
  readonly number: number;
  readonly computed: string;
  readonly stored: string;
  /** What doesn't fit these facts: of no account if it was the facts that were changed. */
  readonly others: AccessFinding[];
}

/** Recomputes every hash of the access log, entry by entry in order. */
export class AccessInspection {
  readonly findings: AccessFinding[] = [];
  entries = 0;
  /** Values that were removed on a person's request. */
  removed = 0;
  #last = 0;
  #chain = FIRST_ACCESS_CHAIN;
  #doubt: Doubt | undefined;

  add(entry: StoredAccess): void {
    const { number, format, facts, chain } = entry;
    this.entries += 1;
    if (number !== this.#last + 1) {
      const gone =
        number === this.#last + 2 ? `entry ${number - 1} is` : `entries ${this.#last + 1} to ${number - 1} are`;
      this.#found(this.#last + 1, 'number', `${gone} missing`);
    }
    if (format !== ACCESS_FORMAT) this.#found(number, 'format', `the format ${CHANGED}, or is one of a newer version`);
    const hasGap = number !== this.#last + 1;
    this.#last = number;
    if (typeof facts !== 'string') {
      this.#found(number, 'facts', `the facts ${CHANGED}: they are no text`);
      this.#chain = typeof chain === 'string' ? chain : this.#chain;
      return;
    }
    this.#follow(number, facts, chain, hasGap);
    this.#compare(entry, facts);
  }

  /** After the last entry. */
  finish(): void {
    const doubt = this.#doubt;
    this.#doubt = undefined;
    if (doubt) this.#found(doubt.number, 'facts or chain', 'the facts do not fit the chain: one of them was changed');
  }

  #found(number: number, field: string, what: string): void {
    this.findings.push({ number, field, what });
  }

  #follow(number: number, facts: string, chain: unknown, hasGap: boolean): void {
    this.#settle(facts, chain);
    const computed = nextChain(this.#chain, facts);
    if (typeof chain !== 'string' || !/^[0-9a-f]{64}$/.test(chain)) {
      this.#found(number, 'chain', `the chain ${CHANGED}: it is not 64 hex digits`);
      this.#chain = computed;
      return;
    }
    // Behind a gap the chain before isn't known.
    if (computed !== chain && !hasGap) this.#doubt = { number, computed, stored: chain, others: [] };
    this.#chain = chain;
  }

  /** If the entry behind it was made on the stored chain, the facts were changed; if on the computed one, the chain. */
  #settle(facts: string, chain: unknown): void {
    const doubt = this.#doubt;
    if (!doubt) return;
    this.#doubt = undefined;
    if (nextChain(doubt.computed, facts) === chain) {
      this.#found(doubt.number, 'chain', `the chain ${CHANGED}`);
      this.findings.push(...doubt.others);
      this.#chain = doubt.computed;
    } else if (nextChain(doubt.stored, facts) === chain) {
      this.#found(doubt.number, 'facts', `a fact ${CHANGED}`);
    } else {
      this.#found(doubt.number, 'facts or chain', 'the facts do not fit the chain: one of them was changed');
    }
  }

  #compare({ number, actor, action, subject, personal }: StoredAccess, facts: string): void {
    const found = this.#doubt?.number === number ? this.#doubt.others : this.findings;
    const fields = fieldsIn(facts);
    if (this.#doubt?.number !== number && canonicalJson(fields) !== facts) {
      found.push({ number, field: 'facts', what: `the facts ${CHANGED}: they are not canonical JSON` });
    }
    for (const [field, value] of Object.entries({ number, actor, action, subject })) {
      if (fields[field] === value) continue;
      found.push({ number, field, what: `the ${field} ${CHANGED}: the facts have another one` });
    }
    this.#personal(number, fields['hashes'], personal, found);
  }

  #personal(number: number, stored: unknown, personal: unknown, found: AccessFinding[]): void {
    const hashes: readonly unknown[] = Array.isArray(stored) ? stored : [];
    let values: unknown;
    try {
      values = typeof personal === 'string' ? JSON.parse(personal) : undefined;
    } catch {
      values = undefined;
    }
    if (!Array.isArray(values) || values.length !== hashes.length || canonicalJson(values) !== personal) {
      const what = `the personal part ${CHANGED}: the facts name ${hashes.length} values`;
      found.push({ number, field: 'personal', what });
      return;
    }
    for (const [index, value] of values.entries()) {
      if (value === null) this.removed += 1;
      else if (hashOf(JSON.stringify(value)) !== hashes[index]) {
        const what = `the value ${CHANGED}: it does not have the hash that the facts keep of it`;
        found.push({ number, field: VALUES[index] ?? 'personal', what });
      }
    }
  }
}
