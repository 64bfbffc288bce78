import { describe, expect, test } from 'vitest';
import { type RunningServer, startServer } from '../cli/rollcall.test.support.js';
import { schoolOf } from '../testing/school.js';
import { connectTo, environment, temporaryFolder } from '../testing/server.js';
import { databases, importInto } from './databases.test.support.js';

/** As many as take the server a moment to bring back, so that a port that opens too early is seen. */
const SESSIONS = 300;
const STUDENTS = 10;

/** Asks from before the port opens until there is an answer: the number of active sessions in the first one. */
async function sessionsInFirstAnswer(url: string): Promise<number> {
  let text = '';
  const ask = async () => {
    text = await fetch(`${url}/metrics`).then(
      (response) => response.text(),
      () => '',
    );
    return text;
  };
  await expect.poll(ask, { timeout: 60_000, interval: 2 }).not.toBe('');
  return Number(/^rollcall_active_sessions (\d+)$/m.exec(text)?.[1]);
}

describe.each(databases)('a restart on $title', ({ missing, fresh }) => {
  test.skipIf(missing)(
    '[REG-9] [CONN-19] [CONN-20] [CONN-22] the first answer of a restarted server knows every active session',
    { timeout: 120_000 },
    async () => {
      const folder = await temporaryFolder();
      const database = await fresh();
      await importInto(database, schoolOf(STUDENTS));
      const variables = environment({ DATABASE_URL: database });
      const before: RunningServer = await startServer(folder, variables);
      const { port, url } = before;

      const impatient = { reconnectionDelay: 5, reconnectionDelayMax: 5 };
      const teacher = await connectTo(url, 'ada', impatient);
      const student = await connectTo(url, 's-1', impatient);
      const start = (n: number) =>
        teacher.send('startAttendanceSession', { session_id: `class-${n}`, course_id: 'course-1' });
      const answers = await Promise.all(Array.from({ length: SESSIONS - 1 }, (_, index) => start(index + 1)));
      // By itself, so that it is the one started last.
      answers.push(await start(SESSIONS));
      expect(answers.filter(({ ok }) => ok)).toHaveLength(SESSIONS);
      const last = { session_id: `class-${SESSIONS}` };
      expect(await student.send('joinAttendanceSession', last)).toMatchObject({ ok: true, seq: 2 });
      before.kill('SIGKILL');
      await before.exit;

      // Neither socket starts, watches or joins anything again.
      const marked = new Promise((resolve) => {
        teacher.socket.once('connect', () => {
          resolve(teacher.send('markStudentPresent', { ...last, student_id: 'student-1' }));
        });
      });
      const first = sessionsInFirstAnswer(url);
      await startServer(folder, variables, ['--port', String(port)]);
      expect(await first).toBe(SESSIONS);
      expect(await marked).toMatchObject({ ok: true, seq: 3 });
      for (const client of [teacher, student]) {
        await expect.poll(() => client.socket.connected, { timeout: 30_000 }).toBe(true);
      }
      expect(await teacher.send('markStudentAbsent', { ...last, student_id: 'student-1' })).toMatchObject({ seq: 4 });
      for (const client of [teacher, student]) {
        await expect.poll(() => client.all('attendanceUpdated').at(-1), { timeout: 30_000 }).toMatchObject({ seq: 4 });
        expect(client.all('attendanceError')).toEqual([]);
      }
    },
  );
});
