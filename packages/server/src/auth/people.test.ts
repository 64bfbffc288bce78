import { expect, test } from 'vitest';
import { refusalOfConnection } from '../testing/refusals.js';
import { schoolOf } from '../testing/school.js';
import { startServer, tokenOf } from '../testing/server.js';

const PROVISION = { PROVISION_FROM_TOKEN: 'true' };
const unknownUser = { message: 'User not found', data: { code: 'UNAUTHENTICATED' } };

test('[PEOPLE-1] what a user may do follows from their profiles, not from the claims of their token', async () => {
  for (const variables of [{}, PROVISION]) {
    const server = await startServer(variables, schoolOf(1));
    const claims = { role: 'admin', is_admin: true, teacher: { teacher_id: 'teacher-ada' }, name: 'Ada Osei' };
    const student = await server.connect('s-1', { token: await tokenOf('s-1', claims) });
    const refused = await student.send('startAttendanceSession', { session_id: 'session-1' });
    expect(refused.error?.code).toBe('NOT_A_TEACHER');
    const teacher = await server.connect('ada', { token: await tokenOf('ada', { role: 'student' }) });
    expect(await teacher.send('startAttendanceSession', { session_id: 'session-1' })).toMatchObject({ ok: true });
    expect(await student.send('joinAttendanceSession', { session_id: 'session-1' })).toMatchObject({ ok: true });
  }
});

test('[PEOPLE-2] an unknown user is made from name, email and role, with the profile of the role', async () => {
  const server = await startServer(PROVISION, schoolOf(1));
  const enter = async (uid: string, claims: Record<string, unknown>) =>
    server.connect(uid, { token: await tokenOf(uid, claims) });

  const teacher = await enter('noor', { name: 'Noor Haddad', email: 'noor@school.example', role: 'teacher' });
  const started = await teacher.send('startAttendanceSession', { session_id: 'guest-lecture' });
  expect(started).toMatchObject({ ok: true, session: { teacher_name: 'Noor Haddad' }, totalStudents: 0 });

  const student = await enter('kim', { name: 'Kim Novak', email: 'kim@school.example', role: 'student' });
  const joined = await student.send('joinAttendanceSession', { session_id: 'guest-lecture' });
  expect(joined).toMatchObject({ ok: true, record: { student: { name: 'Kim Novak' } } });
  const data = await teacher.send('getAttendanceSessionData', { session_id: 'guest-lecture' });
  expect(data).toMatchObject({ attendanceRecords: [{ student: { name: 'Kim Novak', email: 'kim@school.example' } }] });
  expect((await student.send('startAttendanceSession', { session_id: 'own' })).error?.code).toBe('NOT_A_TEACHER');

  const admin = await enter('head', { name: 'Head', role: 'admin' });
  expect(await admin.send('endAttendanceSession', { session_id: 'guest-lecture' })).toMatchObject({ ok: true });
  expect((await admin.send('joinAttendanceSession', { session_id: 'x' })).error?.code).toBe('NOT_A_STUDENT');
});

test('[PEOPLE-2] without a name the uid is the name', async () => {
  const server = await startServer(PROVISION, schoolOf(1));
  for (const [uid, name] of [
    ['plain', undefined],
    ['empty', ''],
    ['object', { $ne: null }],
  ] as const) {
    const token = await tokenOf(uid, { role: 'student', ...(name === undefined ? {} : { name }) });
    await server.connect(uid, { token });
    expect(await server.storage.people.findPersonByUid(uid)).toMatchObject({ uid, name: uid, email: null });
  }
  const name = `${'x'.repeat(255)}👩🏽‍🏫`;
  await server.connect('long', { token: await tokenOf('long', { role: 'student', name }) });
  expect((await server.storage.people.findPersonByUid('long'))?.name).toMatch(/^x{255}\ufffd$/);
});

test('[PEOPLE-3] without PROVISION_FROM_TOKEN an unknown user is refused and not made', async () => {
  const server = await startServer({}, schoolOf(1));
  const token = await tokenOf('noor', { name: 'Noor Haddad', role: 'teacher' });
  expect(await refusalOfConnection(server.url, { auth: { token } })).toEqual(unknownUser);
  expect(await server.storage.people.findPersonByUid('noor')).toBeNull();
});

test('[PEOPLE-4] a user who exists already is not changed by their token’s claims', async () => {
  const server = await startServer(PROVISION, schoolOf(1));
  const before = await Promise.all(['ada', 's-1'].map((uid) => server.storage.people.findPersonByUid(uid)));
  const claims = { name: 'Somebody Else', email: 'other@school.example', role: 'admin' };
  for (const uid of ['ada', 's-1']) await server.connect(uid, { token: await tokenOf(uid, claims) });
  expect(await Promise.all(['ada', 's-1'].map((uid) => server.storage.people.findPersonByUid(uid)))).toEqual(before);

  await server.connect('kim', { token: await tokenOf('kim', { name: 'Kim', role: 'student' }) });
  const made = await server.storage.people.findPersonByUid('kim');
  await server.connect('kim', { token: await tokenOf('kim', claims) });
  const restarted = await server.restart();
  await restarted.connect('kim', { token: await tokenOf('kim', claims) });
  expect(await restarted.storage.people.findPersonByUid('kim')).toEqual(made);
});

test('[PEOPLE-5] of many first connections of one user at once one makes the user and all succeed', async () => {
  const server = await startServer(PROVISION, schoolOf(1));
  const connections = Array.from({ length: 8 }, async (_, index) => {
    const token = await tokenOf('kim', { name: `Kim ${index}`, role: 'student' });
    return server.connect('kim', { token });
  });
  const clients = await Promise.all(connections);
  const person = await server.storage.people.findPersonByUid('kim');
  expect(person?.name).toMatch(/^Kim \d$/);
  const teacher = await server.connect('ada');
  await teacher.send('startAttendanceSession', { session_id: 'open' });
  for (const client of clients) {
    const joined = await client.send('joinAttendanceSession', { session_id: 'open' });
    expect(joined).toMatchObject({ ok: true, student_id: person?.student?.student_id, seq: 2 });
  }
});

test('[PEOPLE-6] a token whose role is none of teacher, student and admin provisions nobody', async () => {
  const server = await startServer(PROVISION, schoolOf(1));
  const roles = [undefined, null, '', 'Teacher', 'owner', 'admin ', 7, ['teacher'], { $ne: null }, '__proto__'];
  for (const [index, role] of roles.entries()) {
    const uid = `visitor-${index}`;
    const token = await tokenOf(uid, { name: 'Visitor', ...(role === undefined ? {} : { role }) });
    expect(await refusalOfConnection(server.url, { auth: { token } }), JSON.stringify(role)).toEqual(unknownUser);
    expect(await server.storage.people.findPersonByUid(uid)).toBeNull();
  }
});

test('[PEOPLE-100] a disabled user is refused as an unknown one, also with PROVISION_FROM_TOKEN', async () => {
  const school = schoolOf(2);
  const students = school.students.map((row) => (row.uid === 's-1' ? { ...row, disabled: true } : row));
  for (const variables of [{}, PROVISION]) {
    const server = await startServer(variables, { ...school, students });
    const token = await tokenOf('s-1', { role: 'student', name: 'Student 1' });
    expect(await refusalOfConnection(server.url, { auth: { token } })).toEqual(unknownUser);
    const teacher = await server.connect('ada');
    const started = await teacher.send('startAttendanceSession', { session_id: 'session-1' });
    expect(started).toMatchObject({ ok: true, totalStudents: 1 });
  }
});
