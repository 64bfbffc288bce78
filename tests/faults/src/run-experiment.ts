import { type Experiment, type Figure, Lab } from './experiment.js';
import { missing } from './needs.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface Result {
  readonly id: string;
  readonly fault: string;
  readonly promise: string;
  readonly limits: string | null;
  readonly outcome: 'held' | 'broken' | 'skipped';
  /** What broke, or how to get what is missing. */
  readonly why: string | null;
  readonly date: string;
  readonly seconds: number;
  readonly figures: Readonly<Record<string, Figure>>;
}

export async function runExperiment(experiment: Experiment, { long }: { long: boolean }): Promise<Result> {
  const { id, fault, promise, limits = null } = experiment;
  const head = { id, fault, promise, limits, date: new Date().toISOString() };
  const absent = missing(experiment.needs);
  if (absent) return { ...head, outcome: 'skipped', why: absent, seconds: 0, figures: {} };
  const lab = new Lab({ long });
  // What was started doesn't outlive who is told to stop.
  const stopped = (signal: NodeJS.Signals) =>
    void lab.end().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  for (const signal of SIGNALS) process.once(signal, stopped);
  const began = performance.now();
  let why: string | null = null;
  try {
    await experiment.run(lab);
  } catch (error) {
    why = said(error);
  }
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  const left = await lab.end();
  for (const signal of SIGNALS) process.off(signal, stopped);
  // What broke comes before what could then not be put away.
  why ??= left.length > 0 ? `not put away: ${left.map(said).join('; ')}` : null;
  return { ...head, outcome: why === null ? 'held' : 'broken', why, seconds, figures: lab.figures };
}

const said = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
