import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Costs } from '../../../bench/capacity/dist/costs.js';
import { pageOf } from '../../../bench/capacity/dist/page.js';
import { ROOT } from './transcript.js';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

test('[DOCS-9] the capacity page is what the model gives for the committed measurements', () => {
  const costs = JSON.parse(read('bench/capacity/measured.json')) as Costs;
  expect(read('docs/reference/capacity.md')).toBe(pageOf(costs));
  // A cost that isn't one would make the model promise anything.
  const amounts = [costs.cpu, costs.mongo, costs.redis, costs.memory].flatMap((each) => Object.values<number>(each));
  expect(amounts.filter((amount) => !(amount >= 0))).toEqual([]);
});
