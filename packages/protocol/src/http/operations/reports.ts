import { z } from 'zod';
import { timestamp } from '../../objects.js';
import { arrivals, courseRegister, sessionRegister } from '../../reports.js';
import { operation } from '../operation.js';
import { courseParams, range, sessionParams } from '../parts.js';

const MEDIA = ['text/csv; charset=utf-8', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'] as const;

const form = {
  format: z.enum(['json', 'csv', 'xlsx']).default('json').describe('`csv` and `xlsx` are files to download.'),
  codes: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe('What stands for each status: `edfi`, `england`, or the name of the code set in REPORT_CODES.'),
  purpose: z.string().max(1_000).optional().describe('Why, for the access log.'),
};

const figures = { present: 1, late: 0, excused: 0, absent: 0, records: 1, rate: 100, late_minutes: 0 };
const course = { _id: 'course-1', title: 'Databases', course_code: 'CSE-301' };
const column = '2026-11-23 09:00–10:30';
const session = {
  session_id: 'session-1',
  column,
  date: '2026-11-23',
  week: '2026-W48',
  start_time: '09:00',
  end_time: '10:30',
  topic: 'Joins',
  teacher_name: 'Ada Osei',
  status: 'completed',
  started_at: '2026-11-23T08:00:03.000Z',
  ended_at: '2026-11-23T09:30:12.000Z',
  ...figures,
  amendments: 0,
};

export const reportOperations = {
  getCourseRegister: operation({
    tag: 'Reports',
    summary: 'Makes the register of a course: students × sessions, with counts, rates and absences in a row.',
    description:
      'Of its sessions that were held or run now. xlsx has sheets of the sessions, a summary by week and the amendments beside it. `rollcall export course` gives the same bytes. A file, and whatever an admin asks for, is noted in the access log.',
    who: 'A teacher of the course, or an admin.',
    security: 'token',
    params: courseParams,
    query: z.object({ ...form, ...range }),
    answers: { 200: { when: 'The register.', schema: courseRegister, media: MEDIA } },
    errors: ['COURSE_NOT_FOUND', 'FORBIDDEN'],
    etag: true,
    example: {
      params: { course_id: 'course-1' },
      query: { from: '2026-11-01', to: '2026-11-30' },
      answer: {
        course,
        from: '2026-11-01',
        to: '2026-11-30',
        time_zone: 'Europe/Berlin',
        codes: null,
        sessions: [session],
        rows: [
          {
            student_id: 'student-1',
            roll: '1907001',
            name: 'Bo Lind',
            statuses: { [column]: 'present' },
            ...figures,
            longest_absence: 0,
            current_absence: 0,
          },
        ],
        weeks: [{ week: '2026-W48', sessions: 1, ...figures }],
        summary: { students: 1, sessions: 1, ...figures },
        amendments: [],
      },
    },
  }),
  getSessionRegister: operation({
    tag: 'Reports',
    summary: 'Makes the register of one session: a row a student.',
    description: '`rollcall export session` gives the same bytes.',
    who: 'A teacher of the session, or an admin.',
    security: 'token',
    params: sessionParams,
    query: z.object(form),
    answers: { 200: { when: 'The register.', schema: sessionRegister, media: MEDIA } },
    errors: ['NOT_A_TEACHER', 'NOT_SESSION_TEACHER', 'SESSION_NOT_FOUND', 'JOURNAL_UNREADABLE'],
    etag: true,
    example: {
      params: { session_id: 'session-1' },
      answer: {
        course,
        time_zone: 'Europe/Berlin',
        codes: null,
        session,
        rows: [
          {
            student_id: 'student-1',
            roll: '1907001',
            name: 'Bo Lind',
            status: 'present',
            checked_in_at: '2026-11-23T08:01:12.000Z',
            marked_at: '2026-11-23T08:01:12.000Z',
            marked_by: 'Ada Osei',
            late_minutes: null,
            remarks: null,
          },
        ],
        amendments: [],
      },
    },
  }),
  getArrivals: operation({
    tag: 'Reports',
    summary: 'Counts the check-ins of a session by the minute.',
    who: 'A teacher of the session, or an admin.',
    security: 'token',
    params: sessionParams,
    answers: { 200: { when: 'The minutes with check-ins, in order.', schema: arrivals } },
    errors: ['NOT_A_TEACHER', 'NOT_SESSION_TEACHER', 'SESSION_NOT_FOUND', 'JOURNAL_UNREADABLE'],
    etag: true,
    example: {
      params: { session_id: 'session-1' },
      answer: {
        session_id: 'session-1',
        started_at: '2026-11-23T08:00:03.000Z',
        students: 40,
        checked_in: 2,
        first_at: '2026-11-23T08:00:09.000Z',
        last_at: '2026-11-23T08:03:40.000Z',
        median_minute: 0.1,
        minutes: [
          { minute: 0, check_ins: 1, total: 1 },
          { minute: 3, check_ins: 1, total: 2 },
        ],
      },
    },
  }),
  getCalendarAddress: operation({
    tag: 'Timetable',
    summary: 'Says whether the caller has an address for their calendar.',
    who: 'Whoever is signed in.',
    security: 'token',
    answers: {
      200: {
        when: 'Since when; the address itself was shown when it was made.',
        schema: z.strictObject({ made_at: timestamp.nullable().describe('Null where there is none.') }),
      },
    },
    errors: [],
    example: { answer: { made_at: null } },
  }),
  makeCalendarAddress: operation({
    tag: 'Timetable',
    summary: 'Makes an address under which a calendar program finds the caller’s sessions.',
    description:
      'Whoever has the address can read the calendar: it takes no sign-in. It takes the place of the one that there was, which leads nowhere from then on, and is shown this once.',
    who: 'Whoever is signed in.',
    security: 'token',
    answers: {
      201: { when: 'The address is made.', schema: z.strictObject({ url: z.string(), made_at: timestamp }) },
    },
    errors: [],
    example: {
      answer: {
        url: 'https://rollcall.example/api/v1/calendar/q1Z0b3Rlcl9tYXBsZV9jbG91ZF9iaXJkX2FwcGxlX2M.ics',
        made_at: '2026-11-23T09:00:00.000Z',
      },
    },
  }),
  removeCalendarAddress: operation({
    tag: 'Timetable',
    summary: 'Takes the address of the caller’s calendar back.',
    who: 'Whoever is signed in.',
    security: 'token',
    answers: { 204: { when: 'There is no address any more.' } },
    errors: [],
    example: {},
  }),
  getCalendar: operation({
    tag: 'Timetable',
    summary: 'Reads a calendar at its address, as iCalendar.',
    description: 'The sessions that its person teaches or attends, in UTC, with nobody’s name.',
    who: 'Whoever has the address.',
    security: 'nothing',
    params: z.object({ token: z.string().min(1).max(128) }),
    answers: { 200: { when: 'The calendar.', media: ['text/calendar; charset=utf-8'] } },
    errors: ['NOT_FOUND'],
    etag: true,
    example: { params: { token: 'q1Z0b3Rlcl9tYXBsZV9jbG91ZF9iaXJkX2FwcGxlX2M' } },
  }),
} as const;
