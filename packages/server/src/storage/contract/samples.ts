import type { CourseId, SessionId, StudentId, TeacherId, UserId } from '@rollcall/protocol';
import type {
  AmendedEntry,
  ClearedEntry,
  EndedEntry,
  Entry,
  MarkedEntry,
  RosterRow,
  RosterStudent,
  StartedEntry,
} from '../../journal/entries.js';
import type { Projection, School, Storage, StoredRecord } from '../port.js';

export const T0 = Date.UTC(2026, 10, 23, 9, 0, 0, 123);
export const session = (id: string): SessionId => id as SessionId;
export const student = (id: string): StudentId => id as StudentId;
export const course = (id: string): CourseId => id as CourseId;
export const teacher = (id: string): TeacherId => id as TeacherId;
export const user = (id: string): UserId => id as UserId;

/** Text that a query language, a path or a careless map would trip over. */
export const HOSTILE_IDS: readonly string[] = [
  '__proto__',
  'constructor',
  '$where',
  'a.b',
  'a:1',
  "o'brien",
  '"; drop table users; --',
  '%_*?[x]',
  '../../x',
  ' space ',
  'nul\u0000byte',
  'nul',
  '\u001a0',
  'Ünïcødé',
  'U\u0308',
  '💚',
  '0',
  '507f1f77bcf86cd799439011',
  '507F1F77BCF86CD799439011',
  'x'.repeat(128),
  '💚'.repeat(64),
];

export const POLICY = {
  check_in: 'open',
  auto_mark: false,
  late_after_minutes: 0.5,
  visibility: 'participants',
  inactivity_minutes: 30,
  max_minutes: 300,
} as const;

const EMPTY: School = { teachers: [], students: [], admins: [], courses: [], enrollments: [], sessions: [] };

type Given<List extends keyof School, Required extends keyof School[List][number]> = Partial<School[List][number]> &
  Pick<School[List][number], Required>;

/** A school from the few fields that a test cares for. */
export function schoolOf(lists: {
  teachers?: ReadonlyArray<Given<'teachers', 'id'>>;
  students?: ReadonlyArray<Given<'students', 'id'>>;
  admins?: ReadonlyArray<Given<'admins', 'uid'>>;
  courses?: ReadonlyArray<Given<'courses', 'id'>>;
  enrollments?: ReadonlyArray<Given<'enrollments', 'course_id' | 'student_id'>>;
  sessions?: ReadonlyArray<Given<'sessions', 'id'>>;
}): School {
  const person = { email: null, department: null, profile_picture: null };
  return {
    ...EMPTY,
    teachers: (lists.teachers ?? []).map((row) => ({
      ...person,
      uid: row.id,
      name: `Teacher ${row.id}`,
      designation: null,
      ...row,
    })),
    students: (lists.students ?? []).map((row) => ({
      ...person,
      uid: row.id,
      name: `Student ${row.id}`,
      roll: null,
      section: null,
      semester: null,
      ...row,
    })),
    admins: (lists.admins ?? []).map((row) => ({ name: `Admin ${row.uid}`, email: null, ...row })),
    courses: (lists.courses ?? []).map((row) => ({
      title: `Course ${row.id}`,
      course_code: null,
      credit: null,
      teacher_id: null,
      co_teacher_ids: [],
      ...row,
    })),
    enrollments: (lists.enrollments ?? []).map((row) => ({ status: 'approved', ...row })),
    sessions: (lists.sessions ?? []).map((row) => ({
      course_id: null,
      teacher_id: null,
      date: '2026-11-23',
      start_time: null,
      end_time: null,
      topic: null,
      description: null,
      status: 'scheduled',
      ...row,
    })),
  };
}

/** Two teachers, four students, an admin, two courses, enrolments of every status, two sessions. */
export const SCHOOL: School = schoolOf({
  teachers: [
    {
      id: 'teacher-1',
      uid: 'ada',
      name: 'Ada Osei',
      email: 'ada@school.example',
      department: 'CSE',
      designation: 'Lecturer',
    },
    { id: 'teacher-2', uid: 'kit', name: 'Kit Moro' },
  ],
  students: [
    {
      id: 'student-1',
      uid: 'bo',
      name: 'Bo Lind',
      email: 'bo@school.example',
      roll: '1907002',
      section: 'A',
      department: 'CSE',
      semester: '3',
      profile_picture: 'https://school.example/bo.png',
    },
    { id: 'student-2', uid: 'cy', name: 'Cy Abel', roll: '1907001', section: 'A' },
    { id: 'student-3', uid: 'di', name: 'Di Hart' },
    { id: 'student-4', uid: 'el', name: 'El Quin', roll: '1907004' },
  ],
  admins: [{ uid: 'root', name: 'Office', email: 'office@school.example' }],
  courses: [
    {
      id: 'course-1',
      title: 'Databases',
      course_code: 'CSE-301',
      credit: 3,
      teacher_id: 'teacher-1',
      co_teacher_ids: ['teacher-2'],
    },
    { id: 'course-2', title: 'Logic', credit: 1.5 },
  ],
  enrollments: [
    { course_id: 'course-1', student_id: 'student-1' },
    { course_id: 'course-1', student_id: 'student-2' },
    { course_id: 'course-1', student_id: 'student-3', status: 'pending' },
    { course_id: 'course-1', student_id: 'student-4', status: 'rejected' },
    { course_id: 'course-2', student_id: 'student-3' },
  ],
  sessions: [
    {
      id: 'session-1',
      course_id: 'course-1',
      start_time: '09:00',
      end_time: '10:30',
      topic: 'Joins',
      description: 'inner and outer',
    },
    { id: 'session-2', course_id: 'course-2', status: 'completed' },
  ],
});

export const importAll = (storage: Storage, school: School) => storage.school.importSchool(school, { dryRun: false });

export function rosterStudent(id: string): RosterStudent {
  return {
    student_id: student(id),
    user_id: null,
    uid: null,
    name: `Student ${id}`,
    email: null,
    roll: null,
    section: null,
    profile_picture: null,
  };
}

const recordId = (n: number): string => n.toString(16).padStart(24, '0');

export function rosterRow(id: string, n = 1): RosterRow {
  return {
    record_id: recordId(n),
    student: rosterStudent(id),
    status: 'absent',
    remarks: null,
    checked_in_at: null,
    marked_at: null,
    marked_by: null,
    created_at: T0,
    updated_at: T0,
  };
}

/** What a session of no course, opened by nobody in particular, is made of. */
export const bareFacts = (id: string) => ({
  session_id: session(id),
  course_id: null,
  course: null,
  date: '2026-11-23',
  start_time: null,
  end_time: null,
  topic: null,
  description: null,
  teacher_id: null,
  teacher_name: null,
});

const actor = { user_id: user('ada'), name: 'Ada Osei' };

export function started(id: string, roster: readonly RosterRow[] = []): StartedEntry {
  const codes = { secret: 'bm9ib2R5IGV2ZXIgc2VlcyB3aGF0IGNvZGVzIGFyZQ', window_ms: 15_000 };
  return { seq: 1, at: T0, actor, type: 'started', session: bareFacts(id), policy: POLICY, roster, codes };
}

export function marked(seq: number, studentId = 'student-1', more: Partial<MarkedEntry> = {}): MarkedEntry {
  return {
    seq,
    at: T0 + seq,
    actor,
    type: 'marked',
    student_id: student(studentId),
    status: 'present',
    remarks: null,
    previous_status: 'absent',
    ...more,
  };
}

export const ended = (seq: number): EndedEntry => ({
  seq,
  at: T0 + seq,
  actor: { user_id: null, name: 'system' },
  type: 'ended',
  reason: 'inactivity',
});

export const amended = (seq: number, studentId = 'student-1', more: Partial<AmendedEntry> = {}): AmendedEntry => ({
  seq,
  at: T0 + seq,
  actor,
  type: 'amended',
  student_id: student(studentId),
  status: 'excused',
  remarks: null,
  previous_status: 'absent',
  reason: 'A note came',
  ...more,
});

export const cleared = (seq: number, studentId = 'student-1'): ClearedEntry => ({
  seq,
  at: T0 + seq,
  actor,
  type: 'cleared',
  student_id: student(studentId),
  status: 'absent',
  previous_status: 'present',
});

/** `count` entries after `afterSeq`; the first of a journal opens it. */
export const run = (id: string, afterSeq: number, count: number): Entry[] =>
  Array.from({ length: count }, (_, i) =>
    afterSeq + i === 0 ? started(id) : marked(afterSeq + i + 1, `student-${afterSeq + i}`),
  );

export function record(studentId: string, seq: number, n = 1, more: Partial<StoredRecord> = {}): StoredRecord {
  const { student: _, ...row } = rosterRow(studentId, n);
  return { ...row, student_id: student(studentId), seq, updated_at: T0 + seq, ...more };
}

export function projection(
  id: string,
  seq: number,
  records: readonly StoredRecord[],
  state: Partial<Projection['session']> = {},
): Projection {
  return {
    session_id: session(id),
    session: { ...bareFacts(id), status: 'active', started_at: T0, ended_at: null, ...state },
    seq,
    records,
  };
}
