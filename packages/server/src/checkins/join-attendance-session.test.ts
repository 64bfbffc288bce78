import { expect, test } from 'vitest';
import {
  accepted,
  caughtUp,
  dataOf,
  end,
  holdCommits,
  joined,
  journalOf,
  mark,
  refused,
  rowOf,
  startedClass,
  UNLIMITED,
} from '../testing/class.js';
import { schoolOf, student } from '../testing/school.js';
import { type Client, type Payload, startServer } from '../testing/server.js';

const join = (client: Client, extra: Record<string, unknown> = {}) =>
  client.send('joinAttendanceSession', { session_id: 'session-1', ...extra });

/** A session with an open roster, started by ada. */
async function openClass(policy: Record<string, unknown> = {}) {
  const server = await startServer(UNLIMITED, schoolOf(2));
  const teacher = await server.connect('ada');
  await accepted(teacher.send('startAttendanceSession', { session_id: 'open', policy }));
  return { server, teacher };
}

test('[JOIN-1] the first join writes one check-in', async () => {
  const { server } = await startedClass(2);
  await joined(server, 's-1');
  expect(await journalOf(server)).toMatchObject([
    { type: 'started' },
    { type: 'checked_in', seq: 2, student_id: 'student-1', actor: { name: 'Student 1' } },
  ]);
});

test('[JOIN-2] a rejoin writes nothing and is answered like a join', async () => {
  const { server, teacher } = await startedClass(2);
  const phone = await server.connect('s-1');
  const first = await accepted(join(phone));
  await accepted(mark(teacher, 'student-2', 'late'));
  const again = await accepted(join(phone));
  const laptop = await accepted(join(await server.connect('s-1')));
  for (const answer of [again, laptop]) {
    expect(answer).toMatchObject({ checked_in_at: first['checked_in_at'], record: first['record'], seq: 3 });
    expect(answer['duplicate']).toBeUndefined();
  }
  expect(await journalOf(server)).toHaveLength(3);
  await caughtUp(teacher);
  expect(teacher.all('studentJoinedAttendance')).toHaveLength(1);
});

test('[JOIN-3] a join is answered by event and acknowledgement', async () => {
  const { server } = await startedClass(2);
  const client = await server.connect('s-2');
  const { ok, ...ack } = await join(client);
  expect(ok).toBe(true);
  expect(await client.next('attendanceSessionJoined')).toEqual(ack);
  expect(ack).toEqual({
    session_id: 'session-1',
    message: expect.any(String),
    student_id: 'student-2',
    record: expect.objectContaining({ student_id: 'student-2', status: 'absent', seq: 2 }),
    checked_in_at: expect.any(String),
    seq: 2,
    chain: expect.stringMatching(/^[0-9a-f]{16}$/),
  });
  expect((ack['record'] as Payload)['checked_in_at']).toBe(ack['checked_in_at']);
});

test('[JOIN-4] the socket enters the room attendance_<session_id>', async () => {
  const { server } = await startedClass(2);
  const { socket } = await joined(server, 's-1');
  const other = await server.connect('s-2');
  const members = await server.rollcall.io.in('attendance_session-1').fetchSockets();
  expect(members.map(({ id }) => id)).toEqual([socket.id]);
  expect(other.socket.id).not.toBe(socket.id);
});

test('[JOIN-5] a student who comes online is announced once, to the teachers alone', async () => {
  const { server, teacher } = await startedClass(2);
  const second = await server.connect('cyd');
  await dataOf(second);
  const classmate = await joined(server, 's-2');
  const newcomer = await server.connect('s-1');
  const { checked_in_at } = await accepted(join(newcomer));
  for (const device of [teacher, second]) {
    expect(await device.next('studentJoinedAttendance')).toMatchObject({ student_id: 'student-2' });
    expect(await device.next('studentJoinedAttendance')).toMatchObject({
      session_id: 'session-1',
      sessionId: 'session-1',
      student_id: 'student-1',
      studentId: 'student-1',
      student_name: 'Student 1',
      roll: '1907001',
      profile_picture: null,
      user_id: expect.any(String),
      joined_at: expect.any(String),
      checked_in_at,
    });
  }
  await accepted(join(newcomer));
  await caughtUp(teacher, second, classmate, newcomer);
  expect(teacher.all('studentJoinedAttendance')).toHaveLength(2);
  expect(second.all('studentJoinedAttendance')).toHaveLength(2);
  expect([...classmate.all('studentJoinedAttendance'), ...newcomer.all('studentJoinedAttendance')]).toEqual([]);
});

test('[JOIN-6] without auto_mark joining changes no status', async () => {
  const { server, teacher } = await startedClass(1);
  const client = await joined(server, 's-1');
  expect(rowOf(await dataOf(teacher), 'student-1')).toMatchObject({ status: 'absent', marked_at: null, seq: 2 });
  await caughtUp(client);
  expect(client.all('attendanceUpdated')).toEqual([]);
});

test('[JOIN-7] with auto_mark a check-in marks the student present', async () => {
  const { server, teacher } = await startedClass(1, { policy: { auto_mark: true, late_after_minutes: 10 } });
  const client = await server.connect('s-1');
  expect(await accepted(join(client))).toMatchObject({ record: { status: 'present' }, seq: 3 });
  expect(await teacher.next('attendanceUpdated')).toMatchObject({
    student_id: 'student-1',
    status: 'present',
    previous_status: 'absent',
    seq: 3,
  });
  await accepted(join(client));
  expect(await journalOf(server)).toHaveLength(3);
});

test('[JOIN-8] with auto_mark a check-in from late_after_minutes on is late', async () => {
  const { server, teacher } = await startedClass(2, { policy: { auto_mark: true, late_after_minutes: 0.01 } });
  const student = await server.connect('s-1');
  const startedAt = Date.parse((((await dataOf(teacher))['session'] as Payload)['started_at'] as string) ?? '');
  await expect.poll(() => Date.now() - startedAt, { interval: 20 }).toBeGreaterThanOrEqual(600);
  expect(await accepted(join(student))).toMatchObject({ record: { status: 'late' } });
});

test('[JOIN-9] with auto_mark a check-in doesn’t change a status that a teacher has set', async () => {
  const { server, teacher } = await startedClass(3, { policy: { auto_mark: true } });
  await accepted(mark(teacher, 'student-1', 'excused'));
  await accepted(mark(teacher, 'student-2', 'present'));
  await accepted(mark(teacher, 'student-2', 'absent'));
  for (const uid of ['s-1', 's-2', 's-3']) await joined(server, uid);
  const data = await dataOf(teacher);
  expect(['student-1', 'student-2', 'student-3'].map((id) => rowOf(data, id).status)).toEqual([
    'excused',
    'absent',
    'present',
  ]);
});

test('[JOIN-10] on an open roster a joining student is added in the entry of the check-in', async () => {
  const { server, teacher } = await openClass();
  const client = await server.connect('nowhere');
  const answer = await accepted(join(client, { session_id: 'open' }));
  expect(answer).toMatchObject({ seq: 2, record: { student_id: 'student-nowhere', status: 'absent', seq: 2 } });
  expect(await journalOf(server, 'open')).toMatchObject([
    { type: 'started', roster: [] },
    { type: 'checked_in', added: { status: 'absent', student: { student_id: 'student-nowhere' } } },
  ]);
  expect(await dataOf(teacher, 'open')).toMatchObject({ statistics: { totalStudents: 1, checkedInCount: 1 } });
  expect(await teacher.next('studentJoinedAttendance')).toMatchObject({ student_name: 'nowhere' });
});

test('[JOIN-11] a student who was enrolled after the start is added in the entry of the check-in', async () => {
  const { server, teacher } = await startedClass(2);
  const late = await server.connect('pending');
  expect(await refused(join(late))).toMatchObject({ code: 'NOT_ENROLLED' });
  const school = schoolOf(2);
  const enrolments = [{ course_id: 'course-1', student_id: 'student-pending', status: 'approved' as const }];
  await server.storage.school.importSchool({ ...school, enrollments: enrolments }, { dryRun: false });
  expect(await accepted(join(late))).toMatchObject({ seq: 2, record: { student_id: 'student-pending' } });
  expect(await journalOf(server)).toMatchObject([
    { type: 'started' },
    { type: 'checked_in', added: { student: { student_id: 'student-pending' } } },
  ]);
  expect(await dataOf(teacher)).toMatchObject({ statistics: { totalStudents: 3 } });
});

test('[JOIN-12] a join with since_seq brings the changes that the student missed', async () => {
  const { server, teacher } = await startedClass(3);
  const student = await joined(server, 's-1');
  await joined(server, 's-2');
  student.close();
  await accepted(mark(teacher, 'student-1', 'present'));
  await accepted(mark(teacher, 'student-2', 'late'));
  const again = await server.connect('s-1');
  const { changes, seq } = await accepted(join(again, { since_seq: 2 }));
  expect(seq).toBe(5);
  // The check-in of a classmate (3) is the teachers' to see.
  expect(changes).toMatchObject([
    { seq: 4, type: 'marked', student_id: 'student-1', status: 'present' },
    { seq: 5, type: 'marked', student_id: 'student-2', status: 'late' },
  ]);
  expect(await accepted(join(again, { since_seq: 5 }))).toMatchObject({ seq: 5, changes: [] });
});

test('[JOIN-12] under visibility private only those of their own record', async () => {
  const { server, teacher } = await startedClass(3, { policy: { visibility: 'private' } });
  const student = await joined(server, 's-1');
  await accepted(mark(teacher, 'student-2', 'late'));
  await accepted(mark(teacher, 'student-1', 'present'));
  const { changes, seq } = await accepted(join(student, { since_seq: 0 }));
  expect(seq).toBe(4);
  expect(changes).toMatchObject([
    { seq: 2, type: 'checked_in', student_id: 'student-1' },
    { seq: 4, type: 'marked', student_id: 'student-1' },
  ]);
});

test('[RIGHT-12] a join that comes while the end is being committed is SESSION_NOT_ACTIVE', async () => {
  const { server, teacher } = await startedClass(3);
  const inTime = await joined(server, 's-1');
  const tooLate = await server.connect('s-2');
  const lock = await holdCommits(server);
  const ended = end(teacher);
  await caughtUp(teacher);
  const answers = [join(tooLate), join(inTime)];
  await caughtUp(tooLate, inTime);
  lock.release();
  await accepted(ended);
  for (const answer of answers) expect(await refused(answer)).toMatchObject({ code: 'SESSION_NOT_ACTIVE' });
  expect((await journalOf(server)).at(-1)).toMatchObject({ type: 'ended', seq: 3 });
});

test('[JOIN-10] students are refused no place by a school that grew while the session runs', async () => {
  const { server } = await openClass();
  const school = schoolOf(2);
  await server.storage.school.importSchool({ ...school, students: [student(77)] }, { dryRun: false });
  const client = await server.connect('s-77');
  expect(await accepted(join(client, { session_id: 'open' }))).toMatchObject({ student_id: 'student-77' });
});
