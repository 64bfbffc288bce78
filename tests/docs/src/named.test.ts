import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { variableNames } from '../../../packages/server/dist/config/variables.js';
import { schoolRows } from '../../../packages/server/dist/school/school-rows.js';
import { Reader, ROOT } from './transcript.js';

const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const guide = (name: string): string => text(`docs/guides/${name}.md`);
const sources = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/\.test\.|(^|\/)testing\//.test(path))
    .map((path) => text(join(folder, path)));

test('[DOCS-3] the guide on imports names every field of every list', () => {
  const page = guide('import');
  for (const [list, schema] of Object.entries(schoolRows)) {
    const json = schema.toJSONSchema({ io: 'input' });
    const fields = Object.keys(json.properties ?? {});
    expect(fields.length, list).toBeGreaterThan(1);
    const rows = page.split('\n').filter((line) => line.startsWith('|'));
    const start = rows.findIndex((row) => row.startsWith(`| ${list} |`));
    const length = rows.slice(start + 1).findIndex((row) => !row.startsWith('| |'));
    const table = rows.slice(start, length === -1 ? undefined : start + 1 + length).join('\n');
    const unnamed = fields.filter((field) => !table.includes(`\`${field}\``));
    expect(unnamed, list).toEqual([]);
  }
});

test('[DOCS-3] the guide on embedding names every option of attachRollcall', () => {
  const declared = /export interface AttachOptions \{([\s\S]*?)^\}/m.exec(text('packages/server/src/attach.ts'))?.[1];
  const options = [...(declared ?? '').matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name);
  expect(options.length).toBeGreaterThan(8);
  const page = guide('embedding');
  expect(options.filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([]);
});

test('[DOCS-3] the guide on operating explains every message that is logged at info and above', () => {
  const all = sources('packages/server/src').join('\n');
  const logged = [
    ...all.matchAll(/(?:logger|warnings)\.(?:info|warn|error|fatal)\((?:\{[^}]*\},\s*)?'([^']+)'/g),
    ...all.matchAll(/onError\('([^']+)'/g),
  ].map(([, message]) => message ?? '');
  expect(logged.length).toBeGreaterThan(10);
  // One that takes its message from a variable would escape: those there are pass on what is found here.
  const passing = [...all.matchAll(/logger\.(?:info|warn|error|fatal)\((?:\{[^}]*\},\s*)?([a-z]\w*)\)/g)];
  expect(new Set(passing.map(([, name]) => name))).toEqual(new Set(['what', 'trouble']));
  const page = guide('operating');
  expect([...new Set(logged)].filter((message) => !page.includes(`| \`${message}\` |`))).toEqual([]);
  expect(page).toContain('| `… has a unique index …');
});

test('[DOCS-3] the guide on operating names every metric of Rollcall', () => {
  const metrics = sources('packages/server/src/observability')
    .join('\n')
    .matchAll(/name: '(rollcall_\w+)'/g);
  const names = [...metrics].map(([, name]) => name ?? '');
  expect(names.length).toBeGreaterThan(4);
  expect(names.filter((name) => !guide('operating').includes(`| \`${name}`))).toEqual([]);
});

const pages = (): string[] => [
  'README.md',
  ...readdirSync(join(ROOT, 'docs/guides')).map((name) => `docs/guides/${name}`),
];

test('[DOCS-4] every rollcall command of the documentation exists with its options', async () => {
  const reader = await Reader.sitDown();
  onTestFinished(() => reader.standUp());
  const help = new Map<string, string>();
  const wrong: string[] = [];
  let seen = 0;
  for (const page of pages()) {
    for (const [, command = '', rest = ''] of text(page).matchAll(
      /\brollcall (\w+)((?: +--?[a-z-]+(?: +[^-`\s|]\S*)?)*)/g,
    )) {
      if (!/^(serve|import|token|simulate|show|verify|export|backup|doctor|config)$/.test(command)) continue;
      seen += 1;
      if (!help.has(command)) help.set(command, await reader.run(`npx rollcall ${command} --help`));
      for (const option of rest.match(/--[a-z-]+/g) ?? []) {
        if (!help.get(command)?.includes(option)) wrong.push(`${page}: rollcall ${command} ${option}`);
      }
    }
  }
  expect(seen).toBeGreaterThan(15);
  expect(wrong).toEqual([]);
});

test('[DOCS-4] every variable that a deployment sets or a guide names is one that Rollcall reads', () => {
  const known = new Set<string>([...variableNames, 'NODE_ENV']);
  const compose = text('deploy/compose.yaml');
  const block = /^ {2}environment:\n((?: {4}\S.*\n)+)/m.exec(compose)?.[1] ?? '';
  const set = [...block.matchAll(/^ {4}(\w+):/gm)].map(([, name]) => name ?? '');
  const manifests = ['rollcall.yaml', 'secret.example.yaml'].flatMap((name) =>
    parseAllDocuments(text(`deploy/kubernetes/${name}`)).map((document) => document.toJS() as Manifest),
  );
  for (const { spec, stringData } of manifests) {
    set.push(...Object.keys(stringData ?? {}));
    for (const container of spec?.template?.spec.containers ?? []) set.push(...container.env.map(({ name }) => name));
  }
  const dockerfile = /^ENV (.*)$/m.exec(text('deploy/Dockerfile'))?.[1] ?? '';
  set.push(...[...dockerfile.matchAll(/(\w+)=/g)].map(([, name]) => name ?? ''));
  expect(set.length).toBeGreaterThan(8);
  expect(set.filter((name) => !known.has(name))).toEqual([]);

  const others = new Set(['ROLLCALL_TEST_REQUIRE', 'MONGODB_TEST_URI', 'NODE_OPTIONS', 'SQLITE_NOTADB']);
  const codes = new Set([...text('docs/reference/errors.md').matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code));
  const unknown = pages().flatMap((page) =>
    [...text(page).matchAll(/\b[A-Z]{2,}(?:_[A-Z]+)+\b/g)]
      .map(([name]) => name)
      .filter((name) => !known.has(name) && !codes.has(name) && !others.has(name))
      .map((name) => `${page}: ${name}`),
  );
  expect(unknown).toEqual([]);
});

interface Manifest {
  readonly stringData?: Record<string, string>;
  readonly spec?: { readonly template?: { readonly spec: { readonly containers: readonly Container[] } } };
}
interface Container {
  readonly env: ReadonlyArray<{ readonly name: string }>;
}
