import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RunOptions } from './run-workload.js';
import type { Workload, WorkloadResult } from './workload.js';

const LOAD = fileURLToPath(new URL('../load-process.js', import.meta.url));

/** The load has a process of its own for each workload, so that none inherits another's heap. */
let load: ChildProcess | undefined;

/** Measures one workload. One at a time: two would measure each other. */
export function runInProcess(workload: Workload, options: RunOptions): Promise<WorkloadResult> {
  return new Promise((resolve) => {
    const child = fork(LOAD, [workload.name, JSON.stringify(options)], { execArgv: ['--max-old-space-size=6144'] });
    load = child;
    child.once('message', (result) => resolve(result as WorkloadResult));
    child.once('exit', (code) => resolve({ kind: 'failed', reason: `the load generator ended with status ${code}` }));
  });
}

/** Whoever interrupts a run wants its servers to end as well. */
export function endWithSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      load?.kill(signal);
      process.exit(1);
    });
  }
}
