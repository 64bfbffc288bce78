import type { CourseId, SessionId, StudentId, TeacherId, UserId } from '@rollcall/protocol';
import type { Entry, RosterRow } from './entries.js';

const T0 = Date.UTC(2026, 10, 23, 9, 0, 0, 123);
const ada = { user_id: 'user-ada' as UserId, name: 'Ada Osei' };
const policy = {
  check_in: 'code',
  auto_mark: true,
  late_after_minutes: 0.5,
  visibility: 'participants',
  inactivity_minutes: 30,
  max_minutes: 300,
} as const;

export const studentId = (n: number): StudentId => `student-${n}` as StudentId;

function row(n: number, more: Partial<RosterRow> = {}): RosterRow {
  return {
    record_id: n.toString(16).padStart(24, '0'),
    student: {
      student_id: studentId(n),
      user_id: `user-${n}` as UserId,
      uid: `s-${n}`,
      name: n % 3 === 0 ? `“Zoë” \\ ${n} 💚\n` : `Student ${n}`,
      email: n % 2 === 0 ? null : `s-${n}@school.example`,
      roll: String(1_907_000 + n),
      section: 'A',
      profile_picture: null,
    },
    status: 'absent',
    remarks: null,
    checked_in_at: null,
    marked_at: null,
    marked_by: null,
    created_at: T0,
    updated_at: T0,
    ...more,
  };
}

/** Entries of every type with every field, `commits` commits of them; `adopted` says how the journal opens. */
export function sampleCommits(id: string, commits: number, adopted = false): Entry[][] {
  const roster = [
    row(1),
    row(2),
    row(3, {
      status: 'late',
      remarks: 'Bus\u2028late',
      checked_in_at: T0 - 5,
      marked_at: T0 - 4,
      marked_by: 'Kit Moro',
    }),
    row(4, { created_at: T0 - 99, updated_at: T0 - 98 }),
  ];
  const session = {
    session_id: id as SessionId,
    course_id: 'course-1' as CourseId,
    course: { _id: 'course-1' as CourseId, title: 'Databases', course_code: null },
    date: '2026-11-23',
    start_time: '09:00',
    end_time: null,
    topic: 'Joins',
    description: null,
    teacher_id: 'teacher-1' as TeacherId,
    teacher_name: 'Ada Osei',
  };
  const codes = { secret: 'bm9ib2R5IGV2ZXIgc2VlcyB3aGF0IGNvZGVzIGFyZQ', window_ms: 15_000 };
  const head = { seq: 1, at: T0, actor: ada, session, policy, roster, codes };
  const opening: Entry = adopted
    ? { ...head, type: 'adopted', started_at: T0 - 60_000 }
    : { ...head, type: 'started', op_id: 'op-1', op_event: 'startAttendanceSession' };
  const all: Entry[][] = [[opening]];
  let seq = 1;
  for (let n = 1; n < commits - 1; n += 1) {
    const at = T0 + n * 1_000;
    const next = (): { seq: number; at: number } => ({ seq: ++seq, at });
    const marked = { type: 'marked', status: 'present', previous_status: 'absent', remarks: null } as const;
    if (n % 4 === 0) {
      const added = row(100 + n, { created_at: at, updated_at: at });
      const student_id = added.student.student_id;
      all.push([
        { ...next(), actor: ada, type: 'checked_in', student_id, added, op_id: `c-${n}` },
        { ...next(), actor: { user_id: null, name: 'system' }, ...marked, student_id },
      ]);
    } else if (n % 4 === 1) {
      const group = seq + 1;
      all.push([
        {
          ...next(),
          actor: ada,
          ...marked,
          student_id: studentId(1),
          group,
          unchanged: [studentId(4)],
          op_id: `b-${n}`,
        },
        { ...next(), actor: ada, ...marked, student_id: studentId(2), group, status: 'late', remarks: `Remark ${n}` },
      ]);
    } else if (n % 4 === 2) {
      all.push([
        { ...next(), actor: ada, ...marked, student_id: studentId(3), status: 'excused', remarks: '' },
        {
          ...next(),
          actor: ada,
          type: 'cleared',
          student_id: studentId(3),
          status: 'absent',
          previous_status: 'excused',
        },
      ]);
    } else {
      const added = row(100 + n, { created_at: at, updated_at: at });
      const student_id = added.student.student_id;
      all.push([{ ...next(), actor: ada, ...marked, student_id, previous_status: null, added, remarks: 'walked in' }]);
    }
  }
  const at = T0 + commits * 1_000;
  all.push([
    { seq: seq + 1, at, actor: ada, type: 'ended', reason: 'teacher' },
    {
      seq: seq + 2,
      at: at + 86_400_000,
      actor: ada,
      type: 'amended',
      student_id: studentId(4),
      status: 'excused',
      remarks: 'ill',
      previous_status: 'absent',
      reason: 'A note came',
    },
  ]);
  return all;
}
