import { expect, test } from 'vitest';
import { freshHarness, type MakeHarness } from './harness.js';
import { appendTo } from './journal-access.js';
import { amended, ended, HOSTILE_IDS, projection, run, session, student, T0 } from './samples.js';

const S = session('s');
const CLOSED = { status: 'completed', ended_at: T0 + 2 } as const;

export function cursorsContract(make: MakeHarness): void {
  const harness = freshHarness(make);

  test('[REG-91] a cursor is kept for each session and follower, never goes back, and is there for another handle', async () => {
    const { storage, reopen } = harness();
    const ids = [...new Set(['a', 'a:1', ...HOSTILE_IDS])].map(session);
    for (const [i, id] of ids.entries()) await storage.cursors.move(id, 'one', i + 1);
    await Promise.all([7, 9, 8].map((seq) => storage.cursors.move(S, 'one', seq)));
    await Promise.all(['two', 'three'].map((name) => storage.cursors.move(S, name, 3)));
    await storage.cursors.move(S, 'one', 1);
    const none = session('none');
    const expected = [
      ...ids.map((id, i) => [id, { listed: false, seqs: new Map([['one', i + 1]]) }]),
      [
        S,
        {
          listed: false,
          seqs: new Map([
            ['one', 9],
            ['two', 3],
            ['three', 3],
          ]),
        },
      ],
      [none, { listed: false, seqs: new Map() }],
    ];
    expect(await storage.cursors.read([...ids, S, none])).toEqual(new Map(expected as never));
    expect(await storage.cursors.read([])).toEqual(new Map());
    if (!reopen) return; // An in-memory database: one handle is all there is.
    await storage.close();
    expect(await (await reopen()).cursors.read([...ids, S, none])).toEqual(new Map(expected as never));
  });

  test('[REG-92] a session that stays open is listed until its records and all its followers are past its end', async () => {
    const { storage } = harness();
    const names = ['one', 'two'];
    const isListed = async () => {
      const listed = (await storage.journal.listActiveSessions()).includes(S);
      expect((await storage.cursors.read([S])).get(S)?.listed).toBe(listed);
      return listed;
    };
    await appendTo(storage, S, 0, [...run('s', 0, 1), ended(2)]);
    await storage.journal.rememberLeft(S, [[student('a'), true]]);
    for (const name of names) await storage.cursors.move(S, name, 2);
    await storage.cursors.close(S, 2, names);
    // Its records aren't written.
    expect(await isListed()).toBe(true);
    await storage.projection.project({ ...projection('s', 2, [], CLOSED), stays_open: true });
    expect(await isListed()).toBe(true);
    expect(await storage.projection.findSession(S)).toMatchObject({ status: 'completed', projected_seq: 2 });
    for (const [follower, seq] of [['late', null] as const, ['late', 1] as const]) {
      if (seq !== null) await storage.cursors.move(S, follower, seq);
      await storage.cursors.close(S, 2, [...names, follower]);
      expect(await isListed()).toBe(true);
    }
    await storage.cursors.close(S, 2, names);
    expect(await isListed()).toBe(false);
    expect(await storage.journal.readLeft(S)).toEqual([]);
  });

  test('[REG-92] an amendment lists the session again until all are past that too', async () => {
    const { storage } = harness();
    await appendTo(storage, S, 0, [...run('s', 0, 1), ended(2)]);
    await storage.projection.project({ ...projection('s', 2, [], CLOSED), stays_open: true });
    await storage.cursors.move(S, 'one', 2);
    expect(await appendTo(storage, S, 2, [amended(3)], true)).toBe('committed');
    // Whoever hasn't heard of the amendment closes nothing.
    await storage.cursors.close(S, 2, ['one']);
    expect(await storage.journal.listActiveSessions()).toEqual(['s']);
    await storage.projection.project({ ...projection('s', 3, [], CLOSED), stays_open: true });
    await storage.cursors.close(S, 3, ['one']);
    expect(await storage.journal.listActiveSessions()).toEqual(['s']);
    await storage.cursors.move(S, 'one', 3);
    await storage.cursors.close(S, 3, ['one']);
    expect(await storage.journal.listActiveSessions()).toEqual([]);
    // Nothing of another session, and none that isn't there.
    await storage.cursors.close(session('none'), 1, []);
  });
}
