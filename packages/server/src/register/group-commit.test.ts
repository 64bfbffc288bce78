import { expect, onTestFinished, test, vi } from 'vitest';
import { accepted, caughtUp, dataOf, end, holdCommits, journalOf, mark, startedClass } from '../testing/class.js';
import { fileOf, otherConnection } from '../testing/database-file.js';
import type { Answer, TestServer } from '../testing/server.js';

/** What each commit of session-1 wrote, as first and last seq. */
const commitsOf = (server: TestServer) =>
  otherConnection(fileOf(server)).rows(
    "SELECT first_seq, last_seq FROM journal WHERE session_id = 'session-1' ORDER BY first_seq",
  );

test('[REG-1] commands that arrive during a commit form one next commit', async () => {
  const { server, teacher } = await startedClass(100);
  const second = await server.connect('cyd');
  const lock = await holdCommits(server);
  const first = mark(teacher, 'student-1', 'present');
  await caughtUp(teacher);
  const others = Array.from({ length: 99 }, (_, n) => mark(n % 2 ? teacher : second, `student-${n + 2}`, 'late'));
  await caughtUp(teacher, second);
  lock.release();
  await Promise.all([first, ...others].map(accepted));
  expect(commitsOf(server)).toEqual([
    [1, 1],
    [2, 2],
    [3, 101],
  ]);
});

test('[REG-17] check-ins of a storm wait for each other, and another command takes along what waits', async () => {
  const { server, teacher } = await startedClass(9);
  const students = await Promise.all(Array.from({ length: 9 }, (_, n) => server.connect(`s-${n + 1}`)));
  /** Sends the check-ins of these students; resolves once they have reached the register. */
  const arrive = async (...numbers: number[]): Promise<Promise<Answer>[]> => {
    const arriving = numbers.flatMap((n) => students[n - 1] ?? []);
    const answers = arriving.map((student) => student.send('joinAttendanceSession', { session_id: 'session-1' }));
    await caughtUp(...arriving);
    return answers;
  };
  const lock = await holdCommits(server);
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const storm = [...(await arrive(1)), ...(await arrive(2, 3, 4, 5, 6))];
  lock.release();
  await Promise.all(storm.map(accepted));
  const before = [
    [1, 1],
    [2, 2],
    [3, 7],
  ];
  expect(commitsOf(server)).toEqual(before);

  const [taken] = await arrive(7);
  expect(commitsOf(server)).toEqual(before);
  await accepted(mark(teacher, 'student-1', 'late'));
  expect(await taken).toMatchObject({ ok: true, seq: 8 });
  expect(commitsOf(server)).toEqual([...before, [8, 9]]);

  const waiting = [...(await arrive(8)), ...(await arrive(9))];
  expect(commitsOf(server)).toEqual([...before, [8, 9]]);
  vi.advanceTimersByTime(10);
  await Promise.all(waiting.map(accepted));
  expect(commitsOf(server)).toEqual([...before, [8, 9], [10, 11]]);
});

test('[REG-2] commands are decided in order of arrival, each on the state after those before it', async () => {
  const { server, teacher } = await startedClass(3);
  const lock = await holdCommits(server);
  const head = mark(teacher, 'student-3', 'present');
  await caughtUp(teacher);
  const sent = [
    mark(teacher, 'student-1', 'present', { remarks: 'a' }),
    mark(teacher, 'student-1', 'present'),
    mark(teacher, 'student-1', 'late'),
    mark(teacher, 'student-2', 'late'),
    mark(teacher, 'student-2', 'present'),
    mark(teacher, 'student-1', 'late', { remarks: '' }),
    end(teacher),
    mark(teacher, 'student-1', 'absent'),
  ];
  await caughtUp(teacher);
  lock.release();
  await accepted(head);
  const answers = await Promise.all(sent);
  expect(answers.map(({ ok, seq, error }) => (ok ? seq : error?.code))).toEqual([3, 3, 4, 5, 6, 7, 8, 'SESSION_ENDED']);
  const remarks = answers.map(
    ({ attendanceRecord }) => (attendanceRecord as { remarks?: string } | undefined)?.remarks,
  );
  expect([remarks[0], remarks[1], remarks[2], remarks[5]]).toEqual(['a', 'a', 'a', null]);
  expect((await journalOf(server)).slice(2)).toMatchObject([
    { previous_status: 'absent', status: 'present' },
    { previous_status: 'present', status: 'late' },
    { previous_status: 'absent', status: 'late' },
    { previous_status: 'late', status: 'present' },
    { status: 'late', remarks: null },
    { type: 'ended' },
  ]);
});

test('[REG-2] the commands of two devices keep each device’s order', async () => {
  const { server, teacher } = await startedClass(1);
  const second = await server.connect('cyd');
  const sent = [teacher, second].flatMap((device, which) =>
    Array.from({ length: 100 }, (_, n) => mark(device, 'student-1', 'late', { remarks: `${which} ${n}` })),
  );
  await Promise.all(sent.map(accepted));
  const remarks = (await journalOf(server)).flatMap((entry) =>
    entry.type === 'marked' ? [String(entry.remarks)] : [],
  );
  for (const which of ['0', '1']) {
    const own = remarks.filter((remark) => remark.startsWith(`${which} `));
    expect(own).toEqual(Array.from({ length: 100 }, (_, n) => `${which} ${n}`));
  }
});

test('[REG-3] nothing is acknowledged or broadcast before it is committed', async () => {
  const { server, teacher } = await startedClass(3);
  const [second, student, course] = await Promise.all(['cyd', 's-1', 's-2'].map((uid) => server.connect(uid)));
  if (!second || !student || !course) throw new Error('not connected');
  await dataOf(second);
  await accepted(course.send('subscribeToCourse', { course_id: 'course-1' }));
  await caughtUp(teacher, second, student, course);
  const clients = [teacher, second, student, course];
  const seen = () =>
    clients.map(({ events }) => events.map(({ event }) => event).filter((event) => event !== 'attendanceSessionData'));
  const before = seen();
  const lock = await holdCommits(server);
  let acked = 0;
  const count = async (answer: Promise<Answer>) => {
    await accepted(answer);
    acked += 1;
  };
  const sent = [
    student.send('joinAttendanceSession', { session_id: 'session-1' }),
    mark(teacher, 'student-1', 'late'),
    mark(second, 'student-2', 'present'),
  ].map(count);
  await caughtUp(...clients);
  sent.push(count(end(teacher)));
  // Every connection still answers, so that the silence about the rest is no hang.
  await caughtUp(...clients);
  await caughtUp(...clients);
  expect(seen()).toEqual(before);
  expect(acked).toBe(0);
  expect(await dataOf(second)).toMatchObject({ seq: 1, session: { status: 'active' } });
  lock.release();
  await Promise.all(sent);
  expect(await course.next('courseSessionEnded')).toMatchObject({ session_id: 'session-1' });
  expect(await second.next('attendanceSessionEnded')).toMatchObject({ finalData: { seq: 5 } });
});

test('[REG-16] a queue that has reached its bound refuses with OVERLOADED, and the rest is carried out', async () => {
  const bound = 20_000;
  const { server, teacher } = await startedClass(6);
  // What waits on one connection has a bound of its own.
  const devices = await Promise.all(Array.from({ length: 5 }, () => server.connect('cyd')));
  const lock = await holdCommits(server);
  const head = mark(teacher, 'student-6', 'late');
  await caughtUp(teacher);
  const refusals: Answer['error'][] = [];
  // Each changes what the one before it wrote. The head is being committed and waits no more.
  const sent = devices.flatMap((device, d) =>
    Array.from({ length: (bound + 50) / devices.length }, async (_, n) => {
      const change = { session_id: 'session-1', student_id: `student-${d + 1}`, status: n % 2 ? 'late' : 'present' };
      const answer = await device.send('markStudentAttendance', change);
      if (!answer.ok) refusals.push(answer.error);
      return answer;
    }),
  );
  await expect.poll(() => refusals.length).toBe(50);
  lock.release();
  expect(refusals.map((error) => error?.code)).toEqual(Array(50).fill('OVERLOADED'));
  expect(refusals[0]?.retryable).toBe(true);
  await accepted(head);
  const answers = await Promise.all(sent);
  expect(answers.filter(({ ok }) => !ok)).toHaveLength(50);
  expect(await dataOf(teacher)).toMatchObject({ seq: bound + 2 });
});
