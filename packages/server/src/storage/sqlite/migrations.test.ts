import { expect, test } from 'vitest';
import { inspect } from '../../cli/verify-session.js';
import { appendTo, readEntries } from '../contract/journal-access.js';
import { HOSTILE_IDS, marked, run, session, T0 } from '../contract/samples.js';
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
  const versions = MIGRATIONS.map(({ version }) => version);
  expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
});

/** The version before the chain, with the journal of a class in three commits and one that no version can read. */
function databaseOfForm1(path: string): void {
  const db = new Connection(path);
  db.exec('CREATE TABLE schema_migrations (version INTEGER, name TEXT, applied_at INTEGER) STRICT');
  for (const { version, name, sql } of MIGRATIONS.filter((one) => one.version <= 2)) {
    db.exec(sql);
    db.run('INSERT INTO schema_migrations VALUES (?, ?, ?)', [version, name, 0]);
  }
  const insert = (id: string, first: number, last: number, entries: unknown) =>
    db.run('INSERT INTO journal VALUES (?, ?, ?, ?)', [id, first, last, JSON.stringify(entries)]);
  const entries = run('s', 0, 9);
  insert('s', 1, 1, entries.slice(0, 1));
  insert('s', 2, 5, entries.slice(1, 5));
  insert('s', 6, 9, entries.slice(5));
  insert('bad', 1, 1, run('bad', 0, 1));
  insert('bad', 2, 2, [{ ...marked(2), type: 'teleported' }]);
  insert('bad', 3, 3, [marked(3)]);
  insert('broken', 1, 1, run('broken', 0, 1));
  db.exec(`INSERT INTO journal VALUES ('broken', 2, 2, CAST(x'5BFF00225D' AS TEXT))`);
  for (const id of HOSTILE_IDS) insert(id, 1, 1, run(id, 0, 1));
  for (const id of ['s', 'bad', ...HOSTILE_IDS]) db.run('INSERT INTO journals (session_id, open) VALUES (?, 1)', [id]);
  db.close();
}

test('[JOURNAL-6] journals of the form before are converted with their chain, but for one that can’t be read', async () => {
  const path = await freshFile();
  databaseOfForm1(path);
  const storage = await opened(path);
  expect(await readEntries(storage, session('s'), 0, 100)).toEqual(run('s', 0, 9));
  for (const id of HOSTILE_IDS) expect(await readEntries(storage, session(id), 0, 9), id).toEqual(run(id, 0, 1));
  for (const id of ['s', ...HOSTILE_IDS]) {
    expect(await inspect(storage, session(id))).toMatchObject({ findings: [], unchainedUpTo: 0, isReadable: true });
  }
  await expect(readEntries(storage, session('broken'), 0, 9)).rejects.toThrow(/"broken".* at seq 2/);
  expect(await storage.sql(`SELECT hex(facts) FROM journal WHERE session_id = 'broken' AND first_seq = 2`)).toBe(
    '5BFF00225D',
  );
  const commits = await storage.journal.readCommits(session('s'), 0, 100);
  expect(commits.map(({ first_seq, last_seq, format }) => [first_seq, last_seq, format])).toEqual([
    [1, 1, 2],
    [2, 5, 2],
    [6, 9, 2],
  ]);
  await expect(readEntries(storage, session('bad'), 0, 9)).rejects.toThrow(/"bad".*"teleported".* at seq 2/);
  const kept = await storage.journal.readCommits(session('bad'), 1, 9);
  expect(kept).toMatchObject([
    { first_seq: 2, format: 1, entries: [{ type: 'teleported' }] },
    { first_seq: 3, format: 1, entries: [{ type: 'marked' }] },
  ]);
  expect(await appendTo(storage, session('s'), 9, [marked(10)])).toBe('committed');
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
    ...(await import('./sign-in.js')),
    ...(await import('./reports.js')),
    ...(await import('./calendars.js')),
  };
  const texts = Object.entries<unknown>(queries).flatMap(([name, sql]) =>
    typeof sql === 'string' && /^\s*SELECT/.test(sql) ? [[name, sql]] : [],
  );
  expect(texts.length).toBeGreaterThan(8);
  for (const [name = '', sql = ''] of texts) {
    const plan = db.rows(`EXPLAIN QUERY PLAN ${sql}`, []).map((row) => String(row[3]));
    // Lists of everything (open journals, active sessions, journals, json_each, a subquery r) walk an index or a list
    // by nature.
    const scans = plan.filter((step) => /^SCAN (?!r VIRTUAL TABLE|r$|\(subquery|CONSTANT ROW)/.test(step));
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
    expect(await readEntries(storage, session(id), 0, 10)).toEqual(run(id, 0, 2));
    expect(await storage.journal.readActivity(session(id))).toBeNull();
    await storage.journal.touchSession(session(id), T0 + 5);
  }
  expect(await storage.journal.readActivity(session('runs'))).toBe(T0 + 5);
  expect(await storage.journal.readActivity(session('over'))).toBeNull();
});
