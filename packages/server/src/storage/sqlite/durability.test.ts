import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { appendTo, readEntries } from '../contract/journal-access.js';
import { importAll, projection, record, run, SCHOOL, session } from '../contract/samples.js';
import { StorageError } from '../port.js';
import { freshFile, opened } from './openable.test.support.js';

/** A process that appends in a loop; `acked` holds the last seq that it saw acknowledged, per session. */
function appendLoop(path: string): { child: ChildProcess; acked: Map<string, number> } {
  const script = fileURLToPath(new URL('./append-loop.test.support.js', import.meta.url));
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const acked = new Map<string, number>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [id, seq] = line.split(' ');
    // A line that the kill has cut short says nothing for certain.
    if (id && seq) acked.set(id, Math.max(acked.get(id) ?? 0, Number(seq)));
  });
  return { child, acked };
}

const sumOf = (acked: Map<string, number>) => [...acked.values()].reduce((sum, seq) => sum + seq, 0);

test('[STORE-30] every open writes through to the disk at each commit', async () => {
  const path = await freshFile();
  const settings = `SELECT (SELECT synchronous FROM pragma_synchronous) || ' ' ||
    (SELECT journal_mode FROM pragma_journal_mode)`;
  for (let i = 0; i < 3; i++) {
    const storage = await opened(path);
    expect(await storage.sql(settings)).toBe('2 wal');
    storage.crash();
    await expect(storage.ping()).rejects.toBeInstanceOf(StorageError);
    expect(await storage.sql(settings)).toBe('2 wal');
    await storage.close();
  }
});

test('[STORE-30] what was acknowledged before a kill -9 is there, each once and without gap', async () => {
  const path = await freshFile();
  let known = 0;
  for (let round = 0; round < 4; round++) {
    const { child, acked } = appendLoop(path);
    await expect.poll(() => sumOf(acked), { timeout: 20_000 }).toBeGreaterThan(known + 100 + round * 37);
    const exited = once(child, 'close');
    child.kill('SIGKILL');
    await exited;
    const storage = await opened(path);
    known = 0;
    for (const id of ['a', 'b', 'c', 'd']) {
      const entries = await readEntries(storage, session(id), 0, 1_000_000);
      expect(entries.length).toBeGreaterThanOrEqual(acked.get(id) ?? 0);
      expect(entries).toEqual(run(id, 0, entries.length));
      known += entries.length;
    }
    expect(await storage.sql('SELECT integrity_check FROM pragma_integrity_check')).toBe('ok');
    await storage.close();
  }
});

test('[STORE-31] an import from another process waits for the server and the server for it', async () => {
  const path = await freshFile();
  const storage = await opened(path);
  const { child, acked } = appendLoop(path);
  await expect.poll(() => sumOf(acked), { timeout: 20_000 }).toBeGreaterThan(50);
  const students = Array.from({ length: 3000 }, (_, i) => ({ ...SCHOOL.students[0], id: `s${i}`, uid: `u${i}` }));
  const school = { ...SCHOOL, students: [...SCHOOL.students, ...students] } as typeof SCHOOL;
  const before = sumOf(acked);
  const report = await importAll(storage, school);
  expect(report.added.students).toBe(3004);
  await expect.poll(() => sumOf(acked), { timeout: 20_000 }).toBeGreaterThan(before + 50);
  expect(child.exitCode).toBeNull();
  const exited = once(child, 'close');
  child.kill('SIGKILL');
  await exited;
  expect((await readEntries(storage, session('a'), 0, 1_000_000)).length).toBeGreaterThanOrEqual(acked.get('a') ?? 0);
  expect((await importAll(storage, school)).left.students).toBe(3004);
});

test('[STORE-31] many who open a new file at once all find it ready', async () => {
  const path = await freshFile();
  const storages = await Promise.all(Array.from({ length: 5 }, () => opened(path)));
  const results = await Promise.all(
    storages.map((storage, i) => appendTo(storage, session(`s${i}`), 0, run(`s${i}`, 0, 1))),
  );
  expect(results).toEqual(storages.map(() => 'committed'));
  expect(await storages[0]?.journal.listJournals(null, 10)).toHaveLength(5);
});

test('[STORE-32] of appends committed together only those that do not fit a full disk fail, until there is space', async () => {
  const storage = await opened(await freshFile());
  await appendTo(storage, session('small'), 0, run('small', 0, 1));
  await storage.limitPages(45);
  const large = run('large', 0, 5000);
  const results = await Promise.allSettled([
    appendTo(storage, session('small'), 1, run('small', 1, 1)),
    appendTo(storage, session('large'), 0, large),
    storage.projection.project(projection('small', 1, [record('a', 1)])),
    appendTo(storage, session('small'), 0, run('small', 0, 1)),
    appendTo(storage, session('other'), 0, run('other', 0, 1)),
  ]);
  expect(results[1]).toMatchObject({ status: 'rejected', reason: expect.any(StorageError) });
  expect(String(results[1]?.status === 'rejected' && results[1].reason)).toMatch(/full/);
  expect([results[0], results[3], results[4]]).toEqual([
    { status: 'fulfilled', value: 'committed' },
    { status: 'fulfilled', value: 'conflict' },
    { status: 'fulfilled', value: 'committed' },
  ]);
  expect(results[2]?.status).toBe('fulfilled');
  expect(await readEntries(storage, session('large'), 0, 10)).toEqual([]);
  expect(await readEntries(storage, session('small'), 0, 10)).toEqual(run('small', 0, 2));
  expect(await storage.journal.listJournals(null, 10)).toEqual(['other', 'small']);
  await expect(appendTo(storage, session('large'), 0, large)).rejects.toBeInstanceOf(StorageError);

  await storage.limitPages(1_000_000);
  expect(await appendTo(storage, session('large'), 0, large)).toBe('committed');
  expect(await readEntries(storage, session('large'), 0, 10_000)).toEqual(large);
  await storage.ping();
});

test('[STORE-32] an import and a projection that do not fit leave nothing behind', async () => {
  const storage = await opened(await freshFile());
  await storage.limitPages(40);
  const students = Array.from({ length: 4000 }, (_, i) => ({ ...SCHOOL.students[0], id: `s${i}`, uid: `u${i}` }));
  const school = { ...SCHOOL, students } as typeof SCHOOL;
  await expect(importAll(storage, school)).rejects.toBeInstanceOf(StorageError);
  expect(await storage.people.isEmpty()).toBe(true);
  const records = Array.from({ length: 4000 }, (_, i) => record(`s${i}`, 1, i));
  await expect(storage.projection.project(projection('s', 1, records))).rejects.toBeInstanceOf(StorageError);
  expect(await storage.projection.findSession(session('s'))).toBeNull();
  expect(await storage.projection.readRecords(session('s'))).toEqual([]);
  expect((await importAll(storage, SCHOOL)).added.teachers).toBe(2);
});

/** Commits that the log of a database holds: a frame that ends one carries the database's size, any other 0. */
async function commitsInLog(path: string): Promise<number> {
  const log = await readFile(`${path}-wal`);
  const frame = 24 + log.readUInt32BE(8);
  let commits = 0;
  for (let at = 32; at + frame <= log.length; at += frame) if (log.readUInt32BE(at + 4) > 0) commits++;
  return commits;
}

test('[STORE-40] appends of one turn share one commit, and those that come meanwhile the next', async () => {
  const path = await freshFile();
  const storage = await opened(path);
  await appendTo(storage, session('first'), 0, run('first', 0, 1));
  const before = await commitsInLog(path);
  const appendAll = (at: number) =>
    Promise.all(Array.from({ length: 40 }, (_, i) => appendTo(storage, session(`s${i}`), at, run(`s${i}`, at, 1))));
  const results = await appendAll(0);
  expect(results).toEqual(results.map(() => 'committed'));
  expect(await commitsInLog(path)).toBe(before + 1);
  // The second turn's appends wait while the first commit is under way; small projections ride along.
  const turns: Promise<unknown>[] = [];
  for (let turn = 0; turn < 6; turn++) {
    turns.push(appendAll(turn + 1), storage.projection.project(projection('s0', turn + 1, [record('a', turn + 1)])));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(turns);
  expect(await commitsInLog(path)).toBeLessThanOrEqual(before + 1 + 6);
  expect(await readEntries(storage, session('s39'), 0, 10)).toHaveLength(7);
});
