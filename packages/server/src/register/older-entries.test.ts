import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Entry } from '../journal/entries.js';
import { OlderEntries } from './repeat.js';

const ENTRIES = 6_500;

/** A journal in commits of some entries each, which are never split, and how much of it was read. */
function journalOf(commit: number) {
  const entries = Array.from({ length: ENTRIES }, (_, n): Entry => {
    return { type: 'ended', seq: n + 1, at: 0, actor: { user_id: null, name: 'nobody' }, reason: 'teacher' };
  });
  const seen = { entries: 0, underWay: 0, atOnce: 0 };
  const read = async (after: number, limit: number): Promise<Entry[]> => {
    seen.underWay += 1;
    seen.atOnce = Math.max(seen.atOnce, seen.underWay);
    await Promise.resolve();
    seen.underWay -= 1;
    const page = entries.slice(after, Math.ceil((after + limit) / commit) * commit);
    seen.entries += page.length;
    return page;
  };
  return { read, seen };
}

test('[ANS-240] two thousand repeats at once read little more of a journal than what they repeat, one reading at a time', async () => {
  for (const commit of [1, 100, 2_000]) {
    const { read, seen } = journalOf(commit);
    const older = new OlderEntries(read);
    const repeats = Array.from({ length: 2_000 }, (_, n) => older.from(n, 1));
    const answers = await Promise.all(repeats);
    expect(answers.map((some) => some.map(({ seq }) => seq))).toEqual(answers.map((_, n) => [n + 1]));
    expect(seen.entries).toBeLessThanOrEqual(2_000 + 100 + commit);
    expect(seen.atOnce).toBe(1);
  }
});

test('[ANS-240] whatever is asked for in whatever order, each gets its own entries', async () => {
  const question = fc.record({ seq: fc.integer({ min: 0, max: ENTRIES }), count: fc.integer({ min: 1, max: 300 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(question), fc.integer({ min: 1, max: 500 }), async (questions, commit) => {
      const { read, seen } = journalOf(commit);
      const older = new OlderEntries(read);
      const answers = await Promise.all(questions.map(({ seq, count }) => older.from(seq, count)));
      for (const [index, { seq, count }] of questions.entries()) {
        const expected = Array.from({ length: Math.min(count, ENTRIES - seq) }, (_, n) => seq + n + 1);
        expect(answers[index]?.map((entry) => entry.seq)).toEqual(expected);
      }
      expect(seen.atOnce).toBeLessThanOrEqual(1);
    }),
  );
});

test('[ANS-240] a reading that fails is that repeat’s alone', async () => {
  let fails = true;
  const { read } = journalOf(1);
  const older = new OlderEntries((after, limit) => (fails ? Promise.reject(new Error('away')) : read(after, limit)));
  const first = older.from(3, 1);
  await expect(first).rejects.toThrow('away');
  fails = false;
  expect((await older.from(3, 1)).map(({ seq }) => seq)).toEqual([4]);
});
