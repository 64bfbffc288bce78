import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Entry } from '../../journal/entries.js';
import { freshHarness, type MakeHarness } from './harness.js';
import { appendTo, readEntries } from './journal-access.js';
import { marked, session, started } from './samples.js';

type Step =
  | { readonly do: 'append'; readonly who: 0 | 1; readonly id: string; readonly offset: number; readonly count: number }
  | { readonly do: 'read'; readonly who: 0 | 1; readonly id: string; readonly after: number; readonly limit: number };

const who = fc.constantFrom<0 | 1>(0, 1);
const id = fc.constantFrom('a', 'b', '💚');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('append' as const), who, id, offset: offsets(), count: counts() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('read' as const), who, id, after: fc.nat(12), limit: counts() }),
  },
);

/** Distance from the journal's end at which an append aims; mostly the end itself. */
function offsets() {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -3, max: 3 }) });
}
function counts() {
  return fc.integer({ min: 1, max: 5 });
}

export function interleavingContract(make: MakeHarness): void {
  const harness = freshHarness(make);

  test('[STORE-29] appends and reads of two handles in any order agree with a plain list', async () => {
    const { storage, reopen } = harness();
    const handles = [storage, (await reopen?.()) ?? storage] as const;
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const prefix = `round ${round++} `;
        const model = new Map<string, Entry[]>();
        for (const [n, one] of steps.entries()) {
          const name = prefix + one.id;
          const list = model.get(name) ?? [];
          if (one.do === 'read') {
            const page = await readEntries(handles[one.who], session(name), one.after, one.limit);
            expect(page).toEqual(list.slice(one.after, one.after + page.length));
            expect(page.length).toBeGreaterThanOrEqual(Math.min(one.limit, Math.max(0, list.length - one.after)));
            continue;
          }
          const at = Math.max(0, list.length + one.offset);
          const entries = Array.from({ length: one.count }, (_, i) =>
            at + i === 0 ? started(name) : marked(at + i + 1, `step-${n}`),
          );
          const result = await appendTo(handles[one.who], session(name), at, entries);
          expect(result).toBe(at === list.length ? 'committed' : 'conflict');
          if (result === 'committed') model.set(name, [...list, ...entries]);
        }
        for (const [name, list] of model) {
          for (const handle of handles) expect(await readEntries(handle, session(name), 0, 1000)).toEqual(list);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('[STORE-29] writers that race, read what they missed and try again leave one dense journal', async () => {
    const { storage, reopen } = harness();
    const handles = [storage, (await reopen?.()) ?? storage] as const;
    const S = session('race');
    await appendTo(storage, S, 0, [started('race')]);
    const writer = async (n: number) => {
      const handle = handles[n % 2 === 0 ? 0 : 1];
      let end = 0;
      for (let done = 0; done < 15; ) {
        const missed = await readEntries(handle, S, end, 1000);
        end = missed.at(-1)?.seq ?? end;
        const result = await appendTo(handle, S, end, [marked(end + 1, `writer-${n}`, { op_id: `${n}.${done}` })]);
        if (result === 'committed') done++;
      }
    };
    await Promise.all([0, 1, 2, 3].map(writer));
    const all = await readEntries(storage, S, 0, 1000);
    expect(all.map((entry) => entry.seq)).toEqual(Array.from({ length: 61 }, (_, i) => i + 1));
    const ops = all.flatMap((entry) => entry.op_id ?? []);
    expect(new Set(ops).size).toBe(60);
    for (const n of [0, 1, 2, 3]) {
      expect(ops.filter((op) => op.startsWith(`${n}.`))).toEqual(Array.from({ length: 15 }, (_, i) => `${n}.${i}`));
    }
  });
}
