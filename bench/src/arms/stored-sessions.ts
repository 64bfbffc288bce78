import type { AttendanceStatus, CourseId, SessionId, StudentId, TeacherId } from '@rollcall/protocol';
import { encodeOpening } from '../../../packages/server/dist/journal/encode.js';
import type { MarkedEntry, RosterRow, SessionFacts } from '../../../packages/server/dist/journal/entries.js';
import type { Storage } from '../../../packages/server/dist/storage/port.js';
import { courseId, type SchoolSize, studentId, studentName, studentRoll, teacherId, teacherName } from '../school.js';
import type { Seed } from './database.js';
import { policyPayload } from './payloads.js';

/** Records that are written together. */
const RECORDS_AT_ONCE = 2_500;
const FIRST_START = Date.UTC(2026, 0, 5, 9);
const actor = { user_id: null, name: 'system' };

/** What sessions of the past were like. */
export interface Past {
  /** Of each course; the courses take turns. */
  readonly school: SchoolSize;
  /** Who was in each: the first of its course. */
  readonly students: number;
  /** From the start of one to that of the next, in ms. */
  readonly everyMs: number;
  /** What became of a student in a session. */
  readonly statusOf: (session: number, student: number) => AttendanceStatus;
}

const fiveEach = (school: SchoolSize): Past => ({
  school,
  students: Math.min(5, school.studentsPerCourse),
  everyMs: 60_000,
  statusOf: () => 'present',
});

/** Sessions of the past, journalled and projected like any other that was held and ended. */
export function seedSessions(count: number, past: SchoolSize | Past): Seed {
  const like = 'school' in past ? past : fiveEach(past);
  const atOnce = Math.max(1, Math.floor(RECORDS_AT_ONCE / like.students));
  return async (storage) => {
    for (let from = 0; from < count; from += atOnce) {
      const numbers = Array.from({ length: Math.min(atOnce, count - from) }, (_, index) => from + index);
      // Appends of one turn share a commit; each projection needs its journal.
      const held = await Promise.all(numbers.map((n) => journal(storage, n, like)));
      await Promise.all(held.map((session) => project(storage, session)));
    }
  };
}

interface Held {
  readonly facts: SessionFacts;
  readonly roster: readonly RosterRow[];
  readonly marks: readonly MarkedEntry[];
  readonly at: number;
  readonly seq: number;
}

async function journal(storage: Storage, n: number, { school, students, everyMs, statusOf }: Past): Promise<Held> {
  const course = n % school.courses;
  const at = FIRST_START + n * everyMs;
  const facts = factsOf(n, course, at);
  const roster = Array.from({ length: students }, (_, index) =>
    rosterRow(n, course * school.studentsPerCourse + index, at),
  );
  const policy = { ...policyPayload, check_in: 'open', visibility: 'participants' } as const;
  const marks = roster
    .map(({ student: { student_id } }, index) => ({ student_id, status: statusOf(n, index) }))
    // Whoever is away has nothing marked: that is how they begin.
    .filter(({ status }) => status !== 'absent')
    .map((mark, index): MarkedEntry => {
      return { type: 'marked', seq: index + 2, at, actor, ...mark, remarks: null, previous_status: 'absent' };
    });
  const seq = marks.length + 2;
  const commit = encodeOpening(facts.session_id, [
    { type: 'started', seq: 1, at, actor, session: facts, policy, roster },
    ...marks,
    { type: 'ended', seq, at, actor, reason: 'teacher' },
  ]);
  await storage.journal.append(facts.session_id, commit);
  return { facts, roster, marks, at, seq };
}

function project(storage: Storage, { facts, roster, marks, at, seq }: Held): Promise<void> {
  const markOf = new Map(marks.map((mark) => [mark.student_id, mark]));
  return storage.projection.project({
    session_id: facts.session_id,
    session: { ...facts, status: 'completed', started_at: at, ended_at: at },
    seq,
    records: roster.map(({ student: { student_id }, ...row }) => {
      const mark = markOf.get(student_id);
      if (!mark) return { ...row, student_id, seq: 1 };
      return { ...row, student_id, status: mark.status, marked_at: at, marked_by: actor.name, seq: mark.seq };
    }),
  });
}

const factsOf = (n: number, course: number, at: number): SessionFacts => ({
  session_id: `past-${n}` as SessionId,
  course_id: courseId(course) as CourseId,
  course: { _id: courseId(course) as CourseId, title: `Course ${course}`, course_code: `CSE-${course}` },
  date: new Date(at).toISOString(),
  start_time: '09:00',
  end_time: '10:30',
  topic: null,
  description: null,
  teacher_id: teacherId(course) as TeacherId,
  teacher_name: teacherName(course),
});

const rosterRow = (session: number, student: number, at: number): RosterRow => ({
  record_id: (session * 1_000 + (student % 1_000)).toString(16).padStart(24, '0'),
  student: {
    student_id: studentId(student) as StudentId,
    user_id: null,
    uid: null,
    name: studentName(student),
    email: null,
    roll: studentRoll(student),
    section: 'A',
    profile_picture: null,
  },
  status: 'absent',
  remarks: null,
  checked_in_at: null,
  marked_at: null,
  marked_by: null,
  created_at: at,
  updated_at: at,
});
