import type { Connection, SqlRow, SqlValue } from './connection.js';
import { encodeText, parseRows } from './text.js';

/** A table that imports write. */
export interface SchoolTable {
  readonly name: 'users' | 'teachers' | 'students' | 'courses' | 'course_teachers' | 'enrollments' | 'class_sessions';
  readonly key: readonly [string, ...string[]];
  /** What imports say, beside the key. The table may have more columns, and an import leaves them as they are. */
  readonly columns: readonly string[];
  /** A column beside the key that no two rows may share, though its values may go from one row to another. */
  readonly unique?: string;
}

export const SCHOOL_TABLES = {
  users: {
    name: 'users',
    key: ['user_id'],
    columns: ['uid', 'name', 'email', 'profile_picture', 'is_admin', 'disabled'],
    unique: 'uid',
  },
  teachers: {
    name: 'teachers',
    key: ['teacher_id'],
    columns: ['user_id', 'department', 'designation'],
    unique: 'user_id',
  },
  students: {
    name: 'students',
    key: ['student_id'],
    columns: ['user_id', 'roll', 'section', 'department', 'semester'],
    unique: 'user_id',
  },
  courses: { name: 'courses', key: ['course_id'], columns: ['title', 'course_code', 'credit', 'teacher_id'] },
  course_teachers: { name: 'course_teachers', key: ['course_id', 'teacher_id'], columns: [] },
  enrollments: { name: 'enrollments', key: ['course_id', 'student_id'], columns: ['status', 'begins', 'ends'] },
  class_sessions: {
    name: 'class_sessions',
    key: ['session_id'],
    columns: ['course_id', 'teacher_id', 'date', 'start_time', 'end_time', 'topic', 'description', 'status'],
  },
} as const satisfies Record<string, SchoolTable>;

/** A row that an import changes: as it is stored (null where it isn't) and as it is to be (null where it goes). */
export interface RowChange {
  readonly before: SqlRow | null;
  readonly after: SqlRow | null;
}

/** Values that one query asks for or one statement brings. */
export const VALUES_AT_ONCE = 2_000;

export const same = (one: SqlRow, other: SqlRow): boolean => one.every((value, i) => value === other[i]);

/**
 * Rows of a table as an import finds and leaves them, in memory: each begins with its key, then come the columns.
 * What the import asks for must have been loaded before.
 */
export class TableRows {
  readonly #table: SchoolTable;
  readonly #rows = new Map<string, SqlRow>();
  readonly #before = new Map<string, SqlRow | null>();
  readonly #byUnique = new Map<SqlValue, string>();
  readonly #uniqueAt: number;

  constructor(readonly table: SchoolTable) {
    this.#table = table;
    this.#uniqueAt = table.unique === undefined ? -1 : [...table.key, ...table.columns].indexOf(table.unique);
  }

  /** Loads the rows whose `column` holds one of the values. */
  load(db: Connection, column: string, values: Iterable<SqlValue>): void {
    const { name, key, columns } = this.#table;
    const all = [...new Set(values)].filter((value) => typeof value === 'string');
    // The table is walked by the index of its key or of its unique column, whatever the planner may think of it.
    const sql = `SELECT json_group_array(json_array(${[...key, ...columns].map((one) => `t.${one}`).join(', ')}))
      FROM json_each(?1) AS r CROSS JOIN main.${name} AS t ON t.${column} = r.value`;
    for (const part of inParts(all)) {
      for (const row of parseRows(db.text(sql, [JSON.stringify(part.map(encodeText))]))) this.#keep(row as SqlRow);
    }
  }

  #keep(row: SqlRow): void {
    const id = this.#idOf(row);
    this.#rows.set(id, row);
    if (this.#uniqueAt >= 0 && row[this.#uniqueAt] !== null) this.#byUnique.set(row[this.#uniqueAt] ?? null, id);
  }

  #idOf(row: SqlRow): string {
    const { length } = this.#table.key;
    return length === 1 ? String(row[0]) : JSON.stringify(row.slice(0, length));
  }

  get(...key: readonly string[]): SqlRow | undefined {
    return this.#rows.get(this.#idOf(key));
  }

  byUnique(value: string): SqlRow | undefined {
    const id = this.#byUnique.get(value);
    return id === undefined ? undefined : this.#rows.get(id);
  }

  /** All that is loaded, as it is to be. */
  values(): IterableIterator<SqlRow> {
    return this.#rows.values();
  }

  /** Sets a row, key and columns. */
  put(row: SqlRow): void {
    this.#forget(this.#idOf(row));
    this.#keep(row);
  }

  remove(...key: readonly string[]): void {
    const id = this.#idOf(key);
    this.#forget(id);
    this.#rows.delete(id);
  }

  #forget(id: string): void {
    const row = this.#rows.get(id);
    if (!this.#before.has(id)) this.#before.set(id, row ?? null);
    const value = row?.[this.#uniqueAt] ?? null;
    if (value !== null && this.#byUnique.get(value) === id) this.#byUnique.delete(value);
  }

  changes(): RowChange[] {
    const changes: RowChange[] = [];
    for (const [id, before] of this.#before) {
      const after = this.#rows.get(id) ?? null;
      const isSame = before === null || after === null ? before === after : same(before, after);
      if (!isSame) changes.push({ before, after });
    }
    return changes;
  }
}

export function* inParts<Value>(values: readonly Value[], size = VALUES_AT_ONCE): Generator<readonly Value[]> {
  for (let from = 0; from < values.length; from += size) yield values.slice(from, from + size);
}
