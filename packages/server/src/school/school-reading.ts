import type { ImportReport, School, SchoolList } from '../storage/port.js';
import { referredList, schoolKeys } from './school-rows.js';

/** Where a row stands: the file as it was named, and the line from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

export interface Problem extends Place {
  readonly what: string;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Rows = { [List in SchoolList]: Array<Mutable<School[List][number]>> };

/** What was read from a school file or a OneRoster bundle: the good rows, where each stands, and what is wrong. */
export class SchoolReading {
  readonly problems: Problem[] = [];
  /** What was left out on purpose, in words, with its number. */
  readonly ignored: Record<string, number> = {};

  readonly #rows: Rows = { teachers: [], students: [], admins: [], courses: [], enrollments: [], sessions: [] };
  readonly #places: Record<SchoolList, Place[]> = {
    teachers: [],
    students: [],
    admins: [],
    courses: [],
    enrollments: [],
    sessions: [],
  };
  readonly #seen = new Map<string, Place>();
  /** Ids of rows that are wrong: a reference to one is not a fault of its own. */
  readonly #spoilt = new Set<string>();

  get school(): School {
    return this.#rows;
  }

  /** Adds a good row, unless the list has it already. */
  add<List extends SchoolList>(list: List, row: Rows[List][number], place: Place): void {
    const twice = this.#duplicate(list, row as Readonly<Record<string, unknown>>, place);
    if (twice !== null) this.refuse(place, twice);
    else {
      (this.#rows[list] as Array<Rows[List][number]>).push(row);
      this.#places[list].push(place);
    }
  }

  refuse(place: Place, what: string): void {
    this.problems.push({ file: place.file, line: place.line, what });
  }

  /** Remembers that a row of this id exists, though it can't be used. */
  spoil(list: SchoolList, id: unknown): void {
    if (typeof id === 'string') this.#spoilt.add(`${list}\n${id}`);
  }

  ignore(what: string): void {
    this.ignored[what] = (this.ignored[what] ?? 0) + 1;
  }

  /**
   * One person in two lists (a teacher who is an admin, a student who teaches) is one user: what one row leaves out
   * is taken from the other, and where they contradict each other the later is refused, since every import would
   * change the user twice.
   */
  reconcilePeople(): void {
    const users = new Map<string, { row: Person; place: Place }>();
    for (const list of ['teachers', 'students', 'admins'] as const) {
      for (const [index, row] of this.#rows[list].entries()) {
        const place = this.#places[list][index];
        const first = users.get(row.uid);
        if (!place || !first) {
          if (place) users.set(row.uid, { row, place });
          continue;
        }
        for (const field of ['name', 'email', 'profile_picture'] as const) this.#agree(first, { row, place }, field);
      }
    }
  }

  /** Problems for the references that lead neither to a row nor to the database, in the order of the file. */
  addUnresolved(unresolved: ImportReport['unresolved']): void {
    for (const { list, index, field, value } of unresolved) {
      const place = this.#places[list][index];
      const referred = referredList[field];
      if (!place || (referred !== undefined && this.#spoilt.has(`${referred}\n${value}`))) continue;
      this.refuse(place, `${field} "${value}" is neither in the file nor in the database`);
    }
  }

  /** Each as `file:LINE: what`, in order. */
  problemLines(): string[] {
    return this.problems
      .toSorted((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line))
      .map(({ file, line, what }) => `${file}:${line}: ${what}`);
  }

  #duplicate(list: SchoolList, row: Readonly<Record<string, unknown>>, place: Place): string | null {
    let twice: string | null = null;
    for (const fields of schoolKeys[list]) {
      const value = fields.map((field) => row[field]);
      const key = JSON.stringify([list, fields, value]);
      const first = this.#seen.get(key);
      if (first === undefined) this.#seen.set(key, place);
      else twice ??= `${fields.join(' and ')} "${value.join('", "')}" is already in line ${first.line}`;
    }
    return twice;
  }

  #agree(first: { row: Person; place: Place }, second: { row: Person; place: Place }, field: keyof Person): void {
    const [one, other] = [first.row[field], second.row[field]];
    if (one === undefined || other === undefined || one === other) return;
    if (one === null) first.row[field] = other as never;
    else if (other === null) second.row[field] = one as never;
    else this.refuse(second.place, `uid "${first.row.uid}" has another ${field} in line ${first.place.line}`);
  }
}

interface Person {
  uid: string;
  name: string;
  email: string | null;
  profile_picture?: string | null;
}
