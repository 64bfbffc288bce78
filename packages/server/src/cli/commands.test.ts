import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { describeVariables, envExample } from '../config/describe.js';
import { variableNames } from '../config/variables.js';
import { freshFolder, rollcall } from './rollcall.test.support.js';

const COMMANDS = ['serve', 'import', 'token', 'simulate', 'show', 'verify', 'backup', 'doctor', 'config'];
const SECRET = 'a-secret-of-the-tests-of-32-bytes';

test('[CLI-5] rollcall and each of its commands have help with examples', async () => {
  const folder = await freshFolder();
  const top = await rollcall(folder, ['--help']);
  expect(top.code).toBe(0);
  for (const command of COMMANDS) {
    expect(top.stdout).toMatch(new RegExp(`^ +${command} `, 'm'));
    const help = await rollcall(folder, [command, '--help']);
    expect(help.code).toBe(0);
    expect(help.stdout).toMatch(new RegExp(`^Usage: rollcall ${command}`));
    expect(help.stdout).toMatch(/Examples?:\n +rollcall /);
  }
});

test('[CLI-10] rollcall help is the help, of a command where one is named', async () => {
  const folder = await freshFolder();
  const [top, asked] = await Promise.all([rollcall(folder, ['--help']), rollcall(folder, ['help'])]);
  expect(asked).toEqual(top);
  expect(asked).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^Usage: rollcall /) });
  const [flag, word] = await Promise.all([rollcall(folder, ['token', '--help']), rollcall(folder, ['help', 'token'])]);
  expect(word).toEqual(flag);
  const [sing, help] = await Promise.all([rollcall(folder, ['sing']), rollcall(folder, ['help', 'sing'])]);
  expect(help).toEqual(sing);
  expect(help).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining("unknown command 'sing'\n") });
  expect(await rollcall(folder, ['sing', '--help'])).toEqual(sing);
  expect(await rollcall(folder, ['help', 'help'])).toEqual(top);
});

test('[CLI-5] the help of serve explains every variable', async () => {
  const { stdout } = await rollcall(await freshFolder(), ['serve', '--help']);
  expect(stdout).toContain(describeVariables(80));
});

test('[CLI-11] a help is wrapped once, at 80 columns where there is no terminal', async () => {
  const folder = await freshFolder();
  const linesOf = async (...args: string[]) => (await rollcall(folder, args)).stdout.split('\n');
  const tooLong = (line: string) => line.length > 80;
  expect((await linesOf('--help')).filter(tooLong)).toEqual([]);
  expect((await linesOf('config')).filter(tooLong)).toEqual([]);
  for (const command of COMMANDS) {
    const lines = await linesOf(command, '--help');
    expect(lines.filter(tooLong)).toEqual([]);
    // What it does stands below the usage. A line that has room for the next word was broken before it was wrapped.
    const paragraph = lines.slice(2, lines.indexOf('', 2));
    const early = paragraph.filter((line, index) => {
      const next = paragraph[index + 1]?.split(' ')[0];
      return next !== undefined && !tooLong(`${line} ${next}`);
    });
    expect(early).toEqual([]);
  }
});

test('[CLI-4] [CLI-12] wrong usage exits with 2, says what is wrong, and prints nothing on standard output', async () => {
  const folder = await freshFolder();
  const wrong = [
    [],
    ['sing'],
    ['serve', '--port', '70000'],
    ['serve', '--port', 'x'],
    ['serve', 'extra'],
    ['import'],
    ['import', 'a.json', '--nope'],
    ['token'],
    ['token', '--uid', ''],
    ['token', '--uid', 'a', '--expires', 'tomorrow'],
    ['token', '--uid', 'a', '--expires', '0s'],
    ['token', '--uid', 'a', '--expires', '-1h'],
    ['simulate', '--students', '0'],
    ['backup'],
    ['export', 'session', 'a'],
    ['export', 'session', 'a', '--format', 'nope'],
    ['export', 'session'],
  ];
  for (const args of wrong) {
    const outcome = await rollcall(folder, args);
    expect({ args, code: outcome.code, stdout: outcome.stdout }).toEqual({ args, code: 2, stdout: '' });
    // Without any command it is the help that is shown.
    expect(outcome.stderr).toMatch(args.length === 0 ? /^Usage: rollcall / : /^rollcall: \S/);
  }
});

test('[CLI-4] [CLI-12] a command that fails exits with 1 and one line without a stack', async () => {
  const folder = await freshFolder();
  const { code, stdout, stderr } = await rollcall(folder, ['import', 'missing.json']);
  expect({ code, stdout, stderr }).toEqual({
    code: 1,
    stdout: '',
    stderr: 'rollcall: missing.json: no such file or directory\n',
  });
});

test('[CLI-4] with LOG_LEVEL=debug a failure comes with its stack', async () => {
  const { code, stderr } = await rollcall(await freshFolder(), ['import', 'missing.json'], { LOG_LEVEL: 'debug' });
  expect(code).toBe(1);
  expect(stderr).toMatch(/\n +at /);
});

test('[CLI-2] token prints a token of the uid for 12 hours and nothing else', async () => {
  const folder = await freshFolder();
  const { code, stdout, stderr } = await rollcall(folder, ['token', '--uid', 'ada'], { ACCESS_TOKEN_SECRET: SECRET });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const { payload, protectedHeader } = await jwtVerify(stdout.trim(), new TextEncoder().encode(SECRET));
  expect(protectedHeader.alg).toBe('HS256');
  expect(payload).toMatchObject({ uid: 'ada', sub: 'ada' });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(12 * 3_600);
});

test('[CLI-2] token takes another duration, and in development the secret that it keeps', async () => {
  const folder = await freshFolder();
  const tokens = await Promise.all(
    ['90s', '1.5h', '7d'].map((expires) => rollcall(folder, ['token', '--uid', 'bo', '--expires', expires])),
  );
  const lives = tokens.map(({ stdout }) => decodeJwt(stdout)).map(({ exp = 0, iat = 0 }) => exp - iat);
  expect(lives).toEqual([90, 5_400, 604_800]);
  // In the wrong folder, it would be of another secret than the server's.
  for (const { stderr } of tokens) {
    expect(stderr).toMatch(/^rollcall: there is no \S+rollcall\.db: a server that runs elsewhere, .*\n$/);
  }
});

test('[CLI-2] token takes the claims of which a server may make a user', async () => {
  const claims = ['--role', 'student', '--name', 'Kim Lee'];
  const { stdout, stderr } = await rollcall(await freshFolder(), ['token', '--uid', 'kim', ...claims]);
  expect(decodeJwt(stdout)).toMatchObject({ uid: 'kim', sub: 'kim', role: 'student', name: 'Kim Lee' });
  expect(stderr).toBe('');
});

test('[CLI-2] token says on standard error when the database has no such user, and prints the token alone', async () => {
  const folder = await freshFolder();
  await writeFile(join(folder, 'school.json'), JSON.stringify({ admins: [{ uid: 'root', name: 'Office' }] }));
  expect((await rollcall(folder, ['import', 'school.json'])).code).toBe(0);
  const stranger = await rollcall(folder, ['token', '--uid', 'nobody']);
  expect(stranger).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/) });
  expect(stranger.stderr).toBe('rollcall: the database has no user "nobody": the server will refuse the token\n');
  expect(await rollcall(folder, ['token', '--uid', 'root'])).toMatchObject({ code: 0, stderr: '' });
  const made = await rollcall(folder, ['token', '--uid', 'nobody'], { PROVISION_FROM_TOKEN: 'true' });
  expect(made).toMatchObject({ code: 0, stderr: '' });
});

test('[CLI-4] an unknown option is named, also where a required one is missing for it', async () => {
  const { code, stderr } = await rollcall(await freshFolder(), ['token', '--udi', 'ada']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^rollcall: unknown option '--udi'\n/);
});

test('[CLI-2] token fails where only an identity provider signs', async () => {
  const { code, stdout, stderr } = await rollcall(await freshFolder(), ['token', '--uid', 'ada'], {
    JWKS_URL: 'https://id.example/keys',
  });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/no ACCESS_TOKEN_SECRET/);
});

test('[CONF-9] a .env file is read in development only', async () => {
  const folder = await freshFolder();
  await writeFile(join(folder, '.env'), `ACCESS_TOKEN_SECRET=${SECRET}\n`);
  const development = await rollcall(folder, ['token', '--uid', 'ada']);
  expect(development.code).toBe(0);
  await jwtVerify(development.stdout.trim(), new TextEncoder().encode(SECRET));
  const production = await rollcall(folder, ['token', '--uid', 'ada'], { NODE_ENV: 'production' });
  expect(production.code).toBe(1);
  expect(production.stderr).toMatch(/ACCESS_TOKEN_SECRET: is required in production/);
});

test('[CONF-10] a variable of the environment comes before the one of the .env file', async () => {
  const folder = await freshFolder();
  await writeFile(join(folder, '.env'), 'ACCESS_TOKEN_SECRET=of-the-file-and-it-is-long-enough\n');
  const { stdout } = await rollcall(folder, ['token', '--uid', 'ada'], { ACCESS_TOKEN_SECRET: SECRET });
  await jwtVerify(stdout.trim(), new TextEncoder().encode(SECRET));
});

test('[CONF-1] config names every bad variable and exits with 1, and is content with a good environment', async () => {
  const folder = await freshFolder();
  const bad = await rollcall(folder, ['config'], { CHAT_PORT: 'x', MAX_MINUTES: 'y' });
  expect(bad.code).toBe(1);
  expect(bad.stderr).toMatch(/CHAT_PORT: .*\n +MAX_MINUTES: /);
  const good = await rollcall(folder, ['config']);
  expect(good.code).toBe(0);
  expect(good.stdout).toContain(describeVariables(80));
});

test('[CONF-123] config tells each value in force and where it comes from, and no secret', async () => {
  const folder = await freshFolder();
  await writeFile(join(folder, '.env'), 'CHAT_PORT=5000\nMAX_MINUTES=90\nMETRICS_TOKEN=hush-metrics\n');
  const env = {
    ACCESS_TOKEN_SECRET: 'hush-secret',
    CHAT_PORT: '6000',
    DATABASE_URL: 'mongodb://ada:hush-db@db.example/school?authSource=admin&tlsCertificateKeyFilePassword=hush-tls',
    REDIS_URL: 'rediss://:hush@redis/hush-redis@redis.example:6380',
    JWKS_URL: 'https://ada:hush-jwks@id.example/keys',
    HOST: '',
  };
  const { code, stdout, stderr } = await rollcall(folder, ['config'], env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).not.toContain('hush');
  const lines = stdout.slice(stdout.indexOf('In force')).split('\n');
  for (const line of [
    '  CHAT_PORT=6000 (environment)',
    '  MAX_MINUTES=90 (.env)',
    '  INACTIVITY_MINUTES=30 (default)',
    '  HOST=127.0.0.1 (default)',
    '  ACCESS_TOKEN_SECRET=(hidden) (environment)',
    '  METRICS_TOKEN=(hidden) (.env)',
    '  DATABASE_URL=mongodb://…@db.example/school?authSource=admin&tlsCertificateKeyFilePassword=… (environment)',
    '  REDIS_URL=rediss://…@redis.example:6380 (environment)',
    '  JWKS_URL=https://…@id.example/keys (environment)',
    '  PUBLIC_URL is not set',
  ]) {
    expect(lines).toContain(line);
  }
  for (const name of variableNames)
    expect(
      lines.filter((line) => line.startsWith(`  ${name}`) && !/\w/.test(line[name.length + 2] ?? '')),
    ).toHaveLength(1);
  const plain = await rollcall(folder, ['config'], { DATA_DIR: 'here' });
  expect(plain.stdout).toContain(`  DATABASE_URL=sqlite:${join(folder, 'here', 'rollcall.db')} (default)\n`);
});

test('[CONF-124] config names variables that look like misspelt ones', async () => {
  const folder = await freshFolder();
  await writeFile(join(folder, '.env'), 'LOGLEVEL=info\n');
  const env = {
    PORT: '80',
    CHECKIN: 'code',
    CORS_ORIGINS: '*',
    DATBASE_URL: 'sqlite::memory:',
    ACCES_TOKEN_SERCET: 'x',
    JWT_SECRET: 'x',
    ROLLCALL_HOST: 'x',
    // Of other programs.
    HOSTNAME: 'x',
    DB_HOST: 'x',
    POST: 'x',
    NODE_PATH: '',
    LANG: 'C',
    LOGNAME: 'x',
  };
  const { code, stderr } = await rollcall(folder, ['config'], env);
  expect(code).toBe(0);
  const meant = [...stderr.matchAll(/^rollcall: (\S+) is no variable of Rollcall: is (\S+) meant\?$/gm)];
  expect(Object.fromEntries(meant.map(([, given, name]) => [given, name]))).toEqual({
    PORT: 'CHAT_PORT',
    CHECKIN: 'CHECK_IN',
    CORS_ORIGINS: 'CORS_ORIGIN',
    DATBASE_URL: 'DATABASE_URL',
    ACCES_TOKEN_SERCET: 'ACCESS_TOKEN_SECRET',
    JWT_SECRET: 'ACCESS_TOKEN_SECRET',
    ROLLCALL_HOST: 'HOST',
    LOGLEVEL: 'LOG_LEVEL',
  });
});

test('[CONF-15] [CONF-16] config warns of what can be used and is hardly meant', async () => {
  const folder = await freshFolder();
  const warnings = async (env: NodeJS.ProcessEnv) => {
    const { code, stdout, stderr } = await rollcall(folder, ['config'], env);
    expect({ code, valid: stdout.endsWith('\nThe configuration is valid.\n') }).toEqual({ code: 0, valid: true });
    return stderr;
  };
  const mode = 'rollcall: NODE_ENV is not production, development or test: this is development mode\n';
  expect(await warnings({ NODE_ENV: 'staging' })).toBe(mode);
  expect(await warnings({ NODE_ENV: 'Production' })).toBe(mode);
  const database = 'rollcall: the URI of MongoDB names no database: the one called test is used\n';
  expect(await warnings({ DATABASE_URL: 'mongodb://db.example' })).toBe(database);
  expect(await warnings({ MONGO_URI: 'mongodb+srv://ada:x@db.example/?w=1', NODE_ENV: 'x' })).toBe(mode + database);
});

test('[CONF-13] config --example prints .env.example', async () => {
  const { code, stdout } = await rollcall(await freshFolder(), ['config', '--example']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: envExample() });
});

test.each<{ what: string; args: string[]; env: NodeJS.ProcessEnv; cause: RegExp; cure: RegExp }>([
  {
    what: 'a database that is not there',
    args: ['show', 'session-1'],
    env: {},
    cause: /there is no database at \S+rollcall\.db: /,
    cure: /set DATABASE_URL or DATA_DIR as the server has them/,
  },
  {
    what: 'a database in memory',
    args: ['verify'],
    env: { DATABASE_URL: 'sqlite::memory:' },
    cause: /DATABASE_URL names a database in memory/,
    cure: /set it to a file or to MongoDB/,
  },
  {
    what: 'a backup of a MongoDB',
    args: ['backup', 'copy.db'],
    env: { DATABASE_URL: 'mongodb://db.example/school' },
    cause: /this database is MongoDB, and backup copies SQLite alone/,
    cure: /use mongodump/,
  },
  {
    what: 'a simulation without a server',
    args: ['simulate', '--url', 'http://127.0.0.1:1'],
    env: {},
    cause: /no server answers at http:\/\/127\.0\.0\.1:1;/,
    cure: /start one with `rollcall serve`, or name it with --url/,
  },
  {
    what: 'a token of an identity provider',
    args: ['token', '--uid', 'ada'],
    env: { JWKS_URL: 'https://id.example/keys' },
    cause: /there is no ACCESS_TOKEN_SECRET to sign with/,
    cure: /take a token from the provider of JWKS_URL, or set a secret/,
  },
])(
  '[CLI-149] of $what the one line that is printed names the cause and the cure',
  async ({ args, env, cause, cure }) => {
    const { code, stdout, stderr } = await rollcall(await freshFolder(), args, env);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^rollcall: .*\n$/);
    expect(stderr).toMatch(cause);
    expect(stderr).toMatch(cure);
  },
);

test('[CLI-144] a control character of the command line is spelt out where it is repeated', async () => {
  const { code, stderr } = await rollcall(await freshFolder(), ['show', 'a', '--\u001b[31mred\u009b1m']);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringMatching(/^rollcall: unknown option '--\\u001b\[31mred\\u009b1m'\n/),
  });
});
