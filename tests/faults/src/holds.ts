import { expect, test } from 'vitest';
import type { Experiment } from './experiment.js';
import { missing } from './needs.js';
import { runExperiment } from './run-experiment.js';

/** The short version of an experiment as a test; skipped by name with how to get what is missing. */
export function holds(title: string, experiment: Experiment): void {
  const absent = missing(experiment.needs);
  const name = `${title} (${experiment.id}${absent ? `: ${absent}` : ''})`;
  test.skipIf(absent !== '')(name, { timeout: 300_000 }, async () => {
    const { outcome, why, figures } = await runExperiment(experiment, { long: false });
    expect(outcome, `${why} ${JSON.stringify(figures)}`).toBe('held');
  });
}
