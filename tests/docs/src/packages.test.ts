import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from './transcript.js';

const run = promisify(execFile);
const NAMES = ['protocol', 'client', 'server'] as const;
const INSTALL_MS = 300_000;

let folder: string;
let tarballs: Record<string, string>;

/** Packs the three packages as a release would, and unpacks each into a folder of its own. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollcall-packages-'));
  const workspaces = NAMES.flatMap((name) => ['-w', `packages/${name}`]);
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder, ...workspaces], {
    cwd: ROOT,
    maxBuffer: 16 * 1024 * 1024,
  });
  const packed = JSON.parse(stdout) as Array<{ name: string; filename: string }>;
  tarballs = Object.fromEntries(packed.map(({ name, filename }) => [name, join(folder, filename)]));
  for (const name of NAMES) {
    await mkdir(join(folder, name));
    await run('tar', ['-xzf', tarballs[`@rollcall/${name}`] ?? '', '-C', join(folder, name), '--strip-components=1']);
  }
}, INSTALL_MS);

afterAll(() => rm(folder, { recursive: true, force: true }));

async function filesOf(name: string): Promise<string[]> {
  const { stdout } = await run('tar', ['-tzf', tarballs[`@rollcall/${name}`] ?? '']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.replace(/^package\//, ''));
}

test.each(NAMES)(
  '[DOCS-141] the tarball of %s has its licence and its README, and all that it exports',
  async (name) => {
    const files = await filesOf(name);
    expect(files).toEqual(expect.arrayContaining(['package.json', 'LICENSE', 'README.md']));
    const text = (path: string) => readFileSync(join(folder, name, path), 'utf8');
    expect(text('LICENSE')).toBe(readFileSync(join(ROOT, 'LICENSE'), 'utf8'));
    const { exports, bin = {} } = JSON.parse(text('package.json')) as {
      exports: Record<string, { types: string; default: string }>;
      bin?: Record<string, string>;
    };
    const entries = [...Object.values(exports).flatMap((entry) => Object.values(entry)), ...Object.values(bin)];
    expect(entries.filter((path) => !existsSync(join(folder, name, path)))).toEqual([]);
  },
);

test.each(NAMES)('[DOCS-141] the tarball of %s has no test and nothing that only tests use', async (name) => {
  const needless = /\.test\.|\.test-|(^|\/)(testing|contract|end-to-end)\/|\.tsbuildinfo$|\.py$/;
  expect((await filesOf(name)).filter((file) => needless.test(file))).toEqual([]);
});

test.each(NAMES)('[DOCS-141] every source map in the tarball of %s has its source', async (name) => {
  const maps = (await filesOf(name)).filter((file) => file.endsWith('.map'));
  expect(maps.length).toBeGreaterThan(10);
  for (const path of maps) {
    const { sources, sourcesContent = [] } = JSON.parse(readFileSync(join(folder, name, path), 'utf8')) as {
      sources: string[];
      sourcesContent?: string[];
    };
    expect(
      sourcesContent.filter((source) => source !== ''),
      path,
    ).toHaveLength(sources.length);
  }
});

const CLASS = `
import { connect } from '@rollcall/client';
import { errorRegistry, parseClientEvent } from '@rollcall/protocol';
import { asyncApiDocument } from '@rollcall/protocol/asyncapi';
import { clientExamples } from '@rollcall/protocol/examples';
import { referencePages } from '@rollcall/protocol/reference';
import { attachRollcall } from '@rollcall/server';

parseClientEvent('markStudentPresent', { session_id: 'session-1', student_id: 'student-1' });
for (const thing of [errorRegistry, asyncApiDocument(), clientExamples, referencePages()]) JSON.stringify(thing);
const [url, teacherToken, studentToken] = process.argv.slice(2);
const teacher = connect({ url, token: () => teacherToken });
const student = connect({ url, token: () => studentToken });
const session = await teacher.openSession('session-of-the-test', { start: {} });
const own = await student.joinSession('session-of-the-test');
await session.markPresent(own.own.student_id);
const { finalData } = await session.end();
console.log(JSON.stringify({ present: finalData.statistics.presentCount, attach: typeof attachRollcall }));
teacher.close();
student.close();
`;

const TYPES = `
import { connect } from '@rollcall/client';
import { RollcallError, type SessionId } from '@rollcall/protocol';
import { attachRollcall, type AttachOptions } from '@rollcall/server';
import { Server } from 'socket.io';

const options: AttachOptions = { database: 'sqlite::memory:', secret: 'x' };
export const attached = attachRollcall(new Server(), options);
export const client: ReturnType<typeof connect> = connect({ url: 'http://localhost:4002', token: () => '' });
export const error: Error = new RollcallError('UNAUTHENTICATED');
export const id = 'session-1' as SessionId;
`;

test(
  '[DOCS-142] the tarballs install into an empty folder, where the server, the client and the protocol work',
  async () => {
    const app = join(folder, 'app');
    await mkdir(app);
    await writeFile(join(app, 'package.json'), '{ "name": "app", "private": true, "type": "module" }');
    const quiet = ['--no-audit', '--no-fund', '--prefer-offline'];
    await run('npm', ['install', ...quiet, ...Object.values(tarballs)], { cwd: app, timeout: INSTALL_MS });
    await writeFile(join(app, 'class.mjs'), CLASS);
    await writeFile(join(app, 'types.ts'), TYPES);

    const bin = join(app, 'node_modules', '.bin', 'rollcall');
    const env = { PATH: process.env['PATH'], LOG_LEVEL: 'warn' };
    const server = spawn(process.execPath, [bin, 'serve', '--port', '0'], { cwd: app, env });
    const closed = once(server, 'close');
    try {
      let printed = '';
      server.stdout.on('data', (data: Buffer) => {
        printed += data.toString();
      });
      await expect.poll(() => printed, { timeout: 60_000 }).toMatch(/student123 \(.*\): \S+\n/);
      const url = /ws(:\S+)/.exec(printed)?.[1] ?? '';
      // The snippet has the teacher's token first, then the student's.
      const [ada = '', bo = ''] = Array.from(printed.matchAll(/auth: \{ token: '([^']+)'/g), ([, token = '']) => token);
      for (const page of ['/api/v1/docs/', '/api/v1/docs/swagger-ui-bundle.js', '/sign-in']) {
        expect((await fetch(`http${url}${page}`)).status, page).toBe(200);
      }
      const { stdout } = await run(process.execPath, ['class.mjs', `http${url}`, ada, bo], { cwd: app });
      expect(JSON.parse(stdout)).toEqual({ present: 1, attach: 'function' });
      const shown = await run(process.execPath, [bin, 'show', 'session-of-the-test'], { cwd: app, env });
      expect(shown.stdout).toMatch(/Bo Lind +present/);
    } finally {
      server.kill('SIGTERM');
      await closed;
    }

    const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--skipLibCheck'];
    const types = ['--typeRoots', join(ROOT, 'node_modules', '@types'), '--types', 'node'];
    await run(process.execPath, [compiler, ...strict, ...types, 'types.ts'], { cwd: app }).catch((error) => {
      throw new Error(error.stdout);
    });
  },
  INSTALL_MS,
);
