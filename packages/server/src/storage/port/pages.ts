/** Which part of a list is asked for: what comes behind a key, in the order of keys. */
export interface PageQuery<Key = string> {
  /** The last key of the page before; null for the first page. */
  readonly after: Key | null;
  /** 1 or more. */
  readonly limit: number;
}

/** A part of a list, in the order of its keys. A key is the id of an item, as anybody may have it. */
export interface Page<Item, Key = string> {
  readonly items: readonly Item[];
  /** What to ask for as `after` to get the next page; null where nothing comes behind this one. */
  readonly next: Key | null;
}

/**
 * What came of a change of people, courses, enrolments or scheduled sessions. Whatever isn't done is not half done.
 * `left`: all was so already. `taken`: somebody else has this id or uid. `missing`: `value` names nothing that is
 * there. `begun`: the session isn't scheduled any more, or has a journal.
 */
export type SchoolChange =
  | { readonly outcome: 'added' | 'changed' | 'left'; readonly id: string }
  | { readonly outcome: 'taken'; readonly field: string }
  | { readonly outcome: 'missing'; readonly field: string; readonly value: string }
  | { readonly outcome: 'begun' };
