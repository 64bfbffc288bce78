import type { StudentId, UserId } from '@rollcall/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MarkedEntry } from '../journal/entries.js';
import { decide } from './decide.js';
import { lineAsOf } from './fold.js';
import { statusOfCheckIn } from './making-entries.js';
import { opening, person, ROSTER } from './plain-model.test.support.js';
import { Draft, SessionState } from './session-state.js';

const view = (late_after_minutes: number, started_at = 0) => ({
  started_at,
  policy: { ...opening(true, true).policy, late_after_minutes },
});

test('[JOIN-8] a check-in is late from late_after_minutes on, to the millisecond, and never where that is 0', () => {
  expect(statusOfCheckIn(view(10, 5_000), 604_999)).toBe('present');
  expect(statusOfCheckIn(view(10, 5_000), 605_000)).toBe('late');
  expect(statusOfCheckIn(view(0), 10 ** 12)).toBe('present');
  const minutes = fc.double({ min: 0.001, max: 1_000, noNaN: true });
  fc.assert(
    fc.property(minutes, fc.nat(10 ** 9), fc.integer({ min: -60_000, max: 10 ** 8 }), (late, started, after) => {
      const expected = after >= late * 60_000 ? 'late' : 'present';
      expect(statusOfCheckIn(view(late, started), started + after)).toBe(expected);
    }),
  );
});

test('[JOIN-7] [JOIN-9] [JOIN-10] a check-in of somebody new adds, checks in and marks, all or nothing', () => {
  const state = SessionState.fromJournal([opening(true, true)], '');
  const by = { at: 9_000, actor: { user_id: 'u' as UserId, name: 'U' }, op_id: undefined, event: undefined };
  const rest = { newRecordId: () => 'made', judge: () => 'right' as const };
  const student = person('new', 'un', 'ln');
  const draft = new Draft(state);
  expect(() =>
    decide(draft, { type: 'check_in', student: { student, enrolled: false }, code: undefined }, { ...by, ...rest }),
  ).toThrow(expect.objectContaining({ code: 'NOT_ENROLLED' }));
  expect(draft.seq).toBe(1);
  const command = { type: 'check_in', student: { student, enrolled: true }, code: undefined } as const;
  expect(decide(draft, command, { ...by, ...rest })).toMatchObject({
    entries: [
      { type: 'checked_in', seq: 2, added: { record_id: 'made', status: 'absent' } },
      { type: 'marked', seq: 3, status: 'present', previous_status: 'absent', actor: { user_id: null } },
    ],
  });
  expect(state.line('new' as StudentId)).toBeUndefined();
  expect(draft.line('new' as StudentId)).toMatchObject({ status: 'present', checked_in_at: 9_000, seq: 3 });
});

test('[MARK-7] a record is told as of its own change, though later ones are known, or the clock was set back', () => {
  const state = SessionState.fromJournal([opening(true, false)], '');
  const [a] = ROSTER;
  const line = a && state.line(a.student_id);
  if (!line) throw new Error('not on the roster');
  const entry: MarkedEntry = {
    type: 'marked',
    seq: 5,
    at: 5_000,
    actor: { user_id: 'u' as UserId, name: 'U' },
    student_id: line.student.student_id,
    status: 'late',
    remarks: 'bus',
    previous_status: 'absent',
  };
  const marked = {
    status: 'late',
    remarks: 'bus',
    marked_at: 5_000,
    marked_by: 'U',
    updated_at: 5_000,
    seq: 5,
  } as const;
  const later = { ...line, ...marked, status: 'present', remarks: null, checked_in_at: 7_000, seq: 9 } as const;
  expect(lineAsOf(later, entry)).toEqual({ ...line, ...marked, checked_in_at: null });
  expect(lineAsOf({ ...later, checked_in_at: 4_000 }, entry)).toEqual({ ...line, ...marked, checked_in_at: 4_000 });
  // Checked in before the mark, by a clock that was ahead then.
  const setBack = { ...line, ...marked, checked_in_at: 3_600_000 };
  expect(lineAsOf(setBack, entry)).toEqual(setBack);
});
