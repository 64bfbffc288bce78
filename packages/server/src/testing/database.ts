import type { Config } from '../config/config.js';
import { openMigrated } from '../storage/sqlite/migrations.js';

/** Writes to a server's SQLite file past the server: rows that an import can't make. */
export function writeTo({ database }: Config, sql: string, values: ReadonlyArray<string | number | null> = []): void {
  if (database.kind !== 'sqlite') throw new TypeError('not a SQLite database');
  const connection = openMigrated(database.path);
  connection.run(sql, values);
  connection.close();
}
