import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { experiments } from './all.js';
import { page, type Report } from './report.js';

const read = (name: string) => readFileSync(new URL(`../../../docs/reference/${name}`, import.meta.url), 'utf8');

test('[DOCS-12] the page on faults is what the report of the long run gives, and every experiment held', () => {
  const report = JSON.parse(read('faults.json')) as Report;
  expect(read('faults.md')).toBe(page(report));
  expect(report.long).toBe(true);
  expect(report.results.map(({ id, outcome }) => [id, outcome])).toEqual(experiments.map(({ id }) => [id, 'held']));
});
