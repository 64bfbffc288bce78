// Holds SPEC.md against the tests: every rule is quoted by a test's title, and every quoted rule exists.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname ?? '.', '..');
const RULE = /\[([A-Z]{2,}-\d+)\]/g;

const rules = new Set(
  readFileSync(join(root, 'SPEC.md'), 'utf8')
    .split('\n')
    .flatMap((line) => /^- \[([A-Z]{2,}-\d+)\]/.exec(line)?.[1] ?? []),
);

const quotedIn = new Map();
for (const folder of ['packages', 'tests']) {
  let files;
  try {
    files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  } catch {
    continue;
  }
  for (const file of files) {
    if (/node_modules|dist\//.test(file) || !/(\.test\.tsx?|-contract\.ts|contract\.ts)$/.test(file)) continue;
    const text = readFileSync(join(root, folder, file), 'utf8');
    for (const [, rule] of text.matchAll(RULE)) quotedIn.set(rule, `${folder}/${file}`);
  }
}

const unknown = [...quotedIn].filter(([rule]) => !rules.has(rule));
const unproved = [...rules].filter((rule) => !quotedIn.has(rule));
for (const [rule, file] of unknown) console.error(`${file} quotes ${rule}, which SPEC.md doesn't have`);
if (unproved.length > 0) console.error(`no test quotes: ${unproved.join(' ')}`);
console.log(`${rules.size} rules, ${rules.size - unproved.length} of them quoted by tests`);
process.exitCode = unknown.length + unproved.length > 0 ? 1 : 0;
