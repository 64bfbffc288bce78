import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { ROOT } from './transcript.js';

const text = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const unit = text('deploy/rollcall.service');
const command = text('deploy/rollcall-command');
const setting = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1];

test('[DOCS-140] the unit and the command beside it use the same user, environment and program', () => {
  expect(setting('DynamicUser')).toBeUndefined();
  expect(command).toContain(`\nuser=${setting('User')}\n`);
  expect(command).toContain(`\n${setting('Environment')}\n`);
  expect(command).toContain(`\n. ${setting('EnvironmentFile')}\n`);
  const [node, program] = setting('ExecStart')?.split(' ') ?? [];
  expect(command).toContain(`\nexec ${node} ${program} "$@"\n`);
  expect(program?.replace('/opt/rollcall/', '')).toBe('packages/server/bin/rollcall.js');
  expect(setting('StateDirectory')).toBe('rollcall');
  expect(setting('Environment')).toContain('DATA_DIR=/var/lib/rollcall');
});

test('[DOCS-140] the command beside the unit runs with the environment of the service', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-service-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const env = join(folder, 'rollcall.env');
  await writeFile(env, 'ACCESS_TOKEN_SECRET=0123456789abcdef0123456789abcdef\n');
  await writeFile(join(folder, 'school.json'), '{}');
  const here = command
    .replace('user=rollcall', `user=${userInfo().username}`)
    .replaceAll('/var/lib/rollcall', join(folder, 'data'))
    .replaceAll('/etc/rollcall.env', env)
    .replaceAll('/usr/bin/node', process.execPath)
    .replaceAll('/opt/rollcall', ROOT.replace(/[/]$/, ''));
  const file = join(folder, 'rollcall');
  await writeFile(file, here);
  await chmod(file, 0o755);
  const run = (...args: string[]) => promisify(execFile)(file, args, { cwd: folder });
  expect((await run('import', join(folder, 'school.json'))).stdout).toContain(
    `Imported into ${join(folder, 'data', 'rollcall.db')}`,
  );
  expect((await run('token', '--uid', 'ada')).stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
});
