import { type ErrorCode, errorRegistry, RollcallError } from '@rollcall/protocol';
import { expect, test } from 'vitest';
import type { Services } from '../commands/command.js';
import type { Person } from '../storage/port.js';
import { schoolOf } from '../testing/school.js';
import { listAccess } from './access-log.js';
import { changeCourse, createCourse, listCourses, readCourse } from './courses.js';
import { listEnrollments, putEnrollment, withdrawEnrollment } from './enrollments.js';
import { attendanceOfStudent, ownAttendance } from './own-attendance.js';
import { changePerson, createPerson, listPeople, readPerson } from './people.js';
import { COURSE, type Scene, setScene } from './scene.test.support.js';
import { cancelSession, changeSession, listSessions, scheduleSession } from './timetable.js';
import { readToday } from './today.js';

/**
 * An admin, the teacher and the co-teacher of course-1, another teacher, an approved student of course-1, one whose
 * enrolment in it is pending, a student of another course, and somebody without any profile.
 */
const ROLES = ['root', 'ada', 'cyd', 'eve', 's-1', 'pending', 'outsider', 'guest'] as const;
type Role = (typeof ROLES)[number];

type Expected = 'ok' | ErrorCode;
type Row = readonly [Expected, Expected, Expected, Expected, Expected, Expected, Expected, Expected];

/** Carries out one function; `n` tells calls apart that make something. */
type Attempt = (person: Person, services: Services, n: number) => Promise<unknown>;

const [NO_COURSE, NO_SESSION, NO_USER] = ['COURSE_NOT_FOUND', 'SESSION_NOT_FOUND', 'USER_NOT_FOUND'] as const;
const ALL: Row = ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok'];
const NO = 'FORBIDDEN';
const ADMINS: Row = ['ok', NO, NO, NO, NO, NO, NO, NO];
/** Who may know of course-1, and who may do something with it. */
const OF_COURSE: Row = ['ok', 'ok', 'ok', NO_COURSE, 'ok', NO_COURSE, NO_COURSE, NO_COURSE];
const TEACHERS: Row = ['ok', 'ok', 'ok', NO_COURSE, NO, NO_COURSE, NO_COURSE, NO_COURSE];
const ADMINS_OF_COURSE: Row = ['ok', NO, NO, NO_COURSE, NO, NO_COURSE, NO_COURSE, NO_COURSE];
const TEACHERS_OF_SESSION: Row = ['ok', 'ok', 'ok', NO_SESSION, NO, NO_SESSION, NO_SESSION, NO_SESSION];

const course_id = COURSE;
const session_id = 'session-1';

const TABLE: Readonly<Record<string, readonly [Row, Attempt]>> = {
  listPeople: [ADMINS, (person, services) => listPeople(person, {}, services)],
  'readPerson of another': [
    ['ok', NO_USER, NO_USER, NO_USER, NO_USER, NO_USER, NO_USER, NO_USER],
    (person, services) => readPerson(person, { user: 's-2' }, services),
  ],
  'readPerson of oneself': [ALL, (person, services) => readPerson(person, { user: person.uid }, services)],
  createPerson: [ADMINS, (person, services, n) => createPerson(person, { uid: `new-${n}`, name: 'New' }, services)],
  changePerson: [ADMINS, (person, services, n) => changePerson(person, { user: 's-2', name: `New ${n}` }, services)],
  listCourses: [ALL, (person, services) => listCourses(person, {}, services)],
  readCourse: [OF_COURSE, (person, services) => readCourse(person, { course_id }, services)],
  createCourse: [ADMINS, (person, services) => createCourse(person, { title: 'New' }, services)],
  changeCourse: [
    ADMINS_OF_COURSE,
    (person, services, n) => changeCourse(person, { course_id, title: `New ${n}` }, services),
  ],
  listEnrollments: [TEACHERS, (person, services) => listEnrollments(person, { course_id }, services)],
  putEnrollment: [
    ADMINS_OF_COURSE,
    (person, services) => putEnrollment(person, { course_id, student_id: 's-2' }, services),
  ],
  withdrawEnrollment: [
    ADMINS_OF_COURSE,
    (person, services) => withdrawEnrollment(person, { course_id, student_id: 's-3' }, services),
  ],
  listSessions: [OF_COURSE, (person, services) => listSessions(person, { course_id }, services)],
  scheduleSession: [
    TEACHERS,
    (person, services) => scheduleSession(person, { course_id, date: '2026-11-24' }, services),
  ],
  changeSession: [
    TEACHERS_OF_SESSION,
    (person, services, n) => changeSession(person, { session_id, topic: `New ${n}` }, services),
  ],
  cancelSession: [TEACHERS_OF_SESSION, (person, services) => cancelSession(person, { session_id }, services)],
  readToday: [ALL, (person, services) => readToday(person, services)],
  ownAttendance: [
    ['NOT_A_STUDENT', 'NOT_A_STUDENT', 'NOT_A_STUDENT', 'NOT_A_STUDENT', 'ok', 'ok', 'ok', 'NOT_A_STUDENT'],
    (person, services) => ownAttendance(person, {}, services),
  ],
  'attendanceOfStudent of s-1': [
    OF_COURSE,
    (person, services) => attendanceOfStudent(person, { course_id, student_id: 's-1' }, services),
  ],
  'attendanceOfStudent of s-2': [
    ['ok', 'ok', 'ok', NO_COURSE, 'STUDENT_NOT_FOUND', NO_COURSE, NO_COURSE, NO_COURSE],
    (person, services) => attendanceOfStudent(person, { course_id, student_id: 's-2' }, services),
  ],
  listAccess: [ADMINS, (person, services) => listAccess(person, {}, services)],
};

async function sceneWithGuest(): Promise<Scene> {
  const scene = await setScene(schoolOf(3));
  const account = { uid: 'guest', name: 'Guest', email: null, profile_picture: null, is_admin: false, disabled: false };
  await scene.services.storage.accounts.createAccount({ ...account, teacher: null, student: null });
  return scene;
}

/** All that there is, in one text. */
async function everything({ services: { storage } }: Scene): Promise<string> {
  const page = { after: null, limit: 200 };
  const days = { from: null, to: null };
  const { items: courses } = await storage.catalogue.listCourses(null, page);
  return JSON.stringify([
    await storage.accounts.listAccounts({ ...page, text: null, role: null }),
    courses,
    await Promise.all(courses.map((course) => storage.catalogue.listEnrollments(course.course_id, page))),
    await Promise.all(courses.map((course) => storage.timetable.listSessions(course.course_id, days, page))),
    await storage.accessLog.list({ after: null, limit: 200, actor: null, subject: null, action: null }),
  ]);
}

test.each(Object.entries(TABLE))(
  '[LIST-1] [LIST-2] %s: who may, and how others are refused without anything being done',
  async (name, [row, attempt]) => {
    const scene = await sceneWithGuest();
    for (const [n, role] of ROLES.entries()) {
      const person = await scene.person(role);
      const before = await everything(scene);
      const outcome = await attempt(person, scene.services, n).then(
        () => 'ok',
        (error: unknown) => (error instanceof RollcallError ? error.code : error),
      );
      expect(outcome, `${role}: ${name}`).toBe(row[n]);
      if (row[n] !== 'ok') expect(await everything(scene), `${role}: ${name}`).toBe(before);
    }
  },
);

test('[LIST-2] what one may not know of is refused as what isn’t there', async () => {
  const { services, person } = await sceneWithGuest();
  const refusal = async (attempt: Promise<unknown>) => {
    const error = await attempt.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return error instanceof RollcallError ? [error.code, error.message, errorRegistry[error.code].http_status] : error;
  };
  const eve = await person('eve');
  const missing = 'nowhere' as const;
  for (const id of [COURSE, missing]) {
    expect(await refusal(readCourse(eve, { course_id: id }, services))).toEqual([NO_COURSE, 'Course not found', 404]);
    expect(await refusal(changeCourse(eve, { course_id: id, title: 'x' }, services))).toEqual([
      ...[NO_COURSE, 'Course not found', 404],
    ]);
  }
  for (const id of [session_id, missing]) {
    expect(await refusal(cancelSession(eve, { session_id: id }, services))).toEqual([
      ...[NO_SESSION, 'Session not found', 404],
    ]);
  }
  for (const user of ['s-1', missing]) {
    expect(await refusal(readPerson(eve, { user }, services))).toEqual([NO_USER, 'User not found', 404]);
  }
  // A teacher may not know of students of other courses either.
  const ada = await person('ada');
  for (const student_id of ['outsider', missing]) {
    expect(await refusal(attendanceOfStudent(ada, { course_id, student_id }, services))).toEqual([
      ...['STUDENT_NOT_FOUND', 'Student not found', 404],
    ]);
  }
});

test('[LIST-1] courses are all for an admin, and for others those in which they have a part', async () => {
  const { services, person } = await sceneWithGuest();
  const expected: Readonly<Record<Role, readonly string[]>> = {
    root: ['course-1', 'course-2'],
    ada: ['course-1'],
    cyd: ['course-1'],
    eve: ['course-2'],
    's-1': ['course-1'],
    pending: [],
    outsider: ['course-2'],
    guest: [],
  };
  for (const role of ROLES) {
    const { items } = await listCourses(await person(role), {}, services);
    expect(
      items.map((course) => course.course_id as string),
      role,
    ).toEqual(expected[role]);
  }
});
