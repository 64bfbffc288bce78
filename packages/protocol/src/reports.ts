import { z } from 'zod';
import { courseId, sessionId, studentId } from './ids.js';
import { attendanceStatus, courseSummary, sessionStatus, timestamp } from './objects.js';

/*
 * Reports as JSON. The same fields in the same order are the columns of CSV files and spreadsheets. Lists of one
 * report name sessions and students by their ids.
 */

const count = z.int().min(0);
const day = z.iso.date();
const week = z.string().regex(/^\d{4}-W\d{2}$/);
const rate = z
  .number()
  .min(0)
  .max(100)
  .nullable()
  .describe('(present + late) / records × 100, two decimals; null where there is no record.');
const lateMinutes = count.describe(
  'Whole minutes from the start of a session to the check-in, of records that say late and have a check-in.',
);
const longestAbsence = count.describe(
  'The most sessions in a row with the status absent; sessions without a record of the student are passed over.',
);
const status = z.string().describe('The status, or what stands for it in the code set that was asked for.');

/** How many records say what, how many there are, and what follows from that. */
const figures = {
  present: count,
  late: count,
  excused: count,
  absent: count,
  records: count,
  rate,
  late_minutes: lateMinutes,
};

/** A session as reports list it. */
export const reportedSession = z
  .strictObject({
    session_id: sessionId,
    column: z.string().describe('What the session is called in a register: `2026-11-23 09:00–10:30`. Unique in it.'),
    date: day.nullable().describe('In the time zone of the school.'),
    week: week.nullable().describe('ISO week of the date.'),
    start_time: z.string().nullable(),
    end_time: z.string().nullable(),
    topic: z.string().nullable(),
    teacher_name: z.string().nullable(),
    status: sessionStatus,
    started_at: timestamp.nullable(),
    ended_at: timestamp.nullable(),
    ...figures,
    amendments: count
      .nullable()
      .describe('How many changes there were after the end; null where the journal cannot be read.'),
  })
  .meta({ id: 'ReportedSession' });
export type ReportedSession = z.infer<typeof reportedSession>;

/** A change of a record after its session had ended. */
export const reportedAmendment = z
  .strictObject({
    session_id: sessionId,
    column: z.string(),
    student_id: studentId,
    name: z.string(),
    previous_status: status.nullable().describe('Null where the amendment put the student on the register.'),
    status,
    amended_by: z.string(),
    amended_at: timestamp,
    reason: z.string().nullable(),
  })
  .meta({ id: 'ReportedAmendment' });
export type ReportedAmendment = z.infer<typeof reportedAmendment>;

const registerHead = {
  time_zone: z.string().describe('IANA name. Dates, weeks and times without a zone are in it.'),
  codes: z
    .strictObject({ name: z.string(), present: z.string(), late: z.string(), excused: z.string(), absent: z.string() })
    .nullable()
    .describe('What stands for each status; null where statuses stand for themselves.'),
};

export const registerRow = z
  .strictObject({
    student_id: studentId,
    roll: z.string().nullable(),
    name: z.string(),
    statuses: z.record(z.string(), status.nullable()).describe('By the column of each session; null without a record.'),
    ...figures,
    longest_absence: longestAbsence,
    current_absence: count.describe('The sessions with the status absent since the last with another one.'),
  })
  .meta({ id: 'RegisterRow' });
export type RegisterRow = z.infer<typeof registerRow>;

export const registerWeek = z
  .strictObject({ week: week.nullable(), sessions: count, ...figures })
  .meta({ id: 'RegisterWeek' });
export type RegisterWeek = z.infer<typeof registerWeek>;

/** A course: students × sessions. */
export const courseRegister = z
  .strictObject({
    course: courseSummary,
    from: day.nullable(),
    to: day.nullable().describe('Both days are inside.'),
    ...registerHead,
    sessions: z.array(reportedSession),
    rows: z.array(registerRow),
    weeks: z.array(registerWeek),
    summary: z.strictObject({ students: count, sessions: count, ...figures }),
    amendments: z.array(reportedAmendment),
  })
  .meta({ id: 'CourseRegister' });
export type CourseRegister = z.infer<typeof courseRegister>;

export const sessionRegisterRow = z
  .strictObject({
    student_id: studentId,
    roll: z.string().nullable(),
    name: z.string(),
    status: status.nullable().describe('Null without a record.'),
    checked_in_at: timestamp.nullable(),
    marked_at: timestamp.nullable(),
    marked_by: z.string().nullable(),
    late_minutes: lateMinutes.nullable(),
    remarks: z.string().nullable(),
  })
  .meta({ id: 'SessionRegisterRow' });
export type SessionRegisterRow = z.infer<typeof sessionRegisterRow>;

/** One session: a row a student. */
export const sessionRegister = z
  .strictObject({
    course: courseSummary.nullable(),
    ...registerHead,
    session: reportedSession,
    rows: z.array(sessionRegisterRow),
    amendments: z.array(reportedAmendment),
  })
  .meta({ id: 'SessionRegister' });
export type SessionRegister = z.infer<typeof sessionRegister>;

const runs = {
  longest_absence: longestAbsence,
  current_absence: count,
};

export const historyRow = z
  .strictObject({
    session_id: sessionId,
    course_id: courseId.nullable(),
    column: z.string(),
    date: day.nullable(),
    week: week.nullable(),
    start_time: z.string().nullable(),
    end_time: z.string().nullable(),
    topic: z.string().nullable(),
    session_status: sessionStatus,
    status: attendanceStatus,
    checked_in_at: timestamp.nullable(),
    marked_at: timestamp.nullable(),
    late_minutes: lateMinutes.nullable(),
    remarks: z.string().nullable(),
  })
  .meta({ id: 'HistoryRow' });
export type HistoryRow = z.infer<typeof historyRow>;

/** One student over all their courses. */
export const studentHistory = z
  .strictObject({
    student_id: studentId,
    from: day.nullable(),
    to: day.nullable(),
    time_zone: z.string(),
    rows: z.array(historyRow).describe('The newest first.'),
    courses: z.array(z.strictObject({ course: courseSummary.nullable(), sessions: count, ...figures, ...runs })),
    summary: z.strictObject({ sessions: count, ...figures, ...runs }),
    amendments: z.array(reportedAmendment),
  })
  .meta({ id: 'StudentHistory' });
export type StudentHistory = z.infer<typeof studentHistory>;

/** When the students of a session checked in. */
export const arrivals = z
  .strictObject({
    session_id: sessionId,
    started_at: timestamp.nullable(),
    students: count,
    checked_in: count,
    first_at: timestamp.nullable(),
    last_at: timestamp.nullable(),
    median_minute: z.number().nullable().describe('Half had checked in within this many minutes of the start.'),
    minutes: z
      .array(z.strictObject({ minute: z.int(), check_ins: count, total: count }))
      .describe(
        'Minutes since the start that have check-ins, negative before it: how many in the minute, and how many up to its end.',
      ),
  })
  .meta({ id: 'Arrivals' });
export type Arrivals = z.infer<typeof arrivals>;
