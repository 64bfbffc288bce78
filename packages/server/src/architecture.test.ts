import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { environment, temporaryFolder } from './testing/server.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Rules of the import checker by the sentence of SPEC.md that they hold. */
const importRules = [
  [
    '[ARCH-1] features import the register, the storage port and the protocol, never each other',
    /features|register|pure-core/,
  ],
  ['[ARCH-2] only storage/open.ts knows which storage adapter is used', /adapters/],
  ['[ARCH-4] there are no import cycles', /no-cycles/],
  ['[ARCH-5] the protocol package does no I/O and runs in a browser', /browser|tests-stay-out/],
] as const;

interface Cruise {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: ReadonlyArray<{
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }>;
  };
}

let cruised: Promise<Cruise> | undefined;
function cruise(): Promise<Cruise> {
  cruised ??= run(
    process.execPath,
    [
      join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
      ...['--config', '.dependency-cruiser.cjs', '--output-type', 'json'],
      ...['protocol', 'client', 'server'].map((name) => `packages/${name}/src`),
    ],
    { cwd: root, maxBuffer: 64 * 1024 * 1024 },
  )
    .catch((failed: { stdout: string }) => failed)
    .then(({ stdout }) => JSON.parse(stdout) as Cruise);
  return cruised;
}

test.each(importRules)('%s', async (_title, names) => {
  const { summary } = await cruise();
  expect(summary.totalCruised).toBeGreaterThan(100);
  const broken = summary.violations.filter(({ rule }) => names.test(rule.name));
  expect(broken.map(({ from, to, rule }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
});

test('[ARCH-3] a server on SQLite loads no MongoDB code', async () => {
  const folder = await temporaryFolder();
  const script = `
    import { createRequire } from 'node:module';
    import { createRollcall, readConfig } from '@rollcall/server';
    const rollcall = createRollcall(readConfig(process.env));
    await rollcall.start();
    const { cache } = createRequire(import.meta.url);
    console.log(JSON.stringify(Object.keys(cache)));
    await rollcall.close();
  `;
  const env = { ...process.env, ...environment({ DATABASE_URL: `sqlite:${join(folder, 'a.db')}` }) };
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: root, env });
  const loaded = JSON.parse(stdout) as string[];
  expect(loaded.some((path) => path.includes('/node_modules/socket.io/'))).toBe(true);
  expect(loaded.filter((path) => /node_modules\/(mongoose|mongodb|bson)\//.test(path))).toEqual([]);
});

test('[ARCH-6] source files stay under about 400 lines', () => {
  const sources = ['protocol', 'client', 'server'].flatMap((name) => {
    const folder = join(root, 'packages', name, 'src');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    return files.filter((file) => /\.tsx?$/.test(file)).map((file) => join(folder, file));
  });
  expect(sources.length).toBeGreaterThan(50);
  const long = sources.filter((file) => readFileSync(file, 'utf8').split('\n').length > 450);
  expect(long).toEqual([]);
});

/** The first versions without holes that are known. */
const SAFE_VERSIONS = {
  'engine.io': '6.6.10',
  'socket.io-parser': '4.2.7',
  ws: '8.21.1',
  mongoose: '9.9.2',
} as const;

test.each(Object.entries(SAFE_VERSIONS))('[ARCH-7] every %s in the lockfile is at least %s', (name, least) => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string }>;
  };
  const versions = Object.entries(lock.packages)
    .filter(([path]) => path.endsWith(`node_modules/${name}`))
    .map(([, { version }]) => version ?? '');
  expect(versions.length).toBeGreaterThan(0);
  for (const version of versions) expect(compare(version, least)).toBeGreaterThanOrEqual(0);
});

function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (const part of [0, 1, 2]) {
    const difference = (left?.[part] ?? 0) - (right?.[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
