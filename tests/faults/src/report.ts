import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';
import type { Result } from './run-experiment.js';

export interface Machine {
  readonly processors: string;
  readonly memory_gb: number;
  readonly system: string;
  readonly node: string;
  readonly redis: string;
}

export interface Report {
  readonly long: boolean;
  readonly machine: Machine;
  readonly results: readonly Result[];
}

function versionOf(program: string, pattern: RegExp): string {
  try {
    return pattern.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown';
  } catch {
    return 'none';
  }
}

export const machine = (): Machine => ({
  processors: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
  memory_gb: Math.round(totalmem() / 1024 ** 3),
  system: `${type()} ${release()}`,
  node: process.version,
  redis: versionOf('redis-server', /v=(\S+)/),
});

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const OUTCOME = { held: 'held', broken: '**broken**', skipped: 'skipped' } as const;

/**
 * A report with these results in the place of what it had of the same experiments, in the order of the ids. What was
 * skipped takes nothing's place.
 */
export const merged = (before: Report | undefined, now: Report, ids: readonly string[]): Report => ({
  ...now,
  results: ids.flatMap((id) => {
    const [old, recent] = [before, now].map((report) => report?.results.find((result) => result.id === id));
    return (recent?.outcome === 'skipped' ? old : undefined) ?? recent ?? old ?? [];
  }),
});

/** docs/reference/faults.md */
export function page({ machine, results }: Report): string {
  const rows = results.map(
    ({ id, fault, promise, outcome, seconds, date }) =>
      `| ${id} | ${cell(fault)} | ${cell(promise)} | ${OUTCOME[outcome]} | ${Math.round(seconds)} s | ${date.slice(0, 10)} |`,
  );
  const details = results.flatMap(({ id, fault, why, limits, figures }) => [
    `## ${id}: ${fault}`,
    '',
    ...(why ? [`${cell(why)}`, ''] : []),
    ...(Object.keys(figures).length > 0
      ? [
          '| seen | |',
          '|---|---|',
          ...Object.entries(figures).map(([name, value]) => `| ${cell(name)} | ${value} |`),
          '',
        ]
      : []),
    ...(limits ? [`What this doesn’t say: ${limits}`, ''] : []),
  ]);
  return [
    '# What Rollcall went through',
    '',
    'Written by `npm run faults -- --long`, and not by hand: real servers, real databases and real sockets, and a fault',
    'upon them. The short version of each runs with the tests.',
    '',
    `Machine: ${machine.processors}, ${machine.memory_gb} GB, ${machine.system}, Node ${machine.node}, Redis ${machine.redis}.`,
    'Servers, clients, databases and faults share its processors.',
    '',
    '| | fault | what must hold | outcome | took | date |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    ...details,
  ].join('\n');
}
