import type { AccessEntry, StoredAccess } from '../../journal/access-entry.js';
import type { Page, PageQuery } from './pages.js';

/** Who saw or changed what of other people: one chained log of the installation, which only grows. */
export interface AccessLog {
  /** Adds an entry, durable before it resolves. @returns its number: 1, 2, 3 … without gaps */
  append(entry: AccessEntry): Promise<number>;
  /** Entries in order of number, as they are stored: nothing of them is checked. */
  list(query: AccessQuery): Promise<Page<StoredAccess, number>>;
}

export interface AccessQuery extends PageQuery<number> {
  readonly actor: string | null;
  readonly subject: string | null;
  readonly action: string | null;
}
