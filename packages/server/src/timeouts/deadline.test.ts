import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deadlineOf, WARN_BEFORE_MS } from './deadline.js';

const minutes = fc.oneof(fc.constant(0), fc.double({ min: 0.001, max: 10_000, noNaN: true }));
const moment = fc.integer({ min: 0, max: 10 ** 9 });

test('[TIME-1] [TIME-2] the deadline is the earlier of both limits, and there is none where both are off', () => {
  fc.assert(
    fc.property(minutes, minutes, moment, moment, (inactivity_minutes, max_minutes, started, later) => {
      const active = started + later;
      const deadline = deadlineOf({ inactivity_minutes, max_minutes }, started, active);
      const ends = [
        ...(inactivity_minutes > 0 ? [active + inactivity_minutes * 60_000] : []),
        ...(max_minutes > 0 ? [started + max_minutes * 60_000] : []),
      ];
      if (ends.length === 0) expect(deadline).toBeUndefined();
      else expect(deadline?.at).toBe(Math.min(...ends));
    }),
  );
});

test('[TIME-4] the warning comes two minutes before, or half of the limit where that is shorter', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 10_000, noNaN: true }), moment, (limit, active) => {
      const deadline = deadlineOf({ inactivity_minutes: limit, max_minutes: 0 }, 0, active);
      const notice = (deadline?.at ?? 0) - (deadline?.warn_at ?? 0);
      expect(notice).toBeCloseTo(Math.min(WARN_BEFORE_MS, (limit * 60_000) / 2), 3);
    }),
  );
});

test('[TIME-7] a limit of 0 switches it off', () => {
  expect(deadlineOf({ inactivity_minutes: 0, max_minutes: 0 }, 0, 0)).toBeUndefined();
  expect(deadlineOf({ inactivity_minutes: 0, max_minutes: 1 }, 0, 0)?.reason).toBe('max_duration');
  expect(deadlineOf({ inactivity_minutes: 1, max_minutes: 0 }, 0, 0)?.reason).toBe('inactivity');
});
