import type { SessionId } from '@rollcall/protocol';
import { expect, test } from 'vitest';
import { readEntries } from '../../storage/contract/journal-access.js';
import { schoolOf } from '../../testing/school.js';
import { type Answer, type Client, startServer } from '../../testing/server.js';

const session_id = 'session-1';

interface Timed {
  readonly answer: Answer;
  /** Milliseconds from the first sending to this answer. */
  readonly after: number;
}

/** Sends all at once and measures when each is answered. */
function salvo(client: Client, count: number, event = 'unsubscribeFromCourse', payload: object = { course_id: 'x' }) {
  const from = performance.now();
  const send = async (): Promise<Timed> => {
    const answer = await client.send(event, payload);
    return { answer, after: performance.now() - from };
  };
  return Promise.all(Array.from({ length: count }, send));
}

const served = (all: readonly Timed[]) => all.filter(({ answer }) => answer.ok);
const refused = (all: readonly Timed[]) => all.filter(({ answer }) => answer.error?.code === 'RATE_LIMITED');

test('[APP-11] a user over the rate is first delayed, up to 2 s', async () => {
  const server = await startServer({ RATE_LIMIT_STUDENT_PER_SECOND: '5' }, schoolOf(1));
  const student = await server.connect('s-1');
  // 20 at once, the next 10 one every 200 ms.
  const all = await salvo(student, 30);
  expect(served(all)).toHaveLength(30);
  expect(all[20]?.after).toBeGreaterThan(150);
  expect(all[29]?.after).toBeGreaterThan(1_900);
  const times = all.map(({ after }) => after);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(student.all('attendanceError')).toEqual([]);
});

test('[APP-12] beyond a delay of 2 s a user is refused with RATE_LIMITED and told when to come back', async () => {
  const server = await startServer({ RATE_LIMIT_STUDENT_PER_SECOND: '5' }, schoolOf(1));
  const student = await server.connect('s-1');
  const all = await salvo(student, 60);
  // 20 at once and 10 within 2 s; whoever is slow may get a few more in.
  expect(served(all).length).toBeGreaterThanOrEqual(30);
  expect(served(all).length).toBeLessThan(45);
  expect(refused(all).length + served(all).length).toBe(60);
  const [first] = refused(all);
  expect(first?.answer.error).toEqual({
    code: 'RATE_LIMITED',
    message: 'Too many requests',
    retryable: true,
    details: { retry_after: 1 },
  });
  // A refusal waits for nobody.
  expect(first?.after).toBeLessThan(Math.max(...served(all).map(({ after }) => after)));
  expect(student.all('attendanceError')).toHaveLength(refused(all).length);
  expect(student.all('attendanceError')[0]).toMatchObject({ code: 'RATE_LIMITED', event: 'unsubscribeFromCourse' });

  // Whoever waits as long as they were told is served again.
  const told = performance.now();
  await expect.poll(() => performance.now() - told, { timeout: 20_000 }).toBeGreaterThan(1_000);
  expect(await student.send('unsubscribeFromCourse', { course_id: 'x' })).toMatchObject({ ok: true });
});

test('[APP-12] what is refused for its rate stores nothing', async () => {
  const server = await startServer({ RATE_LIMIT_TEACHER_PER_SECOND: '1' }, schoolOf(1));
  const teacher = await server.connect('ada');
  await teacher.send('startAttendanceSession', { session_id });
  const marks = ['present', 'absent', 'late', 'excused', 'present', 'absent', 'late', 'excused'];
  const answers = await Promise.all(
    marks.map((status) => teacher.send('markStudentAttendance', { session_id, student_id: 'student-1', status })),
  );
  const good = answers.filter(({ ok }) => ok);
  expect(good.length).toBeLessThan(marks.length);
  const entries = await readEntries(server.storage, session_id as SessionId, 0, 100);
  expect(entries).toHaveLength(1 + good.length);
});

test('[APP-13] the rate is the user’s, whatever the number of their sockets', async () => {
  const server = await startServer({ RATE_LIMIT_STUDENT_PER_SECOND: '5' }, schoolOf(1));
  const sockets = await Promise.all(Array.from({ length: 4 }, () => server.connect('s-1')));
  const all = (await Promise.all(sockets.map((socket) => salvo(socket, 20)))).flat();
  expect(served(all).length).toBeGreaterThanOrEqual(30);
  expect(served(all).length).toBeLessThan(50);
  // A new connection is no new allowance.
  const fresh = await server.connect('s-1');
  expect(served(await salvo(fresh, 60)).length).toBeLessThan(30);
});

test('[APP-13] teachers have RATE_LIMIT_TEACHER_PER_SECOND, students RATE_LIMIT_STUDENT_PER_SECOND', async () => {
  const variables = { RATE_LIMIT_STUDENT_PER_SECOND: '2', RATE_LIMIT_TEACHER_PER_SECOND: '100' };
  const server = await startServer(variables, schoolOf(1));
  for (const uid of ['ada', 'root']) expect(refused(await salvo(await server.connect(uid), 400))).toEqual([]);
  expect(refused(await salvo(await server.connect('s-1'), 60)).length).toBeGreaterThan(30);
});

test('[APP-14] a rate of 0 switches the limit off', async () => {
  const server = await startServer({ RATE_LIMIT_STUDENT_PER_SECOND: '0' }, schoolOf(1));
  const all = await salvo(await server.connect('s-1'), 2_000);
  expect(served(all)).toHaveLength(2_000);
});

test('[APP-15] one user over the rate delays no other user behind the same address', async () => {
  const server = await startServer({ RATE_LIMIT_STUDENT_PER_SECOND: '5' }, schoolOf(3));
  const [noisy, quiet] = [await server.connect('s-1'), await server.connect('s-2')];
  const flood = salvo(noisy, 200);
  // Within their own burst the others wait for nobody: not one of theirs is the last to be answered.
  const others = await salvo(quiet, 20);
  const all = await flood;
  expect(served(others)).toHaveLength(20);
  const slowest = Math.max(...served(all).map(({ after }) => after));
  expect(slowest).toBeGreaterThan(1_500);
  expect(Math.max(...others.map(({ after }) => after))).toBeLessThan(slowest);
});

test('[APP-10] a delayed command is no error, and commands stay in order', async () => {
  const server = await startServer({ RATE_LIMIT_TEACHER_PER_SECOND: '3' }, schoolOf(1));
  const teacher = await server.connect('ada');
  await teacher.send('startAttendanceSession', { session_id });
  const remarks = Array.from({ length: 15 }, (_, index) => `remark ${index}`);
  for (const remark of remarks) {
    teacher.emit('markStudentPresent', { session_id, student_id: 'student-1', remarks: remark });
  }
  await expect.poll(() => teacher.all('studentMarkedPresent').length, { timeout: 20_000 }).toBe(15);
  const seen = teacher
    .all('attendanceUpdated')
    .map((payload) => (payload['attendanceRecord'] as { remarks: string }).remarks);
  expect(seen).toEqual(remarks);
  expect(teacher.all('attendanceError')).toEqual([]);
});

test('[APP-18] who asks for the whole journal again and again is over the rate sooner', async () => {
  const STUDENTS = 2_000;
  const server = await startServer({ RATE_LIMIT_STUDENT_PER_SECOND: '5' }, schoolOf(STUDENTS));
  const teacher = await server.connect('ada');
  await teacher.send('startAttendanceSession', { session_id });
  for (const status of ['late', 'present', 'excused']) {
    const attendanceUpdates = Array.from({ length: STUDENTS }, (_, n) => ({ student_id: `student-${n + 1}`, status }));
    expect(await teacher.send('bulkUpdateAttendance', { session_id, attendanceUpdates })).toMatchObject({ ok: true });
  }
  const greedy = await server.connect('s-1');
  const everything = { session_id, since_seq: 0 };
  // 6,000 entries count for 24 events more: each is a whole burst of 20.
  const once = await greedy.send('joinAttendanceSession', everything);
  // Each mark, and the student's own check-in.
  expect(once['changes']).toHaveLength(3 * STUDENTS + 1);
  const all = await salvo(greedy, 15, 'joinAttendanceSession', everything);
  expect(served(all).length).toBeLessThan(5);
  expect(refused(all).length + served(all).length).toBe(15);
  const modest = await server.connect('s-2');
  const few = await salvo(modest, 15, 'joinAttendanceSession', { session_id, since_seq: 3 * STUDENTS - 100 });
  expect(served(few)).toHaveLength(15);
});
