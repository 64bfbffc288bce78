import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { gate } from './gate/gate.js';
import { appendHistory, runOf, writeRun } from './harness/history.js';
import { type Row, rowOf, tableOf } from './harness/report.js';
import { endWithSignals, runInProcess } from './harness/run-in-process.js';
import type { Pace, Workload } from './harness/workload.js';
import { publishProfiles, publishRun, writePage } from './page/publish.js';
import { whereCpuGoes } from './profile/where-cpu-goes.js';
import { workloads } from './workloads/all.js';

const USAGE = `npm run bench -- [options]
  --quick          a part of the workloads with shorter rounds, under 3 minutes
  --only NAME      a workload, or all of a kind (join-storm); may be repeated
  --arms A,B       these arms only; ratios that need another are left out
  --json FILE      writes the figures to a file
  --publish        puts the figures, and of a whole run CPU profiles, into docs/reference/performance.md
  --cpu            measures where the CPU time of a mark, a join and a start goes, and puts that onto the page
  --page           writes the page anew from what was published
  --gate           whether costs are within bench/limits.json, under a minute
  --profile DIR    keeps CPU profiles of the Rollcall arms
  --list           names the workloads`;

const ROUNDS = 5;

const { values: given } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    arms: { type: 'string' },
    json: { type: 'string' },
    publish: { type: 'boolean', default: false },
    cpu: { type: 'boolean', default: false },
    page: { type: 'boolean', default: false },
    gate: { type: 'boolean', default: false },
    profile: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function chosen(): readonly Workload[] {
  const { only, quick } = given;
  if (only) return workloads.filter(({ name }) => only.some((one) => name === one || name.startsWith(`${one}-`)));
  return workloads.filter((workload) => workload.quick || !quick);
}

async function measure(): Promise<void> {
  const { quick, profile, publish } = given;
  if (publish && (quick || given.arms !== undefined || profile !== undefined)) {
    throw new Error('--publish takes whole rounds of all arms, without --quick, --arms and --profile');
  }
  if (profile !== undefined) await mkdir(profile, { recursive: true });
  const watch = profile === undefined ? undefined : { folder: profile, profile: true };
  const pace: Pace = { quick, phaseMs: quick ? 600 : 2_000, rounds: ROUNDS };
  const rows: Row[] = [];
  const began = performance.now();
  for (const workload of chosen()) {
    const from = performance.now();
    const result = await runInProcess(workload, { pace, watch, arms: given.arms?.split(',') });
    const row = rowOf(workload, result, (performance.now() - from) / 1_000);
    rows.push(row);
    console.log(tableOf(workload, row));
  }
  console.log(`${rows.length} workloads in ${((performance.now() - began) / 60_000).toFixed(1)} minutes`);
  const run = runOf(rows, { quick, rounds: ROUNDS });
  if (given.json !== undefined) await writeRun(given.json, run);
  const whole = given.only === undefined;
  // Parts and quick runs say too little to be compared with later ones.
  if (whole && !quick && given.arms === undefined) await appendHistory(run);
  if (publish) {
    await publishRun(run);
    if (whole) await publishProfiles(await whereCpuGoes());
  }
  if (rows.some(({ result }) => result === 'void' || result === 'failed')) process.exitCode = 1;
}

async function main(): Promise<void> {
  if (given.help) console.log(USAGE);
  else if (given.list) console.log(workloads.map(({ name, title }) => `${name.padEnd(24)}${title}`).join('\n'));
  else if (given.page) await writePage();
  else if (given.cpu) await publishProfiles(await whereCpuGoes());
  else if (given.gate) process.exitCode = (await gate()) ? 0 : 1;
  else await measure();
}

endWithSignals();
await main();
