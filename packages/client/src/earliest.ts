interface Numbered {
  readonly number: number;
}

/** A queue that gives the item with the lowest number first, in whatever order they came: a binary heap. */
export class Earliest<Item extends Numbered> {
  #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    const items = this.#items;
    let at = items.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = items[above];
      if (!parent || parent.number <= item.number) break;
      items[at] = parent;
      at = above;
    }
    items[at] = item;
  }

  take(): Item | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (!last || items.length === 0) return first;
    let at = 0;
    for (;;) {
      const [left, right] = [items[2 * at + 1], items[2 * at + 2]];
      const child = right && left && right.number < left.number ? right : left;
      if (!child || child.number >= last.number) break;
      items[at] = child;
      at = child === right ? 2 * at + 2 : 2 * at + 1;
    }
    items[at] = last;
    return first;
  }

  /** Drops what isn't kept. */
  keep(kept: (item: Item) => boolean): void {
    // In order of their numbers they are a heap.
    this.#items = this.#items.filter(kept).sort((a, b) => a.number - b.number);
  }
}
