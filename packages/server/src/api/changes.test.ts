import { RollcallError } from '@rollcall/protocol';
import { expect, test } from 'vitest';
import { listAccess } from './access-log.js';
import { changeCourse, createCourse, readCourse } from './courses.js';
import { putEnrollment, withdrawEnrollment } from './enrollments.js';
import { changePerson, createPerson, listPeople, readPerson } from './people.js';
import { COURSE, setScene } from './scene.test.support.js';
import { cancelSession, changeSession, listSessions, scheduleSession } from './timetable.js';

/** Code and field of what was thrown. */
async function refusalOf(attempt: Promise<unknown>): Promise<readonly unknown[]> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RollcallError)) throw new Error('not refused', { cause: error });
  return [error.code, error.details?.field];
}

test('[LIST-3] values are those that an import takes; others are refused by field and nothing is made', async () => {
  const { services, person } = await setScene();
  const root = await person('root');
  const create = (more: object) => refusalOf(createPerson(root, { uid: 'new', name: 'New', ...more }, services));
  expect(await create({ uid: '' })).toEqual(['BAD_REQUEST', 'uid']);
  expect(await create({ uid: 'x'.repeat(129) })).toEqual(['BAD_REQUEST', 'uid']);
  expect(await create({ uid: '\ud800' })).toEqual(['BAD_REQUEST', 'uid']);
  expect(await create({ name: '  ' })).toEqual(['BAD_REQUEST', 'name']);
  expect(await create({ name: 'x'.repeat(1_001) })).toEqual(['BAD_REQUEST', 'name']);
  expect(await create({ email: 'no address' })).toEqual(['BAD_REQUEST', 'email']);
  expect(await create({ student: { roll: 7 } })).toEqual(['BAD_REQUEST', 'student.roll']);
  expect(await create({ teacher: { teacher_id: '' } })).toEqual(['BAD_REQUEST', 'teacher.teacher_id']);
  await expect(readPerson(root, { user: 'new' }, services)).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
  const course = (more: object) => refusalOf(createCourse(root, { title: 'New', ...more }, services));
  expect(await course({ title: '' })).toEqual(['BAD_REQUEST', 'title']);
  expect(await course({ credit: -1 })).toEqual(['BAD_REQUEST', 'credit']);
  expect(await course({ teacher_id: 'nobody' })).toEqual(['BAD_REQUEST', 'teacher_id']);
  expect(await course({ co_teacher_ids: ['teacher-ada', 'nobody'] })).toEqual(['BAD_REQUEST', 'co_teacher_ids']);
  const session = (more: object) =>
    refusalOf(scheduleSession(root, { course_id: COURSE, date: '2026-11-24', ...more }, services));
  expect(await session({ date: '2026-02-30' })).toEqual(['BAD_REQUEST', 'date']);
  expect(await session({ start_time: '9:00' })).toEqual(['BAD_REQUEST', 'start_time']);
  expect(await session({ end_time: '24:00' })).toEqual(['BAD_REQUEST', 'end_time']);
  const enrollment = { course_id: COURSE, student_id: 'outsider' };
  expect(await refusalOf(putEnrollment(root, { ...enrollment, begins: 'soon' }, services))).toEqual([
    ...['BAD_REQUEST', 'begins'],
  ]);
  expect(await refusalOf(putEnrollment(root, { ...enrollment, student_id: 'ada' }, services))).toEqual([
    ...['STUDENT_NOT_FOUND', undefined],
  ]);
});

test('[LIST-4] an id or uid that is taken is ALREADY_EXISTS with its field', async () => {
  const { services, person } = await setScene();
  const root = await person('root');
  const taken = (field: string) => ['ALREADY_EXISTS', field];
  expect(await refusalOf(createPerson(root, { uid: 'ada', name: 'x' }, services))).toEqual(taken('uid'));
  const student = { student_id: 'student-1' };
  expect(await refusalOf(createPerson(root, { uid: 'x', name: 'x', student }, services))).toEqual(taken('student_id'));
  expect(await refusalOf(changePerson(root, { user: 's-1', uid: 'ada' }, services))).toEqual(taken('uid'));
  expect(await refusalOf(createCourse(root, { course_id: COURSE, title: 'x' }, services))).toEqual(taken('course_id'));
  const session = { course_id: COURSE, session_id: 'session-1', date: '2026-11-24' };
  expect(await refusalOf(scheduleSession(root, session, services))).toEqual(taken('session_id'));
});

test('[LIST-5] a change is of what it says: null takes a value away, and what is absent stays', async () => {
  const { services, person } = await setScene();
  const root = await person('root');
  const made = await createPerson(
    root,
    { uid: 'new', name: 'New', email: 'new@school.example', student: { roll: '7', section: 'A' } },
    services,
  );
  expect(made).toMatchObject({ is_admin: false, disabled: false, student: { student_id: 'new', section: 'A' } });
  const changed = await changePerson(root, { user: 'new', email: null, student: { section: null } }, services);
  expect(changed).toEqual({ ...made, email: null, student: { ...made.student, section: null } });
  expect(await refusalOf(changePerson(root, { user: 'new', student: { student_id: 'y' } }, services))).toEqual([
    ...['BAD_REQUEST', 'student.student_id'],
  ]);
  expect(await refusalOf(changePerson(root, { user: 'new', name: null } as never, services))).toEqual([
    ...['BAD_REQUEST', 'name'],
  ]);
  expect(await refusalOf(changePerson(root, { user: 'new', is_admin: null } as never, services))).toEqual([
    ...['BAD_REQUEST', 'is_admin'],
  ]);
  const before = await readCourse(root, { course_id: COURSE }, services);
  expect(await changeCourse(root, { course_id: COURSE, credit: null, co_teacher_ids: [] }, services)).toEqual({
    ...before,
    credit: null,
    co_teacher_ids: [],
  });
  const session = await changeSession(root, { session_id: 'session-1', topic: null, end_time: '11:00' }, services);
  expect(session).toMatchObject({ start_time: '09:00', end_time: '11:00', topic: null, status: 'scheduled' });
});

test('[LIST-5] an admin can’t take their own right to change people', async () => {
  const { services, person } = await setScene();
  const root = await person('root');
  for (const change of [{ is_admin: false }, { disabled: true }]) {
    expect(await refusalOf(changePerson(root, { user: 'root', ...change }, services))).toEqual([
      'FORBIDDEN',
      undefined,
    ]);
  }
  expect(await changePerson(root, { user: 'root', name: 'The office' }, services)).toMatchObject({ is_admin: true });
  await changePerson(root, { user: 'ada', is_admin: true }, services);
  const ada = await person('ada');
  expect(await changePerson(ada, { user: 'root', is_admin: false, disabled: true }, services)).toMatchObject({
    ...{ is_admin: false, disabled: true },
  });
});

test('[LIST-6] a page has 50 items unless 1 to 200 are asked for', async () => {
  const { services, person } = await setScene();
  const root = await person('root');
  await Promise.all(
    Array.from({ length: 60 }, (_, n) => createPerson(root, { uid: `many-${n}`, name: 'Many' }, services)),
  );
  expect((await listPeople(root, {}, services)).items).toHaveLength(50);
  const { items, next } = await listPeople(root, { limit: 1 }, services);
  expect(next).toBe(items[0]?.user_id);
  expect((await listPeople(root, { limit: 200, query: 'many' }, services)).items).toHaveLength(60);
  expect(await refusalOf(listPeople(root, { limit: 201 }, services))).toEqual(['BAD_REQUEST', 'limit']);
  expect(await refusalOf(listPeople(root, { limit: 0 }, services))).toEqual(['BAD_REQUEST', 'limit']);
  const backwards = { course_id: COURSE, from: '2026-11-25', to: '2026-11-24' };
  expect(await refusalOf(listSessions(root, backwards, services))).toEqual(['BAD_REQUEST', 'to']);
});

test('[LIST-7] a session that has begun is SESSION_BEGUN, one that is over SESSION_ENDED, and neither is touched', async () => {
  const { services, person, give } = await setScene();
  const ada = await person('ada');
  const attempts = (session_id: string) =>
    Promise.all([
      refusalOf(changeSession(ada, { session_id, topic: 'x' }, services)),
      refusalOf(cancelSession(ada, { session_id }, services)),
    ]);
  const twice = (code: string) => [
    [code, undefined],
    [code, undefined],
  ];
  await give('ada', 'startAttendanceSession', { session_id: 'session-1' });
  expect(await attempts('session-1')).toEqual(twice('SESSION_BEGUN'));
  await give('ada', 'endAttendanceSession', { session_id: 'session-1' });
  expect(await attempts('session-1')).toEqual(twice('SESSION_ENDED'));
  expect(await attempts('session-old')).toEqual(twice('SESSION_ENDED'));
  const made = await scheduleSession(ada, { course_id: COURSE, date: '2026-11-30' }, services);
  expect(made).toMatchObject({ session_id: expect.stringMatching(/^[0-9a-f]{24}$/), teacher_id: 'teacher-ada' });
  const { session_id } = made;
  expect(await cancelSession(ada, { session_id }, services)).toMatchObject({ status: 'cancelled' });
  expect(await cancelSession(ada, { session_id }, services)).toMatchObject({ status: 'cancelled' });
  expect(await refusalOf(changeSession(ada, { session_id, topic: 'x' }, services))).toEqual([
    ...['SESSION_ENDED', undefined],
  ]);
  await expect(give('ada', 'startAttendanceSession', { session_id })).rejects.toMatchObject({ code: 'SESSION_ENDED' });
});

test('[LIST-12] a change counts at once for what comes after it', async () => {
  const { services, person, give } = await setScene();
  const root = await person('root');
  await give('ada', 'startAttendanceSession', { session_id: 'session-1' });
  const join = () => give('outsider', 'joinAttendanceSession', { session_id: 'session-1' });
  await expect(join()).rejects.toMatchObject({ code: 'NOT_ENROLLED' });
  await putEnrollment(root, { course_id: COURSE, student_id: 'outsider' }, services);
  await join();
  await withdrawEnrollment(root, { course_id: COURSE, student_id: 'outsider' }, services);
  expect(await services.directory.isEnrolled(COURSE, 'student-outsider' as never)).toBe(false);
  const mark = () => give('cyd', 'markStudentPresent', { session_id: 'session-1', student_id: 's-1' });
  await mark();
  await changeCourse(root, { course_id: COURSE, co_teacher_ids: [] }, services);
  await expect(mark()).rejects.toMatchObject({ code: 'NOT_SESSION_TEACHER' });
  await changePerson(root, { user: 'ada', disabled: true }, services);
  expect(await services.directory.person('ada')).toBeUndefined();
});

test('[ACCESS-5] changes of rights are in the access log, with who, of whom, what and why', async () => {
  const { services, person } = await setScene();
  const root = await person('root');
  await changePerson(root, { user: 's-1', name: 'Another name', student: { roll: '9' } }, services);
  await changePerson(root, { user: 's-1', is_admin: true, purpose: 'holidays', request_id: 'r-1' }, services);
  await createPerson(root, { uid: 'new', name: 'New', teacher: {} }, services);
  await changeCourse(root, { course_id: COURSE, title: 'x' }, services);
  await changeCourse(root, { course_id: COURSE, teacher_id: 'teacher-eve' }, services);
  const { items, next } = await listAccess(root, {}, services);
  expect(next).toBeNull();
  expect(items).toMatchObject([
    {
      ...{ number: 1, at: '2026-11-24T06:00:00.000Z', actor: { user_id: root.user_id, name: 'Office' } },
      ...{ action: 'change_rights', subject: 's-1', purpose: 'holidays', request_id: 'r-1' },
      scope: { is_admin: true, disabled: false, student: true, teacher: false },
    },
    { number: 2, subject: null, scope: { is_admin: false, teacher: true, student: false }, purpose: null },
    { number: 3, subject: null, scope: { course_id: COURSE, teacher_id: 'teacher-eve' } },
  ]);
  expect((await listAccess(root, { limit: 1, after: '1' }, services)).next).toBe('2');
  expect((await listAccess(root, { subject: 's-1' }, services)).items).toHaveLength(1);
  expect(await refusalOf(listAccess(root, { after: 'x' }, services))).toEqual(['BAD_REQUEST', 'after']);
});

test('[ACCESS-5] what can’t be noted doesn’t happen', async () => {
  const { services, storage, person } = await setScene();
  // The last number that there is: no entry can follow it.
  await storage.sql(`INSERT INTO access_log (number, actor, action, format, facts, chain)
    VALUES (9223372036854775807, 'x', 'x', 1, '{}', 'x') RETURNING '[]'`);
  const root = await person('root');
  await expect(changePerson(root, { user: 's-1', is_admin: true }, services)).rejects.toThrow();
  expect(await readPerson(root, { user: 's-1' }, services)).toMatchObject({ is_admin: false });
});
