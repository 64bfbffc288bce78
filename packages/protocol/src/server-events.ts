import { z } from 'zod';
import { courseId, sessionId, studentId, teacherId, userId } from './ids.js';
import { attendanceStatus, chain, endReason, policy, seq, timestamp } from './objects.js';
import {
  publicFinalData,
  publicRecord,
  sentChange,
  sentPolicy,
  sentSession,
  sentStatistics,
  teacherFinalData,
  teacherRecord,
} from './payload-parts.js';
import { errorCode, failedRow } from './refusals.js';

const bothNames = {
  session_id: sessionId,
  student_id: studentId,
  sessionId,
  studentId,
};

const onlineFacts = {
  student_name: z.string(),
  roll: z.string().nullable(),
  profile_picture: z.string().nullable(),
};

const studentMarked = z.strictObject({
  session_id: sessionId,
  student_id: studentId,
  attendanceRecord: publicRecord,
});

/** Where a picture stands in the journal. */
const position = {
  seq,
  chain: chain.optional().describe('Of the journal at `seq`: sent back as since_chain beside since_seq.'),
};
const reset = z.literal(true).optional();

const sessionHead = { session_id: sessionId, session: sentSession };

/** A whole session: every record as it stands. */
export const wholeSessionData = z.strictObject({
  ...sessionHead,
  attendanceRecords: z.array(teacherRecord),
  statistics: sentStatistics,
  ...position,
  reset: reset.describe(
    "Set where since_seq was sent and isn't of this journal, as after a backup was restored: this replaces all that the client has, also where its own seq is higher.",
  ),
});
/** What happened after since_seq, in order. */
export const sessionDataSince = z.strictObject({
  ...sessionHead,
  changes: z.array(sentChange),
  statistics: sentStatistics,
  ...position,
});

export const activeSession = z
  .strictObject({
    sessionId,
    session_id: sessionId,
    course_id: courseId.nullable(),
    teacherId: teacherId.nullable(),
    studentCount: z.int().min(0).describe('Students who checked in.'),
    startedAt: timestamp,
    topic: z.string().nullable(),
    check_in: policy.shape.check_in,
  })
  .meta({ id: 'ActiveSession' });
export type ActiveSession = z.infer<typeof activeSession>;

const activeSessions = z.strictObject({
  course_id: courseId.nullable().describe('The course asked for; null where none was named.'),
  activeSessions: z.array(activeSession),
  session_id: sessionId.optional().describe('Only while exactly one session is listed.'),
});

const studentLeft = z.strictObject({
  ...bothNames,
  ...onlineFacts,
  disconnected_at: timestamp,
  remaining_online_count: z.int().min(0),
});

const onlineStudent = z
  .strictObject({
    student_id: studentId,
    ...onlineFacts,
    socket_id: z.string().nullable().describe('Null within the grace after the last connection went.'),
    joined_at: timestamp,
  })
  .meta({ id: 'OnlineStudent' });

/** What each event of the server carries, by event name. Nothing else is sent. */
export const serverEvents = {
  attendanceSessionStarted: z.strictObject({
    ...sessionHead,
    totalStudents: z.int().min(0),
    attendanceRecords: z.array(teacherRecord),
    policy: sentPolicy,
    statistics: sentStatistics,
    ...position,
  }),
  attendanceSessionJoined: z.strictObject({
    session_id: sessionId,
    message: z.string(),
    student_id: studentId,
    record: publicRecord,
    checked_in_at: timestamp.describe('Of the first check-in, also on a rejoin.'),
    ...position,
    changes: z.array(sentChange).optional().describe('Where since_seq was sent: what the student may see after it.'),
    reset: reset.describe(
      "Set, instead of `changes`, where since_seq was sent and isn't of this journal: what the client has of other students no longer holds.",
    ),
  }),
  attendanceSessionLeft: z.strictObject({
    session_id: sessionId,
    message: z.string(),
  }),
  studentJoinedAttendance: z.strictObject({
    ...bothNames,
    ...onlineFacts,
    user_id: userId.nullable(),
    joined_at: timestamp.describe('When this connection joined.'),
    checked_in_at: timestamp.describe('When the student first checked in.'),
    seq: seq.optional().describe("The check-in's, where this join was the first."),
  }),
  studentLeftAttendance: studentLeft,
  studentLeft,
  attendanceUpdated: z.strictObject({
    ...bothNames,
    status: attendanceStatus,
    attendanceRecord: publicRecord,
    updated_by: z.string().describe('Name of who marked.'),
    updated_at: timestamp,
    seq,
    previous_status: attendanceStatus.nullable().describe('Null where the change put the student on the roster.'),
  }),
  studentMarkedPresent: studentMarked,
  studentMarkedAbsent: studentMarked,
  studentMarkedLate: studentMarked,
  studentMarkedExcused: studentMarked,
  studentMarkCleared: studentMarked,
  attendanceSessionData: z.union([wholeSessionData, sessionDataSince]),
  attendanceBulkUpdated: z.strictObject({
    session_id: sessionId,
    updatedRecords: z.array(publicRecord),
    updated_by: z.string().describe('Name of who marked.'),
    updated_at: timestamp,
    seq: seq.describe("The last entry's of the request."),
  }),
  attendanceChanges: z.strictObject({
    session_id: sessionId,
    from_seq: seq.describe('The first change’s.'),
    to_seq: seq.describe('The last change’s.'),
    chain: chain.optional().describe('Of the journal at `to_seq`, where the commit ends there.'),
    changes: z.array(
      z.strictObject({
        seq,
        student_id: studentId,
        status: attendanceStatus,
        previous_status: attendanceStatus.nullable().describe('Null where the change added the student.'),
        remarks: z.string().nullable(),
        cleared: z.literal(true).optional().describe('Set where a mark was taken back: nobody has marked the record.'),
        updated_by: z.string().describe('Name of who marked.'),
        updated_at: timestamp,
      }),
    ),
  }),
  attendanceBulkUpdateComplete: z.strictObject({
    session_id: sessionId,
    updatedRecords: z.array(publicRecord).describe('The record, as it now stands, of every student named.'),
    totalUpdated: z.int().min(0).describe('Number of updatedRecords.'),
    failed: z.array(failedRow),
  }),
  attendanceSessionEnded: z.strictObject({
    session_id: sessionId,
    finalData: publicFinalData,
    ended_by: z.string(),
    ended_at: timestamp,
    reason: endReason,
  }),
  attendanceSessionEndedConfirm: z.strictObject({
    session_id: sessionId,
    finalData: teacherFinalData,
  }),
  attendanceAmended: z.strictObject({
    session_id: sessionId,
    student_id: studentId,
    status: attendanceStatus,
    previous_status: attendanceStatus,
    reason: z.string(),
    amended_by: z.string().describe('Name of who amended.'),
    amended_at: timestamp,
    seq: seq.describe('Of the amendment, or of the session where nothing changed.'),
  }),
  attendanceCode: z.strictObject({
    session_id: sessionId,
    code: z
      .string()
      .regex(/^\d{6}$/)
      .describe('Six digits, as text: the first may be 0.'),
    words: z.tuple([z.string(), z.string(), z.string()]).describe('The same code as three words of letters a–z.'),
    url: z.url().describe('The same code as a link, for a QR code; its parameter `code` is the token.'),
    valid_until: timestamp.describe('Until when a check-in with it counts, by the server’s clock.'),
    next_at: timestamp.describe('When the next code comes.'),
  }),
  attendanceSessionExpiring: z.strictObject({
    session_id: sessionId,
    ends_at: timestamp,
    reason: endReason.extract(['inactivity', 'max_duration']),
  }),
  attendanceStatistics: z.strictObject({ session_id: sessionId, seq, statistics: sentStatistics, at: timestamp }),
  courseSessionStarted: z.strictObject({
    course_id: courseId,
    session_id: sessionId,
    teacher_id: teacherId.nullable(),
    teacher_name: z.string().nullable(),
    session_topic: z.string().nullable(),
    total_students: z.int().min(0),
    started_at: timestamp,
  }),
  courseSessionEnded: z.strictObject({
    course_id: courseId,
    session_id: sessionId,
    final_statistics: sentStatistics,
    ended_by: z.string(),
    ended_at: timestamp,
  }),
  activeSessionsData: activeSessions,
  currentActiveSessions: activeSessions,
  activeSessionsError: z.strictObject({ message: z.string(), code: errorCode }),
  onlineStudentsData: z.strictObject({
    session_id: sessionId,
    total_joined: z.int().min(0).describe('Students who ever checked in.'),
    online_count: z.int().min(0),
    online_students: z.array(onlineStudent),
    retrieved_at: timestamp,
  }),
  attendanceError: z.strictObject({
    message: z.string(),
    code: errorCode,
    event: z.string().describe('The event that was refused.'),
    session_id: z.string().optional().describe('As it was sent, where it was a string.'),
  }),
  sessionExpired: z.strictObject({ message: z.string(), code: errorCode }),
} as const;

export type ServerEventName = keyof typeof serverEvents;
/** What the server sends. */
export type ServerPayload<Name extends ServerEventName> = z.output<(typeof serverEvents)[Name]>;

/** For `Socket` and `Server` of Socket.IO. */
export type ServerToClientEvents = {
  [Name in ServerEventName]: (payload: ServerPayload<Name>) => void;
};
