import type { Entry } from '../journal/entries.js';
import type { Storage } from '../storage/port.js';
import { type JournalPart, readJournal } from './read-journal.js';
import { olderEntriesOf, type Repeatable } from './repeat.js';
import type { SessionState } from './session-state.js';

/** Entries, and ends of commits, that are kept in memory for clients that missed a few. */
const RECENT_MAX = 2_000;

/** The entries that led a session to its state: the last ones from memory, those before them from the journal. */
export class SessionHistory implements Repeatable {
  readonly state: SessionState;
  readonly #storage: Storage;
  readonly #recent: Entry[] = [];
  /** Where recent commits end, and the chain there. The oldest first. */
  readonly #ends = new Map<number, string>();
  #reading: { readonly after: number; readonly upTo: number; readonly part: Promise<JournalPart> } | undefined;

  constructor(state: SessionState, storage: Storage) {
    this.state = state;
    this.#storage = storage;
    this.#ends.set(state.seq, state.chain);
  }

  /** These entries have become part of the state, which is at the end of a commit. */
  add(entries: readonly Entry[]): void {
    for (const entry of entries) this.#recent.push(entry);
    if (this.#recent.length > 2 * RECENT_MAX) this.#recent.splice(0, this.#recent.length - RECENT_MAX);
    this.#ends.set(this.state.seq, this.state.chain);
    for (const seq of this.#ends.keys()) {
      if (this.#ends.size <= RECENT_MAX) break;
      this.#ends.delete(seq);
    }
  }

  /**
   * Entries after `seq` in order, from memory where they are still there.
   * @param chain what the client believes the chain to be at `seq`: 16 hex digits or more
   * @returns undefined where `seq` is of another journal than this one: past its end, or with another chain
   */
  async entriesSince(seq: number, chain?: string): Promise<readonly Entry[] | undefined> {
    if (seq > this.state.seq) return undefined;
    if (chain !== undefined && seq > 0) {
      const ours = this.#ends.get(seq) ?? (await this.#readAfter(seq - 1)).ends.get(seq);
      if (!ours?.startsWith(chain)) return undefined;
    }
    return this.#entriesAfter(seq);
  }

  async #entriesAfter(seq: number): Promise<readonly Entry[]> {
    if (seq >= this.state.seq) return [];
    const first = this.#recent[0];
    if (first && first.seq <= seq + 1) return this.#recent.slice(seq + 1 - first.seq);
    const { entries } = await this.#readAfter(seq);
    // What was committed elsewhere in the meantime is published later, in its own time.
    return entries.filter((entry) => entry.seq > seq && entry.seq <= this.state.seq);
  }

  /** The `count` entries that come after `seq`, or as many as there are. */
  async entriesFrom(seq: number, count: number): Promise<readonly Entry[]> {
    const first = this.#recent[0];
    if (first && first.seq <= seq + 1) return this.#recent.slice(seq + 1 - first.seq, seq + 1 - first.seq + count);
    return olderEntriesOf(this.state, this.#storage).from(seq, count);
  }

  /** A hall that comes back at once shares what is being read: it is the same journal for all. */
  async #readAfter(seq: number): Promise<JournalPart> {
    const shared = this.#reading;
    if (shared && shared.after <= seq && shared.upTo === this.state.seq) return shared.part;
    const part = readJournal(this.#storage, this.state.facts.session_id, seq);
    const reading = { after: seq, upTo: this.state.seq, part };
    this.#reading = reading;
    try {
      return await part;
    } finally {
      if (this.#reading === reading) this.#reading = undefined;
    }
  }
}
