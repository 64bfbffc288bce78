import type { z } from 'zod';
import type { answers, EmitPayload } from './answers.js';
import type { ClientEventName } from './client-events.js';
import type { ServerEventName, serverEvents } from './server-events.js';

/*
 * One short class, so that the examples can be read as a story: Ada Osei starts Databases at 09:00 (seq 1), Bo Lind
 * checks in (2), is marked present (3), then late in a bulk request (4), and the session ends (5).
 */
const session_id = 'session-1';
const course_id = 'course-1';
const student_id = 'student-1';
const bothNames = { session_id, student_id, sessionId: session_id, studentId: student_id };
const bo = { student_name: 'Bo Lind', roll: '1907001', profile_picture: null };

const startedAt = '2026-11-23T09:00:00.000Z';
const checkedInAt = '2026-11-23T09:01:12.480Z';
const markedAt = '2026-11-23T09:05:03.117Z';
const bulkAt = '2026-11-23T09:07:41.902Z';
const endedAt = '2026-11-23T10:30:00.250Z';

/** Of the journal after the commit that ends with seq 1, 2, 3 and 4. */
const chains = { 1: '8c1e5f0a97d3b246', 2: '02b7a94ce16f58d3', 3: 'e49d30c2718b6fa5', 4: '5fa6d81b03e2c794' } as const;

const policy = {
  check_in: 'open',
  auto_mark: false,
  late_after_minutes: 10,
  visibility: 'participants',
  inactivity_minutes: 30,
  max_minutes: 300,
} as const;

const activeSession = {
  _id: session_id,
  session_id,
  course_id,
  course: { _id: course_id, title: 'Databases', course_code: 'CSE-301' },
  date: '2026-11-23',
  start_time: '09:00',
  end_time: '10:30',
  topic: 'Joins',
  description: null,
  status: 'active',
  teacher_id: 'teacher-1',
  teacher_name: 'Ada Osei',
  started_at: startedAt,
  ended_at: null,
  policy,
} as const;
const endedSession = { ...activeSession, status: 'completed', ended_at: endedAt } as const;

const student = {
  student_id,
  user_id: 'bo',
  name: 'Bo Lind',
  roll: '1907001',
  section: 'A',
  profile_picture: null,
};

const record = {
  _id: '6564f1a0c2a4e85b7d3f9a01',
  session_id,
  student_id,
  status: 'absent',
  remarks: null,
  student,
  checked_in_at: null,
  marked_at: null,
  marked_by: null,
  seq: 1,
  createdAt: startedAt,
  updatedAt: startedAt,
} as const;
const checkedIn = { ...record, checked_in_at: checkedInAt, seq: 2, updatedAt: checkedInAt };
const marked = { ...checkedIn, marked_at: markedAt, marked_by: 'Ada Osei', seq: 3, updatedAt: markedAt };
const present = { ...marked, status: 'present' } as const;
const late = {
  ...present,
  status: 'late',
  remarks: 'Bus was late',
  marked_at: bulkAt,
  seq: 4,
  updatedAt: bulkAt,
} as const;

const withEmail = <Row extends { student: object }>(row: Row) => ({
  ...row,
  student: { ...row.student, email: 'bo@school.example' },
});

const nobodyYet = {
  totalStudents: 1,
  presentCount: 0,
  absentCount: 1,
  lateCount: 0,
  excusedCount: 0,
  attendanceRate: 0,
  checkedInCount: 0,
  onlineCount: 0,
};
const boPresent = {
  ...nobodyYet,
  presentCount: 1,
  absentCount: 0,
  attendanceRate: 100,
  checkedInCount: 1,
  onlineCount: 1,
};
const boLate = { ...boPresent, presentCount: 0, lateCount: 1 };

const finalFacts = { session_id, session: endedSession, statistics: boLate, seq: 5 };

const activeSessions = {
  course_id,
  activeSessions: [
    {
      sessionId: session_id,
      session_id,
      course_id,
      teacherId: 'teacher-1',
      studentCount: 1,
      startedAt,
      topic: 'Joins',
      check_in: 'open' as const,
    },
  ],
  session_id,
};

const left = { ...bothNames, ...bo, disconnected_at: '2026-11-23T10:12:40.031Z', remaining_online_count: 0 };

type ClientExamples = { readonly [Name in ClientEventName]: EmitPayload<Name> };
type ServerExamples = { readonly [Name in ServerEventName]: z.input<(typeof serverEvents)[Name]> };
type AckExamples = {
  readonly [Name in ClientEventName]: Extract<z.input<(typeof answers)[Name]['ack']>, { ok: true }>;
};

/** What a client sends. */
export const clientExamples: ClientExamples = {
  startAttendanceSession: { session_id, topic: 'Joins', policy: { late_after_minutes: 10 } },
  joinAttendanceSession: { session_id },
  leaveAttendanceSession: { session_id },
  markStudentPresent: { session_id, student_id },
  markStudentAbsent: { session_id, student_id, remarks: 'Left before the roll was called' },
  markStudentAttendance: { session_id, student_id, status: 'late', remarks: 'Bus was late', op_id: 'ada-0007' },
  clearStudentMark: { session_id, student_id, expected_seq: 3 },
  bulkUpdateAttendance: {
    session_id,
    attendanceUpdates: [{ student_id, status: 'late', remarks: 'Bus was late' }],
    op_id: 'ada-0008',
  },
  getAttendanceSessionData: { session_id, since_seq: 1, since_chain: chains[1] },
  watchAttendanceSession: { session_id },
  getOnlineStudents: { session_id },
  keepAttendanceSessionAlive: { session_id },
  endAttendanceSession: { session_id },
  amendAttendance: {
    session_id,
    student_id,
    status: 'excused',
    reason: 'A doctor’s note came on Tuesday',
    op_id: 'ada-0009',
  },
  subscribeToCourse: { course_id },
  unsubscribeFromCourse: { course_id },
  checkActiveSessions: { course_id },
  getActiveSessions: { course_id },
  refreshToken: { token: 'eyJhbGciOiJIUzI1NiJ9.eyJ1aWQiOiJhZGEifQ.signature' },
};

/** What the server sends. */
export const serverExamples: ServerExamples = {
  attendanceSessionStarted: {
    session_id,
    session: activeSession,
    totalStudents: 1,
    attendanceRecords: [withEmail(record)],
    policy,
    statistics: nobodyYet,
    seq: 1,
    chain: chains[1],
  },
  attendanceSessionJoined: {
    session_id,
    message: 'Joined attendance session',
    student_id,
    record: checkedIn,
    checked_in_at: checkedInAt,
    seq: 2,
    chain: chains[2],
  },
  attendanceSessionLeft: { session_id, message: 'Left attendance session' },
  studentJoinedAttendance: {
    ...bothNames,
    ...bo,
    user_id: 'bo',
    joined_at: checkedInAt,
    checked_in_at: checkedInAt,
    seq: 2,
  },
  studentLeftAttendance: left,
  studentLeft: left,
  attendanceUpdated: {
    ...bothNames,
    status: 'present',
    attendanceRecord: present,
    updated_by: 'Ada Osei',
    updated_at: markedAt,
    seq: 3,
    previous_status: 'absent',
  },
  studentMarkedPresent: { session_id, student_id, attendanceRecord: present },
  studentMarkedAbsent: {
    session_id,
    student_id,
    attendanceRecord: { ...marked, remarks: 'Left before the roll was called' },
  },
  studentMarkedLate: { session_id, student_id, attendanceRecord: late },
  studentMarkedExcused: { session_id, student_id, attendanceRecord: { ...marked, status: 'excused' } },
  studentMarkCleared: { session_id, student_id, attendanceRecord: { ...checkedIn, seq: 4, updatedAt: bulkAt } },
  attendanceSessionData: {
    session_id,
    session: activeSession,
    changes: [
      { seq: 2, type: 'checked_in', at: checkedInAt, actor: { user_id: 'bo', name: 'Bo Lind' }, student_id },
      {
        seq: 3,
        type: 'marked',
        at: markedAt,
        actor: { user_id: 'ada', name: 'Ada Osei' },
        student_id,
        status: 'present',
        previous_status: 'absent',
        remarks: null,
      },
    ],
    statistics: boPresent,
    seq: 3,
    chain: chains[3],
  },
  attendanceBulkUpdated: {
    session_id,
    updatedRecords: [late],
    updated_by: 'Ada Osei',
    updated_at: bulkAt,
    seq: 4,
  },
  attendanceChanges: {
    session_id,
    from_seq: 4,
    to_seq: 4,
    chain: chains[4],
    changes: [
      {
        seq: 4,
        student_id: late.student_id,
        status: 'late',
        previous_status: 'present',
        remarks: late.remarks,
        updated_by: 'Ada Osei',
        updated_at: bulkAt,
      },
    ],
  },
  attendanceBulkUpdateComplete: { session_id, updatedRecords: [late], totalUpdated: 1, failed: [] },
  attendanceSessionEnded: {
    session_id,
    finalData: { ...finalFacts, attendanceRecords: [late] },
    ended_by: 'Ada Osei',
    ended_at: endedAt,
    reason: 'teacher',
  },
  attendanceSessionEndedConfirm: { session_id, finalData: { ...finalFacts, attendanceRecords: [withEmail(late)] } },
  attendanceAmended: {
    session_id,
    student_id,
    status: 'excused',
    previous_status: 'late',
    reason: 'A doctor’s note came on Tuesday',
    amended_by: 'Ada Osei',
    amended_at: '2026-11-24T08:12:03.550Z',
    seq: 6,
  },
  attendanceCode: {
    session_id,
    code: '048213',
    words: ['maple', 'otter', 'cloud'],
    url: 'https://rollcall.example/check-in/session-1?code=q8Zk3vXo0hT5mWcY7bR2dA',
    valid_until: '2026-11-23T09:00:30.000Z',
    next_at: '2026-11-23T09:00:15.000Z',
  },
  attendanceSessionExpiring: { session_id, ends_at: '2026-11-23T10:02:00.000Z', reason: 'inactivity' },
  attendanceStatistics: { session_id, seq: 3, statistics: boPresent, at: markedAt },
  courseSessionStarted: {
    course_id,
    session_id,
    teacher_id: 'teacher-1',
    teacher_name: 'Ada Osei',
    session_topic: 'Joins',
    total_students: 1,
    started_at: startedAt,
  },
  courseSessionEnded: {
    course_id,
    session_id,
    final_statistics: boLate,
    ended_by: 'Ada Osei',
    ended_at: endedAt,
  },
  activeSessionsData: activeSessions,
  currentActiveSessions: activeSessions,
  activeSessionsError: { message: 'Course not found', code: 'COURSE_NOT_FOUND' },
  onlineStudentsData: {
    session_id,
    total_joined: 1,
    online_count: 1,
    online_students: [{ student_id, ...bo, socket_id: 'Xq3fVtYbJ2kAAAB', joined_at: checkedInAt }],
    retrieved_at: markedAt,
  },
  attendanceError: {
    message: 'Attendance session not active',
    code: 'SESSION_ENDED',
    event: 'markStudentPresent',
    session_id,
  },
  sessionExpired: { message: 'Token expired', code: 'UNAUTHENTICATED' },
};

const ok = { ok: true } as const;

/** What the acknowledgement callback gets where the command succeeded. */
export const ackExamples: AckExamples = {
  startAttendanceSession: { ...ok, ...serverExamples.attendanceSessionStarted },
  joinAttendanceSession: { ...ok, ...serverExamples.attendanceSessionJoined },
  leaveAttendanceSession: { ...ok, ...serverExamples.attendanceSessionLeft },
  markStudentPresent: { ...ok, ...serverExamples.studentMarkedPresent, seq: 3 },
  markStudentAbsent: { ...ok, ...serverExamples.studentMarkedAbsent, seq: 3 },
  markStudentAttendance: { ...ok, ...serverExamples.studentMarkedLate, seq: 4 },
  bulkUpdateAttendance: { ...ok, ...serverExamples.attendanceBulkUpdateComplete, seq: 4 },
  clearStudentMark: { ...ok, ...serverExamples.studentMarkCleared, seq: 4 },
  amendAttendance: { ...ok, ...serverExamples.attendanceAmended },
  getAttendanceSessionData: { ...ok, ...serverExamples.attendanceSessionData },
  watchAttendanceSession: {
    ...ok,
    session_id,
    session: activeSession,
    attendanceRecords: [withEmail(present)],
    statistics: boPresent,
    seq: 3,
    chain: chains[3],
  },
  getOnlineStudents: { ...ok, ...serverExamples.onlineStudentsData },
  endAttendanceSession: { ...ok, ...serverExamples.attendanceSessionEndedConfirm, seq: 5 },
  keepAttendanceSessionAlive: { ...ok, session_id, ends_at: '2026-11-23T10:02:00.000Z' },
  subscribeToCourse: { ...ok, ...activeSessions },
  unsubscribeFromCourse: { ...ok, course_id },
  checkActiveSessions: { ...ok, ...activeSessions },
  getActiveSessions: { ...ok, ...activeSessions },
  refreshToken: { ...ok, expires_at: '2026-11-23T21:00:00.000Z' },
};

/** What the acknowledgement callback gets where the command was refused. */
export const refusedAckExample = {
  ok: false,
  error: { code: 'SESSION_ENDED', message: 'Attendance session not active', retryable: false },
} as const;
