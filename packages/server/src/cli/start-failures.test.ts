import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { BIN, freshFolder, rollcall, startServer } from './rollcall.test.support.js';

const PRODUCTION = {
  NODE_ENV: 'production',
  ACCESS_TOKEN_SECRET: 'a-secret-of-the-tests-of-32-bytes',
  HOST: '127.0.0.1',
  LOG_LEVEL: 'fatal',
};
/** Whoever runs the tests; of root, who may do all, a user without rights. */
const USER = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** What a start that can't be says on standard error, as a user who is not root. */
async function failure(cwd: string, env: Record<string, string>): Promise<string> {
  const child = spawn(process.execPath, [BIN, 'serve', '--port', '0'], {
    cwd,
    env: { PATH: process.env['PATH'], ...PRODUCTION, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...USER,
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code] = await once(child, 'close');
  expect(code, said).toBe(1);
  return said;
}

test('[CONF-120] a MongoDB that can’t be opened is told with DATABASE_URL, or the variable it came from, and the cure', async () => {
  const folder = await freshFolder();
  const quick = '?serverSelectionTimeoutMS=200';
  const cases = [
    ['DATABASE_URL', 'mongodb+srv://db.invalid/school', /^rollcall: mongodb: .*db\.invalid: there is no such host/],
    ['MONGODB_URI', `mongodb://db.invalid/school${quick}`, /^rollcall: mongodb: .*db\.invalid: there is no such host/],
    ['MONGO_URI', `mongodb://127.0.0.1:1/school${quick}`, /^rollcall: mongodb: .*ECONNREFUSED.*: start the database/],
    ['DATABASE_URL', 'mongodb://127.0.0.1:1/school?nosuch=1', /^rollcall: mongodb: option nosuch is not supported/],
  ] as const;
  for (const [variable, uri, told] of cases) {
    const said = await failure(folder, { [variable]: uri });
    expect(said).toMatch(told);
    expect(said).toMatch(new RegExp(`\\(set by ${variable}\\)\\n$`));
    expect(said).not.toContain('HOST');
  }
});

test('[CONF-120] a SQLite file that can’t be opened is told with its path, what keeps it from it, and the variable', async () => {
  const folder = await freshFolder();
  await chmod(folder, 0o755);
  const path = (name: string) => join(folder, name);
  for (const name of ['folder', 'closed', 'ours']) await mkdir(path(name));
  await chmod(path('closed'), 0o500);
  for (const name of ['secret.db', 'fixed.db', 'ours/text.db']) await writeFile(path(name), 'no database '.repeat(200));
  if (USER.uid !== undefined) {
    for (const name of ['closed', 'ours', 'ours/text.db', 'secret.db', 'fixed.db']) {
      await chown(path(name), USER.uid, USER.gid);
    }
  }
  await chmod(path('secret.db'), 0o000);
  await chmod(path('fixed.db'), 0o400);
  const cases = [
    ['sqlite:folder', /folder is a folder: a database is a file in one \(set by DATABASE_URL\)/],
    ['sqlite:secret.db', /secret\.db may not be read by this user \(uid \d+\): give it to .* \(set by DATABASE_URL\)/],
    ['sqlite:fixed.db', /fixed\.db may not be written by this user .* \(set by DATABASE_URL\)/],
    ['sqlite:closed/new.db', /the folder \S+closed may not be written by this user .* \(set by DATABASE_URL\)/],
    ['sqlite:secret.db/x.db', /the folder of \S+ cannot be made: \S+secret\.db is a file, .* \(set by DATABASE_URL\)/],
    ['sqlite:ours/text.db', /text\.db: file is not a database .*\(set by DATABASE_URL\)/],
  ] as const;
  for (const [DATABASE_URL, told] of cases) {
    const said = await failure(folder, { DATABASE_URL });
    expect(said).toMatch(told);
    expect(said).not.toMatch(/ConnectionFailed|can't be told/);
  }
  expect(await failure(folder, { DATA_DIR: 'closed/data' })).toMatch(
    /^rollcall: the folder of .* cannot be made: .*\(set by DATA_DIR\)/,
  );
});

test('[CONF-120] a folder that the system never makes is told, and not tried for ever', async () => {
  expect(await failure(await freshFolder(), { DATA_DIR: '/dev/null/data' })).toMatch(
    /^rollcall: .*\(set by DATA_DIR\)/,
  );
  if (process.platform === 'linux') {
    expect(await failure(await freshFolder(), { DATA_DIR: '/proc/rollcall' })).toMatch(
      /^rollcall: the folder of \/proc\/rollcall\/rollcall\.db cannot be made: .*\(set by DATA_DIR\)\n$/,
    );
  }
});

test('[CONF-120] a development secret that can’t be kept is told with DATA_DIR', async () => {
  const folder = await freshFolder();
  const env = { DATABASE_URL: 'sqlite::memory:', DATA_DIR: '/dev/null/data' };
  const { code, stderr } = await rollcall(folder, ['serve', '--port', '0'], { ...env, LOG_LEVEL: 'fatal' });
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /\n {2}DATA_DIR: .*secret cannot be .*\/dev\/null\/data.*; take another, or set ACCESS_TOKEN_SECRET\n$/,
  );
});

test('[CONF-120] an address that is none of this machine is told with HOST', async () => {
  const folder = await freshFolder();
  await chmod(folder, 0o777);
  for (const HOST of ['192.0.2.1', 'nosuch.invalid', '[2001:db8::1]']) {
    expect(await failure(folder, { HOST })).toMatch(
      /^rollcall: \S+ is no address of this machine; name one with --host or HOST\n$/,
    );
  }
});

const hasIPv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

test.skipIf(!hasIPv6)(
  `[CONF-121] HOST takes an address of IPv6 with and without brackets${hasIPv6 ? '' : ' (needs IPv6)'}`,
  async () => {
    for (const HOST of ['[::1]', '::1']) {
      const server = await startServer(await freshFolder(), { ...PRODUCTION, HOST });
      expect((await fetch(`http://[::1]:${server.port}/healthz`)).status).toBe(200);
      await server.stop();
    }
  },
);
