// Removes compiled files whose source is gone: tests run from dist, and one that was deleted must not run on.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const packages = join(import.meta.dirname ?? '.', '..', 'packages');
for (const name of readdirSync(packages)) {
  const dist = join(packages, name, 'dist');
  if (!existsSync(dist)) continue;
  for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const compiled = /^(.*)\.(js|d\.ts)(\.map)?$/.exec(file);
    const source = compiled?.[1];
    if (source === undefined) continue;
    const sources = [`${source}.ts`, `${source}.tsx`].map((each) => join(packages, name, 'src', each));
    if (!sources.some((each) => existsSync(each))) rmSync(join(dist, file));
  }
}
