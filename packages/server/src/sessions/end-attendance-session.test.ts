import { expect, test } from 'vitest';
import {
  accepted,
  caughtUp,
  dataOf,
  end,
  joined,
  journalOf,
  mark,
  refused,
  rowsOf,
  sessionId,
  startedClass,
  UNLIMITED,
} from '../testing/class.js';
import { schoolOf } from '../testing/school.js';
import { type Client, type Payload, startServer } from '../testing/server.js';

const subscribe = (client: Client) => accepted(client.send('subscribeToCourse', { course_id: 'course-1' }));
const finalOf = (payload: Payload) => payload['finalData'] as Payload;
const ORDER = ['courseSessionEnded', 'activeSessionsData', 'attendanceSessionEndedConfirm', 'attendanceSessionEnded'];

test('[END-1] ending makes the session completed and sets ended_at', async () => {
  const { server, teacher } = await startedClass(2);
  const { finalData } = await accepted(end(teacher));
  const { session } = finalData as { session: Payload };
  expect(session).toMatchObject({ status: 'completed', ended_at: expect.any(String) });
  expect(await dataOf(teacher)).toMatchObject({ session });
  expect((await journalOf(server)).at(-1)).toMatchObject({ type: 'ended', reason: 'teacher', seq: 2 });
  const stored = () => server.storage.projection.findSession(sessionId('session-1'));
  await expect.poll(async () => (await stored())?.status, { timeout: 10_000 }).toBe('completed');
  expect((await stored())?.ended_at).toBe(Date.parse(session['ended_at'] as string));
});

test('[END-2] [END-3] [END-13] [END-14] participants, teachers and the caller get the end with its data', async () => {
  const { server, teacher } = await startedClass(2);
  const second = await server.connect('cyd');
  await dataOf(second);
  const student = await joined(server, 's-1');
  await accepted(mark(teacher, 'student-1', 'late'));
  const { ok, seq, ...confirm } = await accepted(end(teacher));
  expect([ok, seq]).toEqual([true, 4]);
  expect(await teacher.next('attendanceSessionEndedConfirm')).toEqual(confirm);
  expect(Object.keys(confirm).sort()).toEqual(['finalData', 'session_id']);
  const final = finalOf(confirm);
  expect(Object.keys(final).sort()).toEqual(['attendanceRecords', 'seq', 'session', 'session_id', 'statistics']);
  expect(final).toMatchObject({ session_id: 'session-1', seq: 4, statistics: { lateCount: 1, onlineCount: 1 } });
  const statuses = (payload: Payload) => rowsOf(payload).map(({ student_id, status }) => [student_id, status]);
  for (const client of [teacher, second, student]) {
    const event = await client.next('attendanceSessionEnded');
    expect(event).toEqual({
      session_id: 'session-1',
      finalData: expect.objectContaining({ session: final['session'], statistics: final['statistics'], seq: 4 }),
      ended_by: 'Ada Osei',
      ended_at: (final['session'] as Payload)['ended_at'],
      reason: 'teacher',
    });
    expect(statuses(finalOf(event))).toEqual([
      ['student-1', 'late'],
      ['student-2', 'absent'],
    ]);
  }
});

test('[END-4] [END-5] the course hears of the end, and the session is no longer listed', async () => {
  const { server, teacher } = await startedClass(2);
  await accepted(teacher.send('startAttendanceSession', { session_id: 'lab', course_id: 'course-1' }));
  const student = await server.connect('s-1');
  await subscribe(student);
  await student.next('activeSessionsData');
  const { finalData } = await accepted(end(teacher));
  const { session, statistics } = finalData as { session: Payload; statistics: Payload };
  expect(await student.next('courseSessionEnded')).toEqual({
    course_id: 'course-1',
    session_id: 'session-1',
    final_statistics: statistics,
    ended_by: 'Ada Osei',
    ended_at: session['ended_at'],
  });
  expect(await student.next('activeSessionsData')).toMatchObject({
    course_id: 'course-1',
    session_id: 'lab',
    activeSessions: [{ session_id: 'lab' }],
  });
  await caughtUp(student);
  expect(student.all('attendanceSessionEnded')).toEqual([]);
});

test('[END-6] the reason is admin where an admin who doesn’t teach the session ended it', async () => {
  const { server, teacher } = await startedClass(1);
  const [admin, colleague] = await Promise.all([server.connect('root'), server.connect('cyd')]);
  await accepted(teacher.send('startAttendanceSession', { session_id: 'lab', course_id: 'course-1' }));
  await accepted(end(admin));
  expect(await teacher.next('attendanceSessionEnded')).toMatchObject({ reason: 'admin', ended_by: 'Office' });
  await accepted(end(colleague, { session_id: 'lab' }));
  expect(await teacher.next('attendanceSessionEnded')).toMatchObject({ reason: 'teacher', ended_by: 'Cyd Moreau' });
});

test('[END-7] [AMEND-4] after the end the session’s rooms are empty, and who reads it is told amendments alone', async () => {
  const { server, teacher } = await startedClass(2, { policy: { visibility: 'private' } });
  const student = await joined(server, 's-1');
  await accepted(end(teacher));
  await student.next('attendanceSessionEnded');
  const rooms = () => [...server.rollcall.io.of('/').adapter.rooms.keys()].filter((room) => room.includes('session-1'));
  expect(rooms()).toEqual([]);
  await dataOf(teacher);
  expect(rooms()).toEqual(['rollcall:amendments:session-1']);
  expect(await refused(student.send('joinAttendanceSession', { session_id: 'session-1' }))).toMatchObject({
    code: 'SESSION_NOT_ACTIVE',
  });
});

test('[END-10] [END-12] under visibility private students’ finalData has their own record alone', async () => {
  const { server, teacher } = await startedClass(3, { policy: { visibility: 'private' } });
  const second = await server.connect('cyd');
  await dataOf(second);
  const [one, laptop, two] = await Promise.all(['s-1', 's-1', 's-2'].map((uid) => joined(server, uid)));
  if (!one || !laptop || !two) throw new Error('not joined');
  const { finalData } = await accepted(end(teacher));
  for (const [client, own] of [
    [one, 'student-1'],
    [laptop, 'student-1'],
    [two, 'student-2'],
  ] as const) {
    const final = finalOf(await client.next('attendanceSessionEnded'));
    expect(final).toMatchObject({
      truncated: true,
      statistics: { totalStudents: 3 },
      session: { status: 'completed' },
    });
    expect(rowsOf(final).map(({ student_id }) => student_id)).toEqual([own]);
    await caughtUp(client);
    expect(client.all('attendanceSessionEnded')).toHaveLength(1);
  }
  for (const final of [finalData as Payload, finalOf(await second.next('attendanceSessionEnded'))]) {
    expect(rowsOf(final)).toHaveLength(3);
    expect(final['truncated']).toBeUndefined();
  }
});

test('[END-11] [END-12] above FINAL_DATA_RECORDS students’ finalData has their own record alone', async () => {
  for (const [count, whole] of [
    [3, true],
    [4, false],
  ] as const) {
    const { server, teacher } = await startedClass(count, { variables: { FINAL_DATA_RECORDS: '3' } });
    const student = await joined(server, 's-2');
    const { finalData } = await accepted(end(teacher));
    expect(rowsOf(finalData as Payload)).toHaveLength(count);
    expect(rowsOf(finalOf(await teacher.next('attendanceSessionEnded')))).toHaveLength(count);
    const final = finalOf(await student.next('attendanceSessionEnded'));
    expect(rowsOf(final)).toHaveLength(whole ? count : 1);
    expect(final['truncated']).toBe(whole ? undefined : true);
    if (!whole) expect(rowsOf(final)).toMatchObject([{ student_id: 'student-2' }]);
  }
});

test('[APP-9] the end comes in one order: to the caller, another teacher and a student who are all subscribed', async () => {
  const { server, teacher } = await startedClass(2);
  const second = await server.connect('cyd');
  const student = await joined(server, 's-1');
  const onlyCourse = await server.connect('s-2');
  await dataOf(second);
  for (const client of [teacher, second, student, onlyCourse]) {
    await subscribe(client);
    await caughtUp(client);
  }
  const marks = new Map([teacher, second, student, onlyCourse].map((client) => [client, client.events.length]));
  await accepted(end(teacher));
  await caughtUp(teacher, second, student, onlyCourse);
  const orderOf = (client: Client) => {
    const since = client.events.slice(marks.get(client)).map(({ event }) => event);
    return since.filter((event) => ORDER.includes(event));
  };
  expect(orderOf(teacher)).toEqual(ORDER);
  const others = ORDER.filter((event) => event !== 'attendanceSessionEndedConfirm');
  expect(orderOf(second)).toEqual(others);
  expect(orderOf(student)).toEqual(others);
  expect(orderOf(onlyCourse)).toEqual(['courseSessionEnded', 'activeSessionsData']);
});

test('[RIGHT-16] ending a session that is over is SESSION_NOT_ACTIVE, also for two at once', async () => {
  const { server, teacher } = await startedClass(1);
  const second = await server.connect('cyd');
  const answers = await Promise.all([end(teacher), end(second), end(teacher)]);
  expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
  for (const { ok, error } of answers) if (!ok) expect(error).toMatchObject({ code: 'SESSION_NOT_ACTIVE' });
  expect((await journalOf(server)).filter(({ type }) => type === 'ended')).toHaveLength(1);
  expect(await refused(end(second))).toMatchObject({ code: 'SESSION_NOT_ACTIVE' });
});

test('[APP-16] a teacher whose connection goes doesn’t end the session', async () => {
  const server = await startServer(UNLIMITED, schoolOf(1));
  const teacher = await server.connect('ada');
  await accepted(teacher.send('startAttendanceSession', { session_id: 'session-1' }));
  const student = await joined(server, 's-1');
  teacher.close();
  const back = await server.connect('ada');
  await accepted(mark(back, 'student-1', 'present'));
  expect(await student.next('attendanceUpdated')).toMatchObject({ seq: 3 });
  expect(await back.next('attendanceUpdated')).toMatchObject({ seq: 3 });
  expect(student.all('attendanceSessionEnded')).toEqual([]);
  expect(await dataOf(back)).toMatchObject({ session: { status: 'active' } });
});
