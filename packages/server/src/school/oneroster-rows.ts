import type { CsvRow } from './csv-table.js';
import type { SchoolReading } from './school-reading.js';

export type Version = '1.1' | '1.2';

/** A table of a bundle: how its file is called, and its bytes, null where the manifest doesn't name it. */
export interface Table {
  readonly file: string;
  readonly bytes: Uint8Array | null;
}

/** What a row says of itself: it holds, its school has given it up, or it says something that isn't known. */
export type Standing = 'active' | 'deleted' | 'refused';

export function standingOf(row: CsvRow, reading: SchoolReading): Standing {
  const status = row.cell('status').toLowerCase();
  if (status === '' || status === 'active') return 'active';
  if (status === 'tobedeleted') {
    reading.ignore('rows to be deleted');
    return 'deleted';
  }
  reading.refuse(row, `status is "${status}"; it must be active, tobedeleted or empty`);
  return 'refused';
}

/** The rows of a table by sourcedId, and the ids of those that can't be used. */
export class BySourcedId<T extends { readonly line: number }> {
  readonly rows = new Map<string, T>();
  /** sourcedIds of the rows that are to be deleted. */
  readonly deleted = new Set<string>();
  readonly #spoilt = new Set<string>();
  /** False where the table was refused as a whole. */
  usable = true;

  /** Takes in a row, unless it is deleted, has no id, or has one that is there already. */
  add(row: CsvRow, reading: SchoolReading, make: (id: string) => T): void {
    const id = row.cell('sourcedId');
    const standing = standingOf(row, reading);
    if (standing === 'deleted') this.deleted.add(id);
    if (standing === 'refused') this.spoil(row);
    if (standing !== 'active') return;
    const first = this.rows.get(id);
    if (id === '') reading.refuse(row, 'sourcedId is empty');
    else if (first) reading.refuse(row, `sourcedId "${id}" is already in line ${first.line}`);
    else this.rows.set(id, make(id));
  }

  /** Whether the only row of this id is one to be deleted. */
  isDeleted(id: string): boolean {
    return this.deleted.has(id) && !this.rows.has(id);
  }

  /** Remembers that there is a row of this id, though it can't be used. */
  spoil(row: CsvRow): void {
    this.#spoilt.add(row.cell('sourcedId'));
  }

  /** Whether a reference that leads to no row is a fault of its own, and no echo of what was refused. */
  isMissing(id: string): boolean {
    return this.usable && !this.rows.has(id) && !this.deleted.has(id) && !this.#spoilt.has(id);
  }
}
