import { expect, test } from 'vitest';
import type { ImportReport, School, SchoolList } from '../port.js';
import { freshHarness, type MakeHarness } from './harness.js';
import { appendTo } from './journal-access.js';
import {
  course,
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
} from './samples.js';

const NONE: Record<SchoolList, number> = {
  teachers: 0,
  students: 0,
  admins: 0,
  courses: 0,
  enrollments: 0,
  sessions: 0,
};
const lengths = (school: School): Record<SchoolList, number> => ({
  teachers: school.teachers.length,
  students: school.students.length,
  admins: school.admins.length,
  courses: school.courses.length,
  enrollments: school.enrollments.length,
  sessions: school.sessions.length,
});
const report = (counts: Partial<ImportReport>): ImportReport => ({
  added: NONE,
  changed: NONE,
  left: NONE,
  unresolved: [],
  ...counts,
});

/** The school with one thing different in every list, and one row more where a list may grow. */
const LATER: School = {
  teachers: SCHOOL.teachers.map((row) => (row.id === 'teacher-1' ? { ...row, designation: 'Professor' } : row)),
  students: SCHOOL.students.map((row) => (row.id === 'student-1' ? { ...row, name: 'Bo Lind-Ray', roll: '1' } : row)),
  admins: SCHOOL.admins.map((row) => ({ ...row, name: 'Front office' })),
  courses: SCHOOL.courses.map((row) =>
    row.id === 'course-1' ? { ...row, co_teacher_ids: [] } : { ...row, teacher_id: 'teacher-2' },
  ),
  enrollments: [
    ...SCHOOL.enrollments.map((row) =>
      row.student_id === 'student-4' ? { ...row, status: 'approved' as const } : row,
    ),
    { course_id: 'course-2', student_id: 'student-1', status: 'approved' },
  ],
  sessions: SCHOOL.sessions.map((row) => (row.id === 'session-1' ? { ...row, topic: 'Keys' } : row)),
};

export function importContract(make: MakeHarness): void {
  const changing = freshHarness(make);

  test('[STORE-330] whoever uses the database sees that an import has changed the school, and only then', async () => {
    const { storage, reopen } = changing();
    const beside = (await reopen?.()) ?? storage;
    const before = await beside.school.changes();
    await storage.school.importSchool(SCHOOL, { dryRun: true });
    expect(await beside.school.changes()).toBe(before);
    await importAll(storage, SCHOOL);
    const after = await beside.school.changes();
    expect(after).not.toBe(before);
    await importAll(storage, SCHOOL);
    expect(await beside.school.changes()).toBe(after);
    // One row, and many: they are written in other ways.
    await importAll(storage, LATER);
    const later = await beside.school.changes();
    expect(later).not.toBe(after);
    await importAll(storage, schoolOf({ students: Array.from({ length: 1_200 }, (_, n) => ({ id: `many-${n}` })) }));
    expect(await beside.school.changes()).not.toBe(later);
  });

  const harness = freshHarness(make);

  test('[STORE-21] a first import adds every row, a repeat adds and changes none', async () => {
    const { storage } = harness();
    expect(await importAll(storage, SCHOOL)).toEqual(report({ added: lengths(SCHOOL) }));
    expect(await importAll(storage, SCHOOL)).toEqual(report({ left: lengths(SCHOOL) }));
    expect(await importAll(storage, schoolOf({}))).toEqual(report({}));
  });

  test('[STORE-21] an import changes what differs, and only that', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    expect(await importAll(storage, LATER)).toEqual(
      report({
        added: { ...NONE, enrollments: 1 },
        changed: { teachers: 1, students: 1, admins: 1, courses: 2, enrollments: 1, sessions: 1 },
        left: { teachers: 1, students: 3, admins: 0, courses: 0, enrollments: 4, sessions: 1 },
      }),
    );
    expect(await storage.people.findPersonByUid('ada')).toMatchObject({ teacher: { designation: 'Professor' } });
    expect(await storage.people.findPersonByUid('bo')).toMatchObject({ name: 'Bo Lind-Ray', student: { roll: '1' } });
    expect(await storage.people.findPersonByUid('root')).toMatchObject({ name: 'Front office', is_admin: true });
    expect(await storage.courses.findCourse(course('course-1'))).toMatchObject({ co_teacher_ids: [] });
    expect(await storage.courses.findCourse(course('course-2'))).toMatchObject({ teacher_id: 'teacher-2' });
    expect(await storage.courses.isEnrolled(course('course-1'), student('student-4'))).toBe(true);
    expect(await storage.projection.findSession(session('session-1'))).toMatchObject({
      topic: 'Keys',
      start_time: '09:00',
    });
    expect(await importAll(storage, LATER)).toEqual(report({ left: lengths(LATER) }));
  });

  test('[STORE-42] null in an import says nothing, and keeps what is stored', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const people = ['ada', 'bo', 'root'];
    const state = async () => ({
      people: await Promise.all(people.map((uid) => storage.people.findPersonByUid(uid))),
      courses: await Promise.all(['course-1', 'course-2'].map((id) => storage.courses.findCourse(course(id)))),
      sessions: await Promise.all(SCHOOL.sessions.map(({ id }) => storage.projection.findSession(session(id)))),
    });
    const before = await state();
    const person = { email: null, department: null, profile_picture: null };
    const silent: School = {
      teachers: SCHOOL.teachers.map((row) => ({ ...row, ...person, designation: null })),
      students: SCHOOL.students.map((row) => ({ ...row, ...person, roll: null, section: null, semester: null })),
      admins: SCHOOL.admins.map((row) => ({ ...row, email: null })),
      courses: SCHOOL.courses.map((row) => ({ ...row, course_code: null, credit: null, teacher_id: null })),
      enrollments: SCHOOL.enrollments,
      sessions: SCHOOL.sessions.map((row) => ({
        ...row,
        ...{ course_id: null, teacher_id: null, start_time: null, end_time: null, topic: null, description: null },
      })),
    };
    expect(before).toMatchObject({
      people: [{ email: expect.any(String), teacher: { designation: expect.any(String) } }, {}, {}],
      courses: [{ course_code: expect.any(String), teacher_id: expect.any(String) }, {}],
    });
    expect(await importAll(storage, silent)).toEqual(report({ left: lengths(SCHOOL) }));
    expect(await state()).toEqual(before);
  });

  test('[STORE-104] a course loses its teacher where an import says that they are gone, and not by silence', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const silent = schoolOf({ courses: [{ id: 'course-1', title: 'Databases', co_teacher_ids: ['teacher-2'] }] });
    const gone = schoolOf({ courses: silent.courses.map((row) => ({ ...row, teacher_gone: true })) });
    expect((await importAll(storage, silent)).left).toMatchObject({ courses: 1 });
    expect((await importAll(storage, gone)).changed).toMatchObject({ courses: 1 });
    expect(await storage.courses.findCourse(course('course-1'))).toMatchObject({
      teacher_id: null,
      co_teacher_ids: ['teacher-2'],
    });
    expect((await importAll(storage, gone)).left).toMatchObject({ courses: 1 });
  });

  test('[STORE-21] rows that an import does not name stay', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    await importAll(storage, schoolOf({ students: [{ id: 'student-9' }] }));
    expect((await storage.courses.listRoster(course('course-1'))).map((row) => row.student_id)).toEqual([
      'student-2',
      'student-1',
    ]);
    expect(await storage.people.findPersonByUid('ada')).not.toBeNull();
  });

  test('[STORE-21] one person may be teacher, student and admin', async () => {
    const { storage } = harness();
    const school = schoolOf({
      teachers: [{ id: 't', uid: 'all', name: 'All' }],
      students: [{ id: 's', uid: 'all', name: 'All' }],
      admins: [{ uid: 'all', name: 'All' }],
    });
    expect((await importAll(storage, school)).added).toEqual({ ...NONE, teachers: 1, students: 1, admins: 1 });
    expect(await storage.people.findPersonByUid('all')).toMatchObject({
      is_admin: true,
      teacher: { teacher_id: 't' },
      student: { student_id: 's' },
    });
    expect(await importAll(storage, school)).toEqual(report({ left: lengths(school) }));
  });

  test('[STORE-22] a dry run answers the counts and changes nothing', async () => {
    const { storage } = harness();
    expect(await storage.school.importSchool(SCHOOL, { dryRun: true })).toEqual(report({ added: lengths(SCHOOL) }));
    expect(await storage.people.isEmpty()).toBe(true);
    expect(await storage.courses.findCourse(course('course-1'))).toBeNull();
    expect(await storage.projection.findSession(session('session-1'))).toBeNull();

    await importAll(storage, SCHOOL);
    const foretold = await storage.school.importSchool(LATER, { dryRun: true });
    expect(await storage.people.findPersonByUid('bo')).toMatchObject({ name: 'Bo Lind', student: { roll: '1907002' } });
    expect(await importAll(storage, LATER)).toEqual(foretold);
  });

  test('[STORE-23] references that lead nowhere are all reported and nothing is kept', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const broken = schoolOf({
      teachers: [{ id: 'teacher-9' }],
      students: [{ id: 'student-9' }],
      courses: [
        { id: 'course-8', teacher_id: 'teacher-9', co_teacher_ids: ['teacher-1'] },
        { id: 'course-9', teacher_id: 'no-teacher', co_teacher_ids: ['teacher-2', 'no-co', 'student-1'] },
      ],
      enrollments: [
        { course_id: 'course-1', student_id: 'student-9' },
        { course_id: 'no-course', student_id: 'no-student' },
      ],
      sessions: [
        { id: 'session-8', course_id: 'course-8', teacher_id: 'teacher-2' },
        { id: 'session-9', course_id: '__proto__', teacher_id: "o'" },
      ],
    });
    const expected = [
      { list: 'courses', index: 1, field: 'teacher_id', value: 'no-teacher' },
      { list: 'courses', index: 1, field: 'co_teacher_ids', value: 'no-co' },
      { list: 'courses', index: 1, field: 'co_teacher_ids', value: 'student-1' },
      { list: 'enrollments', index: 1, field: 'course_id', value: 'no-course' },
      { list: 'enrollments', index: 1, field: 'student_id', value: 'no-student' },
      { list: 'sessions', index: 1, field: 'course_id', value: '__proto__' },
      { list: 'sessions', index: 1, field: 'teacher_id', value: "o'" },
    ];
    for (const dryRun of [true, false]) {
      const { unresolved } = await storage.school.importSchool(broken, { dryRun });
      expect(unresolved).toHaveLength(expected.length);
      expect(unresolved).toEqual(expect.arrayContaining(expected));
    }
    expect(await storage.people.findPersonByUid('teacher-9')).toBeNull();
    expect(await storage.people.findPersonByUid('student-9')).toBeNull();
    expect(await storage.courses.findCourse(course('course-8'))).toBeNull();
    expect(await storage.projection.findSession(session('session-8'))).toBeNull();
    expect(await importAll(storage, SCHOOL)).toEqual(report({ left: lengths(SCHOOL) }));
  });

  test('[STORE-24] a session that runs or ran here is left as it is', async () => {
    const { storage, putActiveSession } = harness();
    await importAll(storage, SCHOOL);
    const S1 = session('session-1');
    await appendTo(storage, S1, 0, run('session-1', 0, 2));
    const changed = (topic: string): School => ({
      ...schoolOf({ sessions: [{ id: 'session-1', topic, status: 'cancelled' }, { id: 'foreign' }] }),
    });
    await putActiveSession(session('foreign'));
    expect(await importAll(storage, changed('before projecting'))).toEqual(report({ left: { ...NONE, sessions: 2 } }));
    expect(await storage.projection.findSession(S1)).toMatchObject({ topic: 'Joins', status: 'scheduled' });

    await storage.projection.project(
      projection('session-1', 2, [record('a', 2)], { topic: 'Joins', status: 'completed', ended_at: T0 }),
    );
    const before = await storage.projection.findSession(S1);
    expect(await importAll(storage, changed('after'))).toEqual(report({ left: { ...NONE, sessions: 2 } }));
    expect(await storage.projection.findSession(S1)).toEqual(before);
    expect(await storage.projection.readRecords(S1)).toEqual([record('a', 2)]);
  });

  test('[STORE-25] a person keeps their user id through later imports', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const before = await storage.people.findPersonByUid('bo');
    expect(before?.user_id).toEqual(before?.student?.user_id);
    await importAll(storage, LATER);
    expect((await storage.people.findPersonByUid('bo'))?.user_id).toBe(before?.user_id);
    const found = await storage.people.findStudents([before?.user_id ?? '']);
    expect(found.get(before?.user_id ?? '')).toMatchObject({ student_id: 'student-1' });
  });

  test('[STORE-25] a person who was provisioned first is imported as the same person', async () => {
    const { storage } = harness();
    const early = await storage.people.provisionPerson({ uid: 'bo', name: 'bo', email: null, role: 'student' });
    const earlyTeacher = await storage.people.provisionPerson({
      uid: 'ada',
      name: 'ada',
      email: null,
      role: 'teacher',
    });
    const school = schoolOf({
      teachers: [{ id: 'teacher-1', uid: 'ada', name: 'Ada Osei' }],
      students: [{ id: 'student-1', uid: 'bo', name: 'Bo Lind', roll: '7' }],
      courses: [{ id: 'course-1', teacher_id: 'teacher-1' }],
      enrollments: [{ course_id: 'course-1', student_id: 'student-1' }],
    });
    expect((await importAll(storage, school)).unresolved).toEqual([]);
    const bo = await storage.people.findPersonByUid('bo');
    expect(bo).toMatchObject({ user_id: early?.user_id, name: 'Bo Lind', student: { roll: '7' } });
    expect((await storage.courses.listRoster(course('course-1'))).map((row) => row.user_id)).toEqual([early?.user_id]);
    const ada = await storage.people.findPersonByUid('ada');
    expect(ada).toMatchObject({ user_id: earlyTeacher?.user_id, name: 'Ada Osei' });
    expect(await storage.courses.findCourse(course('course-1'))).toMatchObject({
      teacher_id: ada?.teacher?.teacher_id ?? teacher('missing'),
    });
    expect(await importAll(storage, school)).toEqual(report({ left: lengths(school) }));
  });
}
