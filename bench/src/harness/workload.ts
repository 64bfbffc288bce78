import type { Arm, ArmSpec } from '../arms/arm.js';
import type { SchoolSize } from '../school.js';

/** Figures of one round of one arm, by the keys of the workload's metrics. */
export type Measure = Readonly<Record<string, number>>;
/** One round: a measure for each arm, by its label. */
export type Round = Readonly<Record<string, Measure>>;

export interface Metric {
  readonly key: string;
  /** With its unit, as the table shows it. */
  readonly label: string;
  /** Decimals shown. */
  readonly digits: number;
}

/** What must come out, computed for each round by itself, so that noise hits both sides of a ratio alike. */
export interface Goal {
  readonly label: string;
  readonly of: (round: Round) => number;
  readonly bound: '≥' | '≤';
  readonly limit: number;
}

export interface Pace {
  readonly quick: boolean;
  /** How long a closed loop runs in one round, in ms. */
  readonly phaseMs: number;
  readonly rounds: number;
}

/** An arm that is ready to be measured. */
export interface Prepared {
  /** Does the same each time; unless servers are fresh, the first is a warm-up and isn't counted. */
  round(): Promise<Measure>;
}

export interface Workload {
  /** As `--only` takes it. */
  readonly name: string;
  readonly title: string;
  readonly arms: readonly ArmSpec[];
  readonly school: SchoolSize;
  readonly metrics: readonly Metric[];
  readonly goals: readonly Goal[];
  /** Part of `--quick`. */
  readonly quick: boolean;
  /** Every round on a server of its own, without a warm-up. */
  readonly fresh?: boolean;
  /** Files that the load generator and a server may have open at once. */
  readonly files?: number;
  prepare(arm: Arm, pace: Pace): Promise<Prepared>;
}

export type Figures = Readonly<Record<string, readonly Measure[]>>;

export type WorkloadResult =
  | { readonly kind: 'measured'; readonly figures: Figures }
  | { readonly kind: 'void' | 'skipped' | 'failed'; readonly reason: string };

const figure = (round: Round, arm: string, key: string): number => round[arm]?.[key] ?? Number.NaN;

/** A figure of one arm divided by the same of another. */
export function ratio(key: string, over: string, under: string): Pick<Goal, 'label' | 'of'> {
  return {
    label: `${over}/${under}`,
    of: (round) => figure(round, over, key) / figure(round, under, key),
  };
}

export function figureOf(key: string, arm: string, label: string): Pick<Goal, 'label' | 'of'> {
  return { label, of: (round) => figure(round, arm, key) };
}

export const atLeast = (limit: number, what: Pick<Goal, 'label' | 'of'>): Goal => ({ ...what, bound: '≥', limit });
export const atMost = (limit: number, what: Pick<Goal, 'label' | 'of'>): Goal => ({ ...what, bound: '≤', limit });
