import { expect, test } from 'vitest';
import { accepted, caughtUp, dataOf, end, joined, refused, startedClass, UNLIMITED } from '../testing/class.js';
import { schoolOf } from '../testing/school.js';
import { type Client, type Payload, startServer } from '../testing/server.js';

const COURSE = { course_id: 'course-1' };
const subscribe = (client: Client) => accepted(client.send('subscribeToCourse', COURSE));
const idsOf = (payload: Payload) => (payload['activeSessions'] as Payload[]).map(({ session_id }) => session_id).sort();
const begin = (teacher: Client, session_id: string, course_id?: string) =>
  accepted(teacher.send('startAttendanceSession', { session_id, ...(course_id && { course_id }) }));

test('[COURSE-1] [COURSE-2] [COURSE-7] who subscribes hears of the course until they unsubscribe', async () => {
  const { server, teacher } = await startedClass(2);
  const [subscribed, idle] = [await server.connect('s-1'), await server.connect('s-2')];
  await subscribe(subscribed);
  await begin(teacher, 'lab', 'course-1');
  expect(await subscribed.next('courseSessionStarted')).toMatchObject({ session_id: 'lab' });
  expect(await accepted(subscribed.send('unsubscribeFromCourse', COURSE))).toEqual({ ok: true, ...COURSE });
  await accepted(end(teacher, { session_id: 'lab' }));
  await caughtUp(subscribed, idle);
  expect(subscribed.all('courseSessionEnded')).toEqual([]);
  for (const event of ['courseSessionStarted', 'courseSessionEnded']) expect(idle.all(event)).toEqual([]);
  expect(idle.all('activeSessionsData')).toEqual([]);
});

test.each(['subscribeToCourse', 'checkActiveSessions', 'getActiveSessions'])(
  '[COURSE-3] [APP-2] [APP-3] [APP-5] %s is answered under both names with the course that was sent',
  async (event) => {
    const { server } = await startedClass(2);
    const student = await server.connect('s-1');
    const { ok, ...ack } = await accepted(student.send(event, COURSE));
    expect(ok).toBe(true);
    expect(ack).toMatchObject({ course_id: 'course-1', session_id: 'session-1' });
    expect(await student.next('activeSessionsData')).toEqual(ack);
    expect(await student.next('currentActiveSessions')).toEqual(ack);
    const camel = await accepted(student.send(event, { courseId: 'course-1' }));
    expect(camel['course_id']).toBe('course-1');
  },
);

test('[COURSE-4] [COURSE-8] an active session is listed with the number who have joined', async () => {
  const { server, teacher, started } = await startedClass(3);
  const student = await joined(server, 's-1');
  await joined(server, 's-2');
  const { session } = started as unknown as { session: Payload };
  const expected = {
    sessionId: 'session-1',
    session_id: 'session-1',
    course_id: 'course-1',
    teacherId: 'teacher-ada',
    studentCount: 2,
    startedAt: session['started_at'],
    topic: 'Joins',
    check_in: 'open',
  };
  expect((await accepted(teacher.send('checkActiveSessions', COURSE)))['activeSessions']).toEqual([expected]);
  student.close();
  expect((await accepted(teacher.send('checkActiveSessions', COURSE)))['activeSessions']).toEqual([expected]);
});

test('[COURSE-5] without a course the user’s own courses and rosters are listed', async () => {
  const { server, teacher } = await startedClass(2);
  const [eve, colleague, student, outsider, admin] = await Promise.all(
    ['eve', 'cyd', 's-1', 'outsider', 'root'].map((uid) => server.connect(uid)),
  );
  if (!eve || !colleague || !student || !outsider || !admin) throw new Error('not connected');
  await begin(eve, 'session-2');
  await begin(eve, 'open');
  await accepted(student.send('joinAttendanceSession', { session_id: 'open' }));
  const listed = async (client: Client) => {
    const answer = await accepted(client.send('checkActiveSessions', {}));
    expect(answer['course_id']).toBeNull();
    return idsOf(answer);
  };
  expect(await listed(teacher)).toEqual(['session-1']);
  expect(await listed(colleague)).toEqual(['session-1']);
  expect(await listed(eve)).toEqual(['open', 'session-2']);
  expect(await listed(student)).toEqual(['open', 'session-1']);
  expect(await listed(outsider)).toEqual(['session-2']);
  expect(await listed(admin)).toEqual(['open', 'session-1', 'session-2']);
});

test.each(['subscribeToCourse', 'checkActiveSessions', 'getActiveSessions'])(
  '[COURSE-6] a refused %s is also answered by activeSessionsError',
  async (event) => {
    const server = await startServer(UNLIMITED, schoolOf(1));
    const outsider = await server.connect('outsider');
    for (const [course_id, code] of [
      ['course-1', 'FORBIDDEN'],
      ['no course', 'COURSE_NOT_FOUND'],
    ]) {
      const error = await refused(outsider.send(event, { course_id }));
      expect(error.code).toBe(code);
      expect(await outsider.next('activeSessionsError')).toEqual({ message: error.message, code });
      expect(await outsider.next('attendanceError')).toMatchObject({ event, code });
    }
    expect(outsider.all('activeSessionsData')).toEqual([]);
  },
);

test('[APP-4] repeated subscriptions have the effect of one', async () => {
  const { server, teacher } = await startedClass(1);
  const student = await server.connect('s-1');
  for (let n = 0; n < 3; n += 1) await subscribe(student);
  await begin(teacher, 'lab', 'course-1');
  await caughtUp(student);
  expect(student.all('courseSessionStarted')).toHaveLength(1);
  await accepted(student.send('unsubscribeFromCourse', COURSE));
  await accepted(end(teacher, { session_id: 'lab' }));
  await caughtUp(student);
  expect(student.all('courseSessionEnded')).toEqual([]);
});

test('[APP-6] a session_id at the top only while exactly one session is listed', async () => {
  const server = await startServer(UNLIMITED, schoolOf(1));
  const [teacher, student] = [await server.connect('ada'), await server.connect('s-1')];
  const none = await subscribe(student);
  await begin(teacher, 'session-1');
  const one = await subscribe(student);
  await begin(teacher, 'lab', 'course-1');
  const two = await subscribe(student);
  await accepted(end(teacher));
  const other = await subscribe(student);
  expect([none, one, two, other].map((answer) => answer['session_id'])).toEqual([
    undefined,
    'session-1',
    undefined,
    'lab',
  ]);
  expect(Object.keys(two)).not.toContain('session_id');
  const told = student.all('activeSessionsData').map((payload) => [idsOf(payload), payload['session_id']]);
  expect(told).toContainEqual([['lab', 'session-1'], undefined]);
  // Answers come under both names, what the room is told under the seed's.
  expect(student.all('currentActiveSessions')).toHaveLength(4);
  for (const answer of student.all('currentActiveSessions'))
    expect(student.all('activeSessionsData')).toContainEqual(answer);
});

test('[COURSE-3] active sessions are listed as before after a restart', async () => {
  const { server, teacher } = await startedClass(2);
  await joined(server, 's-1');
  const before = await accepted(teacher.send('checkActiveSessions', COURSE));
  const back = await (await server.restart()).connect('ada');
  expect(await accepted(back.send('checkActiveSessions', COURSE))).toEqual(before);
  expect(await dataOf(back)).toMatchObject({ seq: 2 });
});

test('[COURSE-240] of thousands of sessions that begin in a row lists are few and the last state always', async () => {
  const server = await startServer(UNLIMITED, schoolOf(1));
  const [teacher, student] = [await server.connect('ada'), await server.connect('s-1')];
  await subscribe(student);
  const began = performance.now();
  const ids = Array.from({ length: 200 }, (_, n) => `tutorial-${n}`);
  await Promise.all(ids.map((session_id) => begin(teacher, session_id, 'course-1')));
  const last = () => student.all('activeSessionsData').at(-1) ?? {};
  await expect.poll(() => idsOf(last()).length, { timeout: 60_000 }).toBe(200);
  expect(student.all('courseSessionStarted')).toHaveLength(200);
  const cost = student.all('activeSessionsData').reduce((sum, payload) => sum + 20 + idsOf(payload).length, 0);
  const seconds = (performance.now() - began) / 1_000;
  // A burst, what each second allows, and the answer to the subscription and the last list, which may go beyond.
  expect(cost).toBeLessThan(2_000 + 2_000 * seconds + 2 * 220);
  await Promise.all(ids.map((session_id) => accepted(end(teacher, { session_id }))));
  await expect.poll(() => idsOf(last()).length, { timeout: 60_000 }).toBe(0);
  expect(student.all('currentActiveSessions')).toHaveLength(1);
});

test('[COURSE-241] a teacher’s sessions are found by course, by name and by who started them, until they end', async () => {
  const { server, teacher } = await startedClass(2);
  const [eve, root] = [await server.connect('eve'), await server.connect('root')];
  await begin(root, 'session-2');
  await begin(eve, 'open');
  const listed = async (client: Client) => idsOf(await accepted(client.send('checkActiveSessions', {})));
  expect(await listed(eve)).toEqual(['open', 'session-2']);
  expect(await listed(teacher)).toEqual(['session-1']);
  await accepted(end(eve, { session_id: 'session-2' }));
  await accepted(end(teacher));
  expect(await listed(eve)).toEqual(['open']);
  expect(await listed(teacher)).toEqual([]);
  const back = await (await server.restart()).connect('eve');
  expect(await listed(back)).toEqual(['open']);
});
