import type { CourseId, SessionId, StudentId, TeacherId } from '@rollcall/protocol';
import { encodeOpening } from '../../../packages/server/dist/journal/encode.js';
import type { Entry, RosterRow, SessionFacts } from '../../../packages/server/dist/journal/entries.js';
import type { Storage } from '../../../packages/server/dist/storage/port.js';
import { courseId, type SchoolSize, studentId, studentName, studentRoll, teacherId, teacherName } from '../school.js';
import type { Seed } from './database.js';
import { policyPayload } from './payloads.js';

const AT_ONCE = 500;
const STUDENTS_EACH = 5;
const actor = { user_id: null, name: 'system' };

/** Sessions of the past, journalled and projected like any other that was held and ended. */
export function seedSessions(count: number, school: SchoolSize): Seed {
  return async (storage) => {
    for (let from = 0; from < count; from += AT_ONCE) {
      const numbers = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) => from + index);
      // Appends of one turn share a commit; each projection needs its journal.
      const held = await Promise.all(numbers.map((n) => journal(storage, n, school)));
      await Promise.all(held.map((session) => project(storage, session)));
    }
  };
}

interface Held {
  readonly facts: SessionFacts;
  readonly roster: readonly RosterRow[];
  readonly at: number;
  readonly seq: number;
}

async function journal(storage: Storage, n: number, { courses, studentsPerCourse }: SchoolSize): Promise<Held> {
  const course = n % courses;
  const at = Date.UTC(2026, 0, 5) + n * 60_000;
  const facts = factsOf(n, course, at);
  const roster = Array.from({ length: Math.min(STUDENTS_EACH, studentsPerCourse) }, (_, index) =>
    rosterRow(n, course * studentsPerCourse + index, at),
  );
  const policy = { ...policyPayload, check_in: 'open', visibility: 'participants' } as const;
  const marks = roster.map(({ student }, index): Entry => {
    const { student_id } = student;
    const mark = { student_id, status: 'present', remarks: null, previous_status: 'absent' } as const;
    return { type: 'marked', seq: index + 2, at, actor, ...mark };
  });
  const seq = marks.length + 2;
  const commit = encodeOpening(facts.session_id, [
    { type: 'started', seq: 1, at, actor, session: facts, policy, roster },
    ...marks,
    { type: 'ended', seq, at, actor, reason: 'teacher' },
  ]);
  await storage.journal.append(facts.session_id, commit);
  return { facts, roster, at, seq };
}

function project(storage: Storage, { facts, roster, at, seq }: Held): Promise<void> {
  return storage.projection.project({
    session_id: facts.session_id,
    session: { ...facts, status: 'completed', started_at: at, ended_at: at },
    seq,
    records: roster.map(({ student, ...row }, index) => ({
      ...row,
      student_id: student.student_id,
      status: 'present',
      marked_at: at,
      marked_by: actor.name,
      seq: index + 2,
    })),
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
