import type {
  AttendanceStatus,
  ClientEventName,
  CourseId,
  ErrorCode,
  SessionId,
  StudentId,
  UserId,
} from '@rollcall/protocol';
import type { RosterStudent, StartedEntry } from '../journal/entries.js';
import type { OffRosterStudent } from './command.js';

/** A register as one would write it on paper: slow, and with nothing to get wrong. */

export const person = (id: string, user_id: string | null, uid: string | null): RosterStudent => ({
  student_id: id as StudentId,
  user_id: user_id as UserId | null,
  uid,
  name: `Name of ${id}`,
  email: null,
  roll: null,
  section: null,
  profile_picture: null,
});

/** Names overlap on purpose: b's uid is a's user id, c's user id is a's profile id, walker's uid is b's user id. */
export const ROSTER = [
  person('a', 'ua', 'la'),
  person('b', 'ub', 'ua'),
  person('c', 'a', 'lc'),
  person('d', null, null),
];
export const ENROLLED = [person('e', 'ue', 'le'), person('f', 'lc', 'lf')];
export const OTHERS = [person('walker', 'uw', 'ub'), person('w2', 'le', 'lw')];
export const EVERYBODY = [...ROSTER, ...ENROLLED, ...OTHERS];
export const REFS = [
  ...new Set(EVERYBODY.flatMap(({ student_id, user_id, uid }) => [student_id, user_id, uid])),
].filter((ref): ref is string => ref !== null);

/** Finds a student as everybody names them: profile ids first, then user ids, then uids. */
export const find = (people: readonly RosterStudent[], ref: string): RosterStudent | undefined =>
  people.find(({ student_id }) => student_id === ref) ??
  people.find(({ user_id }) => user_id === ref) ??
  people.find(({ uid }) => uid === ref);

export const offRosterStudentOf = (student: RosterStudent): OffRosterStudent => ({
  student,
  enrolled: !OTHERS.includes(student),
});

/** Whom a directory would find for names that a roster doesn't have. */
export const OFF_ROSTER: ReadonlyMap<string, OffRosterStudent> = new Map(
  REFS.flatMap((ref) => {
    const student = find(EVERYBODY, ref);
    return student ? [[ref, offRosterStudentOf(student)]] : [];
  }),
);

export function opening(course: boolean, auto_mark: boolean): StartedEntry {
  const at = 1_000;
  const row = { status: 'absent', remarks: null, checked_in_at: null, marked_at: null, marked_by: null } as const;
  return {
    type: 'started',
    seq: 1,
    at,
    actor: { user_id: 't1' as UserId, name: 'T1' },
    session: {
      session_id: 'session' as SessionId,
      course_id: course ? ('course' as CourseId) : null,
      course: null,
      date: null,
      start_time: null,
      end_time: null,
      topic: null,
      description: null,
      teacher_id: null,
      teacher_name: null,
    },
    policy: {
      check_in: 'open',
      auto_mark,
      late_after_minutes: 0,
      visibility: 'participants',
      inactivity_minutes: 0,
      max_minutes: 0,
    },
    roster: ROSTER.map((student) => ({
      record_id: `record of ${student.student_id}`,
      student,
      ...row,
      created_at: at,
      updated_at: at,
    })),
  };
}

export interface ModelRow {
  readonly ref: string;
  readonly status: AttendanceStatus;
  readonly remarks: string | undefined;
}

export type ModelCommand = { readonly by: string; readonly op: string | undefined } & (
  | { readonly type: 'check_in'; readonly student: RosterStudent }
  | { readonly type: 'mark'; readonly event: ClientEventName; readonly row: ModelRow; readonly walk_in: boolean }
  | { readonly type: 'bulk'; readonly rows: readonly ModelRow[]; readonly partial: boolean; readonly walk_in: boolean }
  | { readonly type: 'end' }
);

export const eventOf = (command: ModelCommand): ClientEventName => {
  if (command.type === 'mark') return command.event;
  if (command.type === 'check_in') return 'joinAttendanceSession';
  return command.type === 'bulk' ? 'bulkUpdateAttendance' : 'endAttendanceSession';
};

interface ModelLine {
  status: AttendanceStatus;
  remarks: string | null;
  checkedIn: boolean;
  marked: boolean;
  seq: number;
}

/** What came of a command: the seq of its answer, or the refusal. */
export type ModelResult = { readonly refused: ErrorCode } | { readonly seq: number; readonly repeated: boolean };

export class PlainModel {
  readonly lines = new Map<string, ModelLine>();
  readonly #people: RosterStudent[] = [...ROSTER];
  readonly #ops = new Map<string, { event: ClientEventName; seq: number }>();
  readonly #course: boolean;
  readonly #autoMark: boolean;
  seq = 1;
  ended = false;

  constructor(course: boolean, autoMark: boolean) {
    this.#course = course;
    this.#autoMark = autoMark;
    for (const { student_id } of ROSTER) this.#add(student_id).seq = 1;
  }

  #add(id: string): ModelLine {
    const line: ModelLine = { status: 'absent', remarks: null, checkedIn: false, marked: false, seq: 0 };
    this.lines.set(id, line);
    return line;
  }

  resolve(ref: string): string | undefined {
    return find(this.#people, ref)?.student_id;
  }

  do(command: ModelCommand): ModelResult {
    const key = `${command.by}/${command.op}`;
    const before = command.op === undefined ? undefined : this.#ops.get(key);
    if (before && before.event !== eventOf(command)) return { refused: 'BAD_REQUEST' };
    if (before) return { seq: before.seq, repeated: true };
    if (this.ended) {
      return { refused: command.type === 'mark' || command.type === 'bulk' ? 'SESSION_ENDED' : 'SESSION_NOT_ACTIVE' };
    }
    const refused = this.#carryOut(command);
    if (refused) return { refused };
    if (command.op !== undefined) this.#ops.set(key, { event: eventOf(command), seq: this.seq });
    return { seq: this.seq, repeated: false };
  }

  #carryOut(command: ModelCommand): ErrorCode | undefined {
    switch (command.type) {
      case 'end':
        this.ended = true;
        this.seq += 1;
        return undefined;
      case 'check_in':
        return this.#checkIn(command.student);
      case 'mark':
        return this.#markAll([command.row], false, command.walk_in);
      case 'bulk':
        return this.#markAll(command.rows, command.partial, command.walk_in);
    }
  }

  #checkIn(student: RosterStudent): ErrorCode | undefined {
    let line = this.lines.get(student.student_id);
    if (line?.checkedIn) return undefined;
    if (!line) {
      if (this.#course && OTHERS.includes(student)) return 'NOT_ENROLLED';
      this.#people.push(student);
      line = this.#add(student.student_id);
    }
    line.checkedIn = true;
    this.seq += 1;
    if (this.#autoMark && line.status === 'absent' && !line.marked) {
      line.status = 'present';
      line.marked = true;
      this.seq += 1;
    }
    line.seq = this.seq;
    return undefined;
  }

  #markAll(rows: readonly ModelRow[], partial: boolean, walkIn: boolean): ErrorCode | undefined {
    const last = new Map<string, { row: ModelRow; student: RosterStudent | undefined }>();
    const refusals: ErrorCode[] = [];
    for (const row of rows) {
      const known = this.resolve(row.ref);
      const student = find(EVERYBODY, row.ref);
      if (known !== undefined) last.set(known, { row, student: undefined });
      else if (!student) refusals.push('STUDENT_NOT_FOUND');
      else if (this.#course && OTHERS.includes(student) && !walkIn) refusals.push('NOT_ENROLLED');
      else last.set(student.student_id, { row, student });
    }
    if (refusals[0] && !partial) return refusals[0];
    for (const [id, { row, student }] of last) {
      const there = this.lines.get(id);
      const remarks = row.remarks === undefined ? (there?.remarks ?? null) : row.remarks || null;
      const unmarked = there?.status === 'absent' && !there.marked;
      if (!unmarked && there?.status === row.status && there.remarks === remarks) continue;
      if (!there && student) this.#people.push(student);
      const line = there ?? this.#add(id);
      this.seq += 1;
      Object.assign(line, { status: row.status, remarks, marked: true, seq: this.seq });
    }
    return undefined;
  }
}
