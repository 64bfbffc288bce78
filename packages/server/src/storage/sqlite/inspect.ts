import Database from 'libsql';
import type { SqliteFacts } from '../database-facts.js';
import { SCHEMA_VERSION } from './migrations.js';

/** The version of a file's schema, without changing it; undefined where it can't be read, which its opening says. */
export function schemaOf(path: string): number | undefined {
  try {
    const db = new Database(path, { readonly: true });
    try {
      const row = db.prepare('SELECT max(version) AS version FROM schema_migrations').get();
      return Number((row as { version?: unknown } | undefined)?.version ?? 0);
    } finally {
      db.close();
    }
  } catch {
    return undefined;
  }
}

/** Reads a database file, also beside a server, and changes nothing. Throws when it can't be read. */
export function inspectSqlite(path: string): SqliteFacts {
  const db = new Database(path, { readonly: true });
  try {
    const one = (sql: string) => Object.values((db.prepare(sql).get() ?? {}) as Record<string, unknown>)[0];
    const names = (db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all() as { name: string }[])
      .map(({ name }) => name)
      .filter((name) => !name.startsWith('sqlite_'));
    const schema = names.includes('schema_migrations')
      ? Number(one('SELECT coalesce(max(version), 0) FROM schema_migrations'))
      : 0;
    const soundness = String(one('PRAGMA quick_check(1)'));
    const rowsOf = (name: string) => Number(one(`SELECT count(*) FROM "${name.replaceAll('"', '""')}"`));
    return {
      schema,
      known: SCHEMA_VERSION,
      damage: soundness === 'ok' ? null : soundness,
      tables: names.map((name) => ({ name, rows: rowsOf(name) })),
    };
  } finally {
    db.close();
  }
}
