import { expect, test } from 'vitest';
import type { Days, NewSession, Storage } from '../port.js';
import { today } from '../today.js';
import { walked } from './accounts-contract.js';
import { freshHarness, type MakeHarness } from './harness.js';
import { appendTo } from './journal-access.js';
import { course, importAll, projection, record, run, SCHOOL, schoolOf, session, student, teacher } from './samples.js';

const ALWAYS: Days = { from: null, to: null };
const FIRST = { after: null, limit: 200 };
const DAY_MS = 86_400_000;

/** Days of a school whose clocks are six hours ahead of UTC. */
const inDhaka = (from: string, to: string): Days => ({
  from: { day: from, at: Date.parse(`${from}T00:00:00+06:00`) },
  to: { day: to, until: Date.parse(`${to}T00:00:00+06:00`) + DAY_MS },
});

const NEW: NewSession = {
  session_id: 'new',
  course_id: 'course-1',
  date: '2026-11-30',
  start_time: '09:00',
  end_time: null,
  topic: 'Trees',
  description: null,
};

/** Sessions of course-1 on days, and two that were made by being started: their dates are instants. */
async function timetable(storage: Storage): Promise<void> {
  await importAll(storage, SCHOOL);
  const sessions = ['2026-11-20', '2026-11-24', '2026-11-25'].map((date) => ({
    ...{ id: `on-${date}`, course_id: 'course-1', date, status: 'scheduled' as const },
  }));
  await importAll(storage, schoolOf({ sessions }));
  for (const [id, date] of [
    ['late-on-24', '2026-11-24T17:59:00.000Z'],
    ['early-on-25', '2026-11-24T18:00:00.000Z'],
  ] as const) {
    const made = projection(id, 1, [], { date, course_id: course('course-1') });
    await storage.projection.project(made);
  }
}

export function timetableContract(make: MakeHarness): void {
  const harness = freshHarness(make);

  test('[STORE-149] sessions of a course are listed page by page, as each is found by its id', async () => {
    const { storage } = harness();
    await timetable(storage);
    const all = ['early-on-25', 'late-on-24', 'on-2026-11-20', 'on-2026-11-24', 'on-2026-11-25', 'session-1'];
    const pages = await walked((after) =>
      storage.timetable.listSessions(course('course-1'), ALWAYS, { after, limit: 4 }),
    );
    expect(pages.map((page) => page.length)).toEqual([4, 2]);
    expect(pages.flat().map(({ session_id }) => session_id)).toEqual(all);
    for (const one of pages.flat()) expect(one).toEqual(await storage.projection.findSession(one.session_id));
    expect(await storage.timetable.listSessions(course('nowhere'), ALWAYS, FIRST)).toEqual({ items: [], next: null });
  });

  test('[STORE-149] days are the school’s, inclusive, for dates that are days and for those that are instants', async () => {
    const { storage } = harness();
    await timetable(storage);
    const on = async (from: string, to: string, limit = 200) => {
      const pages = await walked((after) =>
        storage.timetable.listSessions(course('course-1'), inDhaka(from, to), { after, limit }),
      );
      return pages.flat().map(({ session_id }) => session_id);
    };
    expect(await on('2026-11-24', '2026-11-24')).toEqual(['late-on-24', 'on-2026-11-24']);
    expect(await on('2026-11-25', '2026-11-30')).toEqual(['early-on-25', 'on-2026-11-25']);
    expect(await on('2026-11-20', '2026-11-23', 1)).toEqual(['on-2026-11-20', 'session-1']);
    expect(await on('2026-12-01', '2026-12-31')).toEqual([]);
    const { from, to } = inDhaka('2026-11-24', '2026-11-24');
    const since = await storage.timetable.listSessions(course('course-1'), { from, to: null }, FIRST);
    expect(since.items.map(({ session_id }) => session_id)).toEqual([
      'early-on-25',
      'late-on-24',
      'on-2026-11-24',
      'on-2026-11-25',
    ]);
    const until = await storage.timetable.listSessions(course('course-1'), { from: null, to }, FIRST);
    expect(until.items.map(({ session_id }) => session_id)).toEqual([
      'late-on-24',
      'on-2026-11-20',
      'on-2026-11-24',
      'session-1',
    ]);
  });

  test('[STORE-150] the sessions of a day are those of a teacher’s courses and those that name the teacher, and those of a student’s courses', async () => {
    const { storage } = harness();
    await timetable(storage);
    await importAll(
      storage,
      schoolOf({
        courses: [{ id: 'ended' }],
        enrollments: [{ course_id: 'ended', student_id: 'student-1', ends: today() }],
        sessions: [
          { id: 'stands-in', course_id: 'course-2', teacher_id: 'teacher-1', date: '2026-11-24' },
          { id: 'open', teacher_id: 'teacher-2', date: '2026-11-24' },
          { id: 'of-ended', course_id: 'ended', date: '2026-11-24' },
        ],
      }),
    );
    const day = inDhaka('2026-11-24', '2026-11-24');
    const ofTeacher = async (id: string) =>
      (await storage.timetable.sessionsOfTeacher(teacher(id), day)).map(({ session_id }) => session_id);
    const ofStudent = async (id: string) =>
      (await storage.timetable.sessionsOfStudent(student(id), day)).map(({ session_id }) => session_id);
    expect(await ofTeacher('teacher-1')).toEqual(['late-on-24', 'on-2026-11-24', 'stands-in']);
    expect(await ofTeacher('teacher-2')).toEqual(['late-on-24', 'on-2026-11-24', 'open']);
    expect(await ofTeacher('nobody')).toEqual([]);
    expect(await ofStudent('student-1')).toEqual(['late-on-24', 'on-2026-11-24']);
    expect(await ofStudent('student-3')).toEqual(['stands-in']);
    expect(await ofStudent('student-4')).toEqual([]);
  });

  test('[STORE-151] a session is scheduled under an id that nobody has', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const schedule = (more: Partial<NewSession>) => storage.timetable.scheduleSession({ ...NEW, ...more });
    expect(await schedule({})).toEqual({ outcome: 'added', id: 'new' });
    expect(await storage.projection.findSession(session('new'))).toMatchObject({
      ...{ course_id: 'course-1', date: '2026-11-30', start_time: '09:00', end_time: null, topic: 'Trees' },
      ...{ status: 'scheduled', teacher_id: 'teacher-1', teacher_name: 'Ada Osei', projected_seq: 0 },
    });
    const taken = { outcome: 'taken', field: 'session_id' };
    expect(await schedule({ topic: 'x' })).toEqual(taken);
    expect(await schedule({ session_id: 'session-1' })).toEqual(taken);
    await appendTo(storage, session('runs'), 0, run('runs', 0, 1));
    expect(await schedule({ session_id: 'runs' })).toEqual(taken);
    expect(await storage.projection.findSession(session('runs'))).toBeNull();
    expect(await schedule({ session_id: 'y', course_id: 'nowhere' })).toEqual({
      outcome: 'missing',
      field: 'course_id',
      value: 'nowhere',
    });
    const hex = '65f0a1b2c3d4e5f601234567';
    expect(await schedule({ session_id: hex })).toEqual({ outcome: 'added', id: hex });
    expect(await schedule({ session_id: hex })).toEqual(taken);
    expect((await storage.projection.findSession(session('new')))?.topic).toBe('Trees');
  });

  test('[STORE-152] a session is changed and cancelled while it is scheduled', async () => {
    const { storage } = harness();
    const { changeScheduled, cancelScheduled } = storage.timetable;
    await importAll(storage, SCHOOL);
    const id = session('session-1');
    const change = { date: '2026-12-01', end_time: '11:00', topic: null };
    expect(await changeScheduled(id, change)).toEqual({ outcome: 'changed', id });
    expect(await changeScheduled(id, change)).toEqual({ outcome: 'left', id });
    expect(await changeScheduled(id, {})).toEqual({ outcome: 'left', id });
    expect(await storage.projection.findSession(id)).toMatchObject({
      ...{ date: '2026-12-01', start_time: '09:00', end_time: '11:00', topic: null },
      ...{ description: 'inner and outer', status: 'scheduled' },
    });
    expect(await cancelScheduled(id)).toEqual({ outcome: 'changed', id });
    expect(await cancelScheduled(id)).toEqual({ outcome: 'left', id });
    expect(await storage.projection.findSession(id)).toMatchObject({ status: 'cancelled' });
    expect(await changeScheduled(id, { topic: 'x' })).toEqual({ outcome: 'begun' });
    const missing = { outcome: 'missing', field: 'session_id', value: 'nowhere' };
    expect(await changeScheduled(session('nowhere'), { topic: 'x' })).toEqual(missing);
    expect(await cancelScheduled(session('nowhere'))).toEqual(missing);
  });

  test('[STORE-152] a session that runs, ran or has a journal is never touched', async () => {
    const { storage, putActiveSession } = harness();
    await importAll(storage, SCHOOL);
    // Begun, and not projected yet: the row still says that it is scheduled.
    await appendTo(storage, session('session-1'), 0, run('session-1', 0, 1));
    await appendTo(storage, session('journal only'), 0, run('journal only', 0, 1));
    await putActiveSession(session('active'));
    for (const id of ['session-1', 'session-2', 'journal only', 'active'].map(session)) {
      const before = await storage.projection.findSession(id);
      expect(await storage.timetable.changeScheduled(id, { topic: 'x', date: '2027-01-01' }), id).toEqual({
        outcome: 'begun',
      });
      expect(await storage.timetable.cancelScheduled(id), id).toEqual({ outcome: 'begun' });
      expect(await storage.projection.findSession(id)).toEqual(before);
    }
  });

  test('[STORE-153] the records of a student are listed with their sessions, by course and by day', async () => {
    const { storage } = harness();
    await timetable(storage);
    const ids = ['late-on-24', 'on-2026-11-20', 'on-2026-11-24', 'session-1'];
    for (const [n, id] of ids.entries()) {
      const stored = await storage.projection.findSession(session(id));
      if (!stored) throw new Error(id);
      const own = record('student-1', 2, n + 1, { status: 'late', remarks: 'bus', checked_in_at: 5 });
      const facts = { ...stored, status: 'completed' as const, started_at: 1 };
      await storage.projection.project({
        ...{ session_id: session(id), session: facts, seq: 2 },
        records: [own, record('student-2', 2, n + 100)],
      });
    }
    const elsewhere = projection('elsewhere', 1, [record('student-1', 1, 99)], { course_id: course('course-2') });
    await storage.projection.project(elsewhere);
    const listed = async (of: string, courseId: string | null, days: Days, limit = 200) => {
      const pages = await walked((after) =>
        storage.timetable.listRecords(student(of), courseId === null ? null : course(courseId), days, { after, limit }),
      );
      return pages.flat();
    };
    const idsOf = async (...args: Parameters<typeof listed>) =>
      (await listed(...args)).map((one) => one.session.session_id);
    expect(await idsOf('student-1', null, ALWAYS, 2)).toEqual(['elsewhere', ...ids].sort());
    expect(await idsOf('student-1', 'course-1', ALWAYS, 3)).toEqual(ids);
    expect(await idsOf('student-1', 'course-2', ALWAYS)).toEqual(['elsewhere']);
    expect(await idsOf('student-1', 'course-1', inDhaka('2026-11-24', '2026-11-24'))).toEqual([
      'late-on-24',
      'on-2026-11-24',
    ]);
    expect(await idsOf('nobody', null, ALWAYS)).toEqual([]);
    const [first] = await listed('student-1', 'course-1', ALWAYS);
    const stored = await storage.projection.readRecords(session('late-on-24'));
    expect(first).toEqual({
      session: await storage.projection.findSession(session('late-on-24')),
      record: stored.find(({ student_id }) => student_id === 'student-1'),
    });
    const some = [session('late-on-24'), session('session-2'), session('nowhere')];
    expect(await storage.timetable.recordsOfStudent(student('student-1'), some)).toEqual(
      new Map([[session('late-on-24'), first?.record]]),
    );
    expect(await storage.timetable.recordsOfStudent(student('student-1'), [])).toEqual(new Map());
  });

  test('[STORE-154] records are counted by status', async () => {
    const { storage } = harness();
    await storage.projection.project(
      projection('s', 5, [
        record('a', 2, 1, { status: 'present', checked_in_at: 7 }),
        record('b', 3, 2, { status: 'late', checked_in_at: 8 }),
        record('c', 4, 3),
        record('d', 5, 4),
      ]),
    );
    expect(await storage.timetable.countRecords([session('s'), session('none')])).toEqual(
      new Map([[session('s'), { present: 1, absent: 2, late: 1, excused: 0, checked_in: 2 }]]),
    );
    expect(await storage.timetable.countRecords([])).toEqual(new Map());
  });
}
