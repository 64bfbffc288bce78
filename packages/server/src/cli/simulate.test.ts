import { spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createRollcall } from '../app.js';
import { readConfig } from '../config/config.js';
import { BIN, freshFolder, rollcall, startServer } from './rollcall.test.support.js';

test('[SIM-1] a class is held with a socket for each student, and again in the same database', async () => {
  const folder = await freshFolder();
  const server = await startServer(folder);
  for (const students of ['12', '5']) {
    const { code, stdout, stderr } = await rollcall(folder, [
      ...['simulate', '--students', students, '--url', server.url, '--rate', '1000', '--json'],
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      students: Number(students),
      statistics: { totalStudents: Number(students), checkedInCount: Number(students) },
      disagreements: [],
    });
  }
  // Everything it did is in the journal like any other class.
  const verdict = await rollcall(folder, ['verify', '--json']);
  expect(JSON.parse(verdict.stdout).differences).toEqual([]);
});

test('[SIM-2] it prints what it measured', async () => {
  const folder = await freshFolder();
  const server = await startServer(folder);
  const { code, stdout } = await rollcall(folder, [
    ...['simulate', '--students', '10', '--url', server.url, '--rate', '500', '--json'],
  ]);
  expect(code).toBe(0);
  const time = { p50: expect.any(Number), p99: expect.any(Number) };
  const figures = JSON.parse(stdout);
  expect(figures).toMatchObject({ marks: 5, bulk_rows: 5, join_ms: time, mark_ms: time, delivery_ms: time });
  expect(figures.joins_per_second).toBeGreaterThan(0);
  // Eleven clients are told of each of ten marks.
  expect(figures.deliveries).toBe(10 * 11);
  const text = await rollcall(folder, ['simulate', '--students', '3', '--url', server.url]);
  expect(text).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/joins:[\s\S]*marks:[\s\S]*agrees/),
  });
});

test('[SIM-1] under private visibility students are told of their own record only, and it agrees', async () => {
  const folder = await freshFolder();
  const server = await startServer(folder, { VISIBILITY: 'private' });
  const { code, stdout } = await rollcall(folder, [
    ...['simulate', '--students', '10', '--url', server.url, '--rate', '500', '--json'],
  ]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ deliveries: 10 + 10, disagreements: [] });
});

test('[SIM-7] where check-ins need a code, students join with the one on the teacher’s screen', async () => {
  const folder = await freshFolder();
  const server = await startServer(folder, { CHECK_IN: 'code' });
  const { code, stdout, stderr } = await rollcall(folder, [
    ...['simulate', '--students', '10', '--url', server.url, '--rate', '500', '--json'],
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ disagreements: [], statistics: { checkedInCount: 10 } });
});

test('[SIM-4] with automatic marks, and whoever may see them, clients are judged by what came after they joined', async () => {
  // Of 10 students one is marked late and one absent in bulk; the others are what their check-in made them.
  for (const [visibility, deliveries] of [
    ['participants', 2 * 11],
    ['private', 2 + 2],
  ] as const) {
    const folder = await freshFolder();
    const server = await startServer(folder, { AUTO_MARK: 'true', VISIBILITY: visibility });
    const { code, stdout, stderr } = await rollcall(folder, [
      ...['simulate', '--students', '10', '--url', server.url, '--rate', '500', '--json'],
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const figures = JSON.parse(stdout);
    expect(figures).toMatchObject({ disagreements: [], more_disagreements: 0, statistics: { lateCount: 1 } });
    // [SIM-5] An automatic mark is no delivery: nobody sent it, so that it has no time to be counted from.
    expect(figures.deliveries).toBe(deliveries);
  }
});

test('[SIM-5] delivery times are those of the marks that it sent, not of automatic ones', async () => {
  const folder = await freshFolder();
  const server = await startServer(folder, { AUTO_MARK: 'true', LATE_AFTER_MINUTES: '0.00001' });
  const { code, stdout } = await rollcall(folder, [
    ...['simulate', '--students', '10', '--url', server.url, '--rate', '500', '--json'],
  ]);
  expect(code).toBe(0);
  // Everyone was late by their check-in: eight are marked present and one absent, and eleven clients are told of each.
  expect(JSON.parse(stdout)).toMatchObject({ deliveries: 9 * 11, disagreements: [] });
});

type Fault = (send: () => void, count: number) => void;

/** A frame, or several, that begins with a notice of changes; its websocket head takes two to ten bytes. */
const isNotice = (bytes: unknown): boolean =>
  Buffer.isBuffer(bytes) && /^.{2,10}42\["attendanceChanges"/s.test(bytes.toString('latin1', 0, 40));

/** A server whose connections treat the notices of one event by a fault, each by its own. */
async function faultyServer(folder: string, newFault: () => Fault, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const config = readConfig({ DATA_DIR: join(folder, 'data'), CHAT_PORT: '0', LOG_LEVEL: 'silent', ...env });
  const rollcall = createRollcall(config);
  onTestFinished(() => rollcall.close());
  const { port } = await rollcall.start();
  rollcall.httpServer.on('connection', (socket: Socket) => {
    const write = socket.write.bind(socket) as (bytes: unknown, ...rest: unknown[]) => boolean;
    const fault = newFault();
    let count = 0;
    socket.write = ((bytes: unknown, ...rest: unknown[]) => {
      if (!isNotice(bytes)) return write(bytes, ...rest);
      count += 1;
      fault(() => write(bytes), count);
      // Whoever wrote it is told that it is out, whatever became of it.
      const written = rest.at(-1);
      if (typeof written === 'function') setImmediate(() => written());
      return true;
    }) as typeof socket.write;
  });
  return `http://127.0.0.1:${port}`;
}

const simulateAt = (folder: string, url: string) =>
  rollcall(folder, ['simulate', '--students', '10', '--url', url, '--rate', '500']);

test('[SIM-3] a notice that comes twice is told, and the status is 1', async () => {
  const folder = await freshFolder();
  const url = await faultyServer(folder, () => (send, count) => {
    send();
    if (count === 2) send();
  });
  const { code, stdout } = await simulateAt(folder, url);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^sim-student-1 was told of entry (\d+) after entry \1$/m);
});

test('[SIM-3] a notice that comes out of order is told, and the status is 1', async () => {
  const folder = await freshFolder();
  const url = await faultyServer(folder, () => {
    let held = () => {};
    return (send, count) => {
      // However the marks are batched, the rows in bulk come in a later notice: there are two at least.
      if (count === 1) held = send;
      else send();
      if (count === 2) held();
    };
  });
  const { code, stdout } = await simulateAt(folder, url);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^sim-student-1 was told of entry \d+ after entry \d+$/m);
});

test('[SIM-3] a notice that is lost is told, and the status is 1', async () => {
  const folder = await freshFolder();
  const url = await faultyServer(folder, () => (send, count) => {
    if (count !== 2) send();
  });
  const { code, stdout } = await simulateAt(folder, url);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^sim-student-1 saw nothing of sim-student-\d: present \(entry \d+\)$/m);
});

test('[SIM-3] with automatic marks too a notice that is lost is told, and the status is 1', async () => {
  const folder = await freshFolder();
  const lost = () => (send: () => void, count: number) => {
    if (count !== 2) send();
  };
  const url = await faultyServer(folder, lost, { AUTO_MARK: 'true' });
  const { code, stdout } = await rollcall(folder, ['simulate', '--students', '10', '--url', url, '--rate', '50']);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^sim-student-1 saw .+ of sim-student-\d+: \w+ \(entry \d+\)$/m);
});

test('[SIM-6] all differences are counted, and the first 20 told', async () => {
  const folder = await freshFolder();
  const url = await faultyServer(folder, () => () => {});
  // Ten students are told of none of ten marks; the teacher's client asks for what it missed.
  const text = await simulateAt(folder, url);
  expect(text).toMatchObject({
    code: 1,
    stderr:
      'rollcall: 100 differences between clients and the final data, named above: ' +
      'this is a fault of Rollcall, please report it\n',
    stdout: expect.stringMatching(/(^sim-student-\d+ saw .+\n){20}and 80 more\n$/m),
  });
  const json = await rollcall(folder, ['simulate', '--students', '10', '--url', url, '--rate', '500', '--json']);
  expect(json).toMatchObject({ code: 1, stderr: text.stderr });
  const figures = JSON.parse(json.stdout);
  expect(figures.disagreements).toHaveLength(20);
  expect(figures.more_disagreements).toBe(80);
});

/** util-linux's `script` gives a command a terminal. */
const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;

test.skipIf(!hasScript)('[CLI-8] progress is shown on a terminal, and none when piped', async () => {
  const folder = await freshFolder();
  const server = await startServer(folder);
  const args = ['simulate', '--students', '3', '--url', server.url];
  expect((await rollcall(folder, args)).stderr).toBe('');
  const command = [process.execPath, BIN, ...args].join(' ');
  const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], { cwd: folder, encoding: 'utf8' });
  expect(stdout).toContain('joined 3 of 3');
  expect(stdout).toContain('Every client agrees with the final data.');
});

test('[SIM-1] without a server nothing is stored and the status is 1', async () => {
  const folder = await freshFolder();
  const { code, stderr } = await rollcall(folder, ['simulate', '--url', 'http://127.0.0.1:1']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/no server answers at http:\/\/127\.0\.0\.1:1/);
  expect(await readdir(folder)).toEqual([]);
});

test('[SIM-1] a server of another secret, and a database in memory, are told as what they are', async () => {
  const folder = await freshFolder();
  const server = await startServer(folder);
  const other = await rollcall(folder, ['simulate', '--students', '2', '--url', server.url], {
    ACCESS_TOKEN_SECRET: 'another-secret',
  });
  expect(other).toMatchObject({ code: 1, stderr: expect.stringMatching(/refuses the teacher \(Invalid token\)/) });
  const memory = await rollcall(folder, ['simulate', '--url', server.url], { DATABASE_URL: 'sqlite::memory:' });
  expect(memory).toMatchObject({ code: 1, stderr: expect.stringMatching(/a file or to MongoDB/) });
});
