import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import type { Run } from '../harness/history.js';
import type { Profiled } from '../profile/where-cpu-goes.js';
import { workloads } from '../workloads/all.js';
import { pageOf } from './page.js';
import { merged, type Published } from './published.js';
import { REASONS } from './reasons.js';
import { TRIED } from './tried.js';

const MEASURED = new URL('../../measured.json', import.meta.url);
const PROFILED = new URL('../../profiled.json', import.meta.url);
export const PAGE = new URL('../../../docs/reference/performance.md', import.meta.url);

const read = async <Content>(file: URL): Promise<Content> => JSON.parse(await readFile(file, 'utf8')) as Content;
const write = (file: URL, content: object): Promise<void> => writeFile(file, `${JSON.stringify(content, null, 2)}\n`);

export async function publishRun(run: Run): Promise<void> {
  const before = existsSync(MEASURED) ? await read<Published>(MEASURED) : undefined;
  const names = workloads.map(({ name }) => name);
  await write(MEASURED, merged(before, run, names));
  if (existsSync(PROFILED)) await writePage();
}

export async function publishProfiles(profiled: Profiled): Promise<void> {
  await write(PROFILED, profiled);
  if (existsSync(MEASURED)) await writePage();
}

/** The page that the committed measurements make. */
export const currentPage = async (): Promise<string> =>
  pageOf({
    published: await read<Published>(MEASURED),
    profiled: await read<Profiled>(PROFILED),
    reasons: REASONS,
    tried: TRIED,
    metrics: (name) => workloads.find((workload) => workload.name === name)?.metrics ?? [],
  });

export const writePage = async (): Promise<void> => writeFile(PAGE, await currentPage());
