import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StatisticsTicker } from './statistics-ticker.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

interface Sent {
  readonly at: number;
  readonly state: number;
  readonly everyone: boolean;
}

/** A session whose state is a number, and all that was sent of it. */
function ticking() {
  const session = { state: 0, sent: [] as Sent[] };
  const ticker = new StatisticsTicker<typeof session>((each, everyone) => {
    each.sent.push({ at: Date.now(), state: each.state, everyone });
  });
  return { session, ticker };
}

/** Lets microtasks run, as they do after each turn. */
const turn = () => vi.advanceTimersByTimeAsync(0);

test('[STAT-5] the first change is sent after its turn, with all that happened in it', async () => {
  const { session, ticker } = ticking();
  session.state = 1;
  ticker.changed(session, false);
  expect(session.sent).toEqual([]);
  session.state = 2;
  await turn();
  expect(session.sent).toMatchObject([{ state: 2, everyone: false }]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(session.sent).toHaveLength(1);
});

test('[STAT-6] participants are told once a change concerned them, and not again for what didn’t', async () => {
  const { session, ticker } = ticking();
  ticker.changed(session, false);
  await turn();
  ticker.changed(session, true);
  ticker.changed(session, false);
  await vi.advanceTimersByTimeAsync(250);
  ticker.changed(session, false);
  await vi.advanceTimersByTimeAsync(250);
  expect(session.sent.map(({ everyone }) => everyone)).toEqual([false, true, false]);
});

test('[STAT-7] [STAT-8] of any changes at most 4 a second are sent, the last state always, none needlessly', async () => {
  const change = fc.record({ after: fc.constantFrom(0, 1, 40, 249, 250, 251, 900), everyone: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 60 }), async (changes) => {
      const { session, ticker } = ticking();
      const expected = { everyone: 0 };
      for (const { after, everyone } of changes) {
        await vi.advanceTimersByTimeAsync(after);
        session.state += 1;
        if (everyone) expected.everyone = session.state;
        ticker.changed(session, everyone);
      }
      await vi.advanceTimersByTimeAsync(1_000);
      const { sent } = session;
      expect(sent.at(-1)?.state).toBe(changes.length);
      for (const [n, { at }] of sent.entries()) {
        expect((sent[n + 4]?.at ?? Number.POSITIVE_INFINITY) - at).toBeGreaterThanOrEqual(1_000);
      }
      for (const [n, { state }] of sent.entries()) expect(state).toBeGreaterThan(sent[n - 1]?.state ?? 0);
      const lastForAll = sent.filter(({ everyone }) => everyone).at(-1)?.state ?? 0;
      expect(lastForAll).toBeGreaterThanOrEqual(expected.everyone);
      ticker.close();
      expect(vi.getTimerCount()).toBe(0);
    }),
    { numRuns: 100 },
  );
});

test('[STAT-7] sessions tick for themselves', async () => {
  const one = ticking();
  const other = { state: 7, sent: [] as Sent[] };
  one.ticker.changed(one.session, false);
  one.ticker.changed(other, true);
  await turn();
  expect([one.session.sent.length, other.sent.length]).toEqual([1, 1]);
});

test('[STAT-8] after stop nothing is sent, whether it was due at once or later', async () => {
  const { session, ticker } = ticking();
  ticker.changed(session, true);
  ticker.stop(session);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(session.sent).toEqual([]);
  ticker.changed(session, true);
  await turn();
  ticker.changed(session, true);
  ticker.stop(session);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(session.sent).toHaveLength(1);
});
