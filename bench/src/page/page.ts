import { cellOf, type GoalRow, shown, verdictOf } from '../harness/report.js';
import type { Spread } from '../harness/statistics.js';
import type { Metric } from '../harness/workload.js';
import type { Operation, Profiled } from '../profile/where-cpu-goes.js';
import { carries } from './carries.js';
import type { Published, PublishedRow } from './published.js';
import type { Tried } from './tried.js';

export interface Page {
  readonly published: Published;
  readonly profiled: Profiled;
  readonly reasons: Readonly<Record<string, string>>;
  readonly tried: readonly Tried[];
  /** How the figures of a workload are shown. */
  readonly metrics: (workload: string) => readonly Metric[];
}

const LATENCY = /^latency-(\d+)$/;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const day = (at: string): string => at.slice(0, 10);

function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** docs/reference/performance.md: nothing on it that wasn't measured, but for the reasons and what was tried. */
export function pageOf(page: Page): string {
  const { machine, rounds, rows } = page.published;
  return `# Performance

<!-- Generated from bench/measured.json and bench/profiled.json by \`npm run bench -- --page\`: edits are lost. -->

${carries(rows)}

What follows compares Rollcall with other servers on the same machine: ${machine.processors}, ${machine.memory_gb} GB, ${machine.system}, Node ${machine.node}. The server and the load generator shared its processors. These ${rows.length} workloads took ${Math.ceil(sumOf(rows.map(({ seconds }) => seconds)) / 60)} minutes. To measure all of them again and write this page: \`npm run bench -- --publish\` ([bench/README.md](../../bench/README.md) says what it needs).

The servers that are compared (the *arms*): **A** bare websockets, each broadcast framed once · **B** Socket.IO’s \`io.to(room).emit\`, which stores nothing and checks nothing · **C** the same school app written directly, without Rollcall, on the same database · **D** Rollcall · **E** Rollcall with its database in memory. A cell is the median of ${rounds} rounds, the least and the most in parentheses; a ratio is taken within each round. Absolute figures are this machine’s. A difference below 15 % is noise.

## Goals, and what was measured
D/C is Rollcall’s figure divided by that of C, and so on.

${table(
  ['workload', 'ratio', 'came to', 'goal', '', 'measured'],
  rows.flatMap((row) => goalRows(row, page.reasons)),
)}

## From a check-in to the tick on the teacher’s screen
The students of a class check in within 5 s, each at a moment of their own. Milliseconds from sending it to the teacher’s screen having it.

${latencies(rows)}

## Where the CPU goes
Microseconds of the server’s CPU time, all threads, for one of each, on ${day(page.profiled.at)} (${page.profiled.machine.processors}, Node ${page.profiled.machine.node}). How much it is and on which threads is what the kernel counted without a profiler; how the main thread’s part is divided is self time of a CPU profile of the same work.

${cpuTable(page.profiled.operations)}

${page.profiled.operations.map(({ operation, workload }) => `${operation}: \`${workload}\``).join(' · ')}

## Tried without gain
${
  page.tried.length === 0
    ? 'Nothing yet.'
    : table(
        ['what', 'what came of it'],
        page.tried.map(({ what, came }) => [cell(what), cell(came)]),
      )
}

## Figures
${rows.map((row) => figures(row, page.metrics(row.name))).join('\n\n')}
`;
}

function goalRows(row: PublishedRow, reasons: Page['reasons']): string[][] {
  const name = `[\`${row.name}\`](#${row.name})`;
  if (row.result !== 'measured') {
    return [[name, '', '', '', `**${row.result}**: ${cell(row.reason ?? '')}`, day(row.at)]];
  }
  const reason = reasons[row.name] ?? 'no reason measured yet';
  return (row.goals ?? []).map((goal) => [
    name,
    cell(goal.label),
    cameTo(goal),
    goal.goal,
    goal.met ? verdictOf(goal) : `**missed**${goal.near ? ', within noise' : ''}: ${cell(reason)}`,
    day(row.at),
  ]);
}

const cameTo = ({ median, min, max }: GoalRow): string => `${shown(median)} (${shown(min)}–${shown(max)})`;

function latencies(rows: readonly PublishedRow[]): string {
  const lines = rows.flatMap(({ name, figures: measured }) => {
    const students = LATENCY.exec(name)?.[1];
    if (students === undefined || measured === undefined) return [];
    return ['D', 'C'].map((arm) => [
      Number(students).toLocaleString('en'),
      arm === 'D' ? 'Rollcall' : 'C',
      milliseconds(measured['p50']?.[arm]),
      milliseconds(measured['p99']?.[arm]),
      milliseconds(measured['max']?.[arm]),
    ]);
  });
  return lines.length === 0 ? 'Not measured yet.' : table(['students', '', 'p50', 'p99', 'the slowest'], lines);
}

const milliseconds = (spread: Spread | undefined): string => cellOf({ key: '', label: '', digits: 1 }, spread);

function cpuTable(operations: readonly Operation[]): string {
  const parts = [...new Set(operations.flatMap((operation) => operation.parts.map(({ part }) => part)))];
  const of = ({ parts: own }: Operation, part: string) => own.find((each) => each.part === part)?.microseconds ?? 0;
  const share = (part: string) => sumOf(operations.map((operation) => of(operation, part) / operation.microseconds));
  const number = (value: number) => (value === 0 ? '–' : Number(value.toPrecision(3)).toLocaleString('en'));
  return table(
    ['', ...operations.map(({ operation }) => operation)],
    [
      ...parts
        .sort((a, b) => share(b) - share(a))
        .map((part) => [
          part,
          ...operations.map((each) => {
            const value = of(each, part);
            return value === 0 ? '–' : `${number(value)} (${((100 * value) / each.microseconds).toFixed(0)} %)`;
          }),
        ]),
      ['**all**', ...operations.map(({ microseconds }) => `**${number(microseconds)}**`)],
    ],
  );
}

function figures(row: PublishedRow, metrics: readonly Metric[]): string {
  const { name, title, figures: measured, at, commit, seconds } = row;
  const head = `### ${name}\n${cell(title)}. ${day(at)}${commit === null ? '' : `, ${commit}`}, ${Math.round(seconds)} s.\n\n`;
  if (measured === undefined) return `${head}${row.result}: ${cell(row.reason ?? '')}`;
  const arms = [...new Set(Object.values(measured).flatMap((byArm) => Object.keys(byArm)))];
  return `${head}${table(
    ['', ...arms],
    metrics.map((metric) => [cell(metric.label), ...arms.map((arm) => cellOf(metric, measured[metric.key]?.[arm]))]),
  )}`;
}
