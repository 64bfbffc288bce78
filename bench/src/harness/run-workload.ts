import { Arm, type ArmSpec, type Watch } from '../arms/arm.js';
import { Skipped, VoidRun } from './no-figures.js';
import type { Measure, Pace, Workload, WorkloadResult } from './workload.js';

export interface RunOptions {
  readonly pace: Pace;
  readonly watch?: Watch | undefined;
  /** Labels of the arms to run, instead of all. */
  readonly arms?: readonly string[] | undefined;
}

/** What one round of one arm takes. */
interface Runner {
  readonly label: string;
  readonly round: () => Promise<Measure>;
  readonly measures: Measure[];
}

/** Starts the arms, runs the rounds interleaved, and ends everything that it started. */
export async function runWorkload(workload: Workload, options: RunOptions): Promise<WorkloadResult> {
  const arms = new Set<Arm>();
  try {
    const runners: Runner[] = [];
    for (const spec of workload.arms) {
      if (options.arms?.includes(spec.label) === false) continue;
      const round = workload.fresh
        ? () => freshRound(workload, spec, options, arms)
        : (await prepared(workload, spec, options, arms)).round;
      runners.push({ label: spec.label, round, measures: [] });
    }
    await interleave(runners, options.pace.rounds, workload.fresh !== true);
    return { kind: 'measured', figures: Object.fromEntries(runners.map(({ label, measures }) => [label, measures])) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof VoidRun) return { kind: 'void', reason };
    if (error instanceof Skipped) return { kind: 'skipped', reason };
    return { kind: 'failed', reason: error instanceof Error ? (error.stack ?? reason) : reason };
  } finally {
    for (const arm of arms) await arm.stop().catch(() => {});
  }
}

async function prepared(workload: Workload, spec: ArmSpec, { pace, watch }: RunOptions, arms: Set<Arm>) {
  const arm = await Arm.start(spec, workload.school, watch);
  arms.add(arm);
  const { round } = await workload.prepare(arm, pace);
  return { arm, round };
}

async function freshRound(workload: Workload, spec: ArmSpec, options: RunOptions, arms: Set<Arm>): Promise<Measure> {
  const { arm, round } = await prepared(workload, spec, options, arms);
  const measure = await round();
  arms.delete(arm);
  await arm.stop();
  return measure;
}

/** A warm-up each, then forth and back, so that what drifts on the machine hits every arm alike. */
async function interleave(runners: readonly Runner[], rounds: number, warmUp: boolean): Promise<void> {
  if (warmUp) for (const runner of runners) await oneRound(runner);
  for (let round = 0; round < rounds; round++) {
    for (const runner of round % 2 === 0 ? runners : [...runners].reverse()) {
      runner.measures.push(await oneRound(runner));
    }
  }
}

async function oneRound({ label, round }: Runner): Promise<Measure> {
  try {
    return await round();
  } catch (error) {
    if (error instanceof VoidRun) throw new VoidRun(`${label}: ${error.message}`);
    throw error;
  }
}
