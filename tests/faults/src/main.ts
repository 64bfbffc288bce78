import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { experiments, scenes } from './all.js';
import { machine, merged, page, type Report } from './report.js';
import { type Result, runExperiment } from './run-experiment.js';

const reference = (name: string) => fileURLToPath(new URL(`../../../docs/reference/${name}`, import.meta.url));
const USAGE = `npm run faults [-- --long] [-- --only F4,F7] [-- --json FILE]

Puts faults upon real servers and looks whether what Rollcall promises holds.
  --long        as often and as long as the table of promises says; about half an hour
  --only IDS    these alone: ${[...experiments, ...scenes].map(({ id }) => id).join(', ')}
  --json FILE   writes what was seen
With --long what was seen replaces what docs/reference/faults.json has of the same experiments, and the page
docs/reference/faults.md is made from it.`;

function ask() {
  try {
    const options = {
      long: { type: 'boolean' },
      only: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean' },
    } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}\n`);
    process.exit(2);
  }
}

const asked = ask();
if (asked.help) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}
const wanted = asked.only?.split(',').map((id) => id.trim().toUpperCase());
const unknown = wanted?.filter((id) => ![...experiments, ...scenes].some((each) => each.id === id)) ?? [];
if (unknown.length > 0) {
  process.stderr.write(`there is no experiment ${unknown.join(', ')}\n\n${USAGE}\n`);
  process.exit(2);
}
const long = asked.long === true;
const results: Result[] = [];
for (const experiment of wanted ? [...experiments, ...scenes] : experiments) {
  if (wanted && !wanted.includes(experiment.id)) continue;
  process.stdout.write(`${experiment.id}  ${experiment.fault}\n`);
  const result = await runExperiment(experiment, { long });
  results.push(result);
  process.stdout.write(`    ${result.outcome}${result.why ? `: ${result.why}` : ''} (${result.seconds} s)\n`);
  for (const [name, value] of Object.entries(result.figures)) process.stdout.write(`      ${name}: ${value}\n`);
}
const report: Report = { long, machine: machine(), results };
if (asked.json) await writeFile(asked.json, `${JSON.stringify(report, null, 2)}\n`);
const onThePage = results.filter(({ id }) => experiments.some((each) => each.id === id));
if (long && onThePage.length > 0) {
  const before = await readFile(reference('faults.json'), 'utf8').then(
    (text) => JSON.parse(text) as Report,
    () => undefined,
  );
  const all = merged(
    before,
    { ...report, results: onThePage },
    experiments.map(({ id }) => id),
  );
  await writeFile(reference('faults.json'), `${JSON.stringify(all, null, 2)}\n`);
  await writeFile(reference('faults.md'), page(all));
}
const count = (outcome: Result['outcome']) => results.filter((result) => result.outcome === outcome).length;
process.stdout.write(`\n${count('held')} held, ${count('broken')} broken, ${count('skipped')} skipped\n`);
process.exit(count('broken') > 0 ? 1 : 0);
