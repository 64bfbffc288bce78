import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'dotenv';
import { expect, onTestFinished, test } from 'vitest';
import { ConfigError, readConfig } from './config.js';
import { envExample } from './describe.js';
import { ensureSecret } from './secret.js';
import { variableNames } from './variables.js';
import { warnOfDatabase, warnOfMode } from './warnings.js';

const SECRET = 'x'.repeat(32);

function problemsOf(env: NodeJS.ProcessEnv): string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ variable }) => variable).sort();
    throw error;
  }
  return [];
}

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-config-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('[CONF-1] every bad variable is named at once', () => {
  const bad = {
    NODE_ENV: 'production',
    ACCESS_TOKEN_SECRET: 'short',
    CHAT_PORT: '65536',
    HOST: 'a b',
    CORS_ORIGIN: 'https://a.example,b.example/path',
    PUBLIC_URL: 'rollcall.example',
    JWT_ISSUER: 'https://id.example',
    PROVISION_FROM_TOKEN: 'maybe',
    DATABASE_URL: 'postgres://db.example/x',
    REDIS_URL: 'redis://redis.example',
    LOG_LEVEL: 'loud',
    LOG_FORMAT: 'xml',
    CHECK_IN: 'closed',
    CODE_SECONDS: '0',
    AUTO_MARK: 'yes please',
    LATE_AFTER_MINUTES: '-1',
    VISIBILITY: 'secret',
    INACTIVITY_MINUTES: 'ten',
    MAX_MINUTES: '1e3',
    RATE_LIMIT_TEACHER_PER_SECOND: '-5',
    RATE_LIMIT_STUDENT_PER_SECOND: 'NaN',
    FINAL_DATA_RECORDS: '1.5',
  };
  const { NODE_ENV: _, ...variables } = bad;
  expect(problemsOf(bad)).toEqual(Object.keys(variables).sort());
  expect(() => readConfig(bad)).toThrow(/CHAT_PORT: must be a port from 0 to 65535, but is "65536"/);
});

test.each([
  'https://a.example/?q=1',
  'https://a.example/#top',
  'ftp://a.example',
  'https://me:secret@a.example',
  'https://a b.example',
])('[CONF-1] PUBLIC_URL=%s is refused: paths are put behind it', (PUBLIC_URL) => {
  expect(problemsOf({ PUBLIC_URL })).toEqual(['PUBLIC_URL']);
});

test('[CONF-1] what this version cannot do is refused by name, not ignored', () => {
  expect(() => readConfig({ REDIS_URL: 'redis://redis.example' })).toThrow(/REDIS_URL: has no use with SQLite/);
});

test('[CONF-2] production needs ACCESS_TOKEN_SECRET or JWKS_URL', () => {
  expect(problemsOf({ NODE_ENV: 'production' })).toEqual(['ACCESS_TOKEN_SECRET']);
  expect(problemsOf({ NODE_ENV: 'production', ACCESS_TOKEN_SECRET: '' })).toEqual(['ACCESS_TOKEN_SECRET']);
  expect(problemsOf({ NODE_ENV: 'production', JWKS_URL: 'https://id.example/keys' })).toEqual([]);
  expect(problemsOf({ NODE_ENV: 'production', ACCESS_TOKEN_SECRET: SECRET })).toEqual([]);
  expect(problemsOf({})).toEqual([]);
});

test('[CONF-3] a secret of production has at least 32 bytes, counted as UTF-8', () => {
  const production = (ACCESS_TOKEN_SECRET: string) => problemsOf({ NODE_ENV: 'production', ACCESS_TOKEN_SECRET });
  expect(production('x'.repeat(31))).toEqual(['ACCESS_TOKEN_SECRET']);
  expect(production('é'.repeat(15))).toEqual(['ACCESS_TOKEN_SECRET']);
  expect(production('é'.repeat(16))).toEqual([]);
  expect(
    problemsOf({ NODE_ENV: 'production', ACCESS_TOKEN_SECRET: 'short', JWKS_URL: 'https://id.example/keys' }),
  ).toEqual(['ACCESS_TOKEN_SECRET']);
  expect(readConfig({ ACCESS_TOKEN_SECRET: ' spaces count ' }).secret).toBe(' spaces count ');
});

test('[CONF-4] the port is 4002 unless CHAT_PORT says otherwise', () => {
  expect(readConfig({}).port).toBe(4002);
  expect(readConfig({ CHAT_PORT: '' }).port).toBe(4002);
  expect(readConfig({ CHAT_PORT: ' 0 ' }).port).toBe(0);
});

test('[CONF-5] the host is 127.0.0.1 in development and 0.0.0.0 in production', () => {
  expect(readConfig({}).host).toBe('127.0.0.1');
  expect(readConfig({ NODE_ENV: 'production', ACCESS_TOKEN_SECRET: SECRET }).host).toBe('0.0.0.0');
  expect(readConfig({ HOST: '::1' }).host).toBe('::1');
});

test('[CONF-7] DATABASE_URL takes the four forms, and is a file in DATA_DIR by default', () => {
  const database = (env: NodeJS.ProcessEnv) => readConfig(env).database;
  expect(database({})).toEqual({ kind: 'sqlite', path: resolve('data', 'rollcall.db') });
  expect(database({ DATA_DIR: '/srv/school' })).toEqual({ kind: 'sqlite', path: '/srv/school/rollcall.db' });
  expect(database({ DATABASE_URL: 'sqlite:/srv/a.db' })).toEqual({ kind: 'sqlite', path: '/srv/a.db' });
  expect(database({ DATABASE_URL: 'sqlite:a.db' })).toEqual({ kind: 'sqlite', path: resolve('a.db') });
  expect(database({ DATABASE_URL: 'sqlite::memory:' })).toEqual({ kind: 'sqlite', path: ':memory:' });
  for (const uri of ['mongodb://db.example/school', 'mongodb+srv://db.example/school']) {
    expect(database({ DATABASE_URL: uri })).toEqual({ kind: 'mongodb', uri });
  }
  for (const DATABASE_URL of ['sqlite:', 'sqlite://a.db', 'a.db', 'mongodb://']) {
    expect(problemsOf({ DATABASE_URL })).toEqual(['DATABASE_URL']);
  }
});

test('[CONF-8] MONGODB_URI and MONGO_URI name a MongoDB, after DATABASE_URL', () => {
  const uri = 'mongodb://db.example/school';
  expect(readConfig({ MONGODB_URI: uri }).database).toEqual({ kind: 'mongodb', uri });
  expect(readConfig({ MONGO_URI: uri }).database).toEqual({ kind: 'mongodb', uri });
  expect(readConfig({ MONGO_URI: 'mongodb://other.example', MONGODB_URI: uri }).database).toEqual({
    kind: 'mongodb',
    uri,
  });
  expect(readConfig({ MONGO_URI: uri, DATABASE_URL: 'sqlite::memory:' }).database.kind).toBe('sqlite');
  expect(problemsOf({ MONGODB_URI: 'sqlite:a.db', MONGO_URI: 'x' })).toEqual(['MONGODB_URI', 'MONGO_URI']);
});

test('[CONF-11] CORS_ORIGIN is a list, else the same origin, in development also localhost', () => {
  expect(readConfig({}).corsOrigins).toBe('localhost');
  expect(readConfig({ NODE_ENV: 'production', ACCESS_TOKEN_SECRET: SECRET }).corsOrigins).toBe('same-origin');
  expect(readConfig({ CORS_ORIGIN: 'https://a.example/, capacitor://localhost ,' }).corsOrigins).toEqual([
    'https://a.example',
    'capacitor://localhost',
  ]);
});

test('[CONF-122] origins of CORS_ORIGIN are normalised, and one that no page can have is refused', () => {
  expect(
    readConfig({ CORS_ORIGIN: 'HTTPS://A.Example:443/, http://a.example:80,https://BÜCHER.example,*,file://' })
      .corsOrigins,
  ).toEqual(['https://a.example', 'http://a.example', 'https://xn--bcher-kva.example', '*', 'file://']);
  for (const CORS_ORIGIN of ['https://*.school.example', 'https://app-*.school.example:8443', 'http://[::1]:5173']) {
    expect(readConfig({ CORS_ORIGIN }).corsOrigins).toEqual([CORS_ORIGIN]);
  }
  const never = [
    'school.example',
    'localhost:5173',
    'https:school.example',
    'https://school.example/app',
    'https://school.example/*',
    'https://school.example//',
    'https://school.example?x',
    'https://school.example#x',
    'https://me@school.example',
    'https://',
    'https:///school.example',
    'https://a b.example',
    'https://school.example:99999',
    'https://school.example:*',
    'https://*',
    'https://**.school.example',
    'https://*-*.school.example',
    'https://app.*.example',
    'https://*.*.example',
    '*.school.example',
    '*://school.example',
    'wss://school.example',
    'ws://school.example',
    'ftp://school.example',
    'file:///srv/page.html',
    'null',
    '**',
    ',',
  ];
  for (const wrong of never) {
    expect(problemsOf({ CORS_ORIGIN: wrong }), wrong).toEqual(['CORS_ORIGIN']);
    expect(problemsOf({ CORS_ORIGIN: `https://a.example,${wrong}` }), wrong).toEqual(
      wrong === ',' ? [] : ['CORS_ORIGIN'],
    );
  }
});

test('[CONF-12] the policy of sessions has its documented defaults', () => {
  expect(readConfig({}).policy).toEqual({
    check_in: 'open',
    auto_mark: false,
    late_after_minutes: 10,
    visibility: 'participants',
    inactivity_minutes: 30,
    max_minutes: 300,
  });
  expect(
    readConfig({
      AUTO_MARK: 'TRUE',
      LATE_AFTER_MINUTES: '0.5',
      VISIBILITY: 'private',
      INACTIVITY_MINUTES: '0',
      MAX_MINUTES: '90.25',
    }).policy,
  ).toMatchObject({
    auto_mark: true,
    late_after_minutes: 0.5,
    visibility: 'private',
    inactivity_minutes: 0,
    max_minutes: 90.25,
  });
  const config = readConfig({ RATE_LIMIT_STUDENT_PER_SECOND: '0' });
  expect(config.rateLimits).toEqual({ teacherPerSecond: 500, studentPerSecond: 0 });
  expect(config.finalDataRecords).toBe(1000);
});

test('[CONF-13] .env.example lists every variable, is current, and changes nothing when copied', async () => {
  const text = await readFile(new URL('../../../../.env.example', import.meta.url), 'utf8');
  expect(text, 'run `rollcall config --example > .env.example`').toBe(envExample());
  for (const name of variableNames) expect(text).toMatch(new RegExp(`^#${name}=`, 'm'));
  expect(parse(text)).toEqual({});
  // Each default is a value of its variable: switched on as they stand, the lines change nothing either.
  const uncommented = parse(text.replaceAll(/^#(?=[A-Z_]+=)/gm, ''));
  expect(Object.keys(uncommented)).toEqual(variableNames);
  expect(readConfig(uncommented)).toEqual(readConfig({}));
});

test('[CONF-14] no secret is part of a message', () => {
  const hidden = 'hush-hush';
  const bad = {
    NODE_ENV: 'production',
    ACCESS_TOKEN_SECRET: hidden,
    DATABASE_URL: `postgres://user:${hidden}@db.example`,
    MONGODB_URI: `user:${hidden}@db.example`,
    REDIS_URL: `redis://:${hidden}@redis.example`,
    JWKS_URL: `ftp://user:${hidden}@id.example`,
    CORS_ORIGIN: `https://a.example,https://user:${hidden}@b.example`,
    PUBLIC_URL: `https://user:a/${hidden}@b@app.example`,
  };
  expect(problemsOf(bad).sort()).toEqual(Object.keys(bad).slice(1).sort());
  let message = '';
  try {
    readConfig(bad);
  } catch (error) {
    message = String(error);
  }
  expect(message).toContain('DATABASE_URL: must be');
  expect(message).not.toContain(hidden);
});

test('[CONF-1] the configuration is frozen through and through', () => {
  const config = readConfig({ CORS_ORIGIN: 'https://a.example' });
  for (const part of [config, config.policy, config.database, config.rateLimits, config.log, config.corsOrigins]) {
    expect(Object.isFrozen(part)).toBe(true);
  }
});

test('[DEV-1] development mode is on without production and without a key of its own', () => {
  expect(readConfig({}).development).toBe(true);
  expect(readConfig({ NODE_ENV: 'test' }).development).toBe(true);
  expect(readConfig({ ACCESS_TOKEN_SECRET: 'any' }).development).toBe(false);
  expect(readConfig({ JWKS_URL: 'https://id.example/keys' }).development).toBe(false);
  expect(readConfig({ NODE_ENV: 'production', ACCESS_TOKEN_SECRET: SECRET }).development).toBe(false);
});

test('[CONF-15] NODE_ENV is production, development, test or nothing, and any other word is warned of', () => {
  const warned = (NODE_ENV?: string) => {
    const warnings: string[] = [];
    const config = readConfig(NODE_ENV === undefined ? {} : { NODE_ENV, ACCESS_TOKEN_SECRET: SECRET });
    warnOfMode(config, { warn: (message) => warnings.push(message) });
    expect(warnings.length === 0 || config.mode === 'development').toBe(true);
    return warnings.length;
  };
  for (const word of ['production', ' production ', 'development', 'test', '', undefined]) expect(warned(word)).toBe(0);
  for (const word of ['prod', 'Production', 'staging']) expect(warned(word)).toBe(1);
});

test('[CONF-16] a URI of MongoDB without a database is warned of', () => {
  const warned = (DATABASE_URL: string) => {
    const warnings: string[] = [];
    warnOfDatabase(readConfig({ DATABASE_URL }).database, { warn: (message) => warnings.push(message) });
    return warnings.length;
  };
  for (const host of ['mongodb://db.example', 'mongodb+srv://ada:x@db.example', 'mongodb://a.example:1,b.example:2']) {
    for (const end of ['', '/', '/?replicaSet=rs/0', '?w=1']) expect(warned(host + end), host + end).toBe(1);
    for (const end of ['/school', '/school?w=1']) expect(warned(host + end), host + end).toBe(0);
  }
  expect(warned('sqlite::memory:')).toBe(0);
});

test('[DEV-2] the development secret is made once, also by many at the same time, for its owner only', async () => {
  const DATA_DIR = join(await freshFolder(), 'made', 'here');
  const secrets = await Promise.all(Array.from({ length: 20 }, () => ensureSecret(readConfig({ DATA_DIR }))));
  expect(new Set(secrets).size).toBe(1);
  expect(Buffer.byteLength(secrets[0] ?? '')).toBeGreaterThanOrEqual(32);
  expect(await ensureSecret(readConfig({ DATA_DIR }))).toBe(secrets[0]);
  expect(await readdir(DATA_DIR)).toEqual(['access-token-secret']);
  expect((await stat(join(DATA_DIR, 'access-token-secret'))).mode & 0o777).toBe(0o600);
});

test('[DEV-2] a kept secret that is too short is refused, not used', async () => {
  const DATA_DIR = await freshFolder();
  await writeFile(join(DATA_DIR, 'access-token-secret'), '');
  await expect(ensureSecret(readConfig({ DATA_DIR }))).rejects.toThrow(/access-token-secret holds less than 32 bytes/);
});

test('[DEV-2] no secret is made where there is one, or where an identity provider signs', async () => {
  const DATA_DIR = await freshFolder();
  expect(await ensureSecret(readConfig({ DATA_DIR, ACCESS_TOKEN_SECRET: 'given' }))).toBe('given');
  expect(await ensureSecret(readConfig({ DATA_DIR, JWKS_URL: 'https://id.example/keys' }))).toBeNull();
  expect(await readdir(DATA_DIR)).toEqual([]);
});
