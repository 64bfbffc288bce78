import type { SessionId } from '@rollcall/protocol';
import { expect, test } from 'vitest';
import { readEntries } from '../../storage/contract/journal-access.js';
import { schoolOf } from '../../testing/school.js';
import { type Client, startServer, type TestServer } from '../../testing/server.js';

const session_id = 'session-1';
const roundTrip = (client: Client) => client.send('unsubscribeFromCourse', { course_id: 'none' });
const journal = ({ storage }: TestServer, id = session_id) => readEntries(storage, id as SessionId, 0, 1_000);

/** Resolves once the socket is connected again, after something else has cut it. */
const reconnected = ({ socket }: Client): Promise<void> =>
  new Promise((resolve) => {
    socket.once('connect', resolve);
  });

/** Cuts the line under a client's feet; it comes back by itself, as an app's would, and sends nothing again. */
async function loseConnection(client: Client): Promise<void> {
  const back = reconnected(client);
  client.socket.io.engine.close();
  await back;
}

const changesOf = (client: Client, id = session_id) =>
  client.all('attendanceUpdated').filter((payload) => payload['session_id'] === id);

async function startClass(variables: Record<string, string> = {}) {
  const server = await startServer(variables, schoolOf(3));
  const [teacher, student] = [await server.connect('ada'), await server.connect('s-1')];
  await teacher.send('startAttendanceSession', { session_id });
  await student.send('joinAttendanceSession', { session_id });
  await teacher.next('studentJoinedAttendance');
  return { server, teacher, student };
}

test('[CONN-19] a student who reconnects is put back into the sessions that they joined', async () => {
  const { teacher, student } = await startClass();
  for (const id of ['second', 'third']) await teacher.send('startAttendanceSession', { session_id: id });
  await student.send('joinAttendanceSession', { session_id: 'second' });
  await loseConnection(student);
  for (const id of [session_id, 'second', 'third']) {
    await teacher.send('markStudentPresent', { session_id: id, student_id: 'student-1' });
  }
  await roundTrip(student);
  expect(changesOf(student)).toMatchObject([{ student_id: 'student-1', status: 'present' }]);
  expect(changesOf(student, 'second')).toHaveLength(1);
  expect(changesOf(student, 'third')).toEqual([]);
  const { online_students } = await teacher.send('getOnlineStudents', { session_id });
  expect(online_students).toMatchObject([{ student_id: 'student-1', socket_id: student.socket.id }]);
});

test('[CONN-19] under visibility private too a student who reconnects gets their own changes, and only those', async () => {
  const { teacher, student } = await startClass({ VISIBILITY: 'private' });
  await loseConnection(student);
  await teacher.send('markStudentPresent', { session_id, student_id: 'student-2' });
  await teacher.send('markStudentPresent', { session_id, student_id: 'student-1' });
  await roundTrip(student);
  expect(changesOf(student).map(({ student_id }) => student_id)).toEqual(['student-1']);
});

test('[CONN-19] a student who left is not put back, and one who never joined isn’t either', async () => {
  const { server, teacher, student } = await startClass();
  const absent = await server.connect('s-2');
  await student.send('leaveAttendanceSession', { session_id });
  await loseConnection(student);
  await loseConnection(absent);
  await teacher.send('markStudentPresent', { session_id, student_id: 'student-1' });
  for (const client of [student, absent]) {
    await roundTrip(client);
    expect(changesOf(client)).toEqual([]);
  }
});

test('[CONN-19] [JOIN-260] who left isn’t put back after a restart either, and who came back is', async () => {
  const { server, teacher, student } = await startClass();
  const back = await server.connect('s-2');
  await back.send('joinAttendanceSession', { session_id });
  for (const client of [student, back]) await client.send('leaveAttendanceSession', { session_id });
  const first = await restarted(server, [teacher, student, back]);
  expect(await back.send('joinAttendanceSession', { session_id })).toMatchObject({ ok: true });
  await restarted(first, [teacher, student, back]);
  await teacher.send('markStudentPresent', { session_id, student_id: 'student-1' });
  for (const client of [student, back]) await roundTrip(client);
  expect(changesOf(back)).toHaveLength(1);
  expect(changesOf(student)).toEqual([]);
});

async function restarted(server: TestServer, clients: readonly Client[]): Promise<TestServer> {
  const back = Promise.all(clients.map(reconnected));
  const next = await server.restart();
  await back;
  return next;
}

test('[CONN-19] a session that ended meanwhile is not come back to', async () => {
  const { teacher, student } = await startClass();
  student.socket.disconnect();
  await teacher.send('endAttendanceSession', { session_id });
  const back = reconnected(student);
  student.socket.connect();
  await back;
  const answer = await student.send('joinAttendanceSession', { session_id });
  expect(answer.error?.code).toBe('SESSION_NOT_ACTIVE');
  expect(student.all('attendanceSessionEnded')).toEqual([]);
});

test('[CONN-20] a teacher is put back into the teacher room of the session they started last', async () => {
  const { server, teacher } = await startClass();
  const other = await server.connect('ada');
  // Milliseconds tell which of two starts was the later one.
  await expect.poll(() => Date.now()).toBeGreaterThan(Date.now());
  await other.send('startAttendanceSession', { session_id: 'second' });
  await loseConnection(teacher);
  for (const id of [session_id, 'second']) {
    await other.send('markStudentPresent', { session_id: id, student_id: 'student-1' });
  }
  await roundTrip(teacher);
  expect(changesOf(teacher, 'second')).toHaveLength(1);
  expect(changesOf(teacher)).toEqual([]);

  await teacher.send('watchAttendanceSession', { session_id });
  await other.send('markStudentAbsent', { session_id, student_id: 'student-1' });
  await roundTrip(teacher);
  expect(changesOf(teacher)).toHaveLength(1);
});

test('[CONN-20] a teacher comes back to what they started, whatever a colleague has started in their name since', async () => {
  const { server, teacher } = await startClass();
  const colleague = await server.connect('cyd');
  await expect.poll(() => Date.now()).toBeGreaterThan(Date.now());
  const second = { session_id: 'second', course_id: 'course-1' };
  expect(await colleague.send('startAttendanceSession', second)).toMatchObject({ ok: true });
  await loseConnection(teacher);
  for (const id of [session_id, 'second']) {
    await colleague.send('markStudentPresent', { session_id: id, student_id: 'student-1' });
  }
  await roundTrip(teacher);
  expect(changesOf(teacher)).toHaveLength(1);
  expect(changesOf(teacher, 'second')).toEqual([]);
});

test('[CONN-20] an admin and a co-teacher come back to the session that they started', async () => {
  const server = await startServer({}, schoolOf(1));
  for (const [uid, id] of [
    ['cyd', 'session-1'],
    ['root', 'session-2'],
  ] as const) {
    const starter = await server.connect(uid);
    await starter.send('startAttendanceSession', { session_id: id });
    await loseConnection(starter);
    const colleague = await server.connect('root');
    await colleague.send('endAttendanceSession', { session_id: id });
    expect(await starter.next('attendanceSessionEnded')).toMatchObject({ session_id: id });
  }
});

/** session-1 of ada's course, started by its co-teacher. */
async function coTeacherClass() {
  const school = schoolOf(1);
  const server = await startServer({}, school);
  const starter = await server.connect('cyd');
  await starter.send('startAttendanceSession', { session_id });
  return { school, server, starter };
}

/** What a client is sent of a mark and of the end once its server has been restarted. */
async function heardAfterRestart(server: TestServer, client: Client): Promise<string[]> {
  const back = reconnected(client);
  const restarted = await server.restart();
  await back;
  const colleague = await restarted.connect('ada');
  const before = client.events.length;
  for (const [event, payload] of [
    ['markStudentPresent', { session_id, student_id: 'student-1' }],
    ['endAttendanceSession', { session_id }],
  ] as const) {
    expect(await colleague.send(event, payload)).toMatchObject({ ok: true });
  }
  await roundTrip(client);
  return client.events.slice(before).map(({ event }) => event);
}

test('[CONN-20] a co-teacher comes back to the session that they started after a restart', async () => {
  const { server, starter } = await coTeacherClass();
  const heard = await heardAfterRestart(server, starter);
  expect(heard).toEqual(expect.arrayContaining(['attendanceUpdated', 'attendanceSessionEnded']));
});

test('[CONN-20] [RIGHT-3] who was taken off the course isn’t put back into the session that they started', async () => {
  const { school, server, starter } = await coTeacherClass();
  const courses = school.courses.map((course) => ({ ...course, co_teacher_ids: [] }));
  await server.storage.school.importSchool({ ...school, courses }, { dryRun: false });
  expect(await heardAfterRestart(server, starter)).toEqual([]);
  const answer = await starter.send('watchAttendanceSession', { session_id });
  expect(answer.error?.code).toBe('NOT_SESSION_TEACHER');
});

test('[CONN-20] a foreign teacher is put into no room', async () => {
  const { server, teacher } = await startClass();
  const foreign = await server.connect('eve');
  await loseConnection(foreign);
  await teacher.send('markStudentPresent', { session_id, student_id: 'student-1' });
  await roundTrip(foreign);
  expect(changesOf(foreign)).toEqual([]);
});

test('[CONN-21] being put back writes no journal entry and sends no notice', async () => {
  const { server, teacher, student } = await startClass();
  const before = await journal(server);
  const onlooker = await server.connect('cyd');
  await onlooker.send('watchAttendanceSession', { session_id });
  for (let i = 0; i < 3; i += 1) {
    await loseConnection(student);
    await roundTrip(student);
    await loseConnection(teacher);
    await roundTrip(teacher);
  }
  await roundTrip(onlooker);
  const notices = ['studentJoinedAttendance', 'studentLeftAttendance', 'studentLeft', 'attendanceSessionStarted'];
  for (const client of [onlooker, student]) {
    for (const event of notices) expect(client.all(event), event).toEqual([]);
  }
  expect(teacher.all('studentJoinedAttendance')).toHaveLength(1);
  expect(student.all('attendanceSessionJoined')).toHaveLength(1);
  expect(teacher.all('attendanceSessionStarted')).toHaveLength(1);
  expect(await journal(server)).toEqual(before);
});

test('[CONN-22] after a restart marking and ending work at once, and students hear of it', async () => {
  const { server, teacher, student } = await startClass();
  await teacher.send('markStudentPresent', { session_id, student_id: 'student-2' });
  const before = await journal(server);
  const back = Promise.all([reconnected(teacher), reconnected(student)]);
  const restarted = await server.restart();
  await back;
  expect(await journal(restarted)).toEqual(before);

  const marked = await teacher.send('markStudentPresent', { session_id, student_id: 'student-1' });
  expect(marked).toMatchObject({ ok: true, seq: before.length + 1 });
  await roundTrip(student);
  expect(changesOf(student).map(({ seq }) => seq)).toEqual([before.length, before.length + 1]);
  expect(changesOf(teacher)).toHaveLength(2);
  const ended = await teacher.send('endAttendanceSession', { session_id });
  expect(ended).toMatchObject({ ok: true, finalData: { statistics: { presentCount: 2, checkedInCount: 1 } } });
  expect(await student.next('attendanceSessionEnded')).toMatchObject({ session_id, reason: 'teacher' });
});

test('[CONN-22] marking works in the very first message after a restart', async () => {
  const { server, teacher } = await startClass();
  const marked = new Promise((resolve) => {
    teacher.socket.once('connect', () => {
      teacher.socket.emit('markStudentPresent', { session_id, student_id: 'student-3' }, resolve);
    });
  });
  await server.restart();
  expect(await marked).toMatchObject({ ok: true, attendanceRecord: { status: 'present' } });
});

test('[APP-16] a teacher whose connection goes doesn’t end the session', async () => {
  const { server, teacher, student } = await startClass();
  const entries = await journal(server);
  teacher.close();
  // The server has seen it go.
  await expect.poll(() => server.rollcall.io.of('/').sockets.size, { timeout: 20_000 }).toBe(1);
  const second = await server.connect('s-2');
  expect(await second.send('joinAttendanceSession', { session_id })).toMatchObject({ ok: true });
  expect(student.all('attendanceSessionEnded')).toEqual([]);
  expect(await journal(server)).toHaveLength(entries.length + 1);
  const again = await server.connect('ada');
  expect(await again.send('markStudentPresent', { session_id, student_id: 'student-1' })).toMatchObject({ ok: true });
});
