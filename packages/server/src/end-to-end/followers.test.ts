import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RunningServer } from '../cli/rollcall.test.support.js';
import { seenIn } from '../register/writing-follower.test.support.js';
import { accepted, end, sessionId } from '../testing/class.js';
import { schoolOf } from '../testing/school.js';
import { connectTo, environment, temporaryFolder } from '../testing/server.js';
import { databases, importInto, openBeside } from './databases.test.support.js';

const SCRIPT = fileURLToPath(new URL('./server-with-follower.test.support.js', import.meta.url));
const ID = sessionId('session-1');
const SESSION = { session_id: ID };
const PATIENCE = { timeout: 60_000, interval: 5 };
const STUDENTS = 20;
const CRASHES = 4;
const STATUSES = ['present', 'late', 'absent', 'excused'];

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

async function serve(variables: NodeJS.ProcessEnv): Promise<RunningServer> {
  const child = spawn(process.execPath, [SCRIPT], { env: { ...process.env, ...variables }, stdio: 'pipe' });
  const server = new RunningServer(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await server.exit;
  });
  await expect.poll(() => server.port || server.stderr, PATIENCE).toEqual(expect.any(Number));
  return server;
}

/** Ends the process without a word, and answers where the follower stood then. */
async function killed(server: RunningServer, database: string): Promise<number> {
  server.kill('SIGKILL');
  await server.exit;
  const storage = await openBeside(database);
  const cursors = await storage.cursors.read([ID]);
  await storage.close();
  return cursors.get(ID)?.seqs.get('writing') ?? 0;
}

describe.each(databases)('followers and kill -9 on $title', ({ missing, fresh }) => {
  test.skipIf(missing)(
    '[REG-91] [REG-92] after kill -9 a follower goes on from its cursor, and gets each entry at least once',
    { timeout: 240_000 },
    async () => {
      const database = await fresh();
      await importInto(database, schoolOf(STUDENTS));
      const file = join(await temporaryFolder(), 'seen');
      const variables = environment({
        DATABASE_URL: database,
        ROLLCALL_TEST_FOLLOWER_FILE: file,
        RATE_LIMIT_TEACHER_PER_SECOND: '0',
      });
      let server = await serve(variables);
      let teacher = await connectTo(server.url, 'ada');
      await accepted(teacher.send('startAttendanceSession', SESSION));
      for (let crash = 0; crash < CRASHES; crash += 1) {
        const before = await seenIn(file, ID);
        const client = teacher;
        let marking = true;
        const load = (async () => {
          for (let n = 0; marking; n += 1) {
            const student_id = `student-${(n % STUDENTS) + 1}`;
            const status = STATUSES[(Math.floor(n / STUDENTS) + crash) % STATUSES.length];
            const answer = client.socket.timeout(60_000).emitWithAck('markStudentAttendance', {
              ...SESSION,
              student_id,
              status,
            });
            // The last of them are lost with the server.
            const lost = answer.then(
              () => false,
              () => true,
            );
            if (await Promise.race([lost, server.exit.then(() => true)])) return;
          }
        })();
        await expect.poll(async () => (await seenIn(file, ID)).length - before.length, PATIENCE).toBeGreaterThan(40);
        const cursor = await killed(server, database);
        marking = false;
        client.close();
        await load;
        const there = await seenIn(file, ID);
        server = await serve(variables);
        teacher = await connectTo(server.url, 'ada');
        await accepted(teacher.send('watchAttendanceSession', SESSION));
        await accepted(teacher.send('markStudentAttendance', { ...SESSION, student_id: 's-1', status: 'late' }));
        await accepted(teacher.send('markStudentAttendance', { ...SESSION, student_id: 's-1', status: 'present' }));
        await expect.poll(async () => (await seenIn(file, ID)).length, PATIENCE).toBeGreaterThan(there.length);
        expect((await seenIn(file, ID))[there.length], `after crash ${crash + 1}`).toBe(cursor + 1);
      }
      const { seq } = await accepted(end(teacher));
      await killed(server, database);
      server = await serve(variables);
      const storage = await openBeside(database);
      await expect.poll(() => storage.journal.listActiveSessions(), PATIENCE).toEqual([]);
      const seen = await seenIn(file, ID);
      expect([...new Set(seen)].sort((a, b) => a - b)).toEqual(numbers(1, Number(seq)));
      expect(await storage.projection.findSession(ID)).toMatchObject({ status: 'completed', projected_seq: seq });
    },
  );
});
