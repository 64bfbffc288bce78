import { expect, test } from 'vitest';
import { today } from '../today.js';
import { walked } from './accounts-contract.js';
import { freshHarness, type MakeHarness } from './harness.js';
import { course, importAll, SCHOOL, schoolOf, student, teacher } from './samples.js';

const FIRST = { after: null, limit: 200 };

export function catalogueContract(make: MakeHarness): void {
  const harness = freshHarness(make);

  test('[STORE-145] courses are listed page by page with the names of their teachers', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const ids = Array.from({ length: 9 }, (_, n) => `many-${n}`);
    await importAll(storage, schoolOf({ courses: ids.map((id) => ({ id })) }));
    const pages = await walked((after) => storage.catalogue.listCourses(null, { after, limit: 4 }));
    expect(pages.map((page) => page.length)).toEqual([4, 4, 3]);
    expect(pages.flat().map(({ course_id }) => course_id)).toEqual(['course-1', 'course-2', ...ids]);
    expect(pages[0]?.[0]).toEqual({
      course_id: 'course-1',
      title: 'Databases',
      course_code: 'CSE-301',
      credit: 3,
      teacher_id: 'teacher-1',
      teacher_name: 'Ada Osei',
      co_teacher_ids: ['teacher-2'],
    });
    expect(await storage.catalogue.readCourse(course('course-1'))).toEqual(pages[0]?.[0]);
    expect(await storage.catalogue.readCourse(course('nowhere'))).toBeNull();
  });

  test('[STORE-145] courses of a person are those they teach, alone or with others, and those they are enrolled in today', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    await importAll(
      storage,
      schoolOf({
        courses: [{ id: 'ended' }, { id: 'course-3', teacher_id: 'teacher-2' }],
        enrollments: [
          { course_id: 'ended', student_id: 'student-1', ends: today() },
          { course_id: 'course-3', student_id: 'student-1', begins: today() },
        ],
      }),
    );
    const listed = async (part: { teacher_id?: string; student_id?: string }) => {
      const of = {
        teacher_id: part.teacher_id === undefined ? null : teacher(part.teacher_id),
        student_id: part.student_id === undefined ? null : student(part.student_id),
      };
      const pages = await walked((after) => storage.catalogue.listCourses(of, { after, limit: 1 }));
      return pages.flat().map(({ course_id }) => course_id);
    };
    expect(await listed({ teacher_id: 'teacher-1' })).toEqual(['course-1']);
    expect(await listed({ teacher_id: 'teacher-2' })).toEqual(['course-1', 'course-3']);
    expect(await listed({ student_id: 'student-1' })).toEqual(['course-1', 'course-3']);
    expect(await listed({ student_id: 'student-3' })).toEqual(['course-2']);
    expect(await listed({ teacher_id: 'teacher-1', student_id: 'student-3' })).toEqual(['course-1', 'course-2']);
    expect(await listed({ student_id: 'nobody' })).toEqual([]);
    expect(await listed({})).toEqual([]);
  });

  test('[STORE-146] a course is made and changed; a taken id and an unknown teacher are answered by field', async () => {
    const { storage } = harness();
    const { catalogue } = storage;
    await importAll(storage, SCHOOL);
    const made = {
      course_id: 'new',
      title: 'New',
      course_code: 'N-1',
      credit: 1.5,
      teacher_id: 'teacher-1',
      co_teacher_ids: ['teacher-2'],
    };
    expect(await catalogue.createCourse(made)).toEqual({ outcome: 'added', id: 'new' });
    expect(await catalogue.readCourse(course('new'))).toEqual({ ...made, teacher_name: 'Ada Osei' });
    expect(await storage.courses.findCourse(course('new'))).toMatchObject({ title: 'New', teacher_id: 'teacher-1' });
    expect(await catalogue.createCourse({ ...made, title: 'Other' })).toEqual({ outcome: 'taken', field: 'course_id' });
    const unknown = { outcome: 'missing', field: 'teacher_id', value: 'x' };
    expect(await catalogue.createCourse({ ...made, course_id: 'more', teacher_id: 'x' })).toEqual(unknown);
    expect(await catalogue.readCourse(course('more'))).toBeNull();

    const change = { title: 'Newer', course_code: null, teacher_id: 'teacher-2', co_teacher_ids: [] };
    expect(await catalogue.changeCourse(course('new'), change)).toEqual({ outcome: 'changed', id: 'new' });
    expect(await catalogue.changeCourse(course('new'), change)).toEqual({ outcome: 'left', id: 'new' });
    expect(await catalogue.readCourse(course('new'))).toEqual({
      ...{ course_id: 'new', title: 'Newer', course_code: null, credit: 1.5, teacher_id: 'teacher-2' },
      ...{ teacher_name: 'Kit Moro', co_teacher_ids: [] },
    });
    expect(await catalogue.changeCourse(course('new'), { title: 'x', co_teacher_ids: ['teacher-1', 'y'] })).toEqual({
      outcome: 'missing',
      field: 'co_teacher_ids',
      value: 'y',
    });
    expect(await catalogue.changeCourse(course('nowhere'), { title: 'x' })).toEqual({
      outcome: 'missing',
      field: 'course_id',
      value: 'nowhere',
    });
    expect((await catalogue.readCourse(course('new')))?.title).toBe('Newer');
    await catalogue.changeCourse(course('new'), { teacher_id: null });
    expect(await catalogue.readCourse(course('new'))).toMatchObject({ teacher_id: null, teacher_name: null });
  });

  test('[STORE-147] enrolments of a course are listed in order of student, of every status', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    await importAll(
      storage,
      schoolOf({
        enrollments: [{ course_id: 'course-1', student_id: 'student-2', begins: '2026-01-01', ends: '2099-01-01' }],
      }),
    );
    const pages = await walked((after) => storage.catalogue.listEnrollments(course('course-1'), { after, limit: 3 }));
    expect(pages.map((page) => page.length)).toEqual([3, 1]);
    expect(pages.flat().map((one) => [one.student.student_id, one.status, one.begins, one.ends])).toEqual([
      ['student-1', 'approved', null, null],
      ['student-2', 'approved', '2026-01-01', '2099-01-01'],
      ['student-3', 'pending', null, null],
      ['student-4', 'rejected', null, null],
    ]);
    expect(pages[0]?.[0]?.student).toEqual((await storage.people.findPersonByUid('bo'))?.student);
    expect(await storage.catalogue.listEnrollments(course('nowhere'), FIRST)).toEqual({ items: [], next: null });
  });

  test('[STORE-148] an enrolment is put as a whole and withdrawn by being rejected', async () => {
    const { storage } = harness();
    const { catalogue } = storage;
    await importAll(storage, SCHOOL);
    const put = (student_id: string, more: object = {}, course_id = 'course-2') =>
      catalogue.putEnrollment({ course_id, student_id, status: 'approved', begins: null, ends: null, ...more });
    expect(await put('student-1', { ends: '2099-01-01' })).toEqual({ outcome: 'added', id: 'student-1' });
    expect(await put('student-1', { ends: '2099-01-01' })).toEqual({ outcome: 'left', id: 'student-1' });
    expect(await put('student-1')).toEqual({ outcome: 'changed', id: 'student-1' });
    const enrolled = () => storage.courses.isEnrolled(course('course-2'), student('student-1'));
    expect(await enrolled()).toBe(true);
    expect(await put('nobody')).toEqual({ outcome: 'missing', field: 'student_id', value: 'nobody' });
    expect(await put('student-1', {}, 'nowhere')).toEqual({
      outcome: 'missing',
      field: 'course_id',
      value: 'nowhere',
    });
    const withdraw = (id: string) => catalogue.withdraw(course('course-2'), student(id));
    expect(await withdraw('student-1')).toEqual({ outcome: 'changed', id: 'student-1' });
    expect(await withdraw('student-1')).toEqual({ outcome: 'left', id: 'student-1' });
    expect(await enrolled()).toBe(false);
    expect(await withdraw('student-2')).toEqual({ outcome: 'missing', field: 'student_id', value: 'student-2' });
    const { items } = await catalogue.listEnrollments(course('course-2'), FIRST);
    expect(items.map((one) => [one.student.student_id, one.status])).toEqual([
      ['student-1', 'rejected'],
      ['student-3', 'approved'],
    ]);
  });

  test('[STORE-148] of many who put one enrolment at the same time one makes it', async () => {
    const { storage, reopen } = harness();
    await importAll(storage, SCHOOL);
    const handles = [storage, (await reopen?.()) ?? storage];
    const enrollment = { course_id: 'course-2', student_id: 'student-1', begins: null, ends: null };
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        (handles[n % 2] ?? storage).catalogue.putEnrollment({ ...enrollment, status: 'approved' }),
      ),
    );
    expect(results.filter(({ outcome }) => outcome === 'added')).toHaveLength(1);
    const { items } = await storage.catalogue.listEnrollments(course('course-2'), FIRST);
    expect(items.map((one) => one.student.student_id)).toEqual(['student-1', 'student-3']);
  });

  test('[STORE-154] students on the roster of courses are counted at once', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    const counts = await storage.catalogue.countEnrolled([course('course-1'), course('course-2'), course('nowhere')]);
    expect(counts).toEqual(
      new Map([
        [course('course-1'), 2],
        [course('course-2'), 1],
        [course('nowhere'), 0],
      ]),
    );
    expect(await storage.catalogue.countEnrolled([])).toEqual(new Map());
  });
}
