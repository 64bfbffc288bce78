import { expect, onTestFinished, test, vi } from 'vitest';
import { fileOf, otherConnection } from '../testing/database-file.js';
import { refusalOfConnection } from '../testing/refusals.js';
import { schoolOf } from '../testing/school.js';
import { startServer, tokenOf } from '../testing/server.js';

/** Lets the clock by which ages are told stand so many seconds later than it is. */
function makeOlder(): (seconds: number) => void {
  const realNow = performance.now.bind(performance);
  let ahead = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => realNow() + ahead);
  onTestFinished(() => clock.mockRestore());
  return (seconds) => {
    ahead += seconds * 1_000;
  };
}

test('[PEOPLE-180] a user who was deleted a minute ago isn’t let in, however often they were before', async () => {
  const server = await startServer({}, schoolOf(1));
  const older = makeOlder();
  const auth = { token: await tokenOf('ada') };
  expect(await refusalOfConnection(server.url, { auth })).toBeUndefined();
  const database = otherConnection(fileOf(server));
  database.exec("DELETE FROM teachers WHERE user_id = (SELECT user_id FROM users WHERE uid = 'ada')");
  database.exec("DELETE FROM users WHERE uid = 'ada'");
  older(74);
  expect((await refusalOfConnection(server.url, { auth }))?.message).toBe('User not found');
});

test('[PEOPLE-180] what a course says of its teachers is a minute old at most', async () => {
  const server = await startServer({}, schoolOf(1));
  const older = makeOlder();
  const coTeacher = await server.connect('cyd');
  const session_id = 'session-1';
  expect(await coTeacher.send('startAttendanceSession', { session_id })).toMatchObject({ ok: true });
  otherConnection(fileOf(server)).exec('DELETE FROM course_teachers');
  older(61);
  const answer = await coTeacher.send('markStudentPresent', { session_id, student_id: 'student-1' });
  expect(answer.error?.code).toBe('NOT_SESSION_TEACHER');
});

test('[PEOPLE-180] [APP-13] a teacher who was idle for long has a teacher’s rate at once', async () => {
  const server = await startServer({}, schoolOf(1));
  const older = makeOlder();
  const teacher = await server.connect('ada');
  const session_id = 'session-1';
  await teacher.send('startAttendanceSession', { session_id });
  older(120);
  const marks = Array.from({ length: 300 }, (_, n) =>
    teacher.send(n % 2 ? 'markStudentAbsent' : 'markStudentPresent', { session_id, student_id: 'student-1' }),
  );
  const refused = (await Promise.all(marks)).filter(({ ok }) => !ok);
  expect(refused).toEqual([]);
});
