import { execFile } from 'node:child_process';
import { chmod, chown, copyFile, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import Database from 'libsql';
import { createConnection, mongo } from 'mongoose';
import { createClient } from 'redis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startNodeProcess } from '../cluster/nodes.test.support.js';
import { databases, freshMongo } from '../end-to-end/databases.test.support.js';
import { SCHEMA_VERSION } from '../storage/sqlite/migrations.js';
import { hasRedis, startRedis } from '../testing/redis-server.js';
import { BIN, freshFolder, type Outcome, rollcall, startServer } from './rollcall.test.support.js';

const ANY_PORT = { CHAT_PORT: '0' };

interface Found {
  readonly check: string;
  readonly state: string;
  readonly what: string;
  readonly cure?: string;
}

/** What doctor finds, by check; it must hang together with its own exit status. */
async function examine(folder: string, env: NodeJS.ProcessEnv, run = rollcall): Promise<(check: string) => Found[]> {
  const { code, stdout, stderr } = await run(folder, ['doctor', '--json'], { ...ANY_PORT, ...env });
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Found[] };
  const faults = findings.filter(({ state }) => state === 'fault').length;
  expect({ ok, code }).toEqual({ ok: faults === 0, code: faults === 0 ? 0 : 1 });
  expect(stderr).toBe(faults === 0 ? '' : `rollcall: there ${faults === 1 ? 'is 1 fault' : `are ${faults} faults`}\n`);
  for (const { state, cure } of findings) expect(cure === undefined).toBe(state === 'ok');
  return (check) => findings.filter((finding) => finding.check === check);
}

async function folderWithSchool() {
  const folder = await freshFolder();
  await writeFile(join(folder, 'school.json'), JSON.stringify({ admins: [{ uid: 'root', name: 'Office' }] }));
  expect(await rollcall(folder, ['import', 'school.json'])).toMatchObject({ code: 0 });
  return { folder, file: join(folder, 'data', 'rollcall.db') };
}

test('[CLI-145] doctor prints a line for each check, is content with an empty folder, and makes nothing', async () => {
  const folder = await freshFolder();
  const { code, stdout, stderr } = await rollcall(folder, ['doctor'], ANY_PORT);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const checks = ['configuration', 'files', 'database', 'clock', 'disk', 'redis', 'port'];
  const lines = stdout.split('\n').filter((line) => /^(ok|warning)/.test(line));
  expect([...new Set(lines.map((line) => line.split(/ +/)[1]))]).toEqual(checks);
  expect(await readdir(folder)).toEqual([]);
});

test('[CLI-145] beside a running server doctor counts what is in the database and finds the server on its port', async () => {
  const { folder, file } = await folderWithSchool();
  const server = await startServer(folder);
  const of = await examine(folder, { CHAT_PORT: String(server.port) });
  const data = join(folder, 'data');
  expect(of('database')).toEqual([
    { check: 'database', state: 'ok', what: `${file}: 1 users, 0 courses, 0 sessions, 0 journals, 0 records` },
  ]);
  expect(of('port')).toMatchObject([{ state: 'ok', what: expect.stringMatching(/^a server of Rollcall .*: ready$/) }]);
  expect(of('files')).toMatchObject([{ state: 'ok' }]);
  expect((await readdir(data)).filter((name) => !name.startsWith('rollcall.db'))).toEqual(['access-token-secret']);
});

test('[CLI-145] every bad variable is a fault', async () => {
  const of = await examine(await freshFolder(), { CHAT_PORT: 'x', MAX_MINUTES: 'y' });
  expect(of('configuration').map(({ what }) => what.split(':')[0])).toEqual(['CHAT_PORT', 'MAX_MINUTES']);
});

test('[CLI-146] a file that is no database, a damaged one, and one of a newer or an older schema are told apart', async () => {
  const { folder, file } = await folderWithSchool();
  const find = async (path: string) => (await examine(folder, { DATABASE_URL: `sqlite:${path}` }))('database');
  const [newer, older, damaged, text, other] = ['newer', 'older', 'damaged', 'text', 'other'].map((name) =>
    join(folder, `${name}.db`),
  ) as [string, string, string, string, string];
  for (const copy of [newer, older, damaged]) await copyFile(file, copy);
  const change = (path: string, sql: string) => {
    const db = new Database(path);
    db.exec(sql);
    db.close();
  };
  change(newer, `INSERT INTO schema_migrations VALUES (${SCHEMA_VERSION + 1}, 'later', 0)`);
  change(older, `DELETE FROM schema_migrations WHERE version = ${SCHEMA_VERSION}`);
  change(other, 'CREATE TABLE invoices (id INTEGER)');
  await writeFile(text, 'this is no database, whatever its name says\n'.repeat(100));
  const bytes = await readFile(damaged);
  bytes.fill(0x5a, 4_096 + 8, 2 * 4_096);
  await writeFile(damaged, bytes);
  expect(await find(newer)).toMatchObject([{ state: 'fault', what: expect.stringContaining('newer version') }]);
  expect(await find(older)).toMatchObject([
    { state: 'ok', what: expect.stringContaining('the next start brings it to') },
  ]);
  expect(await find(damaged)).toMatchObject([{ state: 'fault', cure: expect.stringContaining('restore a backup') }]);
  expect(await find(text)).toMatchObject([{ state: 'fault', what: expect.stringContaining("can't be read") }]);
  expect(await find(other)).toMatchObject([{ state: 'warning', what: expect.stringContaining('invoices') }]);
});

test('[CLI-146] a port that another program has, and an address that is not this machine’s, are faults', async () => {
  const folder = await freshFolder();
  const program = createServer((socket) => socket.end('220 mail\r\n')).listen(0, '127.0.0.1');
  await new Promise((resolve) => program.once('listening', resolve));
  onTestFinished(() => void program.close());
  const { port } = program.address() as AddressInfo;
  const taken = await examine(folder, { CHAT_PORT: String(port) });
  expect(taken('port')).toMatchObject([{ state: 'fault', what: expect.stringContaining('another program') }]);
  const elsewhere = await examine(folder, { CHAT_PORT: '4002', HOST: '203.0.113.1' });
  expect(elsewhere('port')).toMatchObject([{ state: 'fault', what: '203.0.113.1 is no address of this machine' }]);
});

test('[CLI-146] a database that was last written in the future is a fault of the clock', async () => {
  const { folder, file } = await folderWithSchool();
  const future = new Date(Date.now() + 3_600_000);
  await utimes(file, future, future);
  expect((await examine(folder, {}))('clock')).toMatchObject([
    { state: 'fault', what: `the database was last written at ${future.toISOString()}, which is in the future` },
  ]);
});

const OWNER = 4_321;

/** Runs the command line as another user, who may read the program. */
const asOwner = (cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
  new Promise((resolve) => {
    const options = { cwd, env: { PATH: process.env['PATH'], ...env }, uid: OWNER, gid: OWNER };
    execFile(process.execPath, [BIN, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });

test.runIf(process.getuid?.() === 0)(
  '[CLI-146] files that root left beside the database are named, and as root doctor touches none of another user',
  async () => {
    const { folder, file } = await folderWithSchool();
    const data = join(folder, 'data');
    await chmod(folder, 0o755);
    await chown(file, OWNER, OWNER);
    await chown(data, OWNER, OWNER);
    const asRoot = await examine(folder, {});
    expect(asRoot('files')).toMatchObject([{ state: 'fault', cure: expect.stringContaining(`sudo -u '#${OWNER}'`) }]);
    expect(await readdir(data)).toEqual(['rollcall.db']);
    expect((await examine(folder, {}, asOwner))('files')).toMatchObject([{ state: 'ok' }]);
    await writeFile(`${file}-wal`, '', { mode: 0o600 });
    const found = (await examine(folder, {}, asOwner))('files');
    expect(found).toMatchObject([{ state: 'fault', what: expect.stringContaining(`${file}-wal belongs to user 0`) }]);
    expect((await stat(`${file}-wal`)).uid).toBe(0);
  },
);

const [, mongodb] = databases;
describe(mongodb?.title ?? '', () => {
  test.skipIf(mongodb?.missing)(
    '[CLI-147] of an app’s MongoDB doctor tells the collections, their rows and odd ids, and makes nothing in it',
    async () => {
      const uri = await freshMongo();
      const connection = await createConnection(uri).asPromise();
      onTestFinished(() => connection.close());
      const usable = [{ _id: 7 }, { _id: new mongo.UUID() }, { _id: 'text' }, { _id: new mongo.ObjectId() }];
      const rows = [...usable, { _id: new Date(0) }, { _id: { of: 'an object' } }];
      await connection.collection('users').insertMany(rows as never[]);
      await connection.collection('courses').insertOne({ title: 'Databases' });
      const of = await examine(await freshFolder(), { DATABASE_URL: uri });
      const said = of('database').map(({ state, what }) => `${state}: ${what}`);
      expect(said).toContain('ok: found users 6, courses 1');
      expect(said).toContainEqual(expect.stringMatching(/^ok: not there: teachers, students, .*attendancerecords/));
      expect(said).toContainEqual(expect.stringMatching(/^ok: at its first start Rollcall makes .*rollcall_journal/));
      expect(said).toContain(
        'warning: users: 2 rows cannot be used: the _id is neither an ObjectId nor text, a number or a UUID',
      );
      expect(of('clock').some(({ what }) => what.includes("the database server's clock"))).toBe(true);
      const there = await connection.listCollections();
      expect(there.map(({ name }) => name).sort()).toEqual(['courses', 'users']);
      expect(await connection.collection('users').indexes()).toHaveLength(1);
    },
  );
});

describe(mongodb?.title ?? '', () => {
  test.skipIf(mongodb?.missing)('[CLI-199] doctor tells how far the clocks of running servers are apart', async () => {
    const uri = await freshMongo();
    const folder = await freshFolder();
    expect((await examine(folder, { DATABASE_URL: uri }))('clock').some(({ what }) => what.includes('server '))).toBe(
      false,
    );
    const { process: late } = await startNodeProcess({ DATABASE_URL: uri }, -3_600_000);
    const { process: right } = await startNodeProcess({ DATABASE_URL: uri });
    const clocks = (await examine(folder, { DATABASE_URL: uri }))('clock');
    const of = ({ pid }: { pid: number | undefined }) => clocks.filter(({ what }) => what.includes(`:${pid}`));
    expect(of(late)).toMatchObject([
      { state: 'fault', what: expect.stringMatching(/clock is 3(599|600)\.\d s ahead of the clock of the server/) },
    ]);
    expect(of(right)).toMatchObject([{ state: 'ok' }]);
  });
});

test('[CLI-146] a MongoDB that does not answer is a fault that names the setting', async () => {
  const url = 'mongodb://ada:hidden@127.0.0.1:1/school?serverSelectionTimeoutMS=50';
  const { stdout } = await rollcall(await freshFolder(), ['doctor'], { ...ANY_PORT, DATABASE_URL: url });
  expect(stdout).toMatch(
    /^fault +database +mongodb:\/\/127\.0\.0\.1:1\/school can't be used: .*\n +→ Check DATABASE_URL/m,
  );
  expect(stdout).not.toContain('hidden');
});

test.skipIf(!hasRedis())(
  '[CLI-148] a Redis that passes messages on is ok; one that forbids it, refuses the password or is away is a fault',
  async () => {
    const redis = await startRedis();
    const folder = await freshFolder();
    const find = async (url: string) => {
      const DATABASE_URL = 'mongodb://127.0.0.1:1/school?serverSelectionTimeoutMS=50';
      const of = await examine(folder, { DATABASE_URL, REDIS_URL: url });
      return { of, redis: of('redis') };
    };
    const client = createClient({ url: redis.url });
    await client.connect();
    await client.sendCommand(['ACL', 'SETUSER', 'deaf', 'on', '>pw', 'resetchannels', '&others*', '+@all']);
    await client.close();
    const as = (user: string) => redis.url.replace('redis://', `redis://${user}@`);
    const well = await find(redis.url);
    expect(well.redis).toMatchObject([{ state: 'ok', what: expect.stringContaining('passes messages on') }]);
    expect(well.of('clock')).toMatchObject([{ state: 'ok', what: expect.stringContaining("clock of Redis' machine") }]);
    expect((await find(as('deaf:pw'))).redis).toMatchObject([
      { state: 'fault', what: expect.stringContaining('NOPERM'), cure: expect.stringContaining('ACL SETUSER') },
    ]);
    expect((await find(as('deaf:hidden'))).redis).toMatchObject([
      { state: 'fault', what: expect.not.stringContaining('hidden'), cure: expect.stringContaining('REDIS_URL') },
    ]);
    await redis.kill();
    expect((await find(redis.url)).redis).toMatchObject([
      { state: 'fault', what: expect.stringContaining('ECONNREFUSED') },
    ]);
  },
);
