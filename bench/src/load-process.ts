import { execFileSync } from 'node:child_process';
import { type RunOptions, runWorkload } from './harness/run-workload.js';
import type { WorkloadResult } from './harness/workload.js';
import { workloads } from './workloads/all.js';

/* The load generator: one workload, its arms as children, the result to the parent. */

const openFiles = (): number => {
  const limit = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim();
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
};

async function result(): Promise<WorkloadResult> {
  const [name, options = '{}'] = process.argv.slice(2);
  const workload = workloads.find((each) => each.name === name);
  if (!workload) throw new Error(`there is no workload ${name}`);
  const { files = 0 } = workload;
  if (openFiles() < files) return { kind: 'skipped', reason: `needs ulimit -n ${files}` };
  return runWorkload(workload, JSON.parse(options) as RunOptions);
}

const done = await result();
process.send?.(done, () => process.exit(0));
