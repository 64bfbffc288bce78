import { type SessionId, serverEvents } from '@rollcall/protocol';
import { expect, test } from 'vitest';
import { readEntries } from '../storage/contract/journal-access.js';
import { faultsOfAck, faultsOfEvent } from '../testing/conformity.js';
import { schoolOf } from '../testing/school.js';
import { type Client, freshId, type Payload, startServer, tokenOf } from '../testing/server.js';

const session_id = 'session-1';
const student_id = 'student-1';
const RECORD = [
  ...['_id', 'session_id', 'student_id', 'status', 'remarks', 'student', 'checked_in_at', 'marked_at', 'marked_by'],
  ...['seq', 'createdAt', 'updatedAt'],
];
const STUDENT = ['student_id', 'user_id', 'name', 'roll', 'section', 'profile_picture'];
const SESSION = [
  ...['_id', 'session_id', 'course_id', 'course', 'date', 'start_time', 'end_time', 'topic', 'description', 'status'],
  ...['teacher_id', 'teacher_name', 'started_at', 'ended_at', 'policy'],
];

interface Told {
  readonly name: string;
  readonly payload: Payload;
}

/** Runs a class in which every object is told in every way. @returns all that the teacher and the student were told */
async function toldInAClass(): Promise<{ teacher: Told[]; student: Told[] }> {
  const server = await startServer({}, schoolOf(2));
  const [teacher, student] = [await server.connect('ada'), await server.connect('s-1')];
  const acks: Record<'teacher' | 'student', Told[]> = { teacher: [], student: [] };
  const send = async (by: 'teacher' | 'student', event: string, more: object = {}) => {
    const client = by === 'teacher' ? teacher : student;
    const payload = await client.send(event, { session_id, ...more });
    expect(payload.ok, event).toBe(true);
    acks[by].push({ name: `ack of ${event}`, payload });
  };
  const data = () => send('teacher', 'getAttendanceSessionData');
  await send('student', 'subscribeToCourse', { course_id: 'course-1' });
  await data();
  await send('teacher', 'startAttendanceSession');
  await send('student', 'joinAttendanceSession');
  for (const status of ['present', 'late', 'excused', 'absent']) {
    await send('teacher', 'markStudentAttendance', { student_id, status, remarks: `is ${status}` });
  }
  await send('teacher', 'bulkUpdateAttendance', { attendanceUpdates: [{ student_id, status: 'late' }] });
  await send('teacher', 'getOnlineStudents');
  await send('student', 'joinAttendanceSession', { since_seq: 0 });
  await data();
  await send('teacher', 'endAttendanceSession');
  await data();
  await student.next('attendanceSessionEnded');
  const events = (client: Client) => client.events.map(({ event, payload }) => ({ name: event, payload }));
  return { teacher: [...acks.teacher, ...events(teacher)], student: [...acks.student, ...events(student)] };
}

/** Every object in a payload that passes the test, wherever it is. */
function inside(value: unknown, wanted: (object: Payload) => boolean): Payload[] {
  if (typeof value !== 'object' || value === null) return [];
  const object = value as Payload;
  return [...(wanted(object) ? [object] : []), ...Object.values(object).flatMap((part) => inside(part, wanted))];
}

const everything = async () => {
  const { teacher, student } = await toldInAClass();
  return [...teacher, ...student];
};

test('[OBJ-1] a record has its twelve fields wherever it is told', async () => {
  const all = await everything();
  const records = inside(all, (object) => 'remarks' in object && 'student' in object);
  for (const record of records) expect(Object.keys(record).sort()).toEqual(RECORD.toSorted());
  expect(records.length).toBeGreaterThan(30);
  // Wherever the protocol speaks of a record or of records there is at least one of them.
  const lists = inside(all, (object) =>
    ['attendanceRecord', 'record', 'updatedRecords'].some((field) => field in object),
  );
  for (const object of lists) expect(inside(object, (part) => 'remarks' in part).length).toBeGreaterThan(0);
});

test('[OBJ-2] a record’s student has their six fields', async () => {
  const records = inside(await everything(), (object) => 'remarks' in object && 'student' in object);
  for (const { student } of records) {
    const keys = Object.keys(student as object).filter((key) => key !== 'email');
    expect(keys.sort()).toEqual(STUDENT.toSorted());
  }
  expect(records.map(({ student }) => student)).toContainEqual({
    student_id,
    user_id: 's-1',
    name: 'Student 1',
    roll: '1907001',
    section: 'A',
    profile_picture: null,
  });
});

test('[OBJ-3] a record is there and not null where the protocol names one, also for one who was just added', async () => {
  const server = await startServer({}, schoolOf(2));
  const teacher = await server.connect('ada');
  const open = { session_id: 'open' };
  await teacher.send('startAttendanceSession', open);
  const added = await teacher.send('markStudentAbsent', { ...open, student_id });
  expect(added).toMatchObject({ attendanceRecord: { student_id, status: 'absent', student: { name: 'Student 1' } } });
  expect(await teacher.next('attendanceUpdated')).toMatchObject({
    attendanceRecord: { student_id },
    previous_status: null,
  });
  const learner = await server.connect('s-2');
  const joined = await learner.send('joinAttendanceSession', open);
  expect(joined).toMatchObject({
    record: { student_id: 'student-2', status: 'absent', student: { name: 'Student 2' } },
  });
});

test('[OBJ-4] dates are ISO 8601 strings in UTC', async () => {
  const named = /(_at|At)$|^at$/;
  let dates = 0;
  for (const object of inside(await everything(), () => true)) {
    for (const [key, value] of Object.entries(object)) {
      if (!named.test(key) || value === null) continue;
      expect(value, key).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      dates += 1;
    }
  }
  expect(dates).toBeGreaterThan(100);
});

test('[OBJ-5] a value that is not there is null, never left out', async () => {
  const server = await startServer({}, schoolOf(1));
  const teacher = await server.connect('ada');
  const started = await teacher.send('startAttendanceSession', { session_id: 'open' });
  const nothing = { course_id: null, course: null, start_time: null, end_time: null, topic: null, description: null };
  expect(started['session']).toMatchObject({ ...nothing, ended_at: null });
  const { attendanceRecord } = await teacher.send('markStudentPresent', { session_id: 'open', student_id });
  expect(attendanceRecord).toMatchObject({ remarks: null, checked_in_at: null, student: { profile_picture: null } });
  const scheduled = await teacher.send('getAttendanceSessionData', { session_id });
  expect(scheduled['session']).toMatchObject({ started_at: null, ended_at: null, policy: null });
});

test('[OBJ-6] ids and roll are strings', async () => {
  for (const object of inside(await everything(), () => true)) {
    for (const [key, value] of Object.entries(object)) {
      if (/^(_id|roll)$|_id$|Id$/.test(key) && value !== null) expect(value, key).toBeTypeOf('string');
    }
  }
});

const FOR_TEACHERS = ['attendanceSessionStarted', 'attendanceSessionData', 'attendanceSessionEndedConfirm'];
const ANSWERED = [
  'startAttendanceSession',
  'getAttendanceSessionData',
  'watchAttendanceSession',
  'endAttendanceSession',
];

test('[OBJ-7] a student’s email is in three answers to teachers and nowhere else', async () => {
  const { teacher, student } = await toldInAClass();
  const withMail = (told: readonly Told[]) =>
    new Set(told.filter(({ payload }) => JSON.stringify(payload).includes('@school.example')).map(({ name }) => name));
  expect(withMail(student)).toEqual(new Set());
  const allowed = [...FOR_TEACHERS, ...ANSWERED.map((event) => `ack of ${event}`)];
  for (const name of withMail(teacher)) expect(allowed).toContain(name);
  for (const name of FOR_TEACHERS) expect(withMail(teacher)).toContain(name);
});

test('[OBJ-8] a session has its fifteen fields', async () => {
  const sessions = inside(await everything(), (object) => 'teacher_name' in object && '_id' in object);
  expect(sessions.length).toBeGreaterThan(5);
  for (const session of sessions) expect(Object.keys(session).sort()).toEqual(SESSION.toSorted());
  expect(new Set(sessions.map(({ status }) => status))).toEqual(new Set(['scheduled', 'active', 'completed']));
});

test('[OBJ-9] course is {_id, title, course_code}', async () => {
  const sessions = inside(await everything(), (object) => 'teacher_name' in object && '_id' in object);
  for (const { course } of sessions) {
    expect(course).toEqual({ _id: 'course-1', title: 'Databases', course_code: 'CSE-301' });
  }
});

test('[OBJ-10] a record’s seq is that of the last journal entry that changed it', async () => {
  const server = await startServer({}, schoolOf(3));
  const teacher = await server.connect('ada');
  await teacher.send('startAttendanceSession', { session_id });
  const student = await server.connect('s-2');
  await student.send('joinAttendanceSession', { session_id });
  const updates = ['student-3', 'student-1', 'student-1'].map((id) => ({ student_id: id, status: 'late' }));
  await teacher.send('bulkUpdateAttendance', { session_id, attendanceUpdates: updates });
  await teacher.send('markStudentPresent', { session_id, student_id: 'student-3' });
  await teacher.send('markStudentPresent', { session_id, student_id: 'student-3' });
  const seqs = async (client: Client) => {
    const { attendanceRecords } = await client.send('getAttendanceSessionData', { session_id });
    const records = attendanceRecords as Array<{ student_id: string; seq: number }>;
    return new Map(records.map((record) => [record.student_id, record.seq]));
  };
  const last = new Map<string, number>();
  for (const entry of await readEntries(server.storage, session_id as SessionId, 1, 100)) {
    if ('student_id' in entry) last.set(entry.student_id, entry.seq);
  }
  expect([...last.values()].sort()).toEqual([2, 4, 5]);
  expect(await seqs(teacher)).toEqual(new Map([...last].sort()));
  const restarted = await server.restart();
  expect(await seqs(await restarted.connect('ada'))).toEqual(new Map([...last].sort()));
});

test('[OBJ-11] what differs from its schema is found: by this, every test on a socket proves the rule', () => {
  const error = { message: 'x', code: 'INTERNAL', event: 'x' };
  expect(faultsOfEvent('attendanceError', [error])).toEqual([]);
  expect(faultsOfEvent('attendanceError', [{ ...error, stack: 'x' }])).toHaveLength(1);
  expect(faultsOfEvent('attendanceError', [{ ...error, code: 'NEW' }])).toHaveLength(1);
  expect(faultsOfEvent('attendanceError', [error, 1])).toHaveLength(1);
  expect(faultsOfEvent('attendanceError', [])).toHaveLength(1);
  expect(faultsOfAck('leaveAttendanceSession', [{ ok: true, session_id, message: 'x' }])).toEqual([]);
  expect(faultsOfAck('leaveAttendanceSession', [{ ok: true, session_id, message: 'x', seq: 1 }])).toHaveLength(1);
  expect(faultsOfEvent('an event of the app', [7, 8])).toEqual([]);
});

test('[OBJ-11] every event of the protocol is sent, and as its schema has it', async () => {
  const server = await startServer({}, schoolOf(2));
  const teacher = await server.connect('ada');
  const student = await server.connect('s-1', { token: await tokenOf('s-1', {}, Math.floor(Date.now() / 1000) + 6) });
  const second = await server.connect('s-2');
  const token = await tokenOf('cyd');
  const batched = await server.connect('cyd', { token, auth: { token, client: { batched: true } } });
  for (const client of [teacher, second]) await client.send('subscribeToCourse', { course_id: 'course-1' });
  await student.send('subscribeToCourse', { course_id: 'course-2' });
  const short = { session_id: freshId('session'), policy: { inactivity_minutes: 0.02, check_in: 'code' } };
  await teacher.send('startAttendanceSession', short);
  await teacher.next('attendanceSessionExpiring');
  await teacher.send('startAttendanceSession', { session_id });
  await batched.send('watchAttendanceSession', { session_id });
  for (const client of [student, second]) await client.send('joinAttendanceSession', { session_id });
  for (const status of ['present', 'absent', 'late', 'excused']) {
    await teacher.send('markStudentAttendance', { session_id, student_id, status });
  }
  await teacher.send('bulkUpdateAttendance', { session_id, attendanceUpdates: [{ student_id, status: 'late' }] });
  await teacher.send('clearStudentMark', { session_id, student_id });
  for (const event of ['getAttendanceSessionData', 'getOnlineStudents']) await teacher.send(event, { session_id });
  await second.send('leaveAttendanceSession', { session_id });
  await teacher.next('studentLeft');
  await student.next('sessionExpired');
  await second.send('joinAttendanceSession', { session_id });
  await teacher.send('endAttendanceSession', { session_id });
  await second.next('attendanceSessionEnded');
  await teacher.send('amendAttendance', { session_id, student_id, status: 'excused', reason: 'a note came' });
  const clients = [teacher, student, second, batched];
  const seen = new Set(clients.flatMap(({ events }) => events.map(({ event }) => event)));
  expect(Object.keys(serverEvents).filter((name) => !seen.has(name))).toEqual([]);
});
