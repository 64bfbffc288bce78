interface Numbered {
  readonly seq: number;
}

/**
 * Puts what arrives into the order of the journal: each seq once, none twice, none before its turn.
 *
 * A teacher sees every entry, so a hole between seqs is a gap: what lies behind it is kept back until the answer to a
 * catch-up fills it. A student sees some entries only (`sparse`), so a hole means nothing while the connection lasts.
 */
export class Sequence<Item extends Numbered> {
  readonly #sparse: boolean;
  #seq: number;
  #held: Item[] = [];
  #holding = false;

  constructor(options: { sparse: boolean; seq?: number }) {
    this.#sparse = options.sparse;
    this.#seq = options.seq ?? 0;
  }

  /** Every entry up to this one that concerns this client has been handed out. */
  get seq(): number {
    return this.#seq;
  }

  /** True while something is kept back because what comes before it is missing. */
  get gap(): boolean {
    return !this.#holding && this.#held.length > 0;
  }

  /** True while an answer is awaited. */
  get holding(): boolean {
    return this.#holding;
  }

  /** From now on everything is kept back, because an answer that may come before it is under way. */
  hold(): void {
    this.#holding = true;
  }

  /** Takes live items in their order of arrival; returns what is due now. */
  offer(items: readonly Item[]): Item[] {
    this.#held.push(...items.filter((item) => item.seq > this.#seq));
    return this.#holding ? [] : this.#due();
  }

  /**
   * Takes the answer to a catch-up: every item after the seq that was asked from, complete up to `upTo`.
   * Stops holding, and returns the answer's items and the held ones as far as they are due.
   */
  settle(items: readonly Item[], upTo: number): Item[] {
    this.#holding = false;
    // The answer first: where both have an entry, its account counts. Held items aren't dropped for being below
    // upTo, because what was committed while the answer was being made may be in them alone.
    this.#held = [...items, ...this.#held].filter((item) => item.seq > this.#seq);
    const due = this.#due();
    if (this.#sparse && upTo > this.#seq) this.#seq = upTo;
    return due;
  }

  /**
   * The connection is gone: what was kept back comes again if it still holds, and what comes over the next connection
   * waits for the answer to a catch-up, since it may be of another journal.
   */
  interrupt(): void {
    this.#held = [];
    this.#holding = true;
  }

  /** Begins anew at `seq`, whatever was handed out before; returns what was kept back behind it. */
  restart(seq: number): Item[] {
    this.#seq = seq;
    return this.settle([], seq);
  }

  /** Goes on after a snapshot taken at `seq`; nothing up to there will be handed out any more. */
  skipTo(seq: number): void {
    if (seq > this.#seq) this.#seq = seq;
    this.#held = this.#held.filter((item) => item.seq > this.#seq);
  }

  #due(): Item[] {
    const due: Item[] = [];
    if (this.#held.length > 1) this.#held.sort((a, b) => a.seq - b.seq);
    let taken = 0;
    for (const item of this.#held) {
      if (item.seq > this.#seq + 1 && !this.#sparse) break;
      taken += 1;
      if (item.seq <= this.#seq) continue;
      this.#seq = item.seq;
      due.push(item);
    }
    this.#held = this.#held.slice(taken);
    return due;
  }
}
