import Database from 'libsql';
import { onTestFinished } from 'vitest';
import { SqliteStorage } from '../storage/sqlite/storage.js';
import type { TestServer } from './server.js';

/** The SQLite file behind a server. */
export function fileOf(server: TestServer): string {
  const { database } = server.config;
  if (database.kind !== 'sqlite') throw new Error('not on SQLite');
  return database.path;
}

/** A connection to the file of a running server, as another process would have it. */
export interface OtherConnection {
  exec(sql: string): void;
  rows(sql: string): unknown[][];
}

export function otherConnection(path: string): OtherConnection {
  const db = new Database(path);
  db.exec('PRAGMA busy_timeout = 10000');
  onTestFinished(() => {
    db.close();
  });
  return {
    exec: (sql) => {
      db.exec(sql);
    },
    rows: (sql) => (db.prepare(sql) as unknown as { raw(): { all(): unknown[][] } }).raw().all(),
  };
}

/** Another process's storage on the same file. */
export async function otherWriter(server: TestServer): Promise<SqliteStorage> {
  const storage = new SqliteStorage({ path: fileOf(server) });
  onTestFinished(() => storage.close());
  await storage.open();
  return storage;
}

/** Keeps every other connection from writing until `release`. */
export function lockWrites(path: string): { release(): void } {
  const connection = otherConnection(path);
  connection.exec('BEGIN IMMEDIATE');
  return { release: () => connection.exec('ROLLBACK') };
}

/** Makes SQLite itself refuse every insert into the journal of a session, until `release`. */
export function refuseAppends(path: string, session_id: string): { release(): void } {
  const connection = otherConnection(path);
  const name = `refuse_${session_id.replaceAll(/\W/g, '_')}`;
  connection.exec(
    `CREATE TRIGGER ${name} BEFORE INSERT ON journal WHEN new.session_id = '${session_id}'
     BEGIN SELECT RAISE(ABORT, 'refused by the test'); END`,
  );
  return { release: () => connection.exec(`DROP TRIGGER ${name}`) };
}
