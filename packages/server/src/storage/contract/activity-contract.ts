import { expect, test } from 'vitest';
import { freshHarness, type MakeHarness } from './harness.js';
import { appendTo, readEntries } from './journal-access.js';
import { amended, cleared, ended, HOSTILE_IDS, projection, run, session, student, T0 } from './samples.js';

const S = session('s');

export function activityContract(make: MakeHarness): void {
  const harness = freshHarness(make);

  test('[STORE-90] the latest activity of an open session is remembered, in whatever order it is told', async () => {
    const { storage } = harness();
    await appendTo(storage, S, 0, run('s', 0, 2));
    expect(await storage.journal.readActivity(S)).toBeNull();
    await storage.journal.touchSession(S, 0);
    expect(await storage.journal.readActivity(S)).toBe(0);
    await Promise.all([T0 + 3, T0 + 5, T0 + 4].map((at) => storage.journal.touchSession(S, at)));
    expect(await storage.journal.readActivity(S)).toBe(T0 + 5);
    for (const at of [T0 + 5, T0 + 4, 0]) await storage.journal.touchSession(S, at);
    expect(await storage.journal.readActivity(S)).toBe(T0 + 5);
    await storage.journal.touchSession(S, T0 + 6);
    expect(await storage.journal.readActivity(S)).toBe(T0 + 6);
  });

  test('[STORE-90] activity is no entry of the journal and ends with nothing but the end', async () => {
    const { storage } = harness();
    await appendTo(storage, S, 0, run('s', 0, 2));
    await storage.journal.touchSession(S, T0 + 9);
    expect(await appendTo(storage, S, 2, run('s', 2, 1))).toBe('committed');
    await storage.projection.project(projection('s', 3, []));
    expect(await readEntries(storage, S, 0, 10)).toEqual(run('s', 0, 3));
    expect(await storage.journal.readActivity(S)).toBe(T0 + 9);
    expect(await storage.journal.listActiveSessions()).toEqual(['s']);
  });

  test('[AMEND-9] a commit behind the end lists the session as active until what it holds is projected', async () => {
    const { storage } = harness();
    const closed = { status: 'completed', ended_at: T0 + 2 } as const;
    await appendTo(storage, S, 0, [...run('s', 0, 1), ended(2)]);
    await storage.projection.project(projection('s', 2, [], closed));
    expect(await storage.journal.listActiveSessions()).toEqual([]);
    expect(await appendTo(storage, S, 2, [amended(3)], true)).toBe('committed');
    expect(await storage.journal.listActiveSessions()).toEqual(['s']);
    expect(await appendTo(storage, S, 2, [amended(3)], true)).toBe('conflict');
    expect(await appendTo(storage, S, 3, [amended(4)], true)).toBe('committed');
    // What was committed meanwhile is still to be projected.
    await storage.projection.project(projection('s', 3, [], closed));
    expect(await storage.journal.listActiveSessions()).toEqual(['s']);
    await storage.projection.project(projection('s', 4, [], closed));
    expect(await storage.journal.listActiveSessions()).toEqual([]);
    expect(await readEntries(storage, S, 2, 10)).toEqual([amended(3), amended(4)]);
  });

  test('[MARK-64] an entry that takes a mark back is read as it was written', async () => {
    const { storage } = harness();
    const entries = [...run('s', 0, 2), cleared(3)];
    await appendTo(storage, S, 0, entries);
    expect(await readEntries(storage, S, 0, 10)).toEqual(entries);
  });

  test('[STORE-90] what was remembered is there for another handle, and after closing', async () => {
    const { storage, reopen } = harness();
    await appendTo(storage, S, 0, run('s', 0, 1));
    await storage.journal.touchSession(S, T0 + 5);
    expect(await storage.journal.readActivity(S)).toBe(T0 + 5);
    if (!reopen) return; // An in-memory database: one handle is all there is.
    const beside = await reopen();
    expect(await beside.journal.readActivity(S)).toBe(T0 + 5);
    await Promise.all([storage.journal.touchSession(S, T0 + 8), beside.journal.touchSession(S, T0 + 7)]);
    expect(await Promise.all([storage.journal.readActivity(S), beside.journal.readActivity(S)])).toEqual([
      T0 + 8,
      T0 + 8,
    ]);
    await Promise.all([storage.close(), beside.close()]);
    const again = await reopen();
    expect(await again.journal.readActivity(S)).toBe(T0 + 8);
    await again.journal.touchSession(S, T0 + 1);
    expect(await again.journal.readActivity(S)).toBe(T0 + 8);
  });

  test('[STORE-90] activity is forgotten once the end is projected, and none is remembered after it', async () => {
    const { storage } = harness();
    for (const id of ['s', 'other']) {
      await appendTo(storage, session(id), 0, run(id, 0, 2));
      await storage.journal.touchSession(session(id), T0 + 5);
    }
    await storage.projection.project(projection('s', 2, [], { status: 'completed', ended_at: T0 + 6 }));
    expect(await storage.journal.readActivity(S)).toBeNull();
    await storage.journal.touchSession(S, T0 + 9);
    expect(await storage.journal.readActivity(S)).toBeNull();
    expect(await storage.journal.listActiveSessions()).toEqual(['other']);
    expect(await storage.journal.readActivity(session('other'))).toBe(T0 + 5);
  });

  test('[STORE-90] sessions without a journal are touched without harm and without trace', async () => {
    const { storage, putActiveSession } = harness();
    const foreign = session('foreign');
    await putActiveSession(foreign);
    const before = await storage.projection.findSession(foreign);
    for (const id of [S, foreign]) {
      await storage.journal.touchSession(id, T0 + 5);
      expect(await storage.journal.readActivity(id)).toBeNull();
    }
    expect(await storage.projection.findSession(S)).toBeNull();
    expect(await storage.projection.findSession(foreign)).toEqual(before);
    expect(await storage.journal.listActiveSessions()).toEqual([foreign]);
    expect(await storage.journal.listJournals(null, 10)).toEqual([]);
    for (const id of [S, foreign]) {
      expect(await appendTo(storage, id, 0, run(id, 0, 1))).toBe('committed');
      expect(await storage.journal.readActivity(id)).toBeNull();
    }
  });

  test('[STORE-260] who left an open session is remembered until they are back, also for another handle', async () => {
    const { storage, reopen } = harness();
    for (const id of ['s', 'other']) await appendTo(storage, session(id), 0, run(id, 0, 2));
    expect(await storage.journal.readLeft(S)).toEqual([]);
    const ids = [...HOSTILE_IDS, 'a', 'b'].map(student);
    await storage.journal.rememberLeft(
      S,
      ids.map((id) => [id, true]),
    );
    const [gone] = ids;
    if (gone !== undefined) await storage.journal.rememberLeft(session('other'), [[gone, true]]);
    await storage.journal.rememberLeft(S, [
      [student('a'), false],
      [student('b'), true],
      [student('nobody'), false],
    ]);
    const left = ids.filter((id) => id !== 'a').toSorted();
    expect((await storage.journal.readLeft(S)).toSorted()).toEqual(left);
    expect(await storage.journal.readLeft(session('other'))).toEqual([gone]);
    expect(await readEntries(storage, S, 0, 10)).toEqual(run('s', 0, 2));
    if (!reopen) return; // An in-memory database: one handle is all there is.
    await storage.close();
    expect((await (await reopen()).journal.readLeft(S)).toSorted()).toEqual(left);
  });

  test('[STORE-260] who left is forgotten once the end is projected, and of no other session remembered', async () => {
    const { storage, putActiveSession } = harness();
    const foreign = session('foreign');
    await putActiveSession(foreign);
    await appendTo(storage, S, 0, run('s', 0, 2));
    const moves = [[student('a'), true]] as const;
    for (const id of [S, foreign, session('none')]) await storage.journal.rememberLeft(id, moves);
    expect(await storage.journal.readLeft(S)).toEqual(['a']);
    await storage.projection.project(projection('s', 2, [], { status: 'completed', ended_at: T0 + 6 }));
    expect(await storage.journal.readLeft(S)).toEqual([]);
    await storage.journal.rememberLeft(S, moves);
    for (const id of [S, foreign, session('none')]) expect(await storage.journal.readLeft(id)).toEqual([]);
    expect(await appendTo(storage, foreign, 0, run('foreign', 0, 1))).toBe('committed');
    expect(await storage.journal.readLeft(foreign)).toEqual([]);
  });

  test('[STORE-90] activity of look-alike ids is kept apart', async () => {
    const { storage } = harness();
    const ids = [...new Set(['a', 'a:1:1', ...HOSTILE_IDS])];
    for (const id of ids) await appendTo(storage, session(id), 0, run(id, 0, 1));
    for (const [i, id] of ids.entries()) await storage.journal.touchSession(session(id), T0 + i);
    const read = await Promise.all(ids.map((id) => storage.journal.readActivity(session(id))));
    expect(read).toEqual(ids.map((_, i) => T0 + i));
  });
}
