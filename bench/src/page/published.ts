import type { Run } from '../harness/history.js';
import type { Machine } from '../harness/machine.js';
import type { Row } from '../harness/report.js';

export interface PublishedRow extends Row {
  readonly at: string;
  readonly commit: string | null;
}

/** bench/measured.json: of each workload its last measurement. */
export interface Published {
  readonly machine: Machine;
  readonly rounds: number;
  readonly rows: readonly PublishedRow[];
}

/**
 * What was published, with a run's rows in the place of those of the same workloads, in the order given. What was
 * skipped takes nothing's place, and a workload that failed says nothing.
 */
export function merged(before: Published | undefined, run: Run, names: readonly string[]): Published {
  const { at, commit, machine, rounds } = run;
  const now = run.rows.filter(({ result }) => result !== 'failed').map((row) => ({ ...row, at, commit }));
  return {
    machine,
    rounds,
    rows: names.flatMap((name) => {
      const [old, recent] = [before?.rows, now].map((rows) => rows?.find((row) => row.name === name));
      return (recent?.result === 'skipped' ? old : undefined) ?? recent ?? old ?? [];
    }),
  };
}
