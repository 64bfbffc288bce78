import type { Page } from './port.js';

/** A page of rows of which one more than `limit` was asked for: whether it is there tells whether anything follows. */
export function pageOf<Item, Key>(found: readonly Item[], limit: number, keyOf: (item: Item) => Key): Page<Item, Key> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, next: found.length > limit && last !== undefined ? keyOf(last) : null };
}

/** A page of items that are all at hand, in the order of their keys' text. */
export function pageIn<Item>(
  all: readonly Item[],
  { after, limit }: { readonly after: string | null; readonly limit: number },
  keyOf: (item: Item) => string,
): Page<Item> {
  const behind = all.filter((item) => after === null || keyOf(item) > after);
  const sorted = behind.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
  return pageOf(sorted, limit, keyOf);
}

/**
 * A text in the cases in which people write it: as it is, small, capital, and with capital first letters. For
 * databases that compare by letter, and for letters beyond ASCII, of which SQLite knows no case.
 */
export function casesOf(text: string): string[] {
  const small = text.toLowerCase();
  const firstCapital = small.replace(/^./su, (letter) => letter.toUpperCase());
  const eachCapital = small.replace(/(?<=^|[\s.'-])[^\s.'-]/gsu, (letter) => letter.toUpperCase());
  return [...new Set([text, small, text.toUpperCase(), firstCapital, eachCapital])];
}
