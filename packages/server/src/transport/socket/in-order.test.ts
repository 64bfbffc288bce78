import { RollcallError } from '@rollcall/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InOrder } from './in-order.js';

test('[REG-2] tasks that let the next one begin at once begin in the turn in which they came', () => {
  const inOrder = new InOrder(Number.POSITIVE_INFINITY);
  const begun: number[] = [];
  for (const n of [1, 2, 3]) {
    inOrder.add((proceed) => {
      begun.push(n);
      proceed();
    });
  }
  expect(begun).toEqual([1, 2, 3]);
});

test('[REG-2] a task that waits holds back those behind it, and proceeding twice is proceeding once', () => {
  const inOrder = new InOrder(Number.POSITIVE_INFINITY);
  const begun: string[] = [];
  const go: Array<() => void> = [];
  for (const name of ['start', 'mark', 'end']) {
    inOrder.add((proceed) => {
      begun.push(name);
      go.push(proceed);
    });
  }
  expect(begun).toEqual(['start']);
  go[0]?.();
  go[0]?.();
  expect(begun).toEqual(['start', 'mark']);
  go[1]?.();
  expect(begun).toEqual(['start', 'mark', 'end']);
});

test('[REG-2] whatever the tasks wait for, they begin one after the other in order of arrival', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.constantFrom('now', 'later', 'nested'), { maxLength: 30 }),
      async (s, kinds) => {
        const inOrder = new InOrder(Number.POSITIVE_INFINITY);
        const begun: number[] = [];
        let added = 0;
        let waiting = 0;
        const add = (kind: string): void => {
          const n = added++;
          inOrder.add((proceed) => {
            expect(waiting).toBe(0);
            begun.push(n);
            if (kind === 'nested') add('now');
            if (kind !== 'later') return proceed();
            waiting += 1;
            void s.schedule(Promise.resolve()).then(() => {
              waiting -= 1;
              proceed();
            });
          });
        };
        for (const kind of kinds) add(kind);
        await s.waitIdle();
        expect(begun).toEqual(Array.from({ length: added }, (_, n) => n));
      },
    ),
  );
});

test('[REG-16] of one connection 5,000 may wait, the next is OVERLOADED, and there is room again', () => {
  const inOrder = new InOrder(Number.POSITIVE_INFINITY);
  let go = () => {};
  let begun = 0;
  inOrder.add((proceed) => {
    go = proceed;
  });
  const task = (proceed: () => void) => {
    begun += 1;
    proceed();
  };
  for (let n = 0; n < 5_000; n += 1) inOrder.add(task);
  expect(() => inOrder.add(task)).toThrow(RollcallError);
  expect(() => inOrder.add(task)).toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
  expect(begun).toBe(0);
  go();
  expect(begun).toBe(5_000);
  inOrder.add(task);
  expect(begun).toBe(5_001);
});
