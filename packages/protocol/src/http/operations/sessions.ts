import { z } from 'zod';
import { BULK_MAX_ROWS, bulkRow, clientEvents } from '../../client-events.js';
import { ackExamples, clientExamples } from '../../examples.js';
import { attendanceStatus, policy } from '../../objects.js';
import { publicRecord, sentChange } from '../../payload-parts.js';
import { serverEvents, sessionDataSince, wholeSessionData } from '../../server-events.js';
import { operation } from '../operation.js';
import { changed, opId, recordParams, sessionParams } from '../parts.js';

const teachers = 'A teacher of the session, or an admin.';
const ofTeachers = ['NOT_A_TEACHER', 'NOT_SESSION_TEACHER', 'SESSION_NOT_FOUND', 'JOURNAL_UNREADABLE'] as const;
const session_id = 'session-1';

const { since_seq, since_chain } = clientEvents.getAttendanceSessionData.shape;
const { remarks, walk_in, expected_seq } = clientEvents.markStudentAttendance.shape;

const without = (example: object, ...names: string[]): object =>
  Object.fromEntries(Object.entries(example).filter(([name]) => !names.includes(name)));

const sessionCard = z
  .strictObject({
    session_id: sessionParams.shape.session_id,
    course: wholeSessionData.shape.session.shape.course,
    topic: z.string().nullable(),
    date: z.string().nullable(),
    start_time: z.string().nullable(),
    end_time: z.string().nullable(),
    teacher_name: z.string().nullable(),
    status: wholeSessionData.shape.session.shape.status,
    check_in: policy.shape.check_in.nullable().describe('Null while the session has no policy: it isn’t active.'),
    late_after_minutes: policy.shape.late_after_minutes.nullable(),
    started_at: wholeSessionData.shape.session.shape.started_at,
    record: publicRecord.nullable().describe('Of the student who asks; null where there is none.'),
  })
  .meta({ id: 'SessionCard' });

const journalPage = z
  .strictObject({
    session_id: sessionParams.shape.session_id,
    changes: z.array(sentChange).describe('In order of seq, without gaps.'),
    seq: sentChange.shape.seq.describe('Of the last entry that the journal holds.'),
    next_after_seq: sentChange.shape.seq
      .nullable()
      .describe('Sent as after_seq for the next page; null on the last one.'),
  })
  .meta({ id: 'JournalPage' });

export const sessionOperations = {
  getSession: operation({
    tag: 'Sessions',
    summary: 'Reads a session, whole or as the changes after `since_seq`.',
    who: teachers,
    security: 'token',
    params: sessionParams,
    query: z.object({ since_seq, since_chain }),
    answers: { 200: { when: 'The session as it stands.', schema: z.union([wholeSessionData, sessionDataSince]) } },
    errors: ofTeachers,
    etag: true,
    example: { params: { session_id }, answer: without(ackExamples.getAttendanceSessionData, 'ok') },
  }),
  startSession: operation({
    tag: 'Sessions',
    summary:
      'Starts a scheduled session, or makes one of a new id; of one that is active already it answers how it stands.',
    who: 'A teacher of the course, or an admin; for a new session without a course any teacher.',
    security: 'token',
    params: sessionParams,
    body: clientEvents.startAttendanceSession.omit({ session_id: true }),
    answers: {
      200: { when: 'The session is active.', schema: serverEvents.attendanceSessionStarted.extend(changed) },
    },
    errors: ['NOT_A_TEACHER', 'NOT_SESSION_TEACHER', 'COURSE_NOT_FOUND', 'SESSION_ENDED', 'JOURNAL_UNREADABLE'],
    example: {
      params: { session_id },
      body: without(clientExamples.startAttendanceSession, 'session_id', 'op_id'),
      answer: without(ackExamples.startAttendanceSession, 'ok'),
    },
  }),
  endSession: operation({
    tag: 'Sessions',
    summary: 'Ends an active session for everybody, for good.',
    who: teachers,
    security: 'token',
    params: sessionParams,
    body: clientEvents.endAttendanceSession.omit({ session_id: true }),
    answers: {
      200: { when: 'The session is over.', schema: serverEvents.attendanceSessionEndedConfirm.extend(changed) },
    },
    errors: [...ofTeachers, 'SESSION_NOT_ACTIVE'],
    example: {
      params: { session_id },
      body: without(clientExamples.endAttendanceSession, 'session_id', 'op_id'),
      answer: without(ackExamples.endAttendanceSession, 'ok'),
    },
  }),
  keepSessionAlive: operation({
    tag: 'Sessions',
    summary: 'Puts off the end of a session that nobody uses.',
    who: teachers,
    security: 'token',
    params: sessionParams,
    body: clientEvents.keepAttendanceSessionAlive.omit({ session_id: true }),
    answers: {
      200: {
        when: 'The session ends later.',
        schema: z.strictObject({
          session_id: sessionParams.shape.session_id,
          ends_at: z.iso.datetime().nullable().describe('When it ends by itself; null for never.'),
        }),
      },
    },
    errors: [...ofTeachers, 'SESSION_NOT_ACTIVE', 'SESSION_ENDED'],
    example: {
      params: { session_id },
      body: {},
      answer: without(ackExamples.keepAttendanceSessionAlive, 'ok'),
    },
  }),
  checkIn: operation({
    tag: 'Sessions',
    summary: 'Checks the calling student in, once for each session.',
    description: 'Whoever checks in over HTTP is not online in the session: that takes a socket.',
    who: 'A student with an approved enrolment in the course; any student where the session has no course.',
    security: 'token',
    params: sessionParams,
    body: clientEvents.joinAttendanceSession.omit({ session_id: true, since_seq: true, since_chain: true }),
    answers: {
      200: {
        when: 'The student is checked in.',
        schema: serverEvents.attendanceSessionJoined.omit({ changes: true, reset: true }).extend(changed),
      },
    },
    errors: [
      'NOT_A_STUDENT',
      'NOT_ENROLLED',
      'SESSION_NOT_ACTIVE',
      'SESSION_ENDED',
      'CODE_REQUIRED',
      'CODE_INVALID',
      'CODE_EXPIRED',
      'JOURNAL_UNREADABLE',
    ],
    example: {
      params: { session_id },
      body: { code: '048213' },
      answer: without(ackExamples.joinAttendanceSession, 'ok'),
    },
  }),
  getCard: operation({
    tag: 'Sessions',
    summary: 'Says which class this is: course, topic, teacher and status, and the caller’s own record.',
    who: 'A student with an approved enrolment in the course or on the roster; a teacher of the session; an admin.',
    security: 'token',
    params: sessionParams,
    answers: { 200: { when: 'The card, without anybody else’s data.', schema: sessionCard } },
    errors: ['SESSION_NOT_FOUND', 'JOURNAL_UNREADABLE'],
    etag: true,
    example: {
      params: { session_id },
      answer: {
        session_id,
        course: { _id: 'course-1', title: 'Databases', course_code: 'CSE-301' },
        topic: 'Joins',
        date: '2026-11-23',
        start_time: '09:00',
        end_time: '10:30',
        teacher_name: 'Ada Osei',
        status: 'active',
        check_in: 'code',
        late_after_minutes: 10,
        started_at: '2026-11-23T09:00:00.000Z',
        record: null,
      },
    },
  }),
  getJournal: operation({
    tag: 'Sessions',
    summary: 'Reads the journal of a session: every change, in order.',
    who: teachers,
    security: 'token',
    params: sessionParams,
    query: z.object({
      after_seq: z.int().min(0).default(0).describe('Entries after this one.'),
      limit: z.int().min(1).max(1_000).default(200).describe('Entries at most.'),
    }),
    answers: { 200: { when: 'The entries; none where the session has no journal.', schema: journalPage } },
    errors: ofTeachers,
    etag: true,
    example: {
      params: { session_id },
      query: { after_seq: 2 },
      answer: {
        session_id,
        changes: [
          {
            seq: 3,
            type: 'marked',
            at: '2026-11-23T09:01:12.000Z',
            actor: { user_id: 'user-1', name: 'Ada Osei' },
            student_id: 'student-1',
            status: 'present',
            previous_status: 'absent',
            remarks: null,
          },
        ],
        seq: 3,
        next_after_seq: null,
      },
    },
  }),
  updateRecords: operation({
    tag: 'Records',
    summary: 'Marks up to 5,000 students in one commit: all of them or, unless `partial` is true, none.',
    who: teachers,
    security: 'token',
    params: sessionParams,
    body: clientEvents.bulkUpdateAttendance.omit({ session_id: true }),
    documentedBody: clientEvents.bulkUpdateAttendance
      .omit({ session_id: true })
      .extend({ attendanceUpdates: z.array(bulkRow).min(1).max(BULK_MAX_ROWS) }),
    bodyMax: 6 * 1024 * 1024,
    answers: {
      200: { when: 'The marks are stored.', schema: serverEvents.attendanceBulkUpdateComplete.extend(changed) },
    },
    errors: [...ofTeachers, 'SESSION_NOT_ACTIVE', 'SESSION_ENDED', 'STUDENT_NOT_FOUND', 'NOT_ENROLLED', 'CONFLICT'],
    example: {
      params: { session_id },
      body: without(clientExamples.bulkUpdateAttendance, 'session_id', 'op_id'),
      answer: without(ackExamples.bulkUpdateAttendance, 'ok'),
    },
  }),
  putRecord: operation({
    tag: 'Records',
    summary: 'Gives one student a status; after the end it amends the record, which needs a reason.',
    who: teachers,
    security: 'token',
    params: recordParams,
    body: z.object({
      status: attendanceStatus,
      remarks,
      walk_in,
      expected_seq,
      reason: clientEvents.amendAttendance.shape.reason.nullish().describe('Why, where the session is over.'),
      op_id: opId,
    }),
    answers: {
      200: {
        when: 'The record as it is now.',
        schema: z
          .strictObject({
            session_id: sessionParams.shape.session_id,
            student_id: serverEvents.studentMarkedPresent.shape.student_id,
            attendanceRecord: publicRecord,
            amendment: serverEvents.attendanceAmended
              .omit({ session_id: true, student_id: true, seq: true })
              .optional()
              .describe('Set where the session was over.'),
          })
          .extend(changed),
      },
    },
    errors: [...ofTeachers, 'SESSION_NOT_ACTIVE', 'SESSION_ENDED', 'STUDENT_NOT_FOUND', 'NOT_ENROLLED', 'CONFLICT'],
    example: {
      params: { session_id, student_id: 'student-1' },
      body: { status: 'late', remarks: 'Bus' },
      answer: without(ackExamples.markStudentAttendance, 'ok'),
    },
  }),
  clearRecord: operation({
    tag: 'Records',
    summary: 'Takes a mark back: the record is as it was before anybody marked it.',
    who: teachers,
    security: 'token',
    params: recordParams,
    query: z.object({ expected_seq }),
    idempotent: true,
    answers: {
      200: { when: 'The record as it is now.', schema: serverEvents.studentMarkCleared.extend(changed) },
    },
    errors: [...ofTeachers, 'SESSION_NOT_ACTIVE', 'SESSION_ENDED', 'STUDENT_NOT_FOUND', 'NOT_ENROLLED', 'CONFLICT'],
    example: { params: { session_id, student_id: 'student-1' }, answer: without(ackExamples.clearStudentMark, 'ok') },
  }),
} as const;
