import { copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionId } from '@rollcall/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { pastSessions, seedDemo } from '../school/demo.js';
import { appendTo, readEntries } from '../storage/contract/journal-access.js';
import { OpenableSqlite } from '../storage/sqlite/openable.test.support.js';
import { freshFolder, rollcall, startServer } from './rollcall.test.support.js';

const NOW = new Date(2026, 10, 23, 10, 30);

/** A database with the demo school, open for what else a test wants done to it. */
async function demoDatabase(folder: string): Promise<OpenableSqlite> {
  const storage = new OpenableSqlite({ path: join(folder, 'data', 'rollcall.db') });
  onTestFinished(() => storage.close());
  await storage.open();
  await seedDemo(storage, NOW);
  return storage;
}

const first = pastSessions(NOW)[0]?.id ?? '';

test('[VERIFY-1] a database whose records follow from its journals exits with 0', async () => {
  const folder = await freshFolder();
  await (await demoDatabase(folder)).close();
  const { code, stdout } = await rollcall(folder, ['verify', '--json']);
  expect(code).toBe(0);
  const summary = JSON.parse(stdout);
  expect(summary).toMatchObject({ sessions: pastSessions(NOW).length, behind: [], differences: [] });
  expect(summary.records).toBeGreaterThan(500);
  const one = await rollcall(folder, ['verify', '--session', first]);
  expect(one).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^1 session, .* all agree with the journal\n$/),
  });
});

test('[VERIFY-1] a session without a journal, and a database that is not there, are failures', async () => {
  const folder = await freshFolder();
  expect(await rollcall(folder, ['verify'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/there is no database at/),
  });
  expect(await readdir(folder)).toEqual([]);
  await (await demoDatabase(folder)).close();
  expect(await rollcall(folder, ['verify', '--session', 'session123'])).toMatchObject({
    code: 1,
    stderr: 'rollcall: session session123 has no journal: it never ran, or the id is another\n',
  });
  expect(await rollcall(folder, ['verify'], { DATABASE_URL: 'sqlite::memory:' })).toMatchObject({ code: 1 });
});

test('[VERIFY-1] a projection that lags behind its journal is told and is no difference', async () => {
  const folder = await freshFolder();
  const storage = await demoDatabase(folder);
  const sessionId = 'lagging' as SessionId;
  const [opening] = await readEntries(storage, first as SessionId, 0, 1);
  if (opening?.type !== 'started') throw new Error('the demo session has no opening');
  const session = { ...opening.session, session_id: sessionId };
  await appendTo(storage, sessionId, 0, [{ ...opening, session }]);
  await storage.close();
  const { code, stdout } = await rollcall(folder, ['verify', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    differences: [],
    behind: [{ session_id: 'lagging', projected_seq: 0, seq: 1 }],
  });
});

test('[VERIFY-2] a record or session that differs is named with both values, and the status is 1', async () => {
  const folder = await freshFolder();
  const storage = await demoDatabase(folder);
  const [spoilt, missing, stale] = (await storage.projection.readRecords(first as SessionId))
    .filter((record) => record.status === 'present')
    .map((record) => record.student_id);
  const change = (set: string, where: string) =>
    storage.sql(`${set} WHERE session_id = ? ${where} RETURNING '[]'`, [first]);
  await change("UPDATE attendance_records SET status = 'late'", `AND student_id = '${spoilt}'`);
  await change('DELETE FROM attendance_records', `AND student_id = '${missing}'`);
  await change('UPDATE attendance_records SET seq = 1', `AND student_id = '${stale}'`);
  await change("UPDATE class_sessions SET status = 'active'", '');
  await storage.close();
  const { code, stdout, stderr } = await rollcall(folder, ['verify']);
  expect(code).toBe(1);
  expect(stdout).toMatch(new RegExp(`${first}: seq \\d+, status: student ${spoilt}: status is "late", by entry`));
  expect(stdout).toMatch(
    new RegExp(`${first}: seq \\d+, record: student ${missing}: the record of entry \\d+ is missing`),
  );
  expect(stdout).toMatch(
    new RegExp(`${first}: seq \\d+, record: student ${stale}: the record is of entry 1, older than entry \\d+`),
  );
  expect(stdout).toContain(`${first}: the session's status is "active", by the journal "completed"`);
  expect(stderr).toMatch(/\d+ differences between the journal and what is stored/);
});

test('[VERIFY-330] what a session was when it started is compared too', async () => {
  const folder = await freshFolder();
  const storage = await demoDatabase(folder);
  const before = await storage.projection.findSession(first as SessionId);
  for (const field of ['course_id', 'date', 'start_time', 'end_time', 'topic', 'description', 'teacher_id'] as const) {
    const set = (value: string | null) =>
      storage.sql(`UPDATE class_sessions SET ${field} = ? WHERE session_id = ? RETURNING '[]'`, [value, first]);
    const was = before?.[field] ?? null;
    await set('changed');
    const { code, stdout } = await rollcall(folder, ['verify', '--session', first]);
    // What the journal doesn't say isn't known.
    if (was === null) expect(code).toBe(0);
    else
      expect(stdout).toContain(`${first}: the session's ${field} is "changed", by the journal ${JSON.stringify(was)}`);
    await set(was);
  }
  expect(Object.values(before ?? {}).filter((value) => value !== null).length).toBeGreaterThan(8);
  expect((await rollcall(folder, ['verify', '--session', first])).code).toBe(0);
});

test('[VERIFY-280] a session whose journal was removed is named by whatever is left of it', async () => {
  const folder = await freshFolder();
  const storage = await demoDatabase(folder);
  const ids = pastSessions(NOW).map(({ id }) => id);
  const gone: readonly (readonly string[])[] = [
    ['journals', 'journal'],
    ['journals', 'journal', 'attendance_records'],
    ['journals', 'journal', 'class_sessions'],
  ];
  for (const [i, tables] of gone.entries()) {
    for (const table of tables) {
      await storage.sql(`DELETE FROM ${table} WHERE session_id = ? RETURNING '[]'`, [ids[i] ?? '']);
    }
  }
  // Only the list of journals lacks this one: the journal itself is whole, and is checked as all others.
  const unlisted = ids[3] ?? '';
  await storage.sql("DELETE FROM journals WHERE session_id = ? RETURNING '[]'", [unlisted]);
  await storage.sql("UPDATE attendance_records SET remarks = 'x' WHERE session_id = ? RETURNING '[]'", [unlisted]);
  await storage.close();
  const { code, stdout } = await rollcall(folder, ['verify', '--json']);
  expect(code).toBe(1);
  const summary = JSON.parse(stdout);
  expect(summary.sessions).toBe(ids.length);
  const named = new Set(summary.differences.map(({ session_id }: { session_id: string }) => session_id));
  expect([...named].sort()).toEqual(ids.slice(0, 4).sort());
});

test('[VERIFY-3] it changes nothing', async () => {
  const folder = await freshFolder();
  const storage = await demoDatabase(folder);
  await storage.sql("UPDATE attendance_records SET remarks = 'x' RETURNING '[]'");
  await storage.close();
  const path = join(folder, 'data', 'rollcall.db');
  await copyFile(path, join(folder, 'before.db'));
  expect((await rollcall(folder, ['verify'])).code).toBe(1);
  expect((await readFile(path)).equals(await readFile(join(folder, 'before.db')))).toBe(true);
});

test('[CLI-3] backup makes a whole copy while the server runs, and never replaces a file', async () => {
  const folder = await freshFolder();
  await startServer(folder);
  const { code, stdout } = await rollcall(folder, ['backup', 'copy.db', '--json']);
  expect(code).toBe(0);
  const { bytes } = JSON.parse(stdout);
  expect((await readFile(join(folder, 'copy.db'))).length).toBe(bytes);
  const verdict = await rollcall(folder, ['verify', '--json'], { DATABASE_URL: 'sqlite:copy.db' });
  expect(verdict.code).toBe(0);
  expect(JSON.parse(verdict.stdout).sessions).toBeGreaterThan(10);
  const again = await rollcall(folder, ['backup', 'copy.db']);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/copy\.db exists already/) });
});

test('[CLI-3] backup of a MongoDB names mongodump, of a database in memory says that there is nothing', async () => {
  const folder = await freshFolder();
  expect(await rollcall(folder, ['backup', 'x'], { DATABASE_URL: 'mongodb://127.0.0.1/school' })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/mongodump/),
  });
  expect(await rollcall(folder, ['backup', 'x'], { DATABASE_URL: 'sqlite::memory:' })).toMatchObject({ code: 1 });
  expect(await readdir(folder)).toEqual([]);
});
