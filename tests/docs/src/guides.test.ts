import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { operations, paths, placeOf } from '../../../packages/protocol/dist/http/index.js';
import { agrees, Reader, ROOT, stepsOf } from './transcript.js';

const noPython = spawnSync('python3', ['--version']).status !== 0;
/** Where there is no Python, a guide is followed but for its Python. */
const isPython = (command: string) => /\bpython3 /.test(command);

const folder = join(ROOT, 'docs/guides');
const guides = readdirSync(folder)
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, steps: stepsOf(readFileSync(join(folder, name), 'utf8')) }))
  .filter(({ steps }) => steps.some(({ kind }) => kind === 'command'));

test.each(guides)('[DOCS-2] following docs/guides/$name gives what it shows', async ({ steps }) => {
  const reader = await Reader.sitDown();
  onTestFinished(() => reader.standUp());
  for (const step of steps) {
    if (step.kind === 'file') await reader.write(step.path, step.text);
    else if (!(noPython && isPython(step.command))) {
      const printed = await reader.run(step.command);
      // Compared only where they differ, so that a failure shows both.
      if (!agrees(step.output, printed)) expect(`line ${step.line}: $ ${step.command}\n${printed}`).toBe(step.output);
    }
  }
});

test('[DOCS-2] the guides on imports and on operating are followed, and a wrong output is noticed', () => {
  expect(guides.map(({ name }) => name)).toEqual(expect.arrayContaining(['import.md', 'operating.md']));
  expect(agrees('Wrote a.db (… bytes).', 'Wrote a.db (4096 bytes).\n')).toBe(true);
  expect(agrees('Imported.', 'Imported. And more.')).toBe(false);
});

test.skipIf(noPython)('[DOCS-61] the guide on the HTTP API has a class in Python, which DOCS-2 follows', () => {
  const steps = guides.find(({ name }) => name === 'http-api.md')?.steps ?? [];
  expect(steps.filter((step) => step.kind === 'command' && isPython(step.command))).toHaveLength(1);
});

test('[DOCS-61] each request of a guide to the HTTP API is of an operation, and they hold a whole class', () => {
  const text = readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8').replaceAll('\\\n', ''))
    .join('\n');
  const requests = [...text.matchAll(/^(?: {4}|\$ )(.*curl .*?\$URL(\/[^\s"|)?]*).*)$/gm)];
  const names = requests.map(([, line = '', path = '']) => {
    const method = /-X ([A-Z]+)/.exec(line)?.[1] ?? (/ -d ["']\{| --data/.test(line) ? 'POST' : 'GET');
    return operationOf(method, path) ?? `${method} ${path}`;
  });
  expect(names.filter((name) => !Object.hasOwn(operations, name))).toEqual([]);
  const aClass = [
    'scheduleSession',
    'startSession',
    'checkIn',
    'putRecord',
    'updateRecords',
    'clearRecord',
    'endSession',
  ];
  expect(names).toEqual(expect.arrayContaining([...aClass, 'getSessionRegister', 'getCourseRegister']));
});

function operationOf(method: string, path: string): string | undefined {
  return Object.keys(paths).find((name) => {
    const place = placeOf(name as keyof typeof paths);
    return place.method === method && new RegExp(`^${place.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(path);
  });
}
