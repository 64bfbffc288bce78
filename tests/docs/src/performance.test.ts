import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Run } from '../../../bench/dist/harness/history.js';
import type { Row } from '../../../bench/dist/harness/report.js';
import { carries } from '../../../bench/dist/page/carries.js';
import { currentPage, PAGE } from '../../../bench/dist/page/publish.js';
import { merged } from '../../../bench/dist/page/published.js';
import { REASONS } from '../../../bench/dist/page/reasons.js';
import { sumOf } from '../../../bench/dist/profile/sum.js';
import { workloads } from '../../../bench/dist/workloads/all.js';

const names = workloads.map(({ name }) => name);

test('[DOCS-11] docs/reference/performance.md is what the generator makes of the committed measurements', async () => {
  expect(await currentPage()).toBe(readFileSync(PAGE, 'utf8'));
});

test('[DOCS-11] docs/reference/performance.md begins with what one machine carries, in the figures of the measurements', () => {
  const storm = (median: number) => ({
    name: 'join-storm-15000',
    title: '',
    result: 'measured' as const,
    seconds: 1,
    at: '',
    commit: null,
    figures: { ms: { D: { median, min: 1, max: 9_999 } } },
  });
  expect(carries([storm(5_068)])).toMatch(/^\*\*One laptop-sized server carries 15,000 students .* after 5\.1 s\.$/);
  expect(carries([])).toBe('');
  const [, paragraph] = readFileSync(PAGE, 'utf8').split(/\n\n(?!<!--)/);
  expect(paragraph).toMatch(/^\*\*One laptop-sized server carries 15,000 students /);
});

test('[DOCS-11] reasons and limits are of workloads that exist', () => {
  const limits = JSON.parse(readFileSync(new URL('../../../bench/limits.json', import.meta.url), 'utf8')) as Record<
    string,
    Record<string, number>
  >;
  expect(names).toEqual(expect.arrayContaining([...Object.keys(REASONS), ...Object.keys(limits)]));
  for (const [name, figures] of Object.entries(limits)) {
    const known = workloads.find((workload) => workload.name === name)?.metrics.map(({ key }) => key);
    expect(known, name).toEqual(expect.arrayContaining(Object.keys(figures)));
  }
});

test('[DOCS-11] a run takes the place of what was measured before, and what was skipped or failed does not', () => {
  const row = (name: string, result: Row['result'], title: string): Row => ({ name, title, result, seconds: 1 });
  const run = (at: string, rows: readonly Row[]): Run => ({
    at,
    commit: null,
    machine: { processors: '2', memory_gb: 8, system: 'Linux', node: 'v20' },
    quick: false,
    rounds: 5,
    rows,
  });
  const order = ['a', 'b', 'c', 'd'];
  const first = merged(
    undefined,
    run(
      '1',
      ['c', 'b', 'a'].map((name) => row(name, 'measured', 'old')),
    ),
    order,
  );
  const now = [
    row('a', 'skipped', 'new'),
    row('b', 'measured', 'new'),
    row('c', 'failed', 'new'),
    row('d', 'void', ''),
  ];
  const { rows } = merged(first, run('2', now), order);
  expect(rows.map(({ name, title, at }) => `${name} ${title} ${at}`)).toEqual([
    'a old 1',
    'b new 2',
    'c old 1',
    'd  2',
  ]);
});

test('[DOCS-11] of a profile counts what was sampled within the spans, a native function with its caller', () => {
  const frame = (functionName: string, url = '') => ({ functionName, url });
  const nodes = [
    { id: 1, callFrame: frame('(root)'), children: [2, 3, 5] },
    { id: 2, callFrame: frame('(idle)') },
    { id: 3, callFrame: frame('decide', 'file:///app/packages/server/dist/register/decide.js'), children: [4] },
    { id: 4, callFrame: frame('sort') },
    { id: 5, callFrame: frame('writev') },
  ];
  const profile = { nodes, startTime: 0, samples: [3, 4, 2, 5, 3], timeDeltas: [100, 10, 20, 30, 40] };
  expect([...sumOf(profile, [{ from: 100, to: 200 }])]).toEqual([
    ['register: decide, fold, queue', 30],
    ['writing to sockets', 40],
  ]);
  expect([...sumOf(profile, [{ from: 0, to: 110 }])]).toEqual([['register: decide, fold, queue', 10]]);
});
