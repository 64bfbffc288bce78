import { z } from 'zod';
import { courseId, sessionId, studentId, studentRef, teacherId, userId } from '../../ids.js';
import { sessionStatus, studentSummary, timestamp } from '../../objects.js';
import { publicRecord, sentSession, sentStatistics } from '../../payload-parts.js';
import { operation } from '../operation.js';
import { courseParams, day, page, pageOf, range, sessionParams } from '../parts.js';

/** People, courses, enrolments and the timetable: what a school is made of. */

const TEXT_MAX = 1_000;
const text = z.string().max(TEXT_MAX).nullish();
const name = z.string().regex(/\S/, { error: 'is empty' }).max(TEXT_MAX);
const ref = z.string().min(1).max(128);
const time = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'must be HH:mm' })
  .nullish()
  .describe('`HH:mm` by a clock at the school.');
const purpose = z.string().max(TEXT_MAX).nullish().describe('Why, for the access log.');

const teacherProfile = z.strictObject({
  teacher_id: teacherId,
  department: z.string().nullable(),
  designation: z.string().nullable(),
});
const studentProfile = z.strictObject({
  student_id: studentId,
  roll: z.string().nullable(),
  section: z.string().nullable(),
  department: z.string().nullable(),
  semester: z.string().nullable(),
});

export const account = z
  .strictObject({
    user_id: userId,
    uid: z.string(),
    name: z.string(),
    email: z.string().nullable(),
    profile_picture: z.string().nullable(),
    is_admin: z.boolean(),
    disabled: z.boolean().describe('True: may not sign in and is on no roster.'),
    teacher: teacherProfile.nullable(),
    student: studentProfile.nullable(),
  })
  .meta({ id: 'Account' });

const newTeacher = z.object({ teacher_id: ref.nullish(), department: text, designation: text });
const newStudent = z.object({
  student_id: ref.nullish(),
  roll: text,
  section: text,
  department: text,
  semester: text,
});
const accountFields = {
  email: z
    .string()
    .max(TEXT_MAX)
    .regex(/^[^\s@]+@[^\s@]+$/, { error: 'is not an email address' })
    .nullish(),
  profile_picture: text,
  teacher: newTeacher.nullish().describe('A teacher’s profile; null: none.'),
  student: newStudent.nullish().describe('A student’s profile; null: none.'),
  purpose,
};

const courseEntry = z
  .strictObject({
    course_id: courseId,
    title: z.string().nullable(),
    course_code: z.string().nullable(),
    credit: z.number().nullable(),
    teacher_id: teacherId.nullable(),
    teacher_name: z.string().nullable(),
    co_teacher_ids: z.array(teacherId),
  })
  .meta({ id: 'Course' });

const courseFields = {
  course_code: text,
  credit: z.number().min(0).nullish(),
  teacher_id: ref.nullish(),
  purpose,
};
const coTeachers = z.array(ref).max(100);

const enrollment = z
  .strictObject({
    student: z.strictObject(studentSummary.shape),
    status: z.enum(['pending', 'approved', 'rejected']),
    begins: day.nullable().describe('The first day on which it counts.'),
    ends: day.nullable().describe('The first day on which it no longer does.'),
  })
  .meta({ id: 'Enrollment' });

const sessionFields = { start_time: time, end_time: time, topic: text, description: text };

const attendance = z.strictObject({ session: sentSession, record: publicRecord }).meta({ id: 'Attendance' });

const can = z.strictObject({
  start: z.boolean(),
  open: z.boolean(),
  change: z.boolean(),
  cancel: z.boolean(),
  end: z.boolean(),
  check_in: z.boolean(),
});

const today = z
  .strictObject({
    date: day,
    time_zone: z.string(),
    sessions: z.array(
      z.strictObject({
        session: sentSession,
        role: z.enum(['teacher', 'student']),
        state: sessionStatus,
        counts: sentStatistics.nullable().describe('For its teachers.'),
        record: publicRecord.nullable().describe('A student’s own, where there is one.'),
        can: can.describe('What the caller may do now.'),
      }),
    ),
  })
  .meta({ id: 'Today' });

const userParams = z.object({ user_id: z.string().min(1).max(128).describe('User id or uid.') });
const enrolledParams = z.object({ course_id: courseId, student_id: studentRef });

const exampleAccount = {
  user_id: 'user-2',
  uid: 'bo',
  name: 'Bo Lind',
  email: 'bo@school.example',
  profile_picture: null,
  is_admin: false,
  disabled: false,
  teacher: null,
  student: { student_id: 'student-1', roll: '1907001', section: 'A', department: 'CSE', semester: '3' },
};
const exampleCourse = {
  course_id: 'course-1',
  title: 'Databases',
  course_code: 'CSE-301',
  credit: 3,
  teacher_id: 'teacher-1',
  teacher_name: 'Ada Osei',
  co_teacher_ids: [],
};
const exampleSession = {
  _id: 'session-9',
  session_id: 'session-9',
  course_id: 'course-1',
  course: { _id: 'course-1', title: 'Databases', course_code: 'CSE-301' },
  date: '2026-11-30',
  start_time: '09:00',
  end_time: '10:30',
  topic: 'Indexes',
  description: null,
  status: 'scheduled',
  teacher_id: 'teacher-1',
  teacher_name: 'Ada Osei',
  started_at: null,
  ended_at: null,
  policy: null,
};
const exampleEnrollment = {
  student: {
    student_id: 'student-1',
    user_id: 'user-2',
    name: 'Bo Lind',
    roll: '1907001',
    section: 'A',
    profile_picture: null,
    email: 'bo@school.example',
  },
  status: 'approved',
  begins: null,
  ends: null,
};

const admin = 'An admin.';
const ofCourse = ['COURSE_NOT_FOUND', 'FORBIDDEN'] as const;

export const schoolOperations = {
  listPeople: operation({
    tag: 'People',
    summary: 'Lists users with their profiles, disabled ones among them.',
    who: admin,
    security: 'token',
    query: z.object({
      query: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .describe('Beginning of a name, of a name without its first word, of a uid, an email or a roll.'),
      role: z.enum(['teacher', 'student', 'admin']).optional(),
      ...page,
    }),
    answers: { 200: { when: 'A page of them.', schema: pageOf(account) } },
    errors: ['FORBIDDEN'],
    etag: true,
    example: { query: { query: 'lind' }, answer: { items: [exampleAccount], next: null } },
  }),
  getPerson: operation({
    tag: 'People',
    summary: 'Reads one user.',
    who: 'An admin; whoever it is about.',
    security: 'token',
    params: userParams,
    answers: { 200: { when: 'The user.', schema: account } },
    errors: ['USER_NOT_FOUND'],
    etag: true,
    example: { params: { user_id: 'bo' }, answer: exampleAccount },
  }),
  createPerson: operation({
    tag: 'People',
    summary: 'Makes a user with their profiles.',
    who: admin,
    security: 'token',
    body: z.object({
      uid: ref.describe('The name under which they sign in.'),
      name,
      is_admin: z.boolean().nullish(),
      disabled: z.boolean().nullish(),
      ...accountFields,
    }),
    answers: { 201: { when: 'The user is made.', schema: account } },
    errors: ['FORBIDDEN', 'ALREADY_EXISTS'],
    example: {
      body: { uid: 'bo', name: 'Bo Lind', student: { student_id: 'student-1', roll: '1907001' } },
      answer: exampleAccount,
    },
  }),
  changePerson: operation({
    tag: 'People',
    summary: 'Changes what is said of a user: what is left out stays, null takes a value away.',
    who: 'An admin, who can’t take that right from themselves.',
    security: 'token',
    params: userParams,
    body: z.object({
      uid: ref.optional(),
      name: name.optional(),
      is_admin: z.boolean().optional(),
      disabled: z.boolean().optional(),
      ...accountFields,
    }),
    answers: { 200: { when: 'The user as they are now.', schema: account } },
    errors: ['FORBIDDEN', 'USER_NOT_FOUND', 'ALREADY_EXISTS'],
    example: { params: { user_id: 'bo' }, body: { email: 'bo@school.example' }, answer: exampleAccount },
  }),

  listCourses: operation({
    tag: 'Courses',
    summary: 'Lists courses: all of them to admins, to others those in which they teach or are enrolled.',
    who: 'Whoever is signed in.',
    security: 'token',
    query: z.object(page),
    answers: { 200: { when: 'A page of them.', schema: pageOf(courseEntry) } },
    errors: [],
    etag: true,
    example: { query: { limit: 20 }, answer: { items: [exampleCourse], next: null } },
  }),
  getCourse: operation({
    tag: 'Courses',
    summary: 'Reads one course.',
    who: 'Its teachers and approved students, or an admin.',
    security: 'token',
    params: courseParams,
    answers: { 200: { when: 'The course.', schema: courseEntry } },
    errors: ['COURSE_NOT_FOUND'],
    etag: true,
    example: { params: { course_id: 'course-1' }, answer: exampleCourse },
  }),
  createCourse: operation({
    tag: 'Courses',
    summary: 'Makes a course, under a fresh id where none is given.',
    who: admin,
    security: 'token',
    body: z.object({ course_id: ref.nullish(), title: name, co_teacher_ids: coTeachers.nullish(), ...courseFields }),
    answers: { 201: { when: 'The course is made.', schema: courseEntry } },
    errors: ['FORBIDDEN', 'ALREADY_EXISTS'],
    example: { body: { course_id: 'course-1', title: 'Databases', teacher_id: 'teacher-1' }, answer: exampleCourse },
  }),
  changeCourse: operation({
    tag: 'Courses',
    summary: 'Changes what is said of a course: what is left out stays, null takes a value away.',
    who: admin,
    security: 'token',
    params: courseParams,
    body: z.object({ title: name.optional(), co_teacher_ids: coTeachers.optional(), ...courseFields }),
    answers: { 200: { when: 'The course as it is now.', schema: courseEntry } },
    errors: [...ofCourse],
    example: { params: { course_id: 'course-1' }, body: { credit: 3 }, answer: exampleCourse },
  }),

  listEnrollments: operation({
    tag: 'Courses',
    summary: 'Lists who is enrolled in a course, whatever the status.',
    who: 'A teacher of the course, or an admin.',
    security: 'token',
    params: courseParams,
    query: z.object(page),
    answers: { 200: { when: 'A page of enrolments.', schema: pageOf(enrollment) } },
    errors: [...ofCourse],
    etag: true,
    example: { params: { course_id: 'course-1' }, answer: { items: [exampleEnrollment], next: null } },
  }),
  putEnrollment: operation({
    tag: 'Courses',
    summary: 'Enrols a student. Status and days are said as a whole.',
    who: admin,
    security: 'token',
    params: enrolledParams,
    body: z.object({
      status: z.enum(['pending', 'approved', 'rejected']).nullish().describe('`approved` where nothing is said.'),
      begins: day.nullish(),
      ends: day.nullish(),
    }),
    answers: { 200: { when: 'The enrolment as it is now.', schema: enrollment } },
    errors: [...ofCourse, 'STUDENT_NOT_FOUND'],
    example: {
      params: { course_id: 'course-1', student_id: 'student-1' },
      body: { status: 'approved' },
      answer: exampleEnrollment,
    },
  }),
  withdrawEnrollment: operation({
    tag: 'Courses',
    summary: 'Rejects an enrolment. What was recorded of the student stays.',
    who: admin,
    security: 'token',
    params: enrolledParams,
    answers: { 204: { when: 'The student is enrolled no more.' } },
    errors: [...ofCourse, 'STUDENT_NOT_FOUND'],
    example: { params: { course_id: 'course-1', student_id: 'student-1' } },
  }),

  getToday: operation({
    tag: 'Timetable',
    summary:
      'Lists the caller’s sessions of today as a teacher or student of them, and those that run, with what may be done.',
    who: 'Whoever is signed in.',
    security: 'token',
    answers: { 200: { when: 'Today, by a clock at the school.', schema: today } },
    errors: [],
    etag: true,
    example: { answer: { date: '2026-11-30', time_zone: 'Europe/Berlin', sessions: [] } },
  }),
  listCourseSessions: operation({
    tag: 'Timetable',
    summary: 'Lists the sessions of a course, whatever their status.',
    who: 'The course’s teachers and approved students, or an admin.',
    security: 'token',
    params: courseParams,
    query: z.object({ ...range, ...page }),
    answers: { 200: { when: 'A page of sessions.', schema: pageOf(sentSession) } },
    errors: ['COURSE_NOT_FOUND'],
    etag: true,
    example: {
      params: { course_id: 'course-1' },
      query: { from: '2026-11-01', to: '2026-11-30' },
      answer: { items: [exampleSession], next: null },
    },
  }),
  scheduleSession: operation({
    tag: 'Timetable',
    summary: 'Schedules a session of a course, under a fresh id where none is given.',
    who: 'A teacher of the course, or an admin.',
    security: 'token',
    params: courseParams,
    body: z.object({
      session_id: sessionId.nullish(),
      id: sessionId.nullish().describe('Another name for session_id.'),
      date: day,
      ...sessionFields,
    }),
    answers: { 201: { when: 'The session is scheduled.', schema: sentSession } },
    errors: [...ofCourse, 'ALREADY_EXISTS'],
    example: {
      params: { course_id: 'course-1' },
      body: { id: 'session-9', date: '2026-11-30', start_time: '09:00', end_time: '10:30', topic: 'Indexes' },
      answer: exampleSession,
    },
  }),
  changeSession: operation({
    tag: 'Timetable',
    summary: 'Changes what is said of a session that is scheduled: what is left out stays, null takes a value away.',
    who: 'A teacher of the session, or an admin.',
    security: 'token',
    params: sessionParams,
    body: z.object({ date: day.optional(), ...sessionFields }),
    answers: { 200: { when: 'The session as it is now.', schema: sentSession } },
    errors: ['SESSION_NOT_FOUND', 'FORBIDDEN', 'SESSION_BEGUN', 'SESSION_ENDED'],
    example: { params: { session_id: 'session-9' }, body: { topic: 'Indexes' }, answer: exampleSession },
  }),
  cancelSession: operation({
    tag: 'Timetable',
    summary: 'Cancels a session that is scheduled; one that is cancelled stays so.',
    who: 'A teacher of the session, or an admin.',
    security: 'token',
    params: sessionParams,
    answers: { 200: { when: 'The session is cancelled.', schema: sentSession } },
    errors: ['SESSION_NOT_FOUND', 'FORBIDDEN', 'SESSION_BEGUN', 'SESSION_ENDED'],
    example: { params: { session_id: 'session-9' }, answer: { ...exampleSession, status: 'cancelled' } },
  }),

  getOwnAttendance: operation({
    tag: 'Reports',
    summary: 'Lists the calling student’s own records, each with its session.',
    who: 'A student.',
    security: 'token',
    query: z.object({ ...range, ...page }),
    answers: { 200: { when: 'A page of records, in order of session id.', schema: pageOf(attendance) } },
    errors: ['NOT_A_STUDENT'],
    etag: true,
    example: { query: { from: '2026-11-01' }, answer: { items: [], next: null } },
  }),
  getStudentAttendance: operation({
    tag: 'Reports',
    summary: 'Lists a student’s records of one course. A look at another person’s history is noted in the access log.',
    who: 'A teacher of the course, an admin, or the student.',
    security: 'token',
    params: enrolledParams,
    query: z.object({
      purpose: z.string().max(TEXT_MAX).optional().describe('Why, for the access log.'),
      ...range,
      ...page,
    }),
    answers: { 200: { when: 'A page of records, in order of session id.', schema: pageOf(attendance) } },
    errors: ['COURSE_NOT_FOUND', 'STUDENT_NOT_FOUND'],
    etag: true,
    example: { params: { course_id: 'course-1', student_id: 'student-1' }, answer: { items: [], next: null } },
  }),

  listAccess: operation({
    tag: 'Administration',
    summary: 'Lists who exported, saw or changed what of others, in order.',
    who: admin,
    security: 'token',
    query: z.object({
      actor: z.string().min(1).max(128).optional().describe('A user id.'),
      subject: z.string().min(1).max(128).optional(),
      action: z.string().min(1).max(64).optional(),
      ...page,
      after: z.int().min(0).optional().describe('The `next` of the page before: entries after this number.'),
    }),
    answers: {
      200: {
        when: 'A page of the log.',
        schema: pageOf(
          z
            .strictObject({
              number: z.int().min(1),
              at: timestamp,
              actor: z.strictObject({ user_id: z.string().nullable(), name: z.string().nullable() }),
              action: z.string(),
              subject: z.string().nullable(),
              scope: z.record(z.string(), z.unknown()),
              purpose: z.string().nullable(),
              request_id: z.string().nullable(),
            })
            .meta({ id: 'AccessEntry' }),
        ),
      },
    },
    errors: ['FORBIDDEN'],
    example: {
      query: { action: 'export' },
      answer: {
        items: [
          {
            number: 1,
            at: '2026-11-23T09:00:00.000Z',
            actor: { user_id: 'user-1', name: 'Ada Osei' },
            action: 'export',
            subject: null,
            scope: { course_id: 'course-1' },
            purpose: null,
            request_id: 'req-1',
          },
        ],
        next: null,
      },
    },
  }),
} as const;
