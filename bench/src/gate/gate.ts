import { readFile } from 'node:fs/promises';
import { B, D } from '../arms/letters.js';
import { aligned } from '../harness/report.js';
import { runInProcess } from '../harness/run-in-process.js';
import type { Figures, Pace } from '../harness/workload.js';
import { workloads } from '../workloads/all.js';

/** D/B that a figure may come to, by workload and figure. */
type Limits = Readonly<Record<string, Readonly<Record<string, number>>>>;

interface Checked {
  readonly workload: string;
  readonly figure: string;
  readonly limit: number;
  readonly best: number;
  readonly seconds: number;
}

const LIMITS = new URL('../../limits.json', import.meta.url);
/** Long enough for V8 to have compiled what is measured: what that costs has nothing to do with an operation. */
const PHASE_MS = 700;
const ROUNDS = 3;
/** A heap after garbage collection is the same each time, and takes a server of its own. */
const FRESH_ROUNDS = 1;

/**
 * Whether what an operation costs has grown out of all measure against plain Socket.IO. What disturbs a round makes it
 * dearer, so the best of a few counts, and what is beyond its limit is measured once more before it fails.
 */
export async function gate(): Promise<boolean> {
  const began = performance.now();
  const limits = JSON.parse(await readFile(LIMITS, 'utf8')) as Limits;
  const checked: Checked[] = [];
  for (const [workload, figures] of Object.entries(limits)) {
    const first = await check(workload, figures);
    checked.push(...(first.every(held) ? first : bestOf(first, await check(workload, figures))));
  }
  const rows = checked.map((each) => [
    each.workload,
    each.figure,
    each.best.toFixed(2),
    each.limit.toFixed(2),
    `${each.seconds.toFixed(0)} s`,
    held(each) ? 'held' : 'BEYOND',
  ]);
  console.log(aligned([['regression gate', 'of', 'D/B', 'limit', '', ''], ...rows]).join('\n'));
  console.log(`  ${Math.round((performance.now() - began) / 1_000)} s`);
  return checked.every(held);
}

/** A figure that isn't there is no figure that held. */
const held = ({ best, limit }: Checked): boolean => best <= limit;

const bestOf = (first: readonly Checked[], second: readonly Checked[]): Checked[] =>
  first.map((each, at) => ({ ...each, best: Math.min(each.best, second[at]?.best ?? each.best) }));

async function check(name: string, limits: Readonly<Record<string, number>>): Promise<Checked[]> {
  const workload = workloads.find((each) => each.name === name);
  if (!workload) throw new Error(`limits.json names ${name}, which is no workload`);
  const pace: Pace = { quick: true, phaseMs: PHASE_MS, rounds: workload.fresh ? FRESH_ROUNDS : ROUNDS };
  const from = performance.now();
  const result = await runInProcess(workload, { pace, arms: [B.label, D.label] });
  if (result.kind !== 'measured') throw new Error(`${name}: ${result.kind}: ${result.reason}`);
  const { figures } = result;
  return Object.entries(limits).map(([figure, limit]) => ({
    workload: name,
    figure,
    limit,
    seconds: (performance.now() - from) / 1_000,
    best: Math.min(...ratios(figures, figure)),
  }));
}

const ratios = (figures: Figures, figure: string): number[] =>
  (figures[D.label] ?? []).map((d, round) => {
    const b = figures[B.label]?.[round] ?? {};
    return (d[figure] ?? Number.NaN) / (b[figure] ?? Number.NaN);
  });
