import { z } from 'zod';
import { sessionId } from './ids.js';
import {
  attendanceRecord,
  change,
  courseSummary,
  policy,
  seq,
  session,
  statistics,
  studentSummary,
} from './objects.js';

/*
 * The objects as they are sent, with no room for anything else: the e-mail address of a student has its own
 * variant, so that it can't slip into what students get.
 */

/** A record as everyone may see it. */
export const publicRecord = z
  .strictObject({
    ...attendanceRecord.shape,
    student: z.strictObject(studentSummary.omit({ email: true }).shape),
  })
  .meta({ id: 'AttendanceRecord' });
export type PublicRecord = z.infer<typeof publicRecord>;

/** A record in an answer to a teacher: it may hold the student's e-mail address. */
export const teacherRecord = z
  .strictObject({ ...attendanceRecord.shape, student: z.strictObject(studentSummary.shape) })
  .meta({ id: 'TeacherAttendanceRecord' });
export type TeacherRecord = z.infer<typeof teacherRecord>;

export const sentPolicy = z.strictObject(policy.shape).meta({ id: 'Policy' });

export const sentSession = z
  .strictObject({
    ...session.shape,
    course: z.strictObject(courseSummary.shape).nullable(),
    policy: sentPolicy.nullable(),
  })
  .meta({ id: 'Session' });

export const sentStatistics = z.strictObject(statistics.shape).meta({ id: 'Statistics' });

export const sentChange = z
  .strictObject({ ...change.shape, actor: z.strictObject(change.shape.actor.shape) })
  .meta({ id: 'Change' });

const finalData = <Row extends z.ZodType>(row: Row) =>
  z.strictObject({
    session_id: sessionId,
    session: sentSession,
    attendanceRecords: z.array(row),
    statistics: sentStatistics,
    seq,
    truncated: z.literal(true).optional().describe("Set where attendanceRecords holds the student's own record only."),
  });

/** The session as it ended, for participants. */
export const publicFinalData = finalData(publicRecord).meta({ id: 'FinalData' });
/** The session as it ended, for the teacher who ended it: every record. */
export const teacherFinalData = finalData(teacherRecord).omit({ truncated: true }).meta({ id: 'TeacherFinalData' });
