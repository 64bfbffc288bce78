import { afterEach, expect, test, vi } from 'vitest';
import { sendAway } from './send-away.js';

afterEach(() => vi.useRealTimers());

test.each([
  { clients: 500, lasts: 500 },
  { clients: 5_000, lasts: 4_000 },
  { clients: 20_000, lasts: 4_000 },
])('[NODES-8] $clients clients are sent away over $lasts ms, never many at once', async ({ clients, lasts }) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
  const gone: number[] = [];
  const all = sendAway(Array.from({ length: clients }, () => () => void gone.push(performance.now())));
  await vi.advanceTimersByTimeAsync(lasts + 100);
  await all;
  expect(gone).toHaveLength(clients);
  const [first = 0] = gone;
  const last = gone.at(-1) ?? 0;
  expect(last - first).toBeGreaterThan(lasts * 0.9);
  expect(last - first).toBeLessThanOrEqual(lasts + 20);
  const steps = new Map<number, number>();
  for (const at of gone) steps.set(at, (steps.get(at) ?? 0) + 1);
  expect(Math.max(...steps.values())).toBeLessThanOrEqual(Math.ceil((clients / lasts) * 20) + 1);
});

test('[NODES-8] a server without clients stops at once', async () => {
  await sendAway([]);
});
