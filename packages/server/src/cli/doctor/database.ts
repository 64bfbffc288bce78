import { existsSync } from 'node:fs';
import type { Config } from '../../config/config.js';
import type { MongoFacts, SqliteFacts } from '../../storage/database-facts.js';
import { nameOf } from '../database-name.js';
import { fileOf, foreignOwner } from '../owner.js';
import { type Finding, fault, ok, warning } from './check.js';

/** What is in the database, whether Rollcall can use it, and what it would do to it. */
export async function checkDatabase({ database }: Config): Promise<readonly Finding[]> {
  switch (database.kind) {
    case 'sqlite':
      return checkSqlite(database.path, await foreignOwner(fileOf(database)));
    case 'mongodb': {
      const { inspectMongo } = await import('../../storage/mongo/inspect.js');
      const facts = await inspectMongo(database.uri).catch((error: unknown) => error);
      if (!(facts instanceof Error)) return mongoFindings(facts as MongoFacts);
      return [
        fault(
          `${nameOf(database)} can't be used: ${facts.message}`,
          'Check DATABASE_URL: host, port, user and password, and that the server runs. `mongosh` with the same URI says more',
        ),
      ];
    }
  }
}

async function checkSqlite(path: string, foreign: object | null): Promise<readonly Finding[]> {
  if (path === ':memory:') {
    return [
      warning('it is in memory: all is gone when the server stops', 'Set DATABASE_URL to a file, or leave it unset'),
    ];
  }
  // As root a look would leave files of root's beside it; the check of files says so.
  if (foreign !== null) return [];
  if (!existsSync(path)) return [ok(`there is none at ${path} yet: the server or an import makes it`)];
  const { inspectSqlite } = await import('../../storage/sqlite/inspect.js');
  try {
    return sqliteFindings(path, inspectSqlite(path));
  } catch (error) {
    return [
      fault(
        `${path} can't be read: ${error instanceof Error ? error.message : String(error)}`,
        'If it is no SQLite database, set DATABASE_URL or DATA_DIR to the right place; if it was one, restore a backup',
      ),
    ];
  }
}

function sqliteFindings(path: string, { schema, known, damage, tables }: SqliteFacts): readonly Finding[] {
  if (damage !== null) {
    return [
      fault(
        `${path} is damaged: ${damage}`,
        'Stop the server, keep a copy of the file and its -wal, and restore a backup',
      ),
    ];
  }
  const rows = new Map(tables.map(({ name, rows }) => [name, rows]));
  if (schema > known) {
    return [
      fault(
        `${path} was written by a newer version of Rollcall (schema ${schema}, this one knows ${known})`,
        'Run that version, or restore a backup from before the upgrade',
      ),
    ];
  }
  if (schema === 0) {
    const others = tables.map(({ name }) => name);
    return others.length === 0
      ? [ok(`${path} is empty: the server makes its tables in it`)]
      : [
          warning(
            `${path} holds tables of something else (${others.slice(0, 5).join(', ')})`,
            'Rollcall would add its own tables. If that is not meant, set DATABASE_URL or DATA_DIR to another place',
          ),
        ];
  }
  const counts = [
    ['users', 'users'],
    ['courses', 'courses'],
    ['class_sessions', 'sessions'],
    ['journals', 'journals'],
    ['attendance_records', 'records'],
  ] as const;
  const said = counts.flatMap(([table, word]) => (rows.has(table) ? [`${rows.get(table)} ${word}`] : []));
  const next = schema < known ? `; its schema is ${schema}, and the next start brings it to ${known}` : '';
  return [ok(`${path}: ${said.join(', ')}${next}`)];
}

function mongoFindings({ database, replicaSet, collections, unusable }: MongoFacts): readonly Finding[] {
  const app = collections.filter(({ own }) => !own);
  const there = app.filter(({ rows }) => rows !== null);
  const missing = app.filter(({ rows }) => rows === null).map(({ name }) => name);
  const journal = collections.find(({ own, rows }) => own && rows !== null);
  return [
    replicaSet === null
      ? warning(
          `${database} is on a server that stands alone: what was acknowledged is on one disk`,
          'Make it a replica set, if a disk that fails must not lose anything',
        )
      : ok(`${database} is on ${replicaSet === 'sharded' ? 'a sharded cluster' : `the replica set ${replicaSet}`}`),
    ok(
      there.length === 0
        ? 'it has none of the collections of a school: an import makes them'
        : `found ${there.map(({ name, rows }) => `${name} ${rows}`).join(', ')}`,
    ),
    ...(there.length > 0 && missing.length > 0
      ? [ok(`not there: ${missing.join(', ')}; made when first written`)]
      : []),
    ok(
      journal
        ? `${journal.name} ${journal.rows}: Rollcall has run here`
        : 'at its first start Rollcall makes the collection rollcall_journal and adds indexes; it changes no row ' +
            'before a session starts (docs/guides/existing-app.md)',
    ),
    ...unusable.map(({ collection, count, reason }) =>
      warning(
        `${collection}: ${count} ${count === 1 ? 'row' : 'rows'} cannot be used: ${reason}`,
        'Give these rows an _id of text or an ObjectId, or do without them in Rollcall',
      ),
    ),
  ];
}
