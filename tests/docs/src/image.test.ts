import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './transcript.js';

test('[DOCS-10] what the image copies and starts is there, and what it needs is let in', () => {
  const text = readFileSync(join(ROOT, 'deploy/Dockerfile'), 'utf8');
  const copied = [...text.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '));
  expect(copied.length).toBeGreaterThan(4);
  const letIn = readFileSync(join(ROOT, 'deploy/Dockerfile.dockerignore'), 'utf8').split('\n');
  for (const path of copied) {
    expect(existsSync(join(ROOT, path)), path).toBe(true);
    expect(letIn, path).toContain(`!${path.split('/')[0]}`);
  }
  const entry = /^ENTRYPOINT \["node", "(.*)"\]$/m.exec(text)?.[1] ?? '';
  expect(existsSync(join(ROOT, entry))).toBe(true);
  const workspaces = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { workspaces: string[] })
    .workspaces;
  for (const each of workspaces) {
    expect(copied, each).toContain(`${each}/package.json`);
    expect(text, each).toContain(`COPY --from=build /app/${each} ${each}`);
  }
});
