import type { StudentId } from '@rollcall/protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Presence } from './presence.js';

const GRACE = 5_000;
const student = (id: string) => id as StudentId;

/** Time is the test's to pass: five seconds of it cost nothing. */
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function room() {
  const left: Array<[string, number]> = [];
  const presence = new Presence({ graceMs: GRACE, onLeft: (id, at) => left.push([id, at]) });
  return { presence, left };
}

test('[JOIN-13] a student is online until the last of their sockets is gone', () => {
  const { presence, left } = room();
  presence.enter(student('a'), 'phone', 0);
  presence.enter(student('a'), 'laptop', 0);
  presence.leave(student('a'), 'phone', false);
  vi.advanceTimersByTime(10 * GRACE);
  expect([presence.count, left]).toEqual([1, []]);
  presence.leave(student('a'), 'laptop', false);
  vi.advanceTimersByTime(GRACE);
  expect(presence.count).toBe(0);
  expect(left).toHaveLength(1);
});

test('[JOIN-14] going is announced after the grace and not before', () => {
  const { presence, left } = room();
  const start = Date.now();
  presence.enter(student('a'), '1', 0);
  presence.leave(student('a'), '1', true);
  vi.advanceTimersByTime(GRACE - 1);
  expect([presence.count, left]).toEqual([1, []]);
  vi.advanceTimersByTime(1);
  expect([presence.count, left]).toEqual([0, [['a', start]]]);
});

test('[JOIN-15] [JOIN-16] coming back within the grace tells nobody, after it the teachers', () => {
  const { presence, left } = room();
  expect(presence.enter(student('a'), '1', 0)).toBe(false);
  presence.leave(student('a'), '1', false);
  vi.advanceTimersByTime(GRACE - 1);
  expect(presence.enter(student('a'), '2', 0)).toBe(false);
  vi.advanceTimersByTime(10 * GRACE);
  expect(left).toEqual([]);
  presence.leave(student('a'), '2', false);
  vi.advanceTimersByTime(GRACE);
  expect(presence.enter(student('a'), '3', 9)).toBe(true);
  expect(presence.enter(student('a'), '4', 9)).toBe(false);
  expect(presence.list()).toEqual([{ student_id: 'a', joined_at: 9, sockets: new Set(['3', '4']) }]);
});

test('[JOIN-17] who left on purpose has left until they join again', () => {
  const { presence } = room();
  presence.enter(student('a'), '1', 0);
  presence.enter(student('b'), '2', 0);
  presence.leave(student('a'), '1', true);
  presence.leave(student('b'), '2', false);
  expect([presence.hasLeft(student('a')), presence.hasLeft(student('b'))]).toEqual([true, false]);
  presence.enter(student('a'), '3', 0);
  expect(presence.hasLeft(student('a'))).toBe(false);
});

test('[JOIN-14] nobody is announced once the session is over', () => {
  const { presence, left } = room();
  presence.enter(student('a'), '1', 0);
  presence.enter(student('b'), '2', 0);
  presence.leave(student('a'), '1', false);
  presence.clear();
  presence.leave(student('b'), '2', false);
  vi.advanceTimersByTime(10 * GRACE);
  expect([presence.count, presence.list(), left]).toEqual([0, [], []]);
});

test('[JOIN-13] [JOIN-15] any coming and going agrees with a plain account of it', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom('enter', 'leave'), who: fc.constantFrom('a', 'b'), socket: fc.nat(2) }),
    fc.record({ kind: fc.constant('wait'), ms: fc.constantFrom(1, 2_000, 4_999, GRACE) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { presence, left } = room();
      const sockets = new Map<string, Set<number>>([
        ['a', new Set()],
        ['b', new Set()],
      ]);
      const since = new Map<string, number>();
      const expected: string[] = [];
      let now = 0;
      const expire = () => {
        for (const [who, at] of since) {
          if (now - at < GRACE) continue;
          since.delete(who);
          expected.push(who);
        }
      };
      for (const each of steps) {
        if (each.kind === 'wait') {
          // One millisecond at a time would do the same; the two may fall due in either order.
          vi.advanceTimersByTime(each.ms);
          now += each.ms;
          expire();
        } else {
          const mine = sockets.get(each.who);
          const id = student(each.who);
          if (each.kind === 'enter') {
            presence.enter(id, `${each.socket}`, now);
            mine?.add(each.socket);
            since.delete(each.who);
          } else {
            presence.leave(id, `${each.socket}`, false);
            if (mine?.delete(each.socket) && mine.size === 0) since.set(each.who, now);
          }
        }
        const online = [...sockets].filter(([who, there]) => there.size > 0 || since.has(who)).map(([who]) => who);
        expect(
          presence
            .list()
            .map(({ student_id }) => student_id as string)
            .sort(),
        ).toEqual(online);
        expect(presence.count).toBe(online.length);
      }
      expect(left.map(([who]) => who).sort()).toEqual([...expected].sort());
    }),
    { numRuns: 300 },
  );
});
