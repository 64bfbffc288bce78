import { expect, test } from 'vitest';
import { writeTo } from '../testing/database.js';
import { schoolOf, student } from '../testing/school.js';
import { type Answer, startServer } from '../testing/server.js';

const session_id = 'session-1';
const studentOf = (answer: Answer) => answer['student_id'] ?? answer.error?.code;

/** A class in which user ids are like neither profile ids nor uids. */
async function startClass() {
  const server = await startServer({}, schoolOf(3), {
    prepare: (_storage, config) => {
      writeTo(config, `UPDATE students SET user_id = 'user-' || user_id`);
      writeTo(config, `UPDATE users SET user_id = 'user-' || user_id WHERE uid LIKE 's-%' OR uid = 'outsider'`);
    },
  });
  const teacher = await server.connect('ada');
  await teacher.send('startAttendanceSession', { session_id });
  return { server, teacher };
}

test('[IDS-1] student_id is the id of the student’s profile everywhere', async () => {
  const { server, teacher } = await startClass();
  const learner = await server.connect('s-2');
  const joined = await learner.send('joinAttendanceSession', { session_id });
  expect(joined).toMatchObject({ student_id: 'student-2', record: { student_id: 'student-2' } });
  expect(await teacher.next('studentJoinedAttendance')).toMatchObject({
    student_id: 'student-2',
    studentId: 'student-2',
    user_id: 'user-s-2',
  });
  const marked = await teacher.send('markStudentPresent', { session_id, student_id: 's-2' });
  const own = { student_id: 'student-2', student: { student_id: 'student-2', user_id: 'user-s-2' } };
  expect(marked).toMatchObject({ student_id: 'student-2', attendanceRecord: own });
  expect(await learner.next('attendanceUpdated')).toMatchObject({ student_id: 'student-2', attendanceRecord: own });
  const attendanceUpdates = [{ student_id: 'user-s-3', status: 'late' }];
  const bulk = await teacher.send('bulkUpdateAttendance', { session_id, attendanceUpdates });
  expect(bulk).toMatchObject({ updatedRecords: [{ student_id: 'student-3' }] });
  const online = await teacher.send('getOnlineStudents', { session_id });
  expect(online).toMatchObject({ online_students: [{ student_id: 'student-2' }] });
  const { changes } = await teacher.send('getAttendanceSessionData', { session_id, since_seq: 1 });
  expect((changes as Array<{ student_id: string }>).map((change) => change.student_id)).toEqual([
    'student-2',
    'student-2',
    'student-3',
  ]);
  const { attendanceRecords } = await teacher.send('getAttendanceSessionData', { session_id });
  expect((attendanceRecords as Array<{ student_id: string }>).map((record) => record.student_id)).toEqual([
    'student-1',
    'student-2',
    'student-3',
  ]);
});

test('[IDS-2] a student may be named by profile id, by user id or by uid', async () => {
  const { server, teacher } = await startClass();
  for (const [index, name] of ['student-1', 'user-s-1', 's-1'].entries()) {
    const remarks = `named ${index}`;
    const events = ['markStudentPresent', 'markStudentAbsent'];
    for (const event of events) {
      const answer = await teacher.send(event, { session_id, student_id: name, remarks });
      expect(answer, `${event} ${name}`).toMatchObject({ ok: true, student_id: 'student-1' });
    }
    const late = { session_id, student_id: name, status: 'late' };
    expect(studentOf(await teacher.send('markStudentAttendance', late))).toBe('student-1');
    const attendanceUpdates = [{ student_id: name, status: 'excused' }];
    const bulk = await teacher.send('bulkUpdateAttendance', { session_id, attendanceUpdates });
    expect(bulk).toMatchObject({ updatedRecords: [{ student_id: 'student-1', status: 'excused' }] });
  }
  // Who isn't on the roster is found by the same names.
  for (const name of ['student-outsider', 'user-outsider', 'outsider']) {
    expect(studentOf(await teacher.send('markStudentPresent', { session_id, student_id: name }))).toBe('NOT_ENROLLED');
  }
  const walkIn = { session_id, student_id: 'user-outsider', walk_in: true };
  expect(studentOf(await teacher.send('markStudentPresent', walkIn))).toBe('student-outsider');
  const restarted = await server.restart();
  const again = await restarted.connect('ada');
  for (const name of ['student-1', 'user-s-1', 's-1']) {
    expect(studentOf(await again.send('markStudentPresent', { session_id, student_id: name }))).toBe('student-1');
  }
});

test('[IDS-3] a profile id comes before a user id, and that before a uid', async () => {
  const base = schoolOf(0);
  const people = [
    { ...student(1), id: 'p-1', uid: 'a' },
    { ...student(2), id: 'p-2', uid: 'b' },
    { ...student(3), id: 'p-3', uid: 'c' },
    // `a` is the profile id of this one and the uid of the first.
    { ...student(4), id: 'a', uid: 'd' },
  ];
  const enrollments = people.map(({ id }) => ({ course_id: 'course-1', student_id: id, status: 'approved' as const }));
  const school = { ...base, students: [...base.students, ...people], enrollments };
  const server = await startServer({}, school, {
    prepare: (_storage, config) => {
      // `b` is the user id of the third, whose uid is c, and the uid of the second; `p-1` is also a user id.
      for (const [from, to] of [
        ['b', 'user-b'],
        ['c', 'b'],
        ['d', 'p-1'],
      ] as const) {
        writeTo(config, 'UPDATE students SET user_id = ? WHERE user_id = ?', [to, from]);
        writeTo(config, 'UPDATE users SET user_id = ? WHERE user_id = ?', [to, from]);
      }
    },
  });
  const meant = { a: 'a', b: 'p-3', c: 'p-3', d: 'a', 'p-1': 'p-1', 'p-2': 'p-2', 'user-b': 'p-2' };
  const teacher = await server.connect('ada');
  await teacher.send('startAttendanceSession', { session_id });
  for (const [name, id] of Object.entries(meant)) {
    expect(studentOf(await teacher.send('markStudentPresent', { session_id, student_id: name })), name).toBe(id);
  }
  // The same holds where they are looked up in the database: on an open roster, each in a session of its own.
  for (const [name, id] of Object.entries(meant)) {
    const open = { session_id: `open-${name}` };
    await teacher.send('startAttendanceSession', open);
    expect(studentOf(await teacher.send('markStudentPresent', { ...open, student_id: name })), name).toBe(id);
  }
});

test('[IDS-4] ids of 128 characters of any kind are carried from end to end', async () => {
  const id = '🏫/.. \0"\'%$'.padEnd(128, 'é');
  const base = schoolOf(1);
  const school = {
    ...base,
    students: [...base.students, { ...student(2), id, uid: 'u' }],
    courses: base.courses.map((course) => (course.id === 'course-1' ? { ...course, id } : course)),
    enrollments: [{ course_id: id, student_id: id, status: 'approved' as const }],
    sessions: [],
  };
  const server = await startServer({}, school);
  const teacher = await server.connect('ada');
  const learner = await server.connect('u');
  const started = await teacher.send('startAttendanceSession', { session_id: id, course_id: id });
  expect(started).toMatchObject({ ok: true, session_id: id, totalStudents: 1, session: { course_id: id } });
  expect(await learner.send('subscribeToCourse', { course_id: id })).toMatchObject({ course_id: id, session_id: id });
  expect(await learner.send('joinAttendanceSession', { session_id: id })).toMatchObject({ ok: true, student_id: id });
  expect(studentOf(await teacher.send('markStudentPresent', { session_id: id, student_id: id }))).toBe(id);
  expect(await learner.next('attendanceUpdated')).toMatchObject({ session_id: id, student_id: id });
  const restarted = await server.restart();
  const again = await restarted.connect('ada');
  expect(studentOf(await again.send('markStudentAbsent', { session_id: id, student_id: id }))).toBe(id);
});

test('[IDS-4] a user’s op_id and a course’s enrolment are told apart whatever characters ids hold', async () => {
  const base = schoolOf(1);
  const course = (id: string) => ({ ...base.courses[0], id, title: id, course_code: null, credit: null });
  const server = await startServer(
    {},
    {
      ...base,
      teachers: base.teachers.map((one) => (one.uid === 'cyd' ? { ...one, uid: 'ada\0x' } : one)),
      students: [...base.students, { ...student(2), id: 't', uid: 'in' }, { ...student(3), id: 's\0t', uid: 'out' }],
      courses: [
        ...base.courses,
        ...['c', 'c\0s'].map((id) => ({ ...course(id), co_teacher_ids: [], teacher_id: 'teacher-ada' })),
      ],
      enrollments: [...base.enrollments, { course_id: 'c\0s', student_id: 't', status: 'approved' as const }],
    },
  );
  const enrolled = await server.connect('in');
  expect(await enrolled.send('subscribeToCourse', { course_id: 'c\0s' })).toMatchObject({ ok: true });
  const other = await server.connect('out');
  const refused = await other.send('subscribeToCourse', { course_id: 'c' });
  expect(refused).toMatchObject({ ok: false, error: { code: 'FORBIDDEN' } });

  const [teacher, colleague] = [await server.connect('ada'), await server.connect('ada\0x')];
  await teacher.send('startAttendanceSession', { session_id });
  const mark = { session_id, student_id: 'student-1' };
  expect(await teacher.send('markStudentPresent', { ...mark, op_id: 'x\0y' })).toMatchObject({ ok: true, seq: 2 });
  const theirs = await colleague.send('markStudentPresent', { ...mark, remarks: 'late bus', op_id: 'y' });
  expect(theirs).toMatchObject({ ok: true, seq: 3 });
  expect(theirs['duplicate']).toBeUndefined();
});

test('[IDS-5] sessionId, studentId and courseId are accepted', async () => {
  const server = await startServer({}, schoolOf(2));
  const [teacher, learner] = [await server.connect('ada'), await server.connect('s-1')];
  const started = await teacher.send('startAttendanceSession', { sessionId: 'new', courseId: 'course-1' });
  expect(started).toMatchObject({ ok: true, session_id: 'new', totalStudents: 2 });
  expect(await learner.send('joinAttendanceSession', { sessionId: 'new' })).toMatchObject({ session_id: 'new' });
  expect(await learner.send('subscribeToCourse', { courseId: 'course-1' })).toMatchObject({ course_id: 'course-1' });
  const named = { sessionId: 'new', studentId: 'student-1' };
  expect(studentOf(await teacher.send('markStudentPresent', named))).toBe('student-1');
  const attendanceUpdates = [{ studentId: 'student-2', status: 'late' }];
  const bulk = await teacher.send('bulkUpdateAttendance', { sessionId: 'new', attendanceUpdates });
  expect(bulk).toMatchObject({ ok: true, updatedRecords: [{ student_id: 'student-2' }] });
  for (const event of ['getAttendanceSessionData', 'getOnlineStudents', 'endAttendanceSession']) {
    expect(await teacher.send(event, { sessionId: 'new' }), event).toMatchObject({ ok: true, session_id: 'new' });
  }
});

test('[IDS-6] where both names are sent the snake_case one counts', async () => {
  const server = await startServer({}, schoolOf(2));
  const teacher = await server.connect('ada');
  await teacher.send('startAttendanceSession', { session_id, sessionId: 'other' });
  const both = { session_id, sessionId: 'other', student_id: 'student-1', studentId: 'student-2' };
  expect(await teacher.send('markStudentPresent', both)).toMatchObject({ session_id, student_id: 'student-1' });
  // A bad snake_case name isn't rescued by a good alias.
  const bad = await teacher.send('markStudentPresent', { ...both, student_id: null });
  expect(bad.error).toMatchObject({ code: 'BAD_REQUEST', details: { field: 'student_id' } });
  const course = await teacher.send('checkActiveSessions', { course_id: 'course-1', courseId: 'course-2' });
  expect(course).toMatchObject({ ok: true, course_id: 'course-1' });
});
