import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Sqlite from 'libsql';
import { mongo } from 'mongoose';
import type { Lab } from '../experiment.js';
import { rollcall } from './server-process.js';

/** A journal entry as the database holds it. */
export interface StoredEntry {
  readonly seq: number;
  readonly type: string;
  readonly at: number;
  readonly op_id?: string;
  readonly reason?: string;
  readonly student_id?: string;
}

/** What makes two registers the same. */
export interface RecordLine {
  readonly student_id: string;
  readonly status: string;
  readonly remarks: string | null;
  readonly seq: number;
}

/** A register as one word: that of its records by student, as sorted JSON. */
export function hashOf(records: Iterable<RecordLine>): string {
  const lines = Array.from(records, ({ student_id, status, remarks, seq }) =>
    JSON.stringify([student_id, status, remarks, seq]),
  );
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex').slice(0, 16);
}

/** A database read past Rollcall. */
export interface Database {
  /** DATABASE_URL */
  readonly url: string;
  entries(sessionId: string): Promise<StoredEntry[]>;
  records(sessionId: string): Promise<RecordLine[]>;
}

export class SqliteFile implements Database {
  readonly url: string;
  readonly #path: string;

  constructor(folder: string) {
    this.#path = join(folder, 'rollcall.db');
    this.url = `sqlite:${this.#path}`;
  }

  static async fresh(lab: Lab): Promise<SqliteFile> {
    return new SqliteFile(await lab.folder());
  }

  async entries(sessionId: string): Promise<StoredEntry[]> {
    const rows = this.#all('SELECT facts FROM journal WHERE session_id = ? ORDER BY first_seq', sessionId);
    return rows.flatMap(({ facts }) => entriesIn(facts));
  }

  async records(sessionId: string): Promise<RecordLine[]> {
    const query = 'SELECT student_id, status, remarks, seq FROM attendance_records WHERE session_id = ?';
    return this.#all(query, sessionId) as unknown as RecordLine[];
  }

  /** `ok`, or what SQLite finds wrong. */
  integrity(): string {
    return this.#all('PRAGMA integrity_check')
      .map((row) => String(row['integrity_check']))
      .join('; ');
  }

  #all(sql: string, ...params: string[]): Array<Record<string, unknown>> {
    const db = new Sqlite(this.#path);
    try {
      db.exec('PRAGMA busy_timeout = 10000');
      return db.prepare(sql).all(...params) as Array<Record<string, unknown>>;
    } finally {
      db.close();
    }
  }
}

/** The entries of a commit, as docs/reference/journal.md describes its facts. */
const entriesIn = (facts: unknown): StoredEntry[] => JSON.parse(String(facts)).entries;

export class MongoDatabase implements Database {
  readonly url: string;
  readonly #direct: string;

  /** @param direct the same database past anything that stands in between */
  constructor(url: string, direct = url) {
    this.url = url;
    this.#direct = direct;
  }

  /** A new one on MONGODB_TEST_URI, which goes with the experiment. */
  static async fresh(lab: Lab): Promise<MongoDatabase> {
    const database = new MongoDatabase(withName(process.env['MONGODB_TEST_URI'] ?? ''));
    lab.defer(() => database.#with((db) => db.dropDatabase()));
    return database;
  }

  /** The same database by way of another port of this machine. */
  through(port: number): MongoDatabase {
    const url = this.url.replace(/\/\/((?:[^@/]*@)?)[^/?]+/, `//$1127.0.0.1:${port}`);
    return new MongoDatabase(`${url}${url.includes('?') ? '&' : '?'}directConnection=true`, this.#direct);
  }

  get host(): { host: string; port: number } {
    const [, host = '127.0.0.1', port = '27017'] = /\/\/(?:[^@/]*@)?([^:,/?]+)(?::(\d+))?/.exec(this.url) ?? [];
    return { host, port: Number(port) };
  }

  entries(sessionId: string): Promise<StoredEntry[]> {
    return this.#with(async (db) => {
      const batches = await db.collection('rollcall_journal').find({ session_id: sessionId }).toArray();
      batches.sort((a, b) => Number(a['first_seq']) - Number(b['first_seq']));
      return batches.flatMap((batch) => entriesIn(batch['facts']));
    });
  }

  records(sessionId: string): Promise<RecordLine[]> {
    return this.#with(async (db) => {
      const rows = await db
        .collection('attendancerecords')
        .find({ session_id: sessionId as never })
        .toArray();
      return rows.map(({ student_id, status, remarks = null, seq }) => ({
        student_id: String(student_id),
        status: String(status),
        remarks: remarks as string | null,
        seq: Number(seq),
      }));
    });
  }

  async #with<Result>(work: (db: mongo.Db) => Promise<Result>): Promise<Result> {
    const client = new mongo.MongoClient(this.#direct, { serverSelectionTimeoutMS: 10_000 });
    try {
      return await work(client.db());
    } finally {
      await client.close();
    }
  }
}

export function withName(uri: string): string {
  const [address = '', query] = uri.split('?');
  const base = address.replace(/^([^/]+\/\/[^/]+).*$/, '$1');
  return `${base}/rollcall_faults_${randomBytes(6).toString('hex')}${query === undefined ? '' : `?${query}`}`;
}

/** Everything in a database agrees with the journals: what `rollcall verify` finds. */
export async function verified(lab: Lab, { url }: Database): Promise<void> {
  const { code, stdout, stderr } = await rollcall(await lab.folder(), ['verify', '--json'], { DATABASE_URL: url });
  lab.equal(code, 0, `rollcall verify: ${stdout.slice(0, 500)}${stderr.slice(0, 500)}`);
}

/** Waits until the records are written as far as the journal goes. */
export async function projected(lab: Lab, database: Database, sessionId: string, hash: string): Promise<void> {
  let last = '';
  const reached = async () => {
    last = hashOf(await database.records(sessionId));
    return last === hash;
  };
  await lab.until(reached, 'the records in the database are those of the register', { within: 30_000, every: 200 });
}
