import { z } from 'zod';
import { courseId, isWellFormed, sessionId, studentRef } from './ids.js';
import { attendanceStatus, chain, policyInput, seq } from './objects.js';

export const REMARKS_MAX_LENGTH = 1_000;
export const REASON_MAX_LENGTH = 1_000;
export const TOPIC_MAX_LENGTH = 500;
export const BULK_MAX_ROWS = 5_000;
export const TOKEN_MAX_LENGTH = 16_384;
/** Of a check-in code: the whole `url` may be sent. */
export const CODE_MAX_LENGTH = 2_048;

/** Apps written in languages whose JSON writes unset fields send null for "not given": an optional field takes both. */
const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .union([schema, z.null()])
    .optional()
    .transform((value) => value ?? undefined);

const wellFormed = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => isWellFormed(value), { error: 'is not well-formed Unicode' });

const remarks = optional(wellFormed(REMARKS_MAX_LENGTH)).describe('Left out keeps what is there; empty clears it.');
const opId = optional(wellFormed(64).min(1)).describe(
  'Makes a repeat safe: a change has one effect per session, user and op_id.',
);
const sinceSeq = optional(seq).describe("The client's last seq: the answer then holds the changes after it.");
const sinceChain = optional(chain).describe(
  "The `chain` that came with since_seq. Where it doesn't fit the journal the answer is the whole, with `reset`.",
);
const walkIn = optional(z.boolean()).describe('True: a known student who is not on the roster is added to it.');
const expectedSeq = optional(seq).describe(
  'The `seq` of the record as the client knows it: where the record was changed since, the answer is CONFLICT.',
);
const student = studentRef.describe('Profile id, user id or uid.');

const command = { op_id: opId };
const ofSession = { session_id: sessionId, ...command };
const ofStudent = {
  ...ofSession,
  student_id: student,
  remarks,
  walk_in: walkIn,
  expected_seq: expectedSeq,
};

/** One row of bulkUpdateAttendance. Rows are checked one by one, so that a bad row can be named. */
export const bulkRow = z
  .object({ student_id: student, status: attendanceStatus, remarks, expected_seq: expectedSeq })
  .meta({ id: 'BulkRow' });
export type BulkRow = z.infer<typeof bulkRow>;
/** A row as a client writes it. */
export type BulkRowInput = z.input<typeof bulkRow>;

/** What each event carries, by event name. Unknown fields are ignored: apps send extras of their own. */
export const clientEvents = {
  startAttendanceSession: z.object({
    ...ofSession,
    course_id: optional(courseId).describe('Of a session that is made by this start.'),
    topic: optional(wellFormed(TOPIC_MAX_LENGTH)),
    policy: optional(policyInput).describe("What isn't given has the server's default."),
  }),
  joinAttendanceSession: z.object({
    ...ofSession,
    code: optional(wellFormed(CODE_MAX_LENGTH)).describe(
      'Under policy check_in `code`: the digits, the words, the token of the link or all of it; see [check-in codes](#check-in-codes).',
    ),
    since_seq: sinceSeq,
    since_chain: sinceChain,
  }),
  leaveAttendanceSession: z.object(ofSession),
  markStudentPresent: z.object(ofStudent),
  markStudentAbsent: z.object(ofStudent),
  markStudentAttendance: z.object({ ...ofStudent, status: attendanceStatus }),
  clearStudentMark: z.object({ ...ofSession, student_id: student, expected_seq: expectedSeq }),
  bulkUpdateAttendance: z.object({
    ...ofSession,
    attendanceUpdates: z.array(z.unknown()).min(1).max(BULK_MAX_ROWS),
    partial: optional(z.boolean()).describe(
      'True: good rows are applied, the rest is reported in `failed`. Otherwise one bad row fails all.',
    ),
    walk_in: walkIn,
  }),
  getAttendanceSessionData: z.object({ ...ofSession, since_seq: sinceSeq, since_chain: sinceChain }),
  watchAttendanceSession: z.object(ofSession),
  getOnlineStudents: z.object(ofSession),
  keepAttendanceSessionAlive: z.object(ofSession),
  endAttendanceSession: z.object(ofSession),
  amendAttendance: z.object({
    ...ofSession,
    student_id: student,
    status: attendanceStatus,
    reason: wellFormed(REASON_MAX_LENGTH)
      .refine((text) => text.trim() !== '', { error: 'must say why' })
      .describe('Why the record is amended, in words.'),
    remarks,
    expected_seq: expectedSeq,
  }),
  subscribeToCourse: z.object({ course_id: courseId, ...command }),
  unsubscribeFromCourse: z.object({ course_id: courseId, ...command }),
  checkActiveSessions: z.object({ course_id: optional(courseId), ...command }),
  getActiveSessions: z.object({ course_id: optional(courseId), ...command }),
  refreshToken: z.object({ token: wellFormed(TOKEN_MAX_LENGTH).min(1) }),
} as const;

export type ClientEventName = keyof typeof clientEvents;
/** What the server works with, after checking. */
export type ClientInput<Name extends ClientEventName> = z.output<(typeof clientEvents)[Name]>;
/** What a client may send. */
export type ClientPayload<Name extends ClientEventName> = z.input<(typeof clientEvents)[Name]>;
