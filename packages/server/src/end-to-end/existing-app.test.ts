import type { SessionId } from '@rollcall/protocol';
import { describe, expect, test } from 'vitest';
import { readJournal } from '../register/read-journal.js';
import { startServer, type TestServer } from '../testing/server.js';
import { databases, freshMongo, projectedUpTo } from './databases.test.support.js';
import { bytesIn, changesBetween, ENROLLED, ExistingApp } from './existing-app.test.support.js';
import { Picture } from './picture.test.support.js';

const mongodb = databases.find(({ name }) => name === 'MongoDB');

/** Ends the session, waits until everything is written, and stops the server: what is there then stays. */
async function finish(server: TestServer, teacher: Picture, session: string): Promise<void> {
  const { finalData } = await teacher.command('endAttendanceSession');
  await projectedUpTo(server.storage, session as SessionId, (finalData as { seq: number }).seq);
  await server.close();
}

describe.skipIf(mongodb?.missing)(`the database of an existing app on ${mongodb?.title}`, () => {
  test('[STORE-74] [STORE-75] [START-19] [CONN-6] a whole class is served without a migration', async () => {
    const uri = await freshMongo();
    const app = await ExistingApp.on(uri);
    const id = await app.session('scheduled');
    const session = id.toHexString();
    const excused = await app.record(id, 1, { status: 'excused', remarks: 'dentist' });
    const early = await app.record(id, 2, { status: 'absent' });
    const before = await bytesIn(app.connection);

    const server = await startServer({ DATABASE_URL: uri });
    const teacher = await Picture.connect(server.url, 'ada', session);
    const started = await teacher.command('startAttendanceSession');
    expect(started).toMatchObject({
      totalStudents: ENROLLED,
      session: { status: 'active', date: '2026-11-23', topic: 'Joins', course: { course_code: 'CSE-301' } },
      statistics: { absentCount: ENROLLED - 1, excusedCount: 1 },
    });
    const students = await Promise.all([1, 2, 3].map((n) => Picture.connect(server.url, `s-${n}`, session)));
    for (const student of students) await student.command('joinAttendanceSession');
    const pending = await Picture.connect(server.url, `s-${ENROLLED + 1}`, session);
    await expect(pending.command('joinAttendanceSession')).rejects.toThrow('NOT_ENROLLED');
    await expect(Picture.connect(server.url, 'nobody', session)).rejects.toThrow('User not found');
    await teacher.command('markStudentPresent', { student_id: app.student(2).toHexString() });
    await teacher.command('markStudentAbsent', { student_id: 's-3', remarks: 'no answer' });
    const attendanceUpdates = [4, 5].map((n) => ({ student_id: app.student(n).toHexString(), status: 'late' }));
    await teacher.command('bulkUpdateAttendance', { attendanceUpdates });
    await finish(server, teacher, session);
    await Promise.all([teacher, ...students].map((one) => one.ended()));

    const { added, gone, changed } = changesBetween(before, await bytesIn(app.connection));
    expect(gone).toEqual([]);
    expect(changed).toEqual({
      [`classsessions ${session}`]: ['status', 'updatedAt'],
      [`attendancerecords ${excused.toHexString()}`]: ['updatedAt'],
      [`attendancerecords ${early.toHexString()}`]: ['status', 'updatedAt'],
    });
    expect(added).toHaveLength(ENROLLED - 2);
    for (const row of added) expect(row).toMatch(/^attendancerecords [0-9a-f]{24}$/);

    const records = await app.read('attendancerecords', { session_id: id });
    const statusOf = (n: number) =>
      records.filter((one) => app.student(n).equals(one['student_id'])).map((one) => one['status']);
    expect([1, 2, 3, 4, 5, 6].map(statusOf)).toEqual([
      ['excused'],
      ['present'],
      ['absent'],
      ['late'],
      ['late'],
      ['absent'],
    ]);
    expect(records.find((one) => one._id.equals(excused))).toMatchObject({
      remarks: 'dentist',
      device: { battery: 0.5 },
    });
    expect(await app.read('classsessions', { _id: id })).toMatchObject([{ status: 'completed', topic: 'Joins' }]);
  });

  test('[REG-11] [CODE-10] a session that is adopted asks for codes where they are the default', async () => {
    const uri = await freshMongo();
    const app = await ExistingApp.on(uri);
    const session = (await app.session('active', { teacher_id: app.teacher })).toHexString();
    const variables = { DATABASE_URL: uri, CHECK_IN: 'code', CODE_SECONDS: '60' };
    const server = await startServer(variables);
    const teacher = await server.connect('ada');
    const student = await server.connect('s-3');
    const join = (code?: unknown) => student.send('joinAttendanceSession', { session_id: session, code });
    expect((await join()).error?.code).toBe('CODE_REQUIRED');
    const { code } = await teacher.next('attendanceCode');
    // The key is in the journal, and the next start has it from there.
    await server.close();
    const again = await startServer({ ...variables, CHAT_PORT: String(server.port) });
    await expect.poll(() => student.socket.connected, { timeout: 30_000 }).toBe(true);
    expect(await join(code)).toMatchObject({ ok: true });
    await again.close();
  });

  test('[REG-11] [CONN-22] a session that the app left active goes on with its records as found', async () => {
    const uri = await freshMongo();
    const app = await ExistingApp.on(uri);
    const id = await app.session('active', { teacher_id: app.teacher });
    const session = id.toHexString() as SessionId;
    const found = [
      await app.record(id, 1, { status: 'present' }),
      await app.record(id, 2, { status: 'late', remarks: 'bus' }),
      // No longer enrolled, and in the session all the same.
      await app.record(id, ENROLLED + 2, { status: 'present' }),
    ];
    const before = await bytesIn(app.connection);

    const server = await startServer({ DATABASE_URL: uri });
    const [adopted] = (await readJournal(server.storage, session, 0)).entries;
    if (adopted?.type !== 'adopted') throw new Error(`the journal begins with ${adopted?.type}`);
    const roster = adopted.roster.map(({ record_id, student, status, remarks }) => ({
      record_id: found.some((one) => one.toHexString() === record_id) ? record_id : 'new',
      uid: student.uid,
      status,
      remarks,
    }));
    const fresh = { record_id: 'new', status: 'absent', remarks: null };
    expect(roster.sort((a, b) => String(a.uid).localeCompare(String(b.uid)))).toEqual([
      { record_id: found[0]?.toHexString(), uid: 's-1', status: 'present', remarks: null },
      { record_id: found[1]?.toHexString(), uid: 's-2', status: 'late', remarks: 'bus' },
      ...[3, 4, 5, 6].map((n) => ({ ...fresh, uid: `s-${n}` })),
      { record_id: found[2]?.toHexString(), uid: 's-8', status: 'present', remarks: null },
    ]);

    const teacher = await Picture.connect(server.url, 'ada', session);
    const marked = await teacher.command('markStudentAbsent', { student_id: 's-1' });
    expect(marked).toMatchObject({ attendanceRecord: { _id: found[0]?.toHexString(), status: 'absent' }, seq: 2 });
    await expect.poll(() => teacher.received).toEqual([2]);
    const student = await Picture.connect(server.url, 's-3', session);
    await student.command('joinAttendanceSession');
    await finish(server, teacher, session);
    await student.ended();

    const { added, gone, changed } = changesBetween(before, await bytesIn(app.connection));
    expect(gone).toEqual([]);
    expect(added).toHaveLength(4);
    expect(changed).toEqual({
      [`classsessions ${session}`]: ['status', 'updatedAt'],
      [`attendancerecords ${found[0]?.toHexString()}`]: ['status', 'updatedAt'],
      [`attendancerecords ${found[1]?.toHexString()}`]: [],
      [`attendancerecords ${found[2]?.toHexString()}`]: [],
    });
    expect(await app.read('attendancerecords', { session_id: id })).toHaveLength(ENROLLED + 1);
  });

  test('[STORE-71] [STORE-75] [START-19] [REG-11] [DATA-2] records that name the user are the student’s, and of who is gone they stay', async () => {
    const uri = await freshMongo();
    const app = await ExistingApp.on(uri);
    const statuses = ['scheduled', 'active', 'completed'] as const;
    const sessions = await Promise.all(statuses.map((status) => app.session(status, { teacher_id: app.teacher })));
    const user = async (n: number) => (await app.read('users', { uid: `s-${n}` }))[0]?._id;
    const one = { status: 'present', student_id: await user(1) };
    const found = await Promise.all(sessions.map((id) => app.record(id, 1, one)));
    const nobody = { status: 'excused', student_id: app.course };
    const left = await Promise.all(sessions.map((id) => app.record(id, 1, nobody)));
    const before = await bytesIn(app.connection);

    const server = await startServer({ DATABASE_URL: uri });
    for (const [i, status] of statuses.entries()) {
      const session = sessions[i]?.toHexString() as SessionId;
      const teacher = await Picture.connect(server.url, 'ada', session);
      const command = status === 'scheduled' ? 'startAttendanceSession' : 'getAttendanceSessionData';
      const { attendanceRecords, statistics } = await teacher.command(command);
      const record = { _id: found[i]?.toHexString(), student_id: app.student(1).toHexString(), status: 'present' };
      expect(attendanceRecords).toContainEqual(expect.objectContaining(record));
      const stranger = { _id: left[i]?.toHexString(), student_id: app.course.toHexString(), status: 'excused' };
      expect(attendanceRecords).toContainEqual(expect.objectContaining(stranger));
      const total = (status === 'completed' ? 1 : ENROLLED) + 1;
      expect(attendanceRecords).toHaveLength(total);
      expect(statistics).toMatchObject({ totalStudents: total, presentCount: 1, excusedCount: 1 });
      if (status === 'completed') continue;
      const student = await Picture.connect(server.url, 's-1', session);
      expect(await student.command('joinAttendanceSession')).toMatchObject({ student_id: record.student_id });
      await teacher.command('markStudentAttendance', { student_id: 's-1', status: 'late' });
      const { finalData } = await teacher.command('endAttendanceSession');
      await projectedUpTo(server.storage, session, (finalData as { seq: number }).seq);
    }
    await server.close();

    const { added, gone, changed } = changesBetween(before, await bytesIn(app.connection));
    expect(gone).toEqual([]);
    expect(added).toHaveLength(2 * (ENROLLED - 1));
    expect(changed).toEqual({
      [`classsessions ${sessions[0]}`]: ['status', 'updatedAt'],
      [`classsessions ${sessions[1]}`]: ['status', 'updatedAt'],
      [`attendancerecords ${found[0]}`]: ['status', 'updatedAt'],
      [`attendancerecords ${found[1]}`]: ['status', 'updatedAt'],
      [`attendancerecords ${left[0]}`]: [],
      [`attendancerecords ${left[1]}`]: [],
    });
  });

  test('[STORE-70] [STORE-71] [STORE-75] ids that are text, and ObjectIds held as text, are served and stay as they are', async () => {
    const uri = await freshMongo();
    const app = await ExistingApp.on(uri);
    const insert = (name: string, row: object) => app.connection.collection(name).insertOne(row);
    const hex = (n: number) => app.student(n).toHexString();
    const session = 'cse-301/2026-11-24' as SessionId;
    await insert('users', { _id: 'user:lu', uid: 'lu', name: 'Lu Park', role: 'student', __v: 0 });
    await insert('students', { _id: 'student:lu', user_id: 'user:lu', roll: '19-07', __v: 0 });
    await insert('courses', { _id: 'course:x', title: 'Logic', teacher_id: app.teacher.toHexString(), extra: [1] });
    await insert('enrollments', { course_id: 'course:x', student_id: 'user:lu', status: 'approved' });
    await insert('enrollments', { course_id: 'course:x', student_id: hex(1), status: 'approved' });
    await insert('enrollments', { course_id: 'course:x', student_id: app.student(2), status: 'approved' });
    await insert('classsessions', { _id: session, course_id: 'course:x', date: '2026-11-24', status: 'scheduled' });
    await insert('attendancerecords', {
      _id: 'r1',
      session_id: session,
      student_id: hex(1),
      status: 'late',
      note: 'x',
    });
    await insert('attendancerecords', { _id: 'r2', session_id: session, student_id: 'student:lu', status: 'absent' });
    const before = await bytesIn(app.connection);

    const server = await startServer({ DATABASE_URL: uri });
    const teacher = await Picture.connect(server.url, 'ada', session);
    const started = await teacher.command('startAttendanceSession');
    expect(started).toMatchObject({ totalStudents: 3, session: { teacher_name: 'Ada Osei', course_id: 'course:x' } });
    const student = await Picture.connect(server.url, 'lu', session);
    expect(await student.command('joinAttendanceSession')).toMatchObject({ student_id: 'student:lu' });
    for (const student_id of ['user:lu', hex(1), 's-2']) await teacher.command('markStudentPresent', { student_id });
    await finish(server, teacher, session);
    await student.ended();
    expect(student.register).toBe(student.ending?.register);

    const { added, gone, changed } = changesBetween(before, await bytesIn(app.connection));
    expect(gone).toEqual([]);
    expect(changed).toEqual({
      [`classsessions ${session}`]: ['status', 'updatedAt'],
      'attendancerecords r1': ['status', 'updatedAt'],
      'attendancerecords r2': ['status', 'updatedAt'],
    });
    expect(added).toHaveLength(1);
    const [made] = await app.connection
      .collection('attendancerecords')
      .find({ student_id: app.student(2), session_id: session })
      .toArray();
    expect(made).toMatchObject({ status: 'present', session_id: session });
  });
});
