import { z } from 'zod';
import { courseId, sessionId, studentId, teacherId, userId } from './ids.js';

export const ATTENDANCE_STATUSES = ['present', 'absent', 'late', 'excused'] as const;
export const attendanceStatus = z.enum(ATTENDANCE_STATUSES);
export type AttendanceStatus = z.infer<typeof attendanceStatus>;

export const sessionStatus = z.enum(['scheduled', 'active', 'completed', 'cancelled']);
export type SessionStatus = z.infer<typeof sessionStatus>;

/** Why a session ended. */
export const endReason = z.enum(['teacher', 'inactivity', 'max_duration', 'admin']);
export type EndReason = z.infer<typeof endReason>;

/** ISO 8601, UTC, milliseconds: `2026-11-23T09:00:00.000Z`. */
export const timestamp = z.iso.datetime();
/** Position in the session's journal: 1, 2, 3 … without gaps. */
export const seq = z.int().min(0);
/** Beginning of the journal's hash chain after one commit: 16 hex digits in lower case. Two journals that agree in it agree up to there. */
export const chain = z.string().regex(/^[0-9a-f]{16}$/, { error: 'must be 16 hex digits in lower case' });

/** Fractions allowed. */
const minutes = z.number().min(0).max(100_000);

const policyFields = {
  check_in: z
    .enum(['open', 'code'])
    .describe('`open`: whoever may join may check in. `code`: a first check-in needs the code of that moment.'),
  auto_mark: z.boolean().describe('True: a check-in marks present, or late after late_after_minutes.'),
  late_after_minutes: minutes.describe('Minutes after started_at from which a check-in is late; 0 switches it off.'),
  visibility: z
    .enum(['participants', 'private'])
    .describe('`participants`: students get every change. `private`: only those of their own record.'),
  inactivity_minutes: minutes.describe('Minutes without any activity after which the session ends; 0 switches it off.'),
  max_minutes: minutes.describe('Minutes after which the session ends whatever happens; 0 switches it off.'),
};

/** What a session does with check-ins and who sees what, as it was asked for: only what was given is there. */
export type PolicyInput = { [Field in keyof Policy]?: Policy[Field] | undefined };

const whereGiven = Object.fromEntries(Object.entries(policyFields).map(([name, field]) => [name, field.nullish()])) as {
  [Field in keyof Policy]: z.ZodOptional<z.ZodNullable<(typeof policyFields)[Field]>>;
};

/** All optional on the way in, and null is "not given", as everywhere. */
export const policyInput = z
  .object(whereGiven)
  .transform(
    (given): PolicyInput =>
      Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) as PolicyInput,
  )
  .meta({ id: 'PolicyInput' });

/** A session's policy as it holds: all set. */
export const policy = z.object(policyFields);
export type Policy = z.infer<typeof policy>;

export const studentSummary = z.object({
  student_id: studentId,
  user_id: userId.nullable(),
  name: z.string(),
  roll: z.string().nullable(),
  section: z.string().nullable(),
  profile_picture: z.string().nullable(),
  email: z.string().nullable().optional().describe('Only in answers to teachers.'),
});
export type StudentSummary = z.infer<typeof studentSummary>;

export const attendanceRecord = z.object({
  _id: z.string(),
  session_id: sessionId,
  student_id: studentId,
  status: attendanceStatus,
  remarks: z.string().nullable(),
  student: studentSummary,
  checked_in_at: timestamp.nullable(),
  marked_at: timestamp.nullable(),
  marked_by: z.string().nullable().describe('Name of who marked; null while nobody has.'),
  seq: seq.describe('Of the last journal entry that changed this record.'),
  createdAt: timestamp.nullable(),
  updatedAt: timestamp.nullable(),
});
export type AttendanceRecord = z.infer<typeof attendanceRecord>;

export const courseSummary = z.object({
  _id: courseId,
  title: z.string().nullable(),
  course_code: z.string().nullable(),
});
export type CourseSummary = z.infer<typeof courseSummary>;

export const session = z.object({
  _id: sessionId,
  session_id: sessionId,
  course_id: courseId.nullable(),
  course: courseSummary.nullable(),
  date: z.string().nullable().describe('ISO 8601 date, or date and time where the database has one.'),
  start_time: z.string().nullable().describe('`HH:mm`, local to the school.'),
  end_time: z.string().nullable(),
  topic: z.string().nullable(),
  description: z.string().nullable(),
  status: sessionStatus,
  teacher_id: teacherId.nullable(),
  teacher_name: z.string().nullable(),
  started_at: timestamp.nullable(),
  ended_at: timestamp.nullable(),
  policy: policy.nullable(),
});
export type Session = z.infer<typeof session>;

export const statistics = z.object({
  totalStudents: z.int().min(0),
  presentCount: z.int().min(0),
  absentCount: z.int().min(0),
  lateCount: z.int().min(0),
  excusedCount: z.int().min(0),
  attendanceRate: z
    .number()
    .min(0)
    .max(100)
    .describe('(present + late) / total × 100, two decimals; 0 for an empty roster.'),
  checkedInCount: z.int().min(0),
  onlineCount: z.int().min(0),
});
export type Statistics = z.infer<typeof statistics>;

/** One journal entry as clients see it. */
export const change = z.object({
  seq,
  type: z.enum(['started', 'adopted', 'checked_in', 'marked', 'cleared', 'ended', 'amended']),
  at: timestamp,
  actor: z.object({ user_id: z.string().nullable(), name: z.string() }),
  student_id: studentId.optional(),
  status: attendanceStatus.optional(),
  previous_status: attendanceStatus.nullable().optional(),
  remarks: z.string().nullable().optional(),
  reason: z
    .string()
    .optional()
    .describe('Of an end: teacher, inactivity, max_duration or admin. Of an amendment: why, in words.'),
});
export type Change = z.infer<typeof change>;
