import { type Spread, spreadOf } from './statistics.js';
import type { Figures, Goal, Metric, Round, Workload, WorkloadResult } from './workload.js';

/** Differences below this part of a limit are noise on one machine. */
const NOISE = 0.15;

export interface GoalRow extends Spread {
  readonly label: string;
  readonly goal: string;
  readonly met: boolean;
  /** Too near to the limit to tell. */
  readonly near: boolean;
}

/** A workload as it goes into the JSON file and the history. */
export interface Row {
  readonly name: string;
  readonly title: string;
  readonly result: 'measured' | 'void' | 'skipped' | 'failed';
  readonly reason?: string;
  /** That it took, servers' starts included. */
  readonly seconds: number;
  /** By metric, then by arm. */
  readonly figures?: Readonly<Record<string, Readonly<Record<string, Spread>>>>;
  readonly goals?: readonly GoalRow[];
}

export function rowOf({ name, title, metrics, goals }: Workload, result: WorkloadResult, seconds: number): Row {
  if (result.kind !== 'measured') return { name, title, result: result.kind, reason: result.reason, seconds };
  const { figures } = result;
  return {
    name,
    title,
    result: 'measured',
    seconds,
    figures: Object.fromEntries(metrics.map(({ key }) => [key, spreadsOf(figures, key)])),
    goals: goals.map((goal) => goalRow(goal, roundsOf(figures))).filter(({ median }) => !Number.isNaN(median)),
  };
}

/** Of the arms that have the figure at all. */
const spreadsOf = (figures: Figures, key: string): Record<string, Spread> =>
  Object.fromEntries(
    Object.entries(figures).flatMap(([arm, measures]) => {
      const values = measures.flatMap((each) => each[key] ?? []);
      return values.length === 0 ? [] : [[arm, spreadOf(values)]];
    }),
  );

function roundsOf(figures: Figures): Round[] {
  const count = Math.min(...Object.values(figures).map((measures) => measures.length));
  return Array.from({ length: count }, (_, at) =>
    Object.fromEntries(Object.entries(figures).map(([arm, measures]) => [arm, measures[at] ?? {}])),
  );
}

function goalRow({ label, of, bound, limit }: Goal, rounds: readonly Round[]): GoalRow {
  const spread = spreadOf(rounds.map(of));
  const { median } = spread;
  return {
    label,
    ...spread,
    goal: `${bound} ${shown(limit)}`,
    met: bound === '≥' ? median >= limit : median <= limit,
    near: Math.abs(median - limit) < NOISE * limit,
  };
}

/** Ratios far below one are better read as a fraction of one. */
export function shown(value: number): string {
  if (value > 0 && value < 0.1) return `1/${(1 / value).toFixed(1).replace(/\.0$/, '')}`;
  return value.toFixed(value >= 100 ? 0 : 2);
}

const number = (value: number, digits: number): string =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });

const VERDICT = { met: 'met', missed: 'MISSED', nearMet: 'met, within noise', nearMissed: 'MISSED, within noise' };

export function verdictOf({ met, near }: GoalRow): string {
  if (near) return met ? VERDICT.nearMet : VERDICT.nearMissed;
  return met ? VERDICT.met : VERDICT.missed;
}

/** One workload of the table: its arms side by side, then what was to come out. */
export function tableOf({ metrics }: Workload, row: Row): string {
  const head = `${row.name}: ${row.title} (${Math.round(row.seconds)} s)`;
  if (row.figures === undefined) return `${head}\n  ${row.result.toUpperCase()}: ${row.reason}\n`;
  const { figures } = row;
  const arms = [...new Set(Object.values(figures).flatMap((byArm) => Object.keys(byArm)))];
  const cells = [
    ['', ...arms],
    ...metrics.map((metric) => [metric.label, ...arms.map((arm) => cellOf(metric, figures[metric.key]?.[arm]))]),
  ];
  const goals = (row.goals ?? []).map(
    (goal) =>
      `  ${goal.label}  ${shown(goal.median)} (${shown(goal.min)}–${shown(goal.max)})  goal ${goal.goal}: ${verdictOf(goal)}`,
  );
  return `${[head, ...aligned(cells), ...goals].join('\n')}\n`;
}

export function cellOf({ digits }: Metric, spread: Spread | undefined): string {
  if (!spread || Number.isNaN(spread.median)) return '–';
  const { median, min, max } = spread;
  return `${number(median, digits)} (${number(min, digits)}–${number(max, digits)})`;
}

export function aligned(cells: readonly string[][]): string[] {
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) => {
    const [label = '', ...rest] = row;
    const padded = rest.map((cell, index) => cell.padStart(widths[index + 1] ?? 0));
    return `  ${[label.padEnd(widths[0] ?? 0), ...padded].join('   ')}`.trimEnd();
  });
}
