import type { AttendanceRecord, AttendanceStatus, StudentId } from '@rollcall/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LiveChange } from './live-change.js';
import { Register } from './register.js';
import { Sequence } from './sequence.js';

/** What may happen to a client, besides commits, in any order. */
type Step =
  | { readonly type: 'commit'; readonly entries: ReadonlyArray<{ student: number; status: number; kind: number }> }
  /** The line is cut: what is committed from now on doesn't arrive. */
  | { readonly type: 'cut' }
  /** The line is back and the client asks for what it missed. */
  | { readonly type: 'reconnect' }
  /** The server takes the answer from its journal; what follows arrives live, before the answer or after it. */
  | { readonly type: 'read' }
  /** The answer arrives. */
  | { readonly type: 'answer' }
  /** One live item is lost although the line lasts. */
  | { readonly type: 'lose' }
  /** The last live item arrives a second time. */
  | { readonly type: 'repeat' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(fc.record({ student: fc.nat(3), status: fc.nat(3), kind: fc.nat(4) }), { minLength: 1, maxLength: 4 })
      .map((entries) => ({ type: 'commit', entries }) as const),
  },
  { weight: 2, arbitrary: fc.constant({ type: 'cut' } as const) },
  { weight: 3, arbitrary: fc.constant({ type: 'reconnect' } as const) },
  { weight: 3, arbitrary: fc.constant({ type: 'read' } as const) },
  { weight: 3, arbitrary: fc.constant({ type: 'answer' } as const) },
  { weight: 1, arbitrary: fc.constant({ type: 'lose' } as const) },
  { weight: 1, arbitrary: fc.constant({ type: 'repeat' } as const) },
);

const STATUSES: readonly AttendanceStatus[] = ['present', 'absent', 'late', 'excused'];

const emptyRecord = (student: string): AttendanceRecord => ({
  _id: `record-${student}`,
  session_id: 's' as AttendanceRecord['session_id'],
  student_id: student as StudentId,
  status: 'absent',
  remarks: null,
  student: {
    student_id: student as StudentId,
    user_id: null,
    name: student,
    roll: null,
    section: null,
    profile_picture: null,
    email: `${student}@school.example`,
  },
  checked_in_at: null,
  marked_at: null,
  marked_by: null,
  seq: 0,
  createdAt: null,
  updatedAt: null,
});

/** The plain model: a journal, and records made by doing what each entry says. */
class Model {
  readonly journal: LiveChange[] = [];
  readonly records = new Map<string, AttendanceRecord>(
    [0, 1, 2, 3].map((n) => [`student-${n}`, emptyRecord(`student-${n}`)]),
  );

  commit({ student, status, kind }: { student: number; status: number; kind: number }): LiveChange {
    const seq = this.journal.length + 1;
    const student_id = `student-${student}`;
    const at = new Date(Date.UTC(2026, 0, 1) + seq).toISOString();
    const before = this.records.get(student_id) ?? emptyRecord(student_id);
    const actor = { user_id: null, name: `teacher-${kind}` };
    if (kind === 0) {
      this.records.set(student_id, { ...before, checked_in_at: at, updatedAt: at, seq });
      this.journal.push({ seq, type: 'checked_in', at, actor, student_id });
    } else {
      const marks = { status: STATUSES[status] ?? 'absent', remarks: kind === 1 ? 'late bus' : null };
      const marked = { marked_at: at, marked_by: actor.name, updatedAt: at, seq };
      this.records.set(student_id, { ...before, ...marks, ...marked });
      this.journal.push({ seq, type: 'marked', at, actor, student_id, previous_status: before.status, ...marks });
    }
    return this.journal[seq - 1] as LiveChange;
  }
}

/** Runs the steps against a sequence, as a live session does; at the end the line is up and the client caught up. */
function follow(steps: readonly Step[], options: { sparse: boolean; sees: (change: LiveChange) => boolean }) {
  const model = new Model();
  const sequence = new Sequence<LiveChange>({ sparse: options.sparse });
  const applied: LiveChange[] = [];
  let up = true;
  let losing = false;
  let asked: number | undefined;
  let answer: { items: LiveChange[]; upTo: number } | undefined;
  let last: LiveChange[] = [];

  const ask = () => {
    if (asked !== undefined) return;
    sequence.hold();
    asked = sequence.seq;
  };
  const read = () => {
    if (!up || asked === undefined || answer) return;
    const since = asked;
    answer = {
      items: model.journal.filter((change) => change.seq > since).filter(options.sees),
      upTo: model.journal.length,
    };
  };
  const take = () => {
    if (!answer) return;
    applied.push(...sequence.settle(answer.items, answer.upTo));
    answer = undefined;
    asked = undefined;
    if (sequence.gap) ask();
  };

  for (const step of steps) {
    switch (step.type) {
      case 'commit': {
        const changes = step.entries.map((entry) => model.commit(entry));
        last = changes.filter(options.sees);
        if (up && !losing) applied.push(...sequence.offer(last));
        losing = false;
        if (sequence.gap) ask();
        break;
      }
      case 'cut':
        up = false;
        answer = undefined;
        asked = undefined;
        break;
      case 'reconnect':
        if (!up) {
          up = true;
          ask();
        }
        break;
      case 'read':
        read();
        break;
      case 'answer':
        take();
        break;
      case 'lose':
        // For a student the line is in order and loses nothing while it lasts.
        losing = !options.sparse;
        break;
      case 'repeat':
        if (up) applied.push(...sequence.offer(last));
        break;
    }
  }
  up = true;
  answer = undefined;
  asked = undefined;
  do {
    ask();
    read();
    take();
  } while (asked !== undefined);
  return { model, sequence, applied };
}

test('[SDK-3] a teacher applies seq 1 … n each once and in order, whatever is lost, repeated or cut', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { model, sequence, applied } = follow(steps, { sparse: false, sees: () => true });
      expect(applied.map(({ seq }) => seq)).toEqual(model.journal.map(({ seq }) => seq));
      expect(sequence.seq).toBe(model.journal.length);
      expect(sequence.gap).toBe(false);
    }),
    { numRuns: 1_000 },
  );
});

test('[SDK-3] a student applies every change that they may see once and in order, holes and cuts notwithstanding', () => {
  const sees = ({ type, student_id }: LiveChange) => type === 'marked' && student_id !== 'student-2';
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { model, sequence, applied } = follow(steps, { sparse: true, sees });
      expect(applied.map(({ seq }) => seq)).toEqual(model.journal.filter(sees).map(({ seq }) => seq));
      expect(sequence.seq).toBe(model.journal.length);
    }),
    { numRuns: 1_000 },
  );
});

test('[SEQ-4] what a teacher applied to the records as of any snapshot gives the records of the journal', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.array(step, { maxLength: 60 }), (before, after) => {
      const { model, applied } = follow([...before, ...after], { sparse: false, sees: () => true });
      // A snapshot may be ahead of the changes that are still to be applied, as where it was read to fill in a record.
      const earlier = follow(before, { sparse: false, sees: () => true });
      const register = new Register();
      for (const record of earlier.model.records.values()) register.put(record);
      for (const change of applied) register.apply(change);
      expect([...register.records]).toEqual([...model.records]);
    }),
    { numRuns: 300 },
  );
});

test('[SDK-3] a hole is a gap for a teacher and none for a student', () => {
  const teacher = new Sequence({ sparse: false, seq: 4 });
  expect(teacher.offer([{ seq: 6 }])).toEqual([]);
  expect(teacher.gap).toBe(true);
  expect(teacher.offer([{ seq: 5 }])).toEqual([{ seq: 5 }, { seq: 6 }]);
  expect(teacher.gap).toBe(false);

  const student = new Sequence({ sparse: true, seq: 4 });
  expect(student.offer([{ seq: 6 }])).toEqual([{ seq: 6 }]);
  expect(student.gap).toBe(false);
  expect(student.offer([{ seq: 5 }])).toEqual([]);
});

test('[SDK-3] a student loses nothing that was committed while the answer was being made', () => {
  const student = new Sequence({ sparse: true, seq: 4 });
  student.hold();
  // Live before the answer, and not in it, although the answer's own seq is above it.
  expect(student.offer([{ seq: 6 }])).toEqual([]);
  expect(student.settle([{ seq: 5 }], 7)).toEqual([{ seq: 5 }, { seq: 6 }]);
  expect(student.seq).toBe(7);
});

test('[SDK-4] a broadcast record keeps the e-mail address that only answers to teachers carry', () => {
  const register = new Register();
  const known = emptyRecord('student-1');
  register.put(known);
  const { email: _, ...withoutEmail } = known.student;
  const marked = { ...known, status: 'present' as const, seq: 2, student: withoutEmail };
  const applied = register.apply({
    seq: 2,
    type: 'marked',
    at: '2026-01-01T00:00:00.000Z',
    actor: { user_id: null, name: 'Ada Osei' },
    student_id: 'student-1',
    status: 'present',
    record: marked,
  });
  expect(register.records.get('student-1')).toEqual({ ...marked, student: known.student });
  expect(applied.previous_status).toBe('absent');
});
