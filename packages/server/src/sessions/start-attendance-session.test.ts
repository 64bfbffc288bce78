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
  rowOf,
  rowsOf,
  sessionId,
  startedClass,
  UNLIMITED,
} from '../testing/class.js';
import { fileOf, otherConnection } from '../testing/database-file.js';
import { schoolOf } from '../testing/school.js';
import { type Client, startServer } from '../testing/server.js';

const start = (client: Client, payload: Record<string, unknown> = {}) =>
  client.send('startAttendanceSession', { session_id: 'session-1', ...payload });

test('[START-1] a scheduled class session becomes active', async () => {
  const { server, teacher } = await startedClass(2);
  expect(await dataOf(teacher)).toMatchObject({ session: { status: 'active', session_id: 'session-1' } });
  await expect
    .poll(async () => (await server.storage.projection.findSession(sessionId('session-1')))?.status, {
      timeout: 10_000,
    })
    .toBe('active');
});

test('[START-2] one absent record for each approved enrolment, none for a pending or rejected one', async () => {
  const { started } = await startedClass(3);
  const named = rowsOf(started).map(({ student_id, status }) => [student_id, status]);
  expect(named).toEqual([
    ['student-1', 'absent'],
    ['student-2', 'absent'],
    ['student-3', 'absent'],
  ]);
  expect(started).toMatchObject({ totalStudents: 3, statistics: { totalStudents: 3, absentCount: 3 } });
});

test('[START-3] the records of 1,000 students are made in one commit', async () => {
  const { server, started } = await startedClass(1_000);
  expect(rowsOf(started)).toHaveLength(1_000);
  expect(new Set(rowsOf(started).map(({ _id }) => _id)).size).toBe(1_000);
  const commits = otherConnection(fileOf(server)).rows(
    "SELECT first_seq, last_seq FROM journal WHERE session_id = 'session-1'",
  );
  expect(commits).toEqual([[1, 1]]);
  const projected = () => server.storage.projection.readRecords(sessionId('session-1'));
  await expect.poll(async () => (await projected()).length, { timeout: 20_000 }).toBe(1_000);
  const stored = new Map((await projected()).map((record) => [record.student_id as string, record.record_id]));
  expect(rowsOf(started).every(({ student_id, _id }) => stored.get(student_id) === _id)).toBe(true);
});

test('[START-4] an unknown id with a course makes a session of that id with that roster', async () => {
  const server = await startServer(UNLIMITED, schoolOf(2));
  const teacher = await server.connect('ada');
  const started = await accepted(start(teacher, { session_id: 'made here', course_id: 'course-1' }));
  expect(started).toMatchObject({
    session_id: 'made here',
    totalStudents: 2,
    session: { _id: 'made here', course_id: 'course-1', course: { course_code: 'CSE-301' }, status: 'active' },
    seq: 1,
  });
  expect(await dataOf(teacher, 'made here')).toMatchObject({ session: { course_id: 'course-1' } });
});

test('[START-5] an unknown id without a course makes a session with an open, empty roster', async () => {
  const server = await startServer(UNLIMITED, schoolOf(2));
  const teacher = await server.connect('ada');
  const started = await accepted(start(teacher, { session_id: 'open air' }));
  expect(started).toMatchObject({
    totalStudents: 0,
    attendanceRecords: [],
    session: { course_id: null, course: null, teacher_id: 'teacher-ada', teacher_name: 'Ada Osei' },
  });
  const student = await server.connect('outsider');
  expect(await student.send('joinAttendanceSession', { session_id: 'open air' })).toMatchObject({ ok: true });
});

test('[START-6] [START-9] a start of an active session writes nothing and answers all as it stands', async () => {
  const { server, teacher, started } = await startedClass(4);
  await joined(server, 's-2');
  await accepted(mark(teacher, 'student-3', 'late', { remarks: 'bus' }));
  const before = await journalOf(server);
  const reloaded = await server.connect('ada');
  const again = await accepted(start(reloaded, { topic: 'another', policy: { visibility: 'private' } }));
  const colleague = await server.connect('cyd');
  const theirs = await accepted(start(colleague));
  for (const answer of [again, theirs]) {
    expect(rowsOf(answer)).toHaveLength(4);
    expect(answer).toMatchObject({ seq: 3, totalStudents: 4, statistics: { lateCount: 1, checkedInCount: 1 } });
    expect(answer['session']).toEqual(started['session']);
    expect(answer['policy']).toEqual(started['policy']);
    expect(rowOf(answer, 'student-3')).toMatchObject({ status: 'late', remarks: 'bus', seq: 3 });
    expect(rowOf(answer, 'student-1')).toEqual(rowOf(started, 'student-1'));
  }
  expect(await journalOf(server)).toEqual(before);
  expect(teacher.all('attendanceError')).toEqual([]);
});

test('[START-7] starting a completed or cancelled session is SESSION_ENDED', async () => {
  const school = schoolOf(1);
  const [first] = school.sessions;
  if (!first) throw new Error('the school has no session');
  const cancelled = { ...first, id: 'session-cancelled', status: 'cancelled' as const };
  const { teacher, server } = await startedClass(1, {
    school: { ...school, sessions: [...school.sessions, cancelled] },
  });
  await accepted(teacher.send('endAttendanceSession', { session_id: 'session-1' }));
  for (const session_id of ['session-1', 'session-old', 'session-cancelled']) {
    expect(await refused(start(teacher, { session_id }))).toMatchObject({
      code: 'SESSION_ENDED',
      message: 'Attendance session not active',
    });
  }
  expect(await journalOf(server, 'session-old')).toEqual([]);
  expect(await journalOf(server)).toHaveLength(2);
});

test('[START-8] a start is answered by event and acknowledgement with the same payload', async () => {
  const { teacher, started } = await startedClass(2);
  const { ok, ...ack } = started;
  const event = await teacher.next('attendanceSessionStarted');
  expect(ok).toBe(true);
  expect(event).toEqual(ack);
  expect(Object.keys(event).sort()).toEqual(
    ['attendanceRecords', 'chain', 'policy', 'seq', 'session', 'session_id', 'statistics', 'totalStudents'].sort(),
  );
});

test('[START-10] the starter gets what happens from then on', async () => {
  const { server, teacher } = await startedClass(2);
  await joined(server, 's-1');
  expect(await teacher.next('studentJoinedAttendance')).toMatchObject({ student_id: 'student-1' });
});

test('[START-11] a device that starts, reads or watches gets everything from then on', async () => {
  const { server, teacher } = await startedClass(3);
  // ada's own sockets are put back by themselves, so these are her colleague's.
  const devices = await Promise.all(['cyd', 'cyd', 'cyd', 'cyd'].map((uid) => server.connect(uid)));
  const [starts, reads, watches, idle] = devices as [Client, Client, Client, Client];
  await accepted(start(starts));
  await dataOf(reads);
  await accepted(watches.send('watchAttendanceSession', { session_id: 'session-1' }));
  await accepted(mark(teacher, 'student-1', 'present'));
  for (const device of [teacher, starts, reads, watches]) {
    expect(await device.next('attendanceUpdated')).toMatchObject({ student_id: 'student-1', seq: 2 });
  }
  await caughtUp(idle);
  expect(idle.all('attendanceUpdated')).toEqual([]);
});

test('[START-12] a policy field that isn’t given has the configured default', async () => {
  const variables = { VISIBILITY: 'private', LATE_AFTER_MINUTES: '7', INACTIVITY_MINUTES: '11', MAX_MINUTES: '120' };
  const { started } = await startedClass(1, { variables, policy: { auto_mark: true, late_after_minutes: null } });
  expect(started['policy']).toEqual({
    check_in: 'open',
    auto_mark: true,
    late_after_minutes: 7,
    visibility: 'private',
    inactivity_minutes: 11,
    max_minutes: 120,
  });
});

test.each([
  [{ auto_mark: 'yes' }, 'policy.auto_mark'],
  [{ check_in: 'sometimes' }, 'policy.check_in'],
  [{ visibility: 3 }, 'policy.visibility'],
  [{ late_after_minutes: -1 }, 'policy.late_after_minutes'],
  [{ max_minutes: '5' }, 'policy.max_minutes'],
  [{ inactivity_minutes: -0.5 }, 'policy.inactivity_minutes'],
  ['private', 'policy'],
])('[START-13] policy %j is BAD_REQUEST naming %s', async (policy, field) => {
  const server = await startServer(UNLIMITED, schoolOf(1));
  const teacher = await server.connect('ada');
  const error = await refused(start(teacher, { policy }));
  expect(error).toMatchObject({ code: 'BAD_REQUEST', details: { field } });
  expect(error.message).toContain(field);
  expect(await journalOf(server)).toEqual([]);
});

test('[START-14] minutes of a policy may be fractions', async () => {
  const { started } = await startedClass(1, { policy: { late_after_minutes: 0.25, max_minutes: 90.5 } });
  expect(started).toMatchObject({ policy: { late_after_minutes: 0.25, max_minutes: 90.5 } });
});

test('[START-15] [START-16] a start is told to the course, and not to other courses', async () => {
  const server = await startServer(UNLIMITED, schoolOf(2));
  const [teacher, student, outsider] = await Promise.all(['ada', 's-1', 'outsider'].map((uid) => server.connect(uid)));
  if (!teacher || !student || !outsider) throw new Error('not connected');
  await accepted(student.send('subscribeToCourse', { course_id: 'course-1' }));
  await accepted(outsider.send('subscribeToCourse', { course_id: 'course-2' }));
  expect(await student.next('activeSessionsData')).toMatchObject({ activeSessions: [] });
  const { session } = await accepted(start(teacher));
  expect(await student.next('courseSessionStarted')).toEqual({
    course_id: 'course-1',
    session_id: 'session-1',
    teacher_id: 'teacher-ada',
    teacher_name: 'Ada Osei',
    session_topic: 'Joins',
    total_students: 2,
    started_at: (session as { started_at: string }).started_at,
  });
  expect(await student.next('activeSessionsData')).toMatchObject({
    course_id: 'course-1',
    activeSessions: [{ session_id: 'session-1' }],
  });
  await caughtUp(outsider);
  expect(outsider.all('courseSessionStarted')).toEqual([]);
  expect(outsider.all('activeSessionsData').filter(({ course_id }) => course_id === 'course-1')).toEqual([]);
});

test('[START-17] of starts at the same moment one writes and all get the same session', async () => {
  const server = await startServer(UNLIMITED, schoolOf(5));
  const devices = await Promise.all(['ada', 'ada', 'cyd', 'cyd'].map((uid) => server.connect(uid)));
  const answers = await Promise.all(devices.flatMap((device) => [start(device), start(device)]));
  const [first, ...others] = answers;
  expect(first).toMatchObject({ ok: true, seq: 1, totalStudents: 5 });
  for (const other of others) {
    expect(other['session']).toEqual(first?.['session']);
    expect(other['attendanceRecords']).toEqual(first?.['attendanceRecords']);
  }
  expect((await journalOf(server)).map(({ type }) => type)).toEqual(['started']);
});

test('[START-17] the same holds for an id that nobody knew', async () => {
  const server = await startServer(UNLIMITED, schoolOf(1));
  const [ada, admin] = await Promise.all(['ada', 'root'].map((uid) => server.connect(uid)));
  if (!ada || !admin) throw new Error('not connected');
  const payload = { session_id: 'new-one', course_id: 'course-1' };
  const [one, two] = await Promise.all([start(ada, payload), start(admin, payload)]);
  expect(one).toMatchObject({ ok: true, seq: 1 });
  expect(two?.['session']).toEqual(one?.['session']);
  expect(await journalOf(server, 'new-one')).toHaveLength(1);
});

test('[START-18] a topic given at the start is the session’s topic', async () => {
  const server = await startServer(UNLIMITED, schoolOf(1));
  const teacher = await server.connect('ada');
  expect(await accepted(start(teacher, { topic: 'Outer joins' }))).toMatchObject({ session: { topic: 'Outer joins' } });
  expect(await dataOf(teacher)).toMatchObject({ session: { topic: 'Outer joins' } });
});

test('[START-19] a record that the database has already is kept with its id, status and remarks', async () => {
  const server = await startServer(UNLIMITED, schoolOf(2));
  otherConnection(fileOf(server)).exec(
    `INSERT INTO attendance_records VALUES
     ('session-1', 'student-2', '0123456789abcdef01234567', 'excused', 'ill', NULL, NULL, NULL, 1000, 2000, 0),
     ('session-1', 'student-outsider', '0123456789abcdef01234568', 'late', NULL, NULL, NULL, NULL, 1000, 2000, 0)`,
  );
  const teacher = await server.connect('ada');
  const started = await accepted(start(teacher));
  expect(started).toMatchObject({ totalStudents: 3, statistics: { excusedCount: 1, lateCount: 1, absentCount: 1 } });
  expect(rowOf(started, 'student-2')).toMatchObject({
    _id: '0123456789abcdef01234567',
    status: 'excused',
    remarks: 'ill',
    createdAt: '1970-01-01T00:00:01.000Z',
  });
  expect(rowOf(started, 'student-outsider')).toMatchObject({ _id: '0123456789abcdef01234568', status: 'late' });
});

test('[START-19] a record of a student who is gone is kept, can be changed, and takes nobody else’s place', async () => {
  const server = await startServer(UNLIMITED, schoolOf(2));
  // The second is gone, and its profile id is now a uid of somebody else.
  otherConnection(fileOf(server)).exec(
    `INSERT INTO attendance_records VALUES
     ('session-1', 'gone', '0123456789abcdef01234567', 'late', 'bus', NULL, NULL, NULL, 1000, 2000, 0),
     ('session-1', 's-1', '0123456789abcdef01234568', 'present', NULL, NULL, NULL, NULL, 1000, 2000, 0)`,
  );
  const teacher = await server.connect('ada');
  const started = await accepted(start(teacher));
  expect(started).toMatchObject({ totalStudents: 4, statistics: { lateCount: 1, presentCount: 1, absentCount: 2 } });
  const nothing = { email: null, roll: null, section: null, profile_picture: null };
  expect(rowOf(started, 'gone')).toMatchObject({
    _id: '0123456789abcdef01234567',
    remarks: 'bus',
    student: { student_id: 'gone', user_id: null, name: 'gone', ...nothing },
  });
  expect(rowOf(started, 's-1')).toMatchObject({ status: 'present', student: { user_id: null, name: 's-1' } });
  expect(rowOf(started, 'student-1')).toMatchObject({ status: 'absent' });
  expect(await accepted(mark(teacher, 'gone', 'excused'))).toMatchObject({ attendanceRecord: { status: 'excused' } });
  const { finalData } = await accepted(end(teacher));
  expect(finalData).toMatchObject({ statistics: { totalStudents: 4, excusedCount: 1, presentCount: 1 } });
  const restarted = await server.restart();
  expect(rowsOf(await dataOf(await restarted.connect('cyd')))).toHaveLength(4);
});
