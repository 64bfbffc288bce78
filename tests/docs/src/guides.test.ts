import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { agrees, Reader, ROOT, stepsOf } from './transcript.js';

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
    else {
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
