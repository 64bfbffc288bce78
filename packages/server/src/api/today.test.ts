import { expect, test } from 'vitest';
import type { School } from '../storage/port.js';
import { schoolOf } from '../testing/school.js';
import { listAccess } from './access-log.js';
import { attendanceOfStudent, ownAttendance } from './own-attendance.js';
import { COURSE, NOON, setScene } from './scene.test.support.js';
import { readToday } from './today.js';

const NO = { start: false, open: false, change: false, cancel: false, end: false, check_in: false };

/** The school of the tests with sessions of course-1 on the day of the scene, and of others. */
function schoolOnDays(): School {
  const school = schoolOf(3);
  const [sample] = school.sessions;
  if (!sample) throw new Error('the school has no session');
  const of = (id: string, date: string, start_time: string | null, more: Partial<typeof sample> = {}) => ({
    ...{ ...sample, id, date, start_time, end_time: null },
    ...more,
  });
  return {
    ...school,
    sessions: [
      of('later', '2026-11-24', '14:00'),
      of('first', '2026-11-24', '08:00'),
      of('untimed', '2026-11-24', null, { status: 'cancelled' }),
      of('yesterday', '2026-11-23', '08:00'),
      of('elsewhere', '2026-11-24', '10:00', { course_id: 'course-2' }),
      of('stand-in', '2026-11-24', '12:00', { course_id: 'course-2', teacher_id: 'teacher-ada' }),
    ],
  };
}

test('[LIST-8] today are the sessions of the day as a teacher or student of them, by time, with state and what may be done', async () => {
  const { services, person } = await setScene(schoolOnDays());
  const today = await readToday(await person('ada'), services);
  expect(today).toMatchObject({ date: '2026-11-24', time_zone: 'Asia/Dhaka' });
  const scheduled = { ...NO, start: true, change: true, cancel: true };
  expect(today.sessions.map(({ session, role, state, can }) => [session._id, role, state, can])).toEqual([
    ['first', 'teacher', 'scheduled', scheduled],
    ['stand-in', 'teacher', 'scheduled', scheduled],
    ['later', 'teacher', 'scheduled', scheduled],
    ['untimed', 'teacher', 'cancelled', NO],
  ]);
  expect(today.sessions[0]?.counts).toMatchObject({ totalStudents: 3, presentCount: 0, checkedInCount: 0 });
  const own = await readToday(await person('s-1'), services);
  expect(own.sessions.map(({ session, role, can }) => [session._id, role, can])).toEqual([
    ['first', 'student', NO],
    ['later', 'student', NO],
    ['untimed', 'student', NO],
  ]);
  expect((await readToday(await person('root'), services)).sessions).toEqual([]);
  expect((await readToday(await person('pending'), services)).sessions).toEqual([]);
});

test('[LIST-8] a session that runs is there whatever its day, with the counts of now', async () => {
  const { services, person, give, projected } = await setScene(schoolOnDays());
  await give('ada', 'startAttendanceSession', { session_id: 'yesterday' });
  await give('ada', 'startAttendanceSession', { session_id: 'open to all' });
  await give('s-1', 'joinAttendanceSession', { session_id: 'yesterday' });
  await give('ada', 'markStudentPresent', { session_id: 'yesterday', student_id: 's-2' });
  const running = async (uid: string) =>
    (await readToday(await person(uid), services)).sessions.filter(({ state }) => state === 'active');
  expect(await running('ada')).toMatchObject([
    {
      session: { _id: 'yesterday' },
      counts: { totalStudents: 3, presentCount: 1, checkedInCount: 1 },
      record: null,
      can: { ...NO, open: true, end: true },
    },
    { session: { _id: 'open to all' }, counts: { totalStudents: 0 } },
  ]);
  expect(await running('cyd')).toMatchObject([{ session: { _id: 'yesterday' } }]);
  expect(await running('s-1')).toMatchObject([{ session: { _id: 'yesterday' }, can: NO }]);
  expect(await running('s-3')).toMatchObject([{ session: { _id: 'yesterday' }, can: { ...NO, check_in: true } }]);
  expect(await running('outsider')).toEqual([]);

  await give('ada', 'startAttendanceSession', { session_id: 'first' });
  await give('ada', 'markStudentPresent', { session_id: 'first', student_id: 's-2' });
  await give('ada', 'endAttendanceSession', { session_id: 'first' });
  await projected('first');
  const { sessions } = await readToday(await person('ada'), services);
  expect(sessions.find(({ session }) => session._id === 'first')).toMatchObject({
    ...{ state: 'completed', can: { ...NO, open: true } },
    counts: { totalStudents: 3, presentCount: 1, absentCount: 2 },
  });
});

test('[LIST-9] students get no counts, and no record but their own', async () => {
  const { services, person, give, projected } = await setScene(schoolOnDays());
  await give('ada', 'startAttendanceSession', { session_id: 'first' });
  await give('ada', 'markStudentPresent', { session_id: 'first', student_id: 's-1', remarks: 'early' });
  for (const state of ['active', 'completed']) {
    if (state === 'completed') {
      await give('ada', 'endAttendanceSession', { session_id: 'first' });
      await projected('first');
    }
    const [first] = (await readToday(await person('s-1'), services)).sessions;
    expect(first).toMatchObject({
      ...{ state, counts: null },
      record: { student_id: 'student-1', status: 'present', remarks: 'early', session_id: 'first' },
    });
    expect(JSON.stringify(first)).not.toMatch(/student-2|s-2|@school/);
  }
});

test.each([
  // The same instant is the day before in New York.
  ['America/New_York', '2026-11-24T03:00:00Z', '2026-11-23', ['yesterday']],
  ['Asia/Dhaka', '2026-11-23T18:00:00Z', '2026-11-24', ['first', 'stand-in', 'later', 'untimed']],
  ['Asia/Dhaka', '2026-11-23T17:59:59Z', '2026-11-23', ['yesterday']],
])('[LIST-8] the day is the school’s: %s at %s is %s', async (timeZone, at, date, ids) => {
  const { services, person } = await setScene(schoolOnDays(), { timeZone, now: () => Date.parse(at) });
  const today = await readToday(await person('ada'), services);
  expect([today.date, today.sessions.map(({ session }) => session._id as string)]).toEqual([date, ids]);
});

test('[LIST-10] a student has their own attendance by days, a teacher a student’s in a course of theirs', async () => {
  const { services, person, give, projected } = await setScene(schoolOnDays());
  for (const session_id of ['yesterday', 'first']) {
    await give('ada', 'startAttendanceSession', { session_id });
    await give('ada', 'markStudentPresent', { session_id, student_id: 's-1' });
    await give('ada', 'endAttendanceSession', { session_id });
    await projected(session_id);
  }
  await services.storage.catalogue.putEnrollment({
    ...{ course_id: 'course-2', student_id: 'student-1', status: 'approved', begins: null, ends: null },
  });
  await give('ada', 'startAttendanceSession', { session_id: 'stand-in' });
  await give('ada', 'markStudentPresent', { session_id: 'stand-in', student_id: 's-1' });
  await projected('stand-in');
  const own = async (more: object) => {
    const { items } = await ownAttendance(await person('s-1'), more, services);
    return items.map(({ session }) => session._id as string);
  };
  expect(await own({})).toEqual(['first', 'stand-in', 'yesterday']);
  expect(await own({ from: '2026-11-24', to: '2026-11-24' })).toEqual(['first', 'stand-in']);
  expect(await own({ to: '2026-11-23' })).toEqual(['yesterday']);
  expect(await own({ after: 'first', limit: 1 })).toEqual(['stand-in']);
  const { items } = await ownAttendance(await person('s-1'), { limit: 1 }, services);
  expect(items[0]).toMatchObject({
    session: { _id: 'first', course: { _id: COURSE, title: 'Databases' }, status: 'completed' },
    record: { student_id: 'student-1', status: 'present', student: { name: 'Student 1' } },
  });
  expect(JSON.stringify(items)).not.toContain('@school');

  const of = async (uid: string, student_id: string, more: object = {}) => {
    const answer = await attendanceOfStudent(await person(uid), { course_id: COURSE, student_id, ...more }, services);
    return answer.items.map(({ session }) => session._id as string);
  };
  expect(await of('ada', 's-1')).toEqual(['first', 'yesterday']);
  expect(await of('ada', 'student-1', { from: '2026-11-24' })).toEqual(['first']);
  expect(await of('root', 's-2')).toEqual(['first', 'yesterday']);
  expect(await of('s-1', 's-1')).toEqual(['first', 'yesterday']);
  // Enrolled, and with nothing in those days.
  expect(await of('ada', 's-1', { from: '2027-01-01' })).toEqual([]);
});

test('[ACCESS-5] a look at another person’s history is in the access log, one at one’s own is not', async () => {
  const { services, person } = await setScene(schoolOnDays());
  const student = { course_id: COURSE, student_id: 's-1' };
  await attendanceOfStudent(await person('s-1'), student, services);
  await attendanceOfStudent(
    await person('ada'),
    { ...student, from: '2026-11-01', purpose: 'talk with parents', request_id: 'r-7' },
    services,
  );
  await expect(attendanceOfStudent(await person('eve'), student, services)).rejects.toThrow();
  const { items } = await listAccess(await person('root'), {}, services);
  expect(items).toEqual([
    {
      ...{ number: 1, at: new Date(NOON).toISOString(), actor: { user_id: 'ada', name: 'Ada Osei' } },
      ...{ action: 'history', subject: 'student-1', purpose: 'talk with parents', request_id: 'r-7' },
      scope: { course_id: COURSE, from: '2026-11-01', to: null },
    },
  ]);
});

test('[LIST-11] of a teacher who is enrolled in the session as well, the teacher’s part counts', async () => {
  const { services, person } = await setScene(schoolOnDays());
  const { storage } = services;
  await storage.accounts.changeAccount('ada', { student: { student_id: 'student-ada' } });
  await storage.catalogue.putEnrollment({
    ...{ course_id: COURSE, student_id: 'student-ada', status: 'approved', begins: null, ends: null },
  });
  const { sessions } = await readToday(await person('ada'), services);
  expect(sessions.map(({ role }) => role)).toEqual(['teacher', 'teacher', 'teacher', 'teacher']);
});
