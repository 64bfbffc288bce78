import type { AttendanceStatus } from '@rollcall/protocol';

/*
 * What the arms beside Rollcall send: the protocol's events with the protocol's fields, so that frames are of equal
 * size and ratios compare servers, not payloads.
 */

export interface Student {
  readonly student_id: string;
  readonly user_id: string;
  readonly name: string;
  readonly email: string;
  readonly roll: string;
  readonly section: string;
  readonly profile_picture: string | null;
}

/** Times are milliseconds since the epoch. */
export interface StoredRow {
  readonly _id: string;
  readonly status: AttendanceStatus;
  readonly remarks: string | null;
  readonly marked_at: number | null;
  readonly marked_by: string | null;
  readonly created_at: number;
  readonly updated_at: number;
}

export interface SessionRow {
  readonly session_id: string;
  readonly course_id: string;
  readonly title: string;
  readonly course_code: string;
  readonly teacher_id: string;
  readonly teacher_name: string;
  readonly status: string;
  readonly started_at: number;
}

const isoOf = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : isoOf(ms));

export function recordPayload(session_id: string, student: Student, row: StoredRow, seq: number) {
  const { student_id, user_id, name, roll, section, profile_picture } = student;
  return {
    _id: row._id,
    session_id,
    student_id,
    status: row.status,
    remarks: row.remarks,
    student: { student_id, user_id, name, roll, section, profile_picture },
    checked_in_at: null,
    marked_at: isoOrNull(row.marked_at),
    marked_by: row.marked_by,
    seq,
    createdAt: isoOf(row.created_at),
    updatedAt: isoOf(row.updated_at),
  };
}
export type RecordPayload = ReturnType<typeof recordPayload>;

export const teacherRecordPayload = (session_id: string, student: Student, row: StoredRow, seq: number) => {
  const record = recordPayload(session_id, student, row, seq);
  return { ...record, student: { ...record.student, email: student.email } };
};

export const policyPayload = {
  check_in: 'open',
  auto_mark: false,
  late_after_minutes: 10,
  visibility: 'participants',
  inactivity_minutes: 30,
  max_minutes: 300,
};

export const sessionPayload = (session: SessionRow) => ({
  _id: session.session_id,
  session_id: session.session_id,
  course_id: session.course_id,
  course: { _id: session.course_id, title: session.title, course_code: session.course_code },
  date: isoOf(session.started_at),
  start_time: null,
  end_time: null,
  topic: null,
  description: null,
  status: session.status,
  teacher_id: session.teacher_id,
  teacher_name: session.teacher_name,
  started_at: isoOf(session.started_at),
  ended_at: null,
  policy: policyPayload,
});

export function updatedPayload(record: RecordPayload, previous_status: AttendanceStatus, updated_by: string) {
  const { session_id, student_id, status, seq, updatedAt } = record;
  return {
    session_id,
    sessionId: session_id,
    student_id,
    studentId: student_id,
    status,
    attendanceRecord: record,
    updated_by,
    updated_at: updatedAt,
    seq,
    previous_status,
  };
}

export const markedPayload = ({ session_id, student_id }: RecordPayload, attendanceRecord: RecordPayload) => ({
  session_id,
  student_id,
  attendanceRecord,
});

export function joinedNotice(session_id: string, student: Student, at: number, seq: number) {
  const { student_id, name, roll, profile_picture, user_id } = student;
  return {
    session_id,
    sessionId: session_id,
    student_id,
    studentId: student_id,
    student_name: name,
    roll,
    profile_picture,
    user_id,
    joined_at: isoOf(at),
    checked_in_at: isoOf(at),
    seq,
  };
}

export const joinedPayload = (record: RecordPayload, at: number, seq: number) => ({
  session_id: record.session_id,
  message: 'Joined attendance session',
  student_id: record.student_id,
  record,
  checked_in_at: isoOf(at),
  seq,
});

/** Counted from the records each time, as one does who keeps no counts. */
export function statisticsOf(records: ReadonlyArray<{ readonly status: AttendanceStatus }>, online: number) {
  const count = (status: AttendanceStatus) => records.filter((record) => record.status === status).length;
  const [presentCount, lateCount] = [count('present'), count('late')];
  const totalStudents = records.length;
  return {
    totalStudents,
    presentCount,
    absentCount: count('absent'),
    lateCount,
    excusedCount: count('excused'),
    attendanceRate: totalStudents === 0 ? 0 : Math.round(((presentCount + lateCount) / totalStudents) * 10_000) / 100,
    checkedInCount: online,
    onlineCount: online,
  };
}

export const MARK_EVENTS = {
  markStudentPresent: { status: 'present', answer: 'studentMarkedPresent' },
  markStudentAbsent: { status: 'absent', answer: 'studentMarkedAbsent' },
} as const;

export const attendanceRoom = (session_id: string): string => `attendance_${session_id}`;
export const teacherRoom = (session_id: string): string => `teachers_${session_id}`;

/** The line by which an arm tells that it listens, and where. */
export const announce = (port: number): void => {
  process.stdout.write(`running on port ${port}\n`);
};
