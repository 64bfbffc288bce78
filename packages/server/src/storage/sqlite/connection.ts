import Database from 'libsql';
import { decodeText, encodeText } from './text.js';

export type SqlValue = string | number | null;
export type SqlRow = readonly SqlValue[];

/** How long a statement waits for another process that writes (an import, a backup's checkpoint). Milliseconds. */
export const BUSY_TIMEOUT_MS = 10_000;
/** A wait is made of slices this long (ms), between which it can be given up: nothing interrupts the driver itself. */
const BUSY_SLICE_MS = 250;

const UTF_8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** The part of the driver's statements that is used here; its own types lack `raw`. */
interface DriverStatement {
  raw(): this;
  run(params: readonly SqlValue[]): { changes: number };
  all(params: readonly SqlValue[]): SqlRow[];
}

/** The driver ends the process when it is given a boolean, so nothing but text, numbers and null gets to it. */
function bindable(value: unknown): SqlValue {
  if (typeof value === 'string') return encodeText(value);
  if (typeof value === 'number' || value === null) return value;
  if (value === undefined) return null;
  throw new TypeError(`a ${typeof value} cannot be stored`);
}

/**
 * What a connection is for. `write`: everything, and what it commits is on the disk. `read`: changes nothing, so that
 * it waits for no writer. `import`: its many small commits are on the disk only with the next commit of any other
 * connection or with `commitsAreDurable(true)`, and it copies the log into the file when it is told to.
 */
export type Purpose = 'write' | 'read' | 'import';

const SETTINGS: Readonly<Record<Purpose, string>> = {
  // On every open: these are settings of the connection, not of the file.
  write: 'PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -16000',
  read: 'PRAGMA query_only = ON; PRAGMA cache_size = -16000',
  import: `PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -64000;
    PRAGMA wal_autocheckpoint = 0; PRAGMA legacy_alter_table = ON`,
};

/** One connection with its prepared statements. Synchronous: lives in a worker thread. */
export class Connection {
  readonly #db: InstanceType<typeof Database>;
  readonly #statements = new Map<string, DriverStatement>();

  /**
   * Opens, and creates where missing. Throws when the file can't be used.
   * @param givenUp true once nothing shall wait for another process any more
   */
  constructor(
    readonly path: string,
    readonly purpose: Purpose = 'write',
    readonly givenUp: () => boolean = () => false,
  ) {
    this.#db = new Database(path);
    try {
      this.#db.exec(`PRAGMA busy_timeout = ${BUSY_SLICE_MS}`);
      const mode = this.#switchToWal();
      if (mode !== 'wal' && mode !== 'memory') {
        throw new Error(
          `SQLite can't keep a write-ahead log beside ${path} (its journal mode is ${mode}): ` +
            'put the database on a disk of this machine',
        );
      }
      this.#db.exec(SETTINGS[purpose]);
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Two processes that open a new file at once: the switch doesn't wait for the busy timeout by itself. */
  #switchToWal(): SqlValue | undefined {
    return this.#patiently(() => this.rows('PRAGMA journal_mode = WAL', [])[0]?.[0]);
  }

  /** Tries until no other connection is in the way, for BUSY_TIMEOUT_MS. */
  #patiently<Result>(work: () => Result): Result {
    const deadline = Date.now() + BUSY_TIMEOUT_MS;
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || Date.now() > deadline || this.givenUp()) throw error;
      }
    }
  }

  #prepared(sql: string): DriverStatement {
    const known = this.#statements.get(sql);
    if (known) return known;
    const made = this.#db.prepare(sql) as unknown as DriverStatement;
    this.#statements.set(sql, made);
    return made;
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  /** Answers the number of rows that changed. */
  run(sql: string, params: readonly unknown[]): number {
    return this.#prepared(sql).run(params.map(bindable)).changes;
  }

  /** `run` for parameters that are known to need no encoding, such as long JSON. */
  runEncoded(sql: string, params: readonly SqlValue[]): number {
    return this.#prepared(sql).run(params).changes;
  }

  rows(sql: string, params: readonly unknown[]): SqlRow[] {
    const found = this.#prepared(sql).raw().all(params.map(bindable));
    return found.map((row) => row.map((value) => (typeof value === 'string' ? decodeText(value) : value)));
  }

  row(sql: string, params: readonly unknown[]): SqlRow | undefined {
    return this.rows(sql, params)[0];
  }

  /** Rows as the driver has them: blobs are bytes, and no text is decoded. */
  raw(sql: string, params: readonly unknown[]): (readonly unknown[])[] {
    return this.#prepared(sql).raw().all(params.map(bindable));
  }

  /**
   * The one text that a query answers, as it is stored. It is read as bytes, since the driver ends the process when
   * text in the file is no UTF-8, as another program may have left it: U+FFFD stands for such bytes.
   */
  text(sql: string, params: readonly unknown[]): string {
    // A statement that writes, and answers what it wrote, can't be a part of another one.
    const asBytes = /^\s*SELECT\b/.test(sql) ? `SELECT CAST((${sql}) AS BLOB)` : sql;
    const value: unknown = this.raw(asBytes, params)[0]?.[0];
    if (value instanceof Uint8Array) return UTF_8.decode(value);
    if (typeof value !== 'string') throw new TypeError('a query for text answered something else');
    return value;
  }

  /** All of `work` or nothing, durable when it returns. Waits for other writers before it starts. */
  transaction<Result>(work: () => Result): Result {
    return this.#between('BEGIN IMMEDIATE', work);
  }

  /** `work` sees the database as it is now, whatever others write meanwhile, and keeps nobody from writing. */
  snapshot<Result>(work: () => Result): Result {
    return this.#between('BEGIN DEFERRED', work);
  }

  #between<Result>(begin: string, work: () => Result): Result {
    this.#patiently(() => this.#db.exec(begin));
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite has rolled back already after some failures (a full disk, an I/O error).
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** For connections that import: whether a commit waits for the disk. Outside a transaction. */
  commitsAreDurable(durable: boolean): void {
    this.#db.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
  }

  /** Copies what it can of the log into the database file, without keeping anybody from reading or writing. */
  checkpoint(): void {
    this.rows('PRAGMA wal_checkpoint(PASSIVE)', []);
  }

  /** Lets go; who writes copies the log into the database file before. */
  close(): void {
    this.#statements.clear();
    try {
      if (this.purpose === 'write') this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // The log stays beside the file and is read by whoever opens it next.
    }
    this.#db.close();
  }
}

export const errorCode = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

/** Another connection kept the database for longer than BUSY_TIMEOUT_MS. */
export const isBusy = (error: unknown): boolean =>
  errorCode(error).startsWith('SQLITE_BUSY') || errorCode(error).startsWith('SQLITE_LOCKED');

/** A row is in the way of one that was to be written: somebody else was first. */
export const isConstraint = (error: unknown): boolean => errorCode(error).startsWith('SQLITE_CONSTRAINT');
