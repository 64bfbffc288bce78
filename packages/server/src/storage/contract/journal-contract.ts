import { expect, test } from 'vitest';
import type { AdoptedEntry, CheckedInEntry, Entry } from '../../journal/entries.js';
import { freshHarness, type MakeHarness } from './harness.js';
import { appendTo, readEntries } from './journal-access.js';
import {
  bareFacts,
  ended,
  HOSTILE_IDS,
  marked,
  POLICY,
  projection,
  rosterRow,
  run,
  session,
  started,
  student,
  T0,
  user,
} from './samples.js';

const S = session('s');

export function journalContract(make: MakeHarness): void {
  const harness = freshHarness(make);

  test('[STORE-12] appends at the end follow each other without gap', async () => {
    const { storage } = harness();
    expect(await readEntries(storage, S, 0, 10)).toEqual([]);
    expect(await appendTo(storage, S, 0, run('s', 0, 1))).toBe('committed');
    expect(await appendTo(storage, S, 1, run('s', 1, 3))).toBe('committed');
    expect(await appendTo(storage, S, 4, run('s', 4, 1))).toBe('committed');
    expect((await readEntries(storage, S, 0, 10)).map((entry) => entry.seq)).toEqual([1, 2, 3, 4, 5]);
  });

  test('[STORE-13] an append before, across or past the end is a conflict and writes nothing', async () => {
    const { storage } = harness();
    const appendAt = (at: number, count: number) => appendTo(storage, S, at, run('s', at, count));
    expect(await appendAt(1, 1)).toBe('conflict');
    expect(await readEntries(storage, S, 0, 10)).toEqual([]);
    expect(await storage.journal.listJournals(null, 10)).toEqual([]);
    expect(await appendAt(0, 2)).toBe('committed');
    expect(await appendAt(2, 3)).toBe('committed');
    for (const [at, count] of [
      [0, 1],
      [0, 2],
      [0, 9],
      [1, 1],
      [1, 9],
      [2, 1],
      [2, 3],
      [3, 1],
      [3, 9],
      [4, 1],
      [6, 1],
      [60, 2],
    ] as const) {
      expect(await appendAt(at, count), `${count} at ${at}`).toBe('conflict');
    }
    expect(await readEntries(storage, S, 0, 100)).toEqual([...run('s', 0, 2), ...run('s', 2, 3)]);
    expect(await appendAt(5, 1)).toBe('committed');
  });

  test('[STORE-13] a conflict takes nothing from the appends beside it', async () => {
    const { storage } = harness();
    await appendTo(storage, session('a'), 0, run('a', 0, 1));
    const results = await Promise.all([
      appendTo(storage, session('b'), 0, run('b', 0, 2)),
      appendTo(storage, session('a'), 0, run('a', 0, 1)),
      appendTo(storage, session('c'), 3, run('c', 3, 1)),
      appendTo(storage, session('a'), 1, run('a', 1, 2)),
      appendTo(storage, session('d'), 0, run('d', 0, 1)),
    ]);
    expect(results).toEqual(['committed', 'conflict', 'conflict', 'committed', 'committed']);
    const seqs = async (id: string) => (await readEntries(storage, session(id), 0, 10)).map((entry) => entry.seq);
    expect(await Promise.all(['a', 'b', 'c', 'd'].map(seqs))).toEqual([[1, 2, 3], [1, 2], [], [1]]);
  });

  test('[STORE-14] of appends at one place from two handles exactly one is committed', async () => {
    const { storage, reopen } = harness();
    const handles = [storage, (await reopen?.()) ?? storage] as const;
    for (let at = 0; at < 20; at++) {
      const offers = [0, 1, 2, 3].map((i): Entry[] => [
        at === 0 ? { ...started('s'), at: i } : marked(at + 1, `by-${i}`),
      ]);
      const results = await Promise.all(
        offers.map((entries, i) => appendTo(i % 2 === 0 ? handles[0] : handles[1], S, at, entries)),
      );
      expect(results.filter((result) => result === 'committed')).toHaveLength(1);
      expect(results.filter((result) => result === 'conflict')).toHaveLength(3);
      const winner = offers[results.indexOf('committed')];
      expect(await readEntries(storage, S, at, 10)).toEqual(winner);
      expect(await readEntries(handles[1], S, at, 10)).toEqual(winner);
    }
  });

  test('[STORE-14] of batches that overlap exactly those that fit the end are committed', async () => {
    const { storage, reopen } = harness();
    const other = (await reopen?.()) ?? storage;
    const results = await Promise.all(
      [5, 4, 3, 2, 1].map((count, i) => appendTo(i % 2 ? other : storage, S, 0, run('s', 0, count))),
    );
    expect(results.filter((result) => result === 'committed')).toHaveLength(1);
    const length = [5, 4, 3, 2, 1][results.indexOf('committed')] ?? 0;
    expect(await readEntries(storage, S, 0, 100)).toEqual(run('s', 0, length));
  });

  test('[STORE-15] entries of every type are read back value by value', async () => {
    const { storage } = harness();
    const full = rosterRow('student-1', 7);
    const roster = [
      rosterRow('student-0'),
      {
        ...full,
        student: {
          ...full.student,
          user_id: user('u'),
          uid: 'u',
          email: 'e@x.example',
          roll: '007',
          profile_picture: 'p',
        },
        status: 'late' as const,
        remarks: 'Ünï "quoted" \\ \u0000 \u2028 💚\n',
        checked_in_at: T0,
        marked_at: T0 + 1,
        marked_by: 'Ada',
      },
    ];
    const checkedIn: CheckedInEntry = {
      seq: 2,
      at: T0,
      actor: { user_id: null, name: '' },
      op_id: 'op-"1"',
      type: 'checked_in',
      student_id: student('__proto__'),
      added: rosterRow('__proto__', 9),
    };
    const entries: Entry[] = [
      {
        ...started('s', roster),
        op_id: '0',
        session: { ...bareFacts('s'), course: { _id: 'c' as never, title: null, course_code: 'X' }, topic: '' },
      },
      checkedIn,
      marked(3, 'student-1', { op_id: 'bulk', group: 3, unchanged: [student('student-0'), student('x')] }),
      marked(4, 'walk-in', { group: 3, previous_status: null, status: 'excused', remarks: '', added: rosterRow('w') }),
      ended(5),
    ];
    expect(await appendTo(storage, S, 0, entries.slice(0, 2))).toBe('committed');
    expect(await appendTo(storage, S, 2, entries.slice(2))).toBe('committed');
    const read = await readEntries(storage, S, 0, 100);
    expect(read).toStrictEqual(entries);
    expect(read.map((entry) => Object.keys(entry).sort())).toEqual(entries.map((entry) => Object.keys(entry).sort()));

    const adopted: AdoptedEntry = {
      seq: 1,
      at: T0,
      actor: { user_id: null, name: 'system' },
      type: 'adopted',
      session: bareFacts('t'),
      policy: POLICY,
      started_at: T0 - 60_000,
      roster,
    };
    await appendTo(storage, session('t'), 0, [adopted]);
    expect(await readEntries(storage, session('t'), 0, 1)).toStrictEqual([adopted]);
  });

  test('[STORE-15] a journal opens with thousands on its roster', async () => {
    const { storage } = harness();
    const roster = Array.from({ length: 5000 }, (_, i) => rosterRow(`student-${i}`, i));
    expect(await appendTo(storage, S, 0, [started('s', roster)])).toBe('committed');
    expect(await readEntries(storage, S, 0, 1)).toEqual([started('s', roster)]);
  });

  test('[STORE-16] entries are read from just after a seq up to the commit that reaches the limit', async () => {
    const { storage } = harness();
    for (let at = 0; at < 40; at += 4) await appendTo(storage, S, at, run('s', at, 4));
    const all = await readEntries(storage, S, 0, 1000);
    expect(all).toEqual(Array.from({ length: 10 }, (_, i) => run('s', i * 4, 4)).flat());
    for (const after of [0, 1, 3, 4, 5, 38, 39]) {
      for (const limit of [1, 2, 4, 5, 9, 100]) {
        const page = await readEntries(storage, S, after, limit);
        expect(page, `${limit} after ${after}`).toEqual(all.slice(after, after + page.length));
        expect(page.length).toBeGreaterThanOrEqual(Math.min(limit, 40 - after));
        expect(page.length).toBeLessThan(limit + 4);
      }
    }
    expect(await readEntries(storage, S, 40, 10)).toEqual([]);
    expect(await readEntries(storage, S, 400, 10)).toEqual([]);
    expect(await readEntries(storage, session('other'), 0, 10)).toEqual([]);
  });

  test('[STORE-3] journals of look-alike ids are kept apart', async () => {
    const { storage } = harness();
    const ids = [...HOSTILE_IDS, 'a', 'a:', 'a:1:1', 'A', 'a '];
    await Promise.all(ids.map((id) => appendTo(storage, session(id), 0, run(id, 0, 1))));
    await Promise.all(ids.map((id) => appendTo(storage, session(id), 1, [marked(2, id)])));
    for (const id of ids) {
      expect(await readEntries(storage, session(id), 0, 10)).toEqual([started(id), marked(2, id)]);
    }
    expect((await storage.journal.listJournals(null, 1000)).sort()).toEqual([...ids].sort());
    expect((await storage.journal.listActiveSessions()).sort()).toEqual([...ids].sort());
  });

  test('[STORE-17] journals are listed once each, in order, page by page', async () => {
    const { storage } = harness();
    const ids = Array.from({ length: 25 }, (_, i) => `journal-${String(i).padStart(2, '0')}`);
    for (const id of [...ids].reverse()) {
      await appendTo(storage, session(id), 0, run(id, 0, 1));
      await appendTo(storage, session(id), 1, run(id, 1, 2));
    }
    await storage.projection.project(projection('journal-03', 3, [], { status: 'completed', ended_at: T0 + 9 }));
    const listed: string[] = [];
    for (let after: ReturnType<typeof session> | null = null; ; ) {
      const page: ReturnType<typeof session>[] = await storage.journal.listJournals(after, 10);
      expect(page.length).toBeLessThanOrEqual(10);
      const last = page.at(-1);
      if (last === undefined) break;
      listed.push(...page);
      after = last;
    }
    expect(listed).toEqual(ids);
  });

  test('[STORE-91] the ends of many journals are answered at once, and nothing of sessions without one', async () => {
    const { storage } = harness();
    expect(await storage.journal.lastSeqs([])).toEqual(new Map());
    await appendTo(storage, S, 0, run('s', 0, 2));
    await appendTo(storage, S, 2, run('s', 2, 1));
    for (const id of HOSTILE_IDS) await appendTo(storage, session(id), 0, run(id, 0, 1));
    const asked = [S, session('unknown'), S, ...HOSTILE_IDS.map(session)];
    const expected = new Map([[S, 3], ...HOSTILE_IDS.map((id) => [session(id), 1] as const)]);
    expect(await storage.journal.lastSeqs(asked)).toEqual(expected);
    expect(await storage.journal.lastSeqs([session('unknown')])).toEqual(new Map());
  });

  test('[STORE-11] a session is active from its opening entry until its end is projected', async () => {
    const { storage, reopen } = harness();
    expect(await storage.journal.listActiveSessions()).toEqual([]);
    await appendTo(storage, S, 0, run('s', 0, 2));
    await appendTo(storage, session('t'), 0, run('t', 0, 1));
    const listed = async () => (await storage.journal.listActiveSessions()).sort();
    expect(await listed()).toEqual(['s', 't']);
    await storage.projection.project(projection('s', 2, []));
    expect(await listed()).toEqual(['s', 't']);
    await appendTo(storage, S, 2, [ended(3)]);
    expect(await listed()).toEqual(['s', 't']);
    await storage.projection.project(projection('s', 3, [], { status: 'completed', ended_at: T0 + 3 }));
    expect(await listed()).toEqual(['t']);
    await appendTo(storage, S, 3, [marked(4)]);
    await storage.projection.project(projection('s', 4, [], { status: 'completed', ended_at: T0 + 3 }));
    expect(await listed()).toEqual(['t']);
    expect(await (await reopen?.())?.journal.listActiveSessions()).toEqual(reopen ? ['t'] : undefined);
  });

  test('[STORE-11] a session that the database calls active without a journal is active', async () => {
    const { storage, putActiveSession } = harness();
    await putActiveSession(session('foreign'));
    await appendTo(storage, S, 0, run('s', 0, 1));
    expect((await storage.journal.listActiveSessions()).sort()).toEqual(['foreign', 's']);
    expect(await storage.projection.findSession(session('foreign'))).toMatchObject({
      status: 'active',
      projected_seq: 0,
    });
    await appendTo(storage, session('foreign'), 0, run('foreign', 0, 1));
    expect((await storage.journal.listActiveSessions()).sort()).toEqual(['foreign', 's']);
    await storage.projection.project(projection('foreign', 2, [], { status: 'completed', ended_at: T0 + 3 }));
    expect(await storage.journal.listActiveSessions()).toEqual(['s']);
  });
}
