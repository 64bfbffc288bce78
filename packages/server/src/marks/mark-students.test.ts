import { expect, test } from 'vitest';
import {
  accepted,
  caughtUp,
  dataOf,
  joined,
  journalOf,
  mark,
  refused,
  rowOf,
  startedClass,
  UNLIMITED,
} from '../testing/class.js';
import { schoolOf } from '../testing/school.js';
import { type Payload, startServer } from '../testing/server.js';

const one = { session_id: 'session-1', student_id: 'student-1' };
const recordOf = (answer: Payload) => answer['attendanceRecord'] as Payload;

test('[MARK-1] each mark sets the status of one record', async () => {
  const { teacher } = await startedClass(3);
  const statusOf = async () => rowOf(await dataOf(teacher), 'student-1').status;
  await accepted(teacher.send('markStudentPresent', one));
  expect(await statusOf()).toBe('present');
  await accepted(teacher.send('markStudentAbsent', one));
  expect(await statusOf()).toBe('absent');
  for (const status of ['late', 'excused', 'present', 'absent']) {
    await accepted(mark(teacher, 'student-1', status));
    expect(await statusOf()).toBe(status);
  }
  expect(rowOf(await dataOf(teacher), 'student-2')).toMatchObject({ status: 'absent', seq: 1 });
});

test('[MARK-2] a mark is answered by the event of its status', async () => {
  const { teacher } = await startedClass(1);
  const { ok, ...ack } = await accepted(teacher.send('markStudentPresent', one));
  const { seq, ...answer } = ack;
  expect([ok, seq]).toEqual([true, 2]);
  expect(await teacher.next('studentMarkedPresent')).toEqual(answer);
  expect(answer).toEqual({ ...one, attendanceRecord: expect.objectContaining({ status: 'present', seq: 2 }) });
  await accepted(teacher.send('markStudentAbsent', one));
  expect(await teacher.next('studentMarkedAbsent')).toMatchObject({ attendanceRecord: { status: 'absent' } });
  for (const [status, event] of [
    ['late', 'studentMarkedLate'],
    ['excused', 'studentMarkedExcused'],
    ['absent', 'studentMarkedAbsent'],
    ['present', 'studentMarkedPresent'],
  ] as const) {
    await accepted(mark(teacher, 'student-1', status));
    expect(await teacher.next(event)).toMatchObject({ ...one, attendanceRecord: { status } });
  }
});

test('[MARK-3] [APP-10] a mark that changes nothing is answered and neither stored nor broadcast', async () => {
  const { server, teacher } = await startedClass(2);
  const student = await joined(server, 's-1');
  await accepted(mark(teacher, 'student-1', 'late', { remarks: 'bus' }));
  const before = await journalOf(server);
  for (const extra of [{}, { remarks: 'bus' }, { remarks: null }]) {
    const again = await accepted(mark(teacher, 'student-1', 'late', extra));
    expect(again).toMatchObject({ seq: 3, attendanceRecord: { status: 'late', remarks: 'bus', seq: 3 } });
  }
  expect(teacher.all('studentMarkedLate')).toHaveLength(4);
  expect(await journalOf(server)).toEqual(before);
  await caughtUp(teacher, student);
  for (const client of [teacher, student]) {
    expect(client.all('attendanceUpdated')).toHaveLength(1);
    expect(client.all('attendanceError')).toEqual([]);
  }
});

test('[MARK-19] [JOIN-9] the first absent of a teacher is a change, told to all and kept at the check-in', async () => {
  const { server, teacher } = await startedClass(2, { policy: { auto_mark: true } });
  const student = await joined(server, 's-2');
  await teacher.next('attendanceUpdated');
  await student.next('attendanceUpdated').catch(() => undefined);
  const absent = { session_id: 'session-1', student_id: 'student-1' };
  expect(recordOf(await accepted(teacher.send('markStudentAbsent', absent)))).toMatchObject({
    status: 'absent',
    marked_by: 'Ada Osei',
    marked_at: expect.any(String),
  });
  for (const client of [teacher, student]) {
    await expect
      .poll(() => client.all('attendanceUpdated').at(-1))
      .toMatchObject({
        ...absent,
        status: 'absent',
        previous_status: 'absent',
      });
  }
  const seen = await journalOf(server);
  await accepted(teacher.send('markStudentAbsent', absent));
  expect(await journalOf(server)).toEqual(seen);
  await joined(server, 's-1');
  expect(rowOf(await dataOf(teacher), 'student-1').status).toBe('absent');
});

test('[MARK-4] [MARK-5] [MARK-6] a new remark is a change, none keeps it, an empty one clears it', async () => {
  const { server, teacher } = await startedClass(1);
  const remark = async (remarks?: string) =>
    recordOf(await accepted(mark(teacher, 'student-1', 'late', remarks === undefined ? {} : { remarks })));
  expect(await remark('bus')).toMatchObject({ remarks: 'bus', seq: 2 });
  expect(await remark('train')).toMatchObject({ remarks: 'train', seq: 3 });
  expect(await remark()).toMatchObject({ remarks: 'train', seq: 3 });
  expect(recordOf(await accepted(mark(teacher, 'student-1', 'present')))).toMatchObject({ remarks: 'train', seq: 4 });
  expect(recordOf(await accepted(mark(teacher, 'student-1', 'present', { remarks: '' })))).toMatchObject({
    remarks: null,
    seq: 5,
  });
  await caughtUp(teacher);
  expect(
    teacher
      .all('attendanceUpdated')
      .map(recordOf)
      .map(({ remarks }) => remarks),
  ).toEqual(['bus', 'train', 'train', null]);
  expect(await journalOf(server)).toHaveLength(5);
});

test('[MARK-7] [MARK-11] [MARK-18] [APP-8] a change goes to participants and the teacher room', async () => {
  const { server, teacher } = await startedClass(3);
  const marker = await server.connect('cyd');
  const students = await Promise.all(['s-1', 's-2'].map((uid) => joined(server, uid)));
  const absent = await server.connect('s-3');
  await accepted(mark(marker, 'student-1', 'late', { remarks: 'bus' }));
  for (const client of [teacher, ...students]) {
    expect(await client.next('attendanceUpdated')).toEqual({
      ...one,
      sessionId: 'session-1',
      studentId: 'student-1',
      status: 'late',
      attendanceRecord: expect.objectContaining({ student_id: 'student-1', status: 'late', remarks: 'bus', seq: 4 }),
      updated_by: 'Cyd Moreau',
      updated_at: expect.any(String),
      seq: 4,
      previous_status: 'absent',
    });
  }
  await accepted(mark(marker, 'student-1', 'present'));
  expect(await teacher.next('attendanceUpdated')).toMatchObject({ previous_status: 'late' });
  await caughtUp(absent, marker);
  expect(absent.all('attendanceUpdated')).toEqual([]);
});

test('[MARK-8] a client in several rooms gets each change once', async () => {
  const school = schoolOf(2);
  const [ada] = school.teachers;
  if (!ada) throw new Error('the school has no teacher');
  // A teacher who also attends: one socket in the teacher room, the session's room and the course's.
  const both = {
    ...school.students[0],
    id: 'student-ada',
    uid: 'ada',
    name: 'Ada Osei',
  } as (typeof school.students)[0];
  const enrollments = [
    ...school.enrollments,
    { course_id: 'course-1', student_id: 'student-ada', status: 'approved' as const },
  ];
  const { teacher } = await startedClass(2, {
    school: { ...school, students: [...school.students, both], enrollments },
  });
  await accepted(teacher.send('subscribeToCourse', { course_id: 'course-1' }));
  await accepted(teacher.send('joinAttendanceSession', { session_id: 'session-1' }));
  await dataOf(teacher);
  await accepted(mark(teacher, 'student-1', 'present'));
  await accepted(mark(teacher, 'student-ada', 'late'));
  const updates = [{ student_id: 'student-2', status: 'late' }];
  await accepted(teacher.send('bulkUpdateAttendance', { session_id: 'session-1', attendanceUpdates: updates }));
  await caughtUp(teacher);
  expect(teacher.all('attendanceUpdated').map(({ seq }) => seq)).toEqual([3, 4]);
  expect(teacher.all('attendanceBulkUpdated').map(({ seq }) => seq)).toEqual([5]);
});

test('[MARK-9] [SEQ-1] changes of many markers come in order of seq, without gaps, to everybody', async () => {
  const { server, teacher } = await startedClass(60);
  const second = await server.connect('cyd');
  await dataOf(second);
  const student = await joined(server, 's-1');
  const marks = [teacher, second].flatMap((device, which) =>
    Array.from({ length: 150 }, (_, n) =>
      mark(device, `student-${(n % 60) + 1}`, which ? 'late' : 'present', {
        remarks: `${which}/${n}`,
      }),
    ),
  );
  const answers = await Promise.all(marks.map(accepted));
  await caughtUp(teacher, second, student);
  const expected = Array.from({ length: 300 }, (_, n) => n + 3);
  for (const client of [teacher, second, student]) {
    expect(client.all('attendanceUpdated').map(({ seq }) => seq)).toEqual(expected);
  }
  expect(answers.map(({ seq }) => seq as number).sort((a, b) => a - b)).toEqual(expected);
});

test('[MARK-10] under visibility private a student gets their own changes alone, teachers get all', async () => {
  const { server, teacher } = await startedClass(3, { policy: { visibility: 'private' } });
  const second = await server.connect('cyd');
  await dataOf(second);
  const [mine, laptop, other] = await Promise.all(['s-1', 's-1', 's-2'].map((uid) => joined(server, uid)));
  if (!mine || !laptop || !other) throw new Error('not joined');
  await accepted(mark(teacher, 'student-1', 'late'));
  await accepted(mark(teacher, 'student-3', 'present'));
  await accepted(mark(teacher, 'student-2', 'excused'));
  await caughtUp(teacher, second, mine, laptop, other);
  const seen = (client: typeof mine) => client.all('attendanceUpdated').map(({ student_id }) => student_id);
  expect(seen(teacher)).toEqual(['student-1', 'student-3', 'student-2']);
  expect(seen(second)).toEqual(['student-1', 'student-3', 'student-2']);
  expect([seen(mine), seen(laptop), seen(other)]).toEqual([['student-1'], ['student-1'], ['student-2']]);
});

test('[MARK-12] a mark sets marked_at, marked_by, seq and updatedAt, and nothing else of the record', async () => {
  const { server, teacher, started } = await startedClass(2);
  const admin = await server.connect('root');
  const before = rowOf(started, 'student-2');
  const { attendanceRecord } = await accepted(mark(admin, 'student-2', 'present'));
  const { updated_at } = await teacher.next('attendanceUpdated');
  expect(attendanceRecord).toMatchObject({
    _id: before._id,
    createdAt: before['createdAt'],
    checked_in_at: null,
    remarks: null,
    status: 'present',
    marked_at: updated_at,
    updatedAt: updated_at,
    marked_by: 'Office',
    seq: 2,
  });
  expect(before).toMatchObject({ marked_at: null, marked_by: null, seq: 1 });
});

test('[MARK-13] a mark of a student who isn’t on the roster is NOT_ENROLLED', async () => {
  const { server, teacher } = await startedClass(1);
  for (const student_id of ['student-outsider', 'pending', 'rejected']) {
    expect(await refused(mark(teacher, student_id, 'present'))).toMatchObject({ code: 'NOT_ENROLLED' });
  }
  expect(await journalOf(server)).toHaveLength(1);
});

test('[MARK-14] [MARK-18] a walk-in is added and marked in one entry', async () => {
  const { server, teacher } = await startedClass(1);
  const student = await joined(server, 's-1');
  const answer = await accepted(mark(teacher, 'outsider', 'late', { walk_in: true, remarks: 'guest' }));
  expect(answer).toMatchObject({
    student_id: 'student-outsider',
    seq: 3,
    attendanceRecord: { status: 'late', remarks: 'guest', student: { name: 'outsider' }, checked_in_at: null },
  });
  for (const client of [teacher, student]) {
    expect(await client.next('attendanceUpdated')).toMatchObject({ previous_status: null, seq: 3, status: 'late' });
  }
  expect(await journalOf(server)).toHaveLength(3);
  expect(await dataOf(teacher)).toMatchObject({ statistics: { totalStudents: 2, lateCount: 1 } });
  // From now on they are on the roster like everybody.
  expect(await accepted(mark(teacher, 'student-outsider', 'present'))).toMatchObject({ seq: 4 });
});

test('[MARK-14] a student who was enrolled after the start needs no walk_in', async () => {
  const { server, teacher } = await startedClass(1);
  const enrollments = [{ course_id: 'course-1', student_id: 'student-nowhere', status: 'approved' as const }];
  await server.storage.school.importSchool({ ...schoolOf(1), enrollments }, { dryRun: false });
  expect(await accepted(mark(teacher, 'student-nowhere', 'present'))).toMatchObject({ seq: 2 });
});

test('[MARK-15] on an open roster a known student is added and marked in one entry', async () => {
  const server = await startServer(UNLIMITED, schoolOf(2));
  const teacher = await server.connect('ada');
  await accepted(teacher.send('startAttendanceSession', { session_id: 'open' }));
  const answer = await accepted(teacher.send('markStudentPresent', { session_id: 'open', student_id: 'outsider' }));
  expect(answer).toMatchObject({ seq: 2, student_id: 'student-outsider', attendanceRecord: { status: 'present' } });
  expect(await teacher.next('attendanceUpdated')).toMatchObject({ previous_status: null, seq: 2 });
  expect(await journalOf(server, 'open')).toHaveLength(2);
});

test('[MARK-15] a student who is added as absent is a change', async () => {
  const server = await startServer(UNLIMITED, schoolOf(2));
  const teacher = await server.connect('ada');
  await accepted(teacher.send('startAttendanceSession', { session_id: 'open' }));
  await accepted(teacher.send('markStudentAbsent', { session_id: 'open', student_id: 'student-2' }));
  expect(await teacher.next('attendanceUpdated')).toMatchObject({ status: 'absent', previous_status: null, seq: 2 });
  expect(await dataOf(teacher, 'open')).toMatchObject({ statistics: { totalStudents: 1, absentCount: 1 } });
});

test('[MARK-16] a mark of an unknown student is STUDENT_NOT_FOUND, with or without walk_in', async () => {
  const { server, teacher } = await startedClass(1);
  await accepted(teacher.send('startAttendanceSession', { session_id: 'open' }));
  const unknown = { student_id: 'nobody', session_id: 'session-1' };
  for (const payload of [unknown, { ...unknown, walk_in: true }, { ...unknown, session_id: 'open' }]) {
    expect(await refused(teacher.send('markStudentPresent', payload))).toMatchObject({ code: 'STUDENT_NOT_FOUND' });
  }
  expect([await journalOf(server), await journalOf(server, 'open')].map(({ length }) => length)).toEqual([1, 1]);
});

test('[MARK-17] a participant of another session gets nothing of a mark', async () => {
  const { server, teacher } = await startedClass(2);
  const eve = await server.connect('eve');
  await accepted(eve.send('startAttendanceSession', { session_id: 'session-2' }));
  const outsider = await joined(server, 'outsider', 'session-2');
  await accepted(mark(teacher, 'student-1', 'present'));
  await caughtUp(eve, outsider);
  expect([...eve.all('attendanceUpdated'), ...outsider.all('attendanceUpdated')]).toEqual([]);
});

test('[MARK-1] a student may be named by profile id, user id or uid, and is one student', async () => {
  const { server, teacher } = await startedClass(2);
  const { student: person } = rowOf(await dataOf(teacher), 'student-2') as { student?: Payload };
  const names = ['student-2', person?.['user_id'] as string, 's-2'];
  for (const [n, name] of names.entries()) {
    const answer = await accepted(mark(teacher, name, 'late', { remarks: `as ${n}` }));
    expect(answer).toMatchObject({ student_id: 'student-2', attendanceRecord: { student_id: 'student-2' } });
  }
  expect((await journalOf(server)).slice(1).map((entry) => 'student_id' in entry && entry.student_id)).toEqual(
    Array(3).fill('student-2'),
  );
});
