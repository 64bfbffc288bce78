import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StoredRecord } from '../port.js';
import { freshHarness, type MakeHarness } from './harness.js';
import { appendTo, readEntries } from './journal-access.js';
import { HOSTILE_IDS, importAll, projection, record, run, SCHOOL, session, T0, teacher } from './samples.js';

const S = session('s');
const inOrder = (records: readonly StoredRecord[]) =>
  [...records].sort((a, b) => (a.student_id < b.student_id ? -1 : a.student_id > b.student_id ? 1 : 0));

export function projectionContract(make: MakeHarness): void {
  const harness = freshHarness(make);

  test('[STORE-9] an imported session is found with its course and the teacher of that course', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    expect(await storage.projection.findSession(session('session-1'))).toEqual({
      session_id: 'session-1',
      course_id: 'course-1',
      course: { _id: 'course-1', title: 'Databases', course_code: 'CSE-301' },
      date: expect.stringMatching(/^2026-11-23/),
      start_time: '09:00',
      end_time: '10:30',
      topic: 'Joins',
      description: 'inner and outer',
      teacher_id: 'teacher-1',
      teacher_name: 'Ada Osei',
      status: 'scheduled',
      started_at: null,
      ended_at: null,
      projected_seq: 0,
    });
    expect(await storage.projection.findSession(session('session-2'))).toMatchObject({
      status: 'completed',
      teacher_id: null,
      teacher_name: null,
    });
    expect(await storage.projection.findSession(session('nowhere'))).toBeNull();
  });

  test('[STORE-93] how far many sessions are projected is answered at once, and nothing of unknown ones', async () => {
    const { storage } = harness();
    expect(await storage.projection.projectedSeqs([])).toEqual(new Map());
    await importAll(storage, SCHOOL);
    for (const id of HOSTILE_IDS) await storage.projection.project(projection(id, 2, []));
    await storage.projection.project(projection('s', 3, [record('a', 3)]));
    await storage.projection.project(projection('s', 1, []));
    const asked = [S, session('unknown'), S, session('session-1'), ...HOSTILE_IDS.map(session)];
    const expected = [[S, 3], [session('session-1'), 0], ...HOSTILE_IDS.map((id) => [session(id), 2])];
    expect(await storage.projection.projectedSeqs(asked)).toEqual(new Map(expected as Array<[typeof S, number]>));
  });

  test('[STORE-18] a projection makes a session that was not there, with all its facts', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const facts = {
      course_id: 'course-1' as never,
      course: { _id: 'course-1' as never, title: 'Databases', course_code: 'CSE-301' },
      date: '2026-11-23',
      start_time: '09:05',
      end_time: '10:00',
      topic: 'Ad hoc',
      description: 'd',
      teacher_id: teacher('teacher-2'),
      teacher_name: 'Kit Moro',
    };
    await storage.projection.project(projection('s', 1, [record('student-1', 1)], facts));
    expect(await storage.projection.findSession(S)).toEqual({
      session_id: 's',
      ...facts,
      date: expect.stringMatching(/^2026-11-23/),
      status: 'active',
      started_at: T0,
      ended_at: null,
      projected_seq: 1,
    });
    await storage.projection.project(projection('s', 4, [], { ...facts, status: 'completed', ended_at: T0 + 77 }));
    expect(await storage.projection.findSession(S)).toMatchObject({
      status: 'completed',
      started_at: T0,
      ended_at: T0 + 77,
      projected_seq: 4,
    });
  });

  test('[STORE-18] a projection brings a scheduled session to life and keeps what it does not say', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const before = await storage.projection.findSession(session('session-1'));
    if (!before) throw new Error('the session was imported');
    const { status: _, started_at: __, ended_at: ___, projected_seq: ____, ...facts } = before;
    await storage.projection.project(projection('session-1', 1, [], { ...facts, topic: 'Outer joins' }));
    expect(await storage.projection.findSession(session('session-1'))).toEqual({
      ...before,
      topic: 'Outer joins',
      status: 'active',
      started_at: T0,
      projected_seq: 1,
    });
    expect(await storage.projection.findSession(session('session-2'))).toMatchObject({
      status: 'completed',
      projected_seq: 0,
    });
  });

  test('[STORE-10] records are read as they were projected', async () => {
    const { storage } = harness();
    expect(await storage.projection.readRecords(S)).toEqual([]);
    const records = [
      record('student-1', 1),
      record('student-2', 3, 2, {
        status: 'late',
        remarks: 'bus "12" \\ 💚',
        checked_in_at: T0 + 5,
        marked_at: T0 + 6,
        marked_by: 'Ada Osei',
        created_at: T0 - 1,
      }),
      record('__proto__', 2, 3, { status: 'excused', remarks: '' }),
    ];
    await storage.projection.project(projection('s', 3, records));
    await storage.projection.project(projection('other', 3, [record('student-1', 3, 4, { status: 'present' })]));
    expect(inOrder(await storage.projection.readRecords(S))).toEqual(inOrder(records));
  });

  test('[STORE-18] thousands of records are projected in one go', async () => {
    const { storage } = harness();
    const records = Array.from({ length: 5000 }, (_, i) => record(`student-${i}`, 1, i));
    await storage.projection.project(projection('s', 1, records));
    expect(inOrder(await storage.projection.readRecords(S))).toEqual(inOrder(records));
    const changed = records.map((row) => ({ ...row, status: 'present' as const, seq: 2 }));
    await storage.projection.project(projection('s', 2, changed));
    expect(inOrder(await storage.projection.readRecords(S))).toEqual(inOrder(changed));
  });

  test('[STORE-19] a projection that comes twice or late takes nothing back', async () => {
    const { storage } = harness();
    const first = projection('s', 2, [record('a', 1, 1), record('b', 2, 2)]);
    const second = projection('s', 3, [record('b', 3, 2, { status: 'present' })]);
    const last = projection('s', 5, [record('a', 4, 1, { status: 'late' })], {
      status: 'completed',
      ended_at: T0 + 5,
    });
    await appendTo(storage, S, 0, run('s', 0, 5));
    for (const one of [first, second, last, last, second, first]) await storage.projection.project(one);
    expect(inOrder(await storage.projection.readRecords(S))).toEqual([...last.records, ...second.records]);
    expect(await storage.projection.findSession(S)).toMatchObject({
      status: 'completed',
      ended_at: T0 + 5,
      projected_seq: 5,
    });
    expect(await storage.journal.listActiveSessions()).toEqual([]);
  });

  test('[STORE-19] in whatever order projections come, the highest seq of each row stays', async () => {
    const { storage } = harness();
    const states = ['present', 'absent', 'late', 'excused'] as const;
    const changes = Array.from({ length: 12 }, (_, i) =>
      record(`st-${i % 4}`, i + 1, i % 4, { status: states[i % 3] ?? 'absent', remarks: `at ${i + 1}` }),
    );
    const parts = Array.from({ length: 6 }, (_, i) =>
      projection(`s`, i * 2 + 2, changes.slice(i * 2, i * 2 + 2), {
        status: i === 5 ? 'completed' : 'active',
        ended_at: i === 5 ? T0 + 12 : null,
      }),
    );
    let round = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(parts, { minLength: 6 }),
        fc.shuffledSubarray(parts, { minLength: 2 }),
        async (all, again) => {
          const id = `round-${round++}`;
          const here = (one: (typeof parts)[number]) =>
            storage.projection.project({
              ...one,
              session_id: session(id),
              session: { ...one.session, session_id: session(id) },
              records: one.records.map((row, i) => ({
                ...row,
                record_id: `${round.toString(16).padStart(12, '0')}${row.seq.toString(16).padStart(6, '0')}00000${i}`,
              })),
            });
          for (const one of all) await here(one);
          await Promise.all(again.map(here));
          const rows = inOrder(await storage.projection.readRecords(session(id)));
          expect(rows.map((row) => [row.student_id, row.seq, row.remarks])).toEqual(
            [9, 10, 11, 12].map((seq, i) => [`st-${i}`, seq, `at ${seq}`]),
          );
          expect(await storage.projection.findSession(session(id))).toMatchObject({
            status: 'completed',
            projected_seq: 12,
          });
        },
      ),
      { numRuns: 15 },
    );
  });

  test('[STORE-20] a record keeps its id and time of making, and others are left untouched', async () => {
    const { storage } = harness();
    await storage.projection.project(projection('s', 1, [record('a', 1, 1), record('b', 1, 2)]));
    await storage.projection.project(projection('t', 1, [record('a', 1, 3)]));
    const changed = record('a', 2, 99, { status: 'present', created_at: T0 + 500, updated_at: T0 + 600 });
    await storage.projection.project(projection('s', 2, [changed]));
    expect(inOrder(await storage.projection.readRecords(S))).toEqual([
      { ...changed, record_id: record('a', 1, 1).record_id, created_at: T0 },
      record('b', 1, 2),
    ]);
    expect(await storage.projection.readRecords(session('t'))).toEqual([record('a', 1, 3)]);
  });

  test('[STORE-18] concurrent projections and appends of many sessions all arrive', async () => {
    const { storage } = harness();
    const ids = Array.from({ length: 20 }, (_, i) => `s${i}`);
    await Promise.all(
      ids.flatMap((id, i) => [
        appendTo(storage, session(id), 0, run(id, 0, 3)),
        storage.projection.project(projection(id, 1, [record('a', 1, i)])),
        storage.projection.project(
          projection(id, 3, [record('a', 3, i, { status: 'present' }), record('b', 2, 100 + i)]),
        ),
      ]),
    );
    for (const [i, id] of ids.entries()) {
      expect(await readEntries(storage, session(id), 0, 10)).toEqual(run(id, 0, 3));
      expect(inOrder(await storage.projection.readRecords(session(id)))).toEqual([
        record('a', 3, i, { status: 'present' }),
        record('b', 2, 100 + i),
      ]);
    }
  });
}
