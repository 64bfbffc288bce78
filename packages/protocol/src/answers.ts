import { z } from 'zod';
import type { BulkRowInput, ClientEventName, ClientPayload } from './client-events.js';
import { courseId, sessionId } from './ids.js';
import { seq, timestamp } from './objects.js';
import { refusedAck } from './refusals.js';
import { type ServerEventName, serverEvents, sessionDataSince, wholeSessionData } from './server-events.js';

const ok = { ok: z.literal(true) };

const changing = {
  ...ok,
  seq: seq.describe("The command's last entry's, or the session's current one where nothing was written."),
  duplicate: z.literal(true).optional().describe('Set where the op_id was answered before.'),
};

/** Of a command that may write to the journal. */
const ofChange = <Shape extends z.ZodRawShape>(payload: z.ZodObject<Shape>) =>
  z.union([payload.extend(changing), refusedAck]);

/** Of a command that writes nothing. */
const ofReading = <Shape extends z.ZodRawShape>(payload: z.ZodObject<Shape>) =>
  z.union([payload.extend(ok), refusedAck]);

const sessionData = z.union([wholeSessionData.extend(ok), sessionDataSince.extend(ok), refusedAck]);

interface Answer {
  /** Events that answer the caller when the command succeeded: all of them, or for `byStatus` the status's. */
  readonly events: readonly ServerEventName[];
  readonly byStatus?: true;
  /** Events that answer the caller when it was refused. */
  readonly refusals: readonly ServerEventName[];
  /** The acknowledgement. */
  readonly ack: z.ZodType;
}

const refusals = ['attendanceError'] as const;
const courseRefusals = ['activeSessionsError', 'attendanceError'] as const;
const activeSessions = {
  events: ['activeSessionsData', 'currentActiveSessions'],
  refusals: courseRefusals,
  ack: ofReading(serverEvents.activeSessionsData),
} as const;

/** How each event of a client is answered. */
export const answers = {
  startAttendanceSession: {
    events: ['attendanceSessionStarted'],
    refusals,
    ack: ofChange(serverEvents.attendanceSessionStarted),
  },
  joinAttendanceSession: {
    events: ['attendanceSessionJoined'],
    refusals,
    ack: ofChange(serverEvents.attendanceSessionJoined),
  },
  leaveAttendanceSession: {
    events: ['attendanceSessionLeft'],
    refusals,
    ack: ofReading(serverEvents.attendanceSessionLeft),
  },
  markStudentPresent: {
    events: ['studentMarkedPresent'],
    refusals,
    ack: ofChange(serverEvents.studentMarkedPresent),
  },
  markStudentAbsent: { events: ['studentMarkedAbsent'], refusals, ack: ofChange(serverEvents.studentMarkedAbsent) },
  markStudentAttendance: {
    events: ['studentMarkedPresent', 'studentMarkedAbsent', 'studentMarkedLate', 'studentMarkedExcused'],
    byStatus: true,
    refusals,
    ack: ofChange(serverEvents.studentMarkedPresent),
  },
  clearStudentMark: { events: ['studentMarkCleared'], refusals, ack: ofChange(serverEvents.studentMarkCleared) },
  bulkUpdateAttendance: {
    events: ['attendanceBulkUpdateComplete'],
    refusals,
    ack: ofChange(serverEvents.attendanceBulkUpdateComplete),
  },
  getAttendanceSessionData: { events: ['attendanceSessionData'], refusals, ack: sessionData },
  watchAttendanceSession: { events: ['attendanceSessionData'], refusals, ack: sessionData },
  getOnlineStudents: { events: ['onlineStudentsData'], refusals, ack: ofReading(serverEvents.onlineStudentsData) },
  endAttendanceSession: {
    events: ['attendanceSessionEndedConfirm'],
    refusals,
    ack: ofChange(serverEvents.attendanceSessionEndedConfirm),
  },
  amendAttendance: { events: ['attendanceAmended'], refusals, ack: ofChange(serverEvents.attendanceAmended) },
  keepAttendanceSessionAlive: {
    events: [],
    refusals,
    ack: z.union([
      z.strictObject({
        ...ok,
        session_id: sessionId,
        ends_at: timestamp.nullable().describe('When the session ends unless more happens; null for never.'),
      }),
      refusedAck,
    ]),
  },
  subscribeToCourse: activeSessions,
  unsubscribeFromCourse: {
    events: [],
    refusals,
    ack: z.union([z.strictObject({ ...ok, course_id: courseId }), refusedAck]),
  },
  checkActiveSessions: activeSessions,
  getActiveSessions: activeSessions,
  refreshToken: {
    events: [],
    refusals,
    ack: z.union([
      z.strictObject({ ...ok, expires_at: timestamp.nullable().describe('Null for a token that does not expire.') }),
      refusedAck,
    ]),
  },
} as const satisfies Record<ClientEventName, Answer>;

/** What the acknowledgement callback of an event gets. */
export type Ack<Name extends ClientEventName> = z.output<(typeof answers)[Name]['ack']>;
/** What it gets where the command succeeded. */
export type SuccessAck<Name extends ClientEventName> = Extract<Ack<Name>, { ok: true }>;

/** A payload as a typed client writes it. */
export type EmitPayload<Name extends ClientEventName> = Name extends 'bulkUpdateAttendance'
  ? Omit<ClientPayload<'bulkUpdateAttendance'>, 'attendanceUpdates'> & { attendanceUpdates: BulkRowInput[] }
  : ClientPayload<Name>;

/** For `Socket` and `Server` of Socket.IO. */
export type ClientToServerEvents = {
  [Name in ClientEventName]: (payload: EmitPayload<Name>, ack?: (answer: Ack<Name>) => void) => void;
};
