import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { databases, openBeside, projectedUpTo } from '../end-to-end/databases.test.support.js';
import { accepted, bulk, dataOf, end, mark, sessionId } from '../testing/class.js';
import { schoolOf } from '../testing/school.js';
import { type Client, startServer, type TestServer, temporaryFolder } from '../testing/server.js';
import { requireNames } from './follower.js';
import { seenIn, WritingFollower } from './writing-follower.test.support.js';

const ID = sessionId('session-1');
const SESSION = { session_id: ID };
const PATIENCE = { timeout: 60_000, interval: 20 };

const amend = (teacher: Client, status: string) =>
  accepted(teacher.send('amendAttendance', { ...SESSION, student_id: 'student-1', status, reason: 'a note came' }));
const listed = ({ storage }: Pick<TestServer, 'storage'>) => storage.journal.listActiveSessions();
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

async function startedOn(
  database: string,
  followers: WritingFollower[],
  { students = 3, onLog = () => {} }: { students?: number; onLog?: (line: string) => void } = {},
) {
  const variables = { DATABASE_URL: database, LOG_LEVEL: 'warn' };
  const server = await startServer(variables, schoolOf(students), { followers, onLog });
  const teacher = await server.connect('ada');
  await accepted(teacher.send('startAttendanceSession', SESSION));
  return { server, teacher };
}

describe.each(databases)('followers beside the records on $title', ({ missing, fresh }) => {
  test.skipIf(missing)(
    '[REG-92] [REG-93] a follower that fails for a while holds up nobody, and the session stays listed until it is past the end',
    async () => {
      const folder = await temporaryFolder();
      const [slow, quick] = [join(folder, 'slow'), join(folder, 'quick')];
      const failing = new WritingFollower(slow, 'failing');
      failing.failing = true;
      const log: string[] = [];
      const { server, teacher } = await startedOn(await fresh(), [failing, new WritingFollower(quick, 'quick')], {
        onLog: (line) => log.push(line),
      });
      for (const n of [1, 2, 3]) await accepted(mark(teacher, `student-${n}`, 'late'));
      await projectedUpTo(server.storage, ID, 4);
      await expect.poll(() => seenIn(quick, ID), PATIENCE).toEqual([1, 2, 3, 4]);
      await expect.poll(() => failing.refusals, PATIENCE).toBeGreaterThan(2);
      await accepted(end(teacher));
      await projectedUpTo(server.storage, ID, 5);
      await expect.poll(() => seenIn(quick, ID), PATIENCE).toEqual([1, 2, 3, 4, 5]);
      expect(await server.storage.projection.findSession(ID)).toMatchObject({ status: 'completed' });
      expect(await listed(server)).toEqual([ID]);
      expect(await seenIn(slow, ID)).toEqual([]);
      expect(log.map((line) => JSON.parse(line) as object)).toContainEqual(
        expect.objectContaining({ ...SESSION, follower: 'failing', msg: 'a follower lags behind the journal' }),
      );
      failing.failing = false;
      await expect.poll(() => listed(server), PATIENCE).toEqual([]);
      expect(await seenIn(slow, ID)).toEqual([1, 2, 3, 4, 5]);
      expect(await seenIn(quick, ID)).toEqual([1, 2, 3, 4, 5]);
    },
  );

  test.skipIf(missing)(
    '[REG-91] [REG-92] an amendment after the end is followed, and lists the session until it is',
    async () => {
      const file = join(await temporaryFolder(), 'seen');
      const follower = new WritingFollower(file);
      const { server, teacher } = await startedOn(await fresh(), [follower]);
      await accepted(end(teacher));
      await expect.poll(() => listed(server), PATIENCE).toEqual([]);
      follower.failing = true;
      await amend(teacher, 'present');
      await projectedUpTo(server.storage, ID, 3);
      expect(await listed(server)).toEqual([ID]);
      await expect.poll(() => follower.refusals, PATIENCE).toBeGreaterThan(0);
      // A stop doesn't wait until it succeeds, and the next start goes on from where it was.
      const restarted = await server.restart();
      expect(await listed(restarted)).toEqual([ID]);
      const again = await restarted.connect('ada');
      await amend(again, 'excused');
      follower.failing = false;
      await expect.poll(() => listed(restarted), PATIENCE).toEqual([]);
      expect(await seenIn(file, ID)).toEqual([1, 2, 3, 4]);
    },
  );

  test.skipIf(missing)(
    '[REG-91] after a restart a follower goes on behind its cursor, in as many pieces as it takes',
    async () => {
      const file = join(await temporaryFolder(), 'seen');
      const follower = new WritingFollower(file);
      const { server, teacher } = await startedOn(await fresh(), [follower], { students: 300 });
      await expect.poll(() => seenIn(file, ID), PATIENCE).toEqual([1]);
      follower.failing = true;
      for (const status of ['present', 'late', 'excused', 'present']) {
        const rows = numbers(1, 300).map((n) => ({ student_id: `student-${n}`, status }));
        await accepted(bulk(teacher, rows));
      }
      await expect.poll(() => follower.refusals, PATIENCE).toBeGreaterThan(0);
      const restarted = await server.restart();
      follower.failing = false;
      await expect.poll(() => seenIn(file, ID), PATIENCE).toEqual(numbers(1, 1_201));
      expect(await listed(restarted)).toEqual([ID]);
    },
  );

  test.skipIf(missing)(
    '[REG-92] a server that died between the last cursor and the closing leaves a session that the next start closes',
    async () => {
      const database = await fresh();
      const follower = new WritingFollower(join(await temporaryFolder(), 'seen'));
      const { server, teacher } = await startedOn(database, [follower]);
      follower.failing = true;
      await accepted(end(teacher));
      await projectedUpTo(server.storage, ID, 2);
      await server.close();
      const storage = await openBeside(database);
      await storage.cursors.move(ID, follower.name, 2);
      expect(await listed({ storage })).toEqual([ID]);
      await storage.close();
      expect(await listed(await server.restart())).toEqual([]);
    },
  );

  test.skipIf(missing)(
    '[REG-95] where only the records follow no cursor is written, and who is registered later gets what comes then',
    async () => {
      const database = await fresh();
      const { server, teacher } = await startedOn(database, []);
      await accepted(end(teacher));
      await expect.poll(() => listed(server), PATIENCE).toEqual([]);
      expect(await server.storage.cursors.read([ID])).toEqual(new Map([[ID, { listed: false, seqs: new Map() }]]));
      await server.close();
      const file = join(await temporaryFolder(), 'seen');
      const followers = [new WritingFollower(file)];
      const later = await startServer({ DATABASE_URL: database }, undefined, { followers });
      const again = await later.connect('ada');
      expect(await dataOf(again)).toMatchObject({ seq: 2 });
      await amend(again, 'present');
      await expect.poll(() => seenIn(file, ID), PATIENCE).toEqual([3]);
      await expect.poll(() => listed(later), PATIENCE).toEqual([]);
    },
  );
});

test('[REG-91] followers have names of their own, which can name their cursors', () => {
  const named = (...names: string[]) => names.map((name) => ({ name, gatherMs: 0, follow: async () => {} }));
  requireNames(named('notices', 'heads_of_chains'));
  expect(() => requireNames(named('notices', 'notices'))).toThrow('two followers are named notices');
  expect(() => requireNames(named('records'))).toThrow('two followers are named records');
  for (const name of ['', 'a.b', '$x', 'A', '_id', 'a b']) expect(() => requireNames(named(name))).toThrow(TypeError);
});
