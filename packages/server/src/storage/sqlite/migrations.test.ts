import { expect, test } from 'vitest';
import { run, session, T0 } from '../contract/samples.js';
import { Connection } from './connection.js';
import { MIGRATIONS, openMigrated, SCHEMA_VERSION } from './migrations.js';
import { freshFile, OpenableSqlite, opened } from './openable.test.support.js';

test('[STORE-36] an empty file gets every migration once', async () => {
  const path = await freshFile();
  const applied = 'SELECT json_group_array(version) FROM schema_migrations';
  for (let i = 0; i < 2; i++) {
    const storage = await opened(path);
    expect(JSON.parse(await storage.sql(applied))).toEqual(MIGRATIONS.map(({ version }) => version));
    await storage.close();
  }
  expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, i) => i + 1));
});

test('[STORE-36] a database of a newer version is refused with both versions and not touched', async () => {
  const path = await freshFile();
  const newer = openMigrated(path);
  newer.run('INSERT INTO schema_migrations VALUES (?, ?, ?)', [SCHEMA_VERSION + 7, 'from the future', 0]);
  newer.exec('CREATE TABLE of_the_future (a)');
  newer.close();
  const storage = new OpenableSqlite({ path });
  await expect(storage.open()).rejects.toThrow(
    new RegExp(`newer version of Rollcall.*${SCHEMA_VERSION + 7}.*${SCHEMA_VERSION}`),
  );
  await expect(storage.people.isEmpty()).rejects.toThrow(/newer version/);
  await storage.close();
});

test('[STORE-37] every look-up by key is answered from an index', async () => {
  const db = openMigrated(':memory:');
  const queries = {
    ...(await import('./journal.js')),
    ...(await import('./people.js')),
    ...(await import('./courses.js')),
    ...(await import('./projection.js')),
  };
  const texts = Object.entries<unknown>(queries).flatMap(([name, sql]) =>
    typeof sql === 'string' && /^\s*SELECT/.test(sql) ? [[name, sql]] : [],
  );
  expect(texts.length).toBeGreaterThan(8);
  for (const [name = '', sql = ''] of texts) {
    const plan = db.rows(`EXPLAIN QUERY PLAN ${sql}`, []).map((row) => String(row[3]));
    // Lists of everything (open journals, active sessions, journals, json_each) walk an index or a list by nature.
    const scans = plan.filter((step) => /^SCAN (?!r VIRTUAL TABLE|\(subquery|CONSTANT ROW)/.test(step));
    const allowed = ['LIST_JOURNALS', 'LIST_ACTIVE', 'IS_EMPTY'].includes(name);
    expect(allowed ? [] : scans, `${name}: ${plan.join(' | ')}`).toEqual([]);
    expect(plan.filter((step) => /AUTOMATIC/.test(step))).toEqual([]);
  }
  db.close();
});

test('[STORE-36] a database of the first version keeps its open and its closed sessions', async () => {
  const path = await freshFile();
  const first = new Connection(path);
  first.exec(`CREATE TABLE schema_migrations (
    version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT`);
  for (const { version, name, sql } of MIGRATIONS.filter((one) => one.version === 1)) {
    first.exec(sql);
    first.run('INSERT INTO schema_migrations VALUES (?, ?, ?)', [version, name, T0]);
  }
  for (const [id, open] of [
    ['runs', 1],
    ['over', 0],
  ] as const) {
    first.run('INSERT INTO journal VALUES (?, 1, 2, ?)', [id, JSON.stringify(run(id, 0, 2))]);
    first.run('INSERT INTO journals VALUES (?, ?)', [id, open]);
  }
  first.close();
  const storage = await opened(path);
  expect(await storage.journal.listActiveSessions()).toEqual(['runs']);
  for (const id of ['runs', 'over']) {
    expect(await storage.journal.readEntries(session(id), 0, 10)).toEqual(run(id, 0, 2));
    expect(await storage.journal.readActivity(session(id))).toBeNull();
    await storage.journal.touchSession(session(id), T0 + 5);
  }
  expect(await storage.journal.readActivity(session('runs'))).toBe(T0 + 5);
  expect(await storage.journal.readActivity(session('over'))).toBeNull();
});
