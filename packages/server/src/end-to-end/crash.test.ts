import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { connect, type LiveChange, type LiveSession, type RollcallClient } from '@rollcall/client';
import type { SessionId } from '@rollcall/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type RunningServer, rollcall, startServer } from '../cli/rollcall.test.support.js';
import type { Entry } from '../journal/entries.js';
import { readJournal } from '../register/read-journal.js';
import { schoolOf } from '../testing/school.js';
import { environment, temporaryFolder, tokenOf } from '../testing/server.js';
import { databases, importInto, openBeside, projectedUpTo } from './databases.test.support.js';
import { MarkLoad } from './mark-load.test.support.js';
import { lineOfRecord, lineOfStored, linesOfJournal, registerText } from './picture.test.support.js';

const CRASHES = 20;
const MARKS_PER_SECOND = 500;
/** A server lives for this many acknowledged marks at least, and then for up to so many milliseconds more. */
const MARKS_PER_LIFE = 60;
const LIFE_MAX_MS = 250;
/** Every so many crashes, some answers are lost before it, so that there are committed marks to repeat. */
const LOSE_ANSWERS_EVERY = 4;
const ANSWERS_LOST = 8;
const STUDENTS = 40;
const SESSION = 'session-1' as SessionId;
const PATIENCE = { timeout: 60_000, interval: 5 };

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A user with the SDK, and every change that its session hands out. */
class Follower {
  readonly changes: LiveChange[] = [];
  readonly faults: string[] = [];
  readonly live: LiveSession;
  readonly first: number;

  constructor(live: LiveSession) {
    this.live = live;
    this.first = live.seq;
    live.on('change', (change) => this.changes.push(change));
    live.on('error', (error) => this.faults.push(String(error)));
  }

  static async follow(url: string, uid: string, open: (client: RollcallClient) => Promise<LiveSession>) {
    const client = connect({ url, token: await tokenOf(uid), reconnect: { min: 20, max: 100 } });
    onTestFinished(() => client.close());
    return new Follower(await open(client));
  }

  get seqs(): number[] {
    return this.changes.map(({ seq }) => seq);
  }

  get register(): string {
    return registerText(Array.from(this.live.records.values(), lineOfRecord));
  }
}

/** The server's own account of what it brought back, logged before its port opened. */
function restoredBy(server: RunningServer): unknown {
  const line = server.stderr.split('\n').find((text) => text.endsWith('"listening"}'));
  return line === undefined ? 'nothing was logged' : (JSON.parse(line) as { restored?: unknown }).restored;
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

function seqsByOperation(entries: readonly Entry[]): Map<string, number[]> {
  const seqs = new Map<string, number[]>();
  for (const { type, op_id = 'none', seq } of entries) {
    if (type === 'marked') seqs.set(op_id, [...(seqs.get(op_id) ?? []), seq]);
  }
  return seqs;
}

describe.each(databases)('kill -9 on $title', ({ missing, fresh }) => {
  test.skipIf(missing)(
    `[REG-13] [REG-9] [REG-10] [REG-14] [SEQ-2] [SDK-4] ${CRASHES} crashes under ${MARKS_PER_SECOND} marks/s lose and double nothing`,
    { timeout: 300_000 },
    async () => {
      const folder = await temporaryFolder();
      const database = await fresh();
      await importInto(database, schoolOf(STUDENTS));
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const variables = environment({
        DATABASE_URL: database,
        LOG_LEVEL: 'info',
        LOG_FORMAT: 'json',
        RATE_LIMIT_TEACHER_PER_SECOND: '0',
      });
      const serve = () => startServer(folder, variables, ['--port', String(port)]);
      let server = await serve();

      const teacher = await Follower.follow(url, 'ada', (client) => client.openSession(SESSION, { start: {} }));
      const student = await Follower.follow(url, 's-1', (client) => client.joinSession(SESSION));
      const load = new MarkLoad({ url, token: await tokenOf('ada'), session: teacher.live, students: STUDENTS });
      load.run(MARKS_PER_SECOND);

      for (let crash = 1; crash <= CRASHES; crash++) {
        const before = load.acknowledged.size;
        await expect.poll(() => load.acknowledged.size - before, PATIENCE).toBeGreaterThan(MARKS_PER_LIFE);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * LIFE_MAX_MS));
        if (crash % LOSE_ANSWERS_EVERY === 0) {
          load.loseAnswers();
          await expect.poll(() => load.lostAnswers, PATIENCE).toBeGreaterThanOrEqual(ANSWERS_LOST);
        }
        server.kill('SIGKILL');
        await server.exit;
        const promised = Math.max(...load.acknowledged.values());
        server = await serve();
        await expect.poll(() => restoredBy(server), { ...PATIENCE, message: `after crash ${crash}` }).toBe(1);
        for (const { live } of [teacher, student]) {
          await expect.poll(() => live.state === 'live' && live.seq >= promised, PATIENCE).toBe(true);
        }
        expect(load.refusals, `after crash ${crash}`).toEqual([]);
      }

      load.pause();
      await load.settled();
      await expect.poll(() => load.waiting, PATIENCE).toBe(0);
      await teacher.live.end();
      for (const { live } of [teacher, student]) await expect.poll(() => live.state, PATIENCE).toBe('ended');

      const storage = await openBeside(database);
      const entries = (await readJournal(storage, SESSION, 0)).entries;
      const last = entries.length;
      expect(entries.map(({ seq }) => seq)).toEqual(numbers(1, last));
      const stored = seqsByOperation(entries);
      for (const [opId, seq] of load.acknowledged) expect(stored.get(opId), opId).toEqual([seq]);
      for (const opId of load.abandoned) expect(stored.get(opId)?.length ?? 0, opId).toBeLessThan(2);
      const known = new Set([...load.acknowledged.keys(), ...load.abandoned]);
      expect([...stored.keys()].filter((opId) => !known.has(opId))).toEqual([]);
      // Some were committed and lost their answer: otherwise repeating them would have proved nothing.
      expect(load.duplicates).toBeGreaterThan(0);
      expect(load.abandoned.size).toBeGreaterThan(0);

      expect([...teacher.faults, ...student.faults]).toEqual([]);
      expect(teacher.first).toBe(1);
      expect(teacher.seqs).toEqual(numbers(2, last));
      const marks = entries.filter(({ type, seq }) => seq > student.first && (type === 'marked' || type === 'ended'));
      expect(student.seqs).toEqual(marks.map(({ seq }) => seq));

      await projectedUpTo(storage, SESSION, last);
      const register = registerText(linesOfJournal(entries));
      expect(registerText((await storage.projection.readRecords(SESSION)).map(lineOfStored))).toBe(register);
      expect(teacher.register).toBe(register);
      expect(student.register).toBe(register);
      const verify = await rollcall(folder, ['verify', '--json'], variables);
      expect(JSON.parse(verify.stdout)).toMatchObject({ entries: last, behind: [], differences: [] });
      expect(verify.code).toBe(0);
      expect(await server.stop()).toBe(0);
    },
  );
});
