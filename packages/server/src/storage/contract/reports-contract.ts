import { expect, test } from 'vitest';
import type { SessionRecord } from '../port.js';
import { freshHarness, type MakeHarness } from './harness.js';
import { appendTo } from './journal-access.js';
import {
  course,
  HOSTILE_IDS,
  importAll,
  projection,
  record,
  run,
  SCHOOL,
  schoolOf,
  session,
  student,
  T0,
  teacher,
  user,
} from './samples.js';

const byKey = (a: SessionRecord, b: SessionRecord) =>
  `${a.session_id} ${a.student_id}` < `${b.session_id} ${b.student_id}` ? -1 : 1;
const idsOf = (sessions: readonly { session_id: string }[]) => sessions.map(({ session_id }) => session_id).sort();

export function reportsContract(make: MakeHarness): void {
  const harness = freshHarness(make);

  test('[REPORT-1] the sessions of a course are found with their course and teacher, whatever their state', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const more = schoolOf({
      courses: [
        { id: 'course-1', title: 'Databases', teacher_id: 'teacher-1' },
        { id: 'empty', title: 'Empty' },
      ],
      sessions: [
        { id: 'session-3', course_id: 'course-1', date: '2026-11-24', status: 'cancelled' },
        { id: 'session-4', course_id: 'course-1', date: '2026-11-25', teacher_id: 'teacher-2' },
      ],
    });
    await importAll(storage, more);
    await storage.projection.project(projection('s', 2, [], { course_id: course('course-1') }));
    const found = await storage.reports.sessionsOfCourse(course('course-1'));
    expect(idsOf(found)).toEqual(['s', 'session-1', 'session-3', 'session-4']);
    for (const one of found) expect(one).toEqual(await storage.projection.findSession(one.session_id));
    expect(found.find(({ session_id }) => session_id === 'session-4')).toMatchObject({ teacher_name: 'Kit Moro' });
    expect(await storage.reports.sessionsOfCourse(course('empty'))).toEqual([]);
    expect(await storage.reports.sessionsOfCourse(course('nowhere'))).toEqual([]);
    const asked = [session('s'), session('session-2'), session('nowhere'), session('s')];
    expect(idsOf(await storage.reports.sessions(asked))).toEqual(['s', 'session-2']);
    expect(await storage.reports.sessions([])).toEqual([]);
  });

  test('[REPORT-1] records of many sessions, and those of one student, are found with their sessions', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const records = ['student-1', 'student-2', 'gone'].map((id, i) =>
      record(id, 2, i + 1, { status: 'late', remarks: `=${id}`, checked_in_at: T0 + i, marked_at: T0, marked_by: 'A' }),
    );
    await storage.projection.project(projection('s', 2, records));
    await storage.projection.project(projection('t', 2, [record('student-1', 2, 9)]));
    await storage.projection.project(projection('u', 2, [record('student-1', 2, 19)]));
    const found = await storage.reports.recordsOfSessions([session('s'), session('t'), session('nowhere')]);
    expect(found.toSorted(byKey)).toEqual(
      [
        ...records.map((one) => ({ ...one, session_id: session('s') })),
        { ...record('student-1', 2, 9), session_id: session('t') },
      ].toSorted(byKey),
    );
    const own = await storage.reports.recordsOfStudent(student('student-1'));
    expect(own.map(({ session_id }) => session_id).sort()).toEqual(['s', 't', 'u']);
    expect(own.find(({ session_id }) => session_id === 's')).toEqual({ ...records[0], session_id: 's' });
    expect(await storage.reports.recordsOfStudent(student('gone'))).toHaveLength(1);
    expect(await storage.reports.recordsOfStudent(student('nobody'))).toEqual([]);
    expect(await storage.reports.recordsOfSessions([])).toEqual([]);
  });

  test('[REPORT-1] ids of any text keep their sessions and records apart', async () => {
    const { storage } = harness();
    for (const [i, id] of HOSTILE_IDS.entries()) {
      await storage.projection.project(projection(id, 2, [record(id, 2, i + 1)], { course_id: course(id) }));
    }
    for (const id of HOSTILE_IDS) {
      expect(idsOf(await storage.reports.sessionsOfCourse(course(id)))).toEqual([id]);
      expect(await storage.reports.recordsOfStudent(student(id))).toMatchObject([{ session_id: id, student_id: id }]);
    }
    const all = await storage.reports.recordsOfSessions(HOSTILE_IDS.map(session));
    expect(all.map(({ session_id, student_id }) => [session_id, student_id]).sort()).toEqual(
      HOSTILE_IDS.map((id) => [id, id]).sort(),
    );
  });

  test('[REPORT-2] the sessions of a person are those they teach, and those of their courses on days that count', async () => {
    const { storage } = harness();
    const on = (id: string, course_id: string | null, date: string, teacher_id: string | null = null) => ({
      id,
      course_id,
      date,
      teacher_id,
    });
    await importAll(
      storage,
      schoolOf({
        teachers: [{ id: 'main' }, { id: 'co' }, { id: 'guest' }, { id: 'other' }],
        students: [{ id: 'in' }, { id: 'late' }, { id: 'asks' }],
        courses: [
          { id: 'c', teacher_id: 'main', co_teacher_ids: ['co'] },
          { id: 'd', teacher_id: 'other' },
        ],
        enrollments: [
          { course_id: 'c', student_id: 'in' },
          { course_id: 'c', student_id: 'late', begins: '2026-11-24', ends: '2026-11-25' },
          { course_id: 'c', student_id: 'asks', status: 'pending' },
        ],
        sessions: [
          on('c-23', 'c', '2026-11-23'),
          on('c-24', 'c', '2026-11-24', 'guest'),
          on('c-25', 'c', '2026-11-25'),
          on('d-23', 'd', '2026-11-23'),
          on('free', null, '2026-11-23', 'main'),
        ],
      }),
    );
    const teaches = async (id: string) =>
      idsOf(await storage.reports.sessionsOfPerson({ teacher_id: teacher(id), student_id: null }));
    const attends = async (id: string) =>
      idsOf(await storage.reports.sessionsOfPerson({ teacher_id: null, student_id: student(id) }));
    expect(await teaches('main')).toEqual(['c-23', 'c-24', 'c-25', 'free']);
    expect(await teaches('co')).toEqual(['c-23', 'c-24', 'c-25']);
    expect(await teaches('guest')).toEqual(['c-24']);
    expect(await attends('in')).toEqual(['c-23', 'c-24', 'c-25']);
    expect(await attends('late')).toEqual(['c-24']);
    expect(await attends('asks')).toEqual([]);
    expect(await storage.reports.sessionsOfPerson({ teacher_id: null, student_id: null })).toEqual([]);
    const both = await storage.reports.sessionsOfPerson({ teacher_id: teacher('other'), student_id: student('late') });
    expect(idsOf(both)).toEqual(['c-24', 'd-23']);
  });

  test('[REPORT-1] what reports read of people, courses and journals is what others read', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    await appendTo(storage, session('s'), 0, run('s', 0, 3));
    const { reports, courses, people, journal } = storage;
    expect(await reports.findCourse(course('course-1'))).toEqual(await courses.findCourse(course('course-1')));
    expect(await reports.listRoster(course('course-1'))).toEqual(await courses.listRoster(course('course-1')));
    expect(await reports.findStudents(['student-1', 'x'])).toEqual(await people.findStudents(['student-1']));
    expect(await reports.lastSeqs([session('s')])).toEqual(new Map([[session('s'), 3]]));
    expect(await reports.readCommits(session('s'), 0, 9)).toEqual(await journal.readCommits(session('s'), 0, 9));
  });

  test('[CALENDAR-10] a person has one calendar address at most, which is found by its hash until it is removed', async () => {
    const { calendars } = harness().storage;
    const address = (id: string, hash: string, made_at = T0) => ({ user_id: user(id), hash, made_at });
    expect(await calendars.findCalendar('a')).toBeNull();
    expect(await calendars.calendarOf(user('ada'))).toBeNull();
    await calendars.setCalendar(address('ada', 'a'));
    await calendars.setCalendar(address('bo', 'b'));
    expect(await calendars.findCalendar('a')).toEqual(address('ada', 'a'));
    await calendars.setCalendar(address('ada', 'c', T0 + 1));
    expect(await calendars.findCalendar('a')).toBeNull();
    expect(await calendars.findCalendar('c')).toEqual(address('ada', 'c', T0 + 1));
    expect(await calendars.calendarOf(user('ada'))).toEqual(address('ada', 'c', T0 + 1));
    await calendars.removeCalendar(user('ada'));
    await calendars.removeCalendar(user('nobody'));
    expect(await calendars.findCalendar('c')).toBeNull();
    expect(await calendars.calendarOf(user('ada'))).toBeNull();
    expect(await calendars.findCalendar('b')).toEqual(address('bo', 'b'));
    for (const id of HOSTILE_IDS) await calendars.setCalendar(address(id, `of ${id}`));
    for (const id of HOSTILE_IDS) expect(await calendars.findCalendar(`of ${id}`)).toEqual(address(id, `of ${id}`));
  });
}
