import { z } from 'zod';
import { courseId, sessionId, studentRef } from '../../ids.js';
import { sessionStatus } from '../../objects.js';
import { publicRecord, sentSession, sentStatistics } from '../../payload-parts.js';
import { operation } from '../operation.js';
import { courseParams, day, page, pageOf, range, sessionParams } from '../parts.js';
import { TEXT_MAX, text } from './school-parts.js';

const time = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'must be HH:mm' })
  .nullish()
  .describe('`HH:mm` by a clock at the school.');

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

const enrolledParams = z.object({ course_id: courseId, student_id: studentRef });

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

const ofCourse = ['COURSE_NOT_FOUND', 'FORBIDDEN'] as const;

export const timetableOperations = {
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
} as const;
