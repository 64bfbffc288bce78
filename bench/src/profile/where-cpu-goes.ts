import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Spans } from '../arms/spans.js';
import { commit, type Machine, machine } from '../harness/machine.js';
import { runInProcess } from '../harness/run-in-process.js';
import { percentileOf } from '../harness/statistics.js';
import type { Pace, Workload } from '../harness/workload.js';
import { joinStorms } from '../workloads/join-storm.js';
import { marksOf16Sessions } from '../workloads/marks.js';
import { rosters } from '../workloads/rosters.js';
import { type CpuProfile, sumOf } from './sum.js';

export interface Part {
  readonly part: string;
  readonly microseconds: number;
}

/** One kind of work on Rollcall: what it takes all in all, and where. */
export interface Operation {
  readonly operation: string;
  readonly workload: string;
  readonly microseconds: number;
  /** Add up to the whole. */
  readonly parts: readonly Part[];
}

export interface Profiled {
  readonly at: string;
  readonly commit: string | null;
  readonly machine: Machine;
  readonly operations: readonly Operation[];
}

interface Subject {
  readonly operation: string;
  readonly workload: Workload | undefined;
  readonly rounds: number;
  /** The workload's figure, and how many microseconds one of it is. */
  readonly figure: string;
  readonly unit: number;
}

const SUBJECTS: readonly Subject[] = [
  { operation: 'a mark', workload: marksOf16Sessions, rounds: 5, figure: 'cpuPerMark', unit: 1 },
  { operation: 'a join', workload: joinStorms[0], rounds: 10, figure: 'cpuPerJoin', unit: 1 },
  {
    operation: 'a start, 1,000 students',
    workload: rosters.find(({ name }) => name === 'start-1000'),
    // Each takes some milliseconds, and is sampled twice in one.
    rounds: 30,
    figure: 'cpu',
    unit: 1_000,
  },
];
const ARM = 'D';
const SQLITE = 'SQLite’s thread';
const REST = 'other threads (V8’s, libuv’s)';

export async function whereCpuGoes(): Promise<Profiled> {
  const operations: Operation[] = [];
  for (const subject of SUBJECTS) operations.push(await operationOf(subject));
  return { at: new Date().toISOString(), commit: commit(), machine: machine(), operations };
}

/**
 * Twice: without profiles for how much CPU time it takes and on which threads, and with, for how the main thread's
 * is divided. What profiling costs is in neither.
 */
async function operationOf({ operation, workload, rounds, figure, unit }: Subject): Promise<Operation> {
  if (!workload) throw new Error(`there is no workload for ${operation}`);
  const pace: Pace = { quick: false, phaseMs: 2_000, rounds };
  const plain = await watched(workload, pace, false);
  const profiled = await watched(workload, pace, true);
  const microseconds = percentileOf(
    plain.measures.map((measure) => (measure[figure] ?? Number.NaN) * unit),
    50,
  );
  const threads = plain.threads;
  const all = threads.main + threads.worker + threads.rest;
  const sampled = [...profiled.sums.values()].reduce((sum, each) => sum + each, 0);
  const main = [...profiled.sums].map(([part, sum]) => ({
    part,
    microseconds: (microseconds * threads.main * sum) / all / sampled,
  }));
  return {
    operation,
    workload: workload.name,
    microseconds: rounded(microseconds),
    parts: [
      ...main,
      { part: SQLITE, microseconds: (microseconds * threads.worker) / all },
      { part: REST, microseconds: (microseconds * threads.rest) / all },
    ].map((each) => ({ ...each, microseconds: rounded(each.microseconds) })),
  };
}

const rounded = (microseconds: number): number => Number(microseconds.toPrecision(4));

async function watched(workload: Workload, pace: Pace, profile: boolean) {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-profile-'));
  try {
    const result = await runInProcess(workload, { pace, watch: { folder, profile }, arms: [ARM] });
    if (result.kind !== 'measured') throw new Error(`${workload.name}: ${result.reason}`);
    return { measures: result.figures[ARM] ?? [], ...(await readFolder(folder)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the one server that was watched left. The first span is the warm-up. */
async function readFolder(folder: string) {
  const files = await readdir(folder);
  const read = async <Content>(ending: string): Promise<Content | undefined> => {
    const name = files.find((file) => file.endsWith(ending));
    return name === undefined ? undefined : (JSON.parse(await readFile(join(folder, name), 'utf8')) as Content);
  };
  const left = await read<Spans>('.spans.json');
  if (!left) throw new Error('the server left no spans');
  const spans = left.spans.slice(1);
  const workers = new Set(files.filter((file) => file.endsWith('.thread')).map((file) => file.split('.')[1]));
  const threads = { main: 0, worker: 0, rest: 0 };
  for (const [tid, ms] of spans.flatMap((span) => Object.entries(span.threads))) {
    if (Number(tid) === left.pid) threads.main += ms;
    else if (workers.has(tid)) threads.worker += ms;
    else threads.rest += ms;
  }
  const profile = await read<CpuProfile>('.cpuprofile');
  return { threads, sums: profile ? sumOf(profile, spans) : new Map<string, number>() };
}
