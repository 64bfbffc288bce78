import { expect, test } from 'vitest';
import { apiOf } from '../../../testing/api.js';
import { schoolOf } from '../../../testing/school.js';
import { type Payload, startServer } from '../../../testing/server.js';

const UNLIMITED = { RATE_LIMIT_TEACHER_PER_SECOND: '0', RATE_LIMIT_STUDENT_PER_SECOND: '0' };
const itemsOf = ({ body }: { body: Payload }) => body['items'] as Payload[];

test('[API-41] an admin makes and changes people, courses and enrolments over HTTP, and they count at once', async () => {
  const server = await startServer(UNLIMITED, schoolOf(2));
  const root = await apiOf(server, 'root');
  const person = { uid: 'new', name: 'New Lind', student: { student_id: 'student-new', roll: '9' } };
  const made = await root('POST', '/people', { body: person });
  expect(made, made.text).toMatchObject({ status: 201, body: { uid: 'new', student: { student_id: 'student-new' } } });
  expect(made.headers.get('location')).toBe(`/api/v1/people/${made.body['user_id']}`);
  expect(await root('POST', '/people', { body: person })).toMatchObject({
    status: 409,
    body: { code: 'ALREADY_EXISTS' },
  });
  expect(itemsOf(await root('GET', '/people?query=lind'))).toMatchObject([{ uid: 'new' }]);
  const changed = await root('PATCH', '/people/new', { body: { email: 'new@school.example' } });
  expect(changed).toMatchObject({ status: 200, body: { email: 'new@school.example', name: 'New Lind' } });
  const course = { course_id: 'course-9', title: 'Sets', teacher_id: 'teacher-ada' };
  expect((await root('POST', '/courses', { body: course })).status).toBe(201);
  const put = await root('PUT', '/courses/course-9/enrollments/new', { body: {} });
  expect(put).toMatchObject({ status: 200, body: { status: 'approved', student: { student_id: 'student-new' } } });
  const student = await apiOf(server, 'new');
  expect(itemsOf(await student('GET', '/courses'))).toMatchObject([{ course_id: 'course-9' }]);
  expect((await root('DELETE', '/courses/course-9/enrollments/new')).status).toBe(204);
  expect(itemsOf(await student('GET', '/courses'))).toEqual([]);
  expect((await root('PATCH', '/people/new', { body: { disabled: true } })).status).toBe(200);
  expect((await student('GET', '/me')).status).toBe(401);
  const log = itemsOf(await root('GET', '/access-log'));
  expect(log.length).toBeGreaterThan(1);
  expect(log[0]).toMatchObject({ number: 1, action: 'change_rights', actor: { name: 'Office' } });
});

test('[API-42] a teacher schedules, changes and cancels sessions, and today lists what may be done', async () => {
  const server = await startServer({ ...UNLIMITED, SCHOOL_TIME_ZONE: 'Asia/Dhaka' }, schoolOf(2));
  const [ada, eve, student] = [await apiOf(server, 'ada'), await apiOf(server, 'eve'), await apiOf(server, 's-1')];
  const today = String((await ada('GET', '/me/today')).body['date']);
  const body = { id: 'session-9', date: today, start_time: '09:00', end_time: '10:30', topic: 'Indexes' };
  const made = await ada('POST', '/courses/course-1/sessions', { body });
  expect(made, made.text).toMatchObject({ status: 201, body: { session_id: 'session-9', status: 'scheduled' } });
  expect(await eve('POST', '/courses/course-1/sessions', { body })).toMatchObject({ status: 404 });
  expect(await student('POST', '/courses/course-1/sessions', { body })).toMatchObject({ status: 403 });
  const changed = await ada('PATCH', '/sessions/session-9', { body: { topic: 'Views' } });
  expect(changed).toMatchObject({ status: 200, body: { topic: 'Views', start_time: '09:00' } });
  const mine = (await ada('GET', '/me/today')).body;
  expect(mine).toMatchObject({ time_zone: 'Asia/Dhaka', sessions: [{ role: 'teacher', can: { start: true } }] });
  expect((await student('GET', '/me/today')).body).toMatchObject({ sessions: [{ role: 'student', counts: null }] });
  await ada('POST', '/sessions/session-9/start');
  expect(await ada('PATCH', '/sessions/session-9', { body: { topic: 'Keys' } })).toMatchObject({
    status: 409,
    body: { code: 'SESSION_BEGUN' },
  });
  const other = await ada('POST', '/courses/course-1/sessions', { body: { date: today } });
  expect(await ada('POST', `/sessions/${other.body['session_id']}/cancel`)).toMatchObject({
    status: 200,
    body: { status: 'cancelled' },
  });
  const listed = itemsOf(await student('GET', `/courses/course-1/sessions?from=${today}&to=${today}`));
  expect(listed.map(({ status }) => status).sort()).toEqual(['active', 'cancelled']);
});

test('[API-43] after the end PUT amends the record, and needs a reason; DELETE takes a mark back before it', async () => {
  const server = await startServer(UNLIMITED, schoolOf(2));
  const ada = await apiOf(server, 'ada');
  const path = '/sessions/session-1/records/student-1';
  await ada('POST', '/sessions/session-1/start');
  await ada('PUT', path, { body: { status: 'late' } });
  const stale = await ada('PUT', path, { body: { status: 'present', expected_seq: 1 } });
  expect(stale).toMatchObject({ status: 409, body: { code: 'CONFLICT', details: { record: { status: 'late' } } } });
  const cleared = await ada('DELETE', path, { headers: { 'Idempotency-Key': 'undo-1' } });
  expect(cleared).toMatchObject({ status: 200, body: { attendanceRecord: { status: 'absent', marked_at: null } } });
  expect(await ada('DELETE', path, { headers: { 'Idempotency-Key': 'undo-1' } })).toMatchObject({
    status: 200,
    body: { duplicate: true },
  });
  await ada('POST', '/sessions/session-1/end');
  expect(await ada('PUT', path, { body: { status: 'excused' } })).toMatchObject({
    status: 400,
    body: { errors: [{ field: 'reason' }] },
  });
  const amended = await ada('PUT', path, { body: { status: 'excused', reason: 'A note came' } });
  expect(amended, amended.text).toMatchObject({
    status: 200,
    body: { attendanceRecord: { status: 'excused' }, amendment: { previous_status: 'absent', reason: 'A note came' } },
  });
  const again = { body: { status: 'late', reason: 'Came after all' }, headers: { 'Idempotency-Key': 'amend-1' } };
  const first = await ada('PUT', path, again);
  expect(await ada('PUT', path, again)).toMatchObject({
    status: 200,
    body: { duplicate: true, seq: first.body['seq'], amendment: { previous_status: 'excused' } },
  });
  const other = { body: { status: 'late', reason: 'Came' }, headers: { 'Idempotency-Key': 'undo-1' } };
  expect(await ada('PUT', path, other)).toMatchObject({ status: 400, body: { details: { field: 'op_id' } } });
  const { body } = await ada('GET', '/sessions/session-1/journal');
  expect((body['changes'] as Payload[]).map(({ type }) => type)).toEqual([
    'started',
    'marked',
    'cleared',
    'ended',
    'amended',
    'amended',
  ]);
});

test('[API-44] who exports a register, or sees another person’s history, is in the access log with their purpose', async () => {
  const server = await startServer(UNLIMITED, schoolOf(2));
  const [ada, root] = [await apiOf(server, 'ada'), await apiOf(server, 'root')];
  await ada('POST', '/sessions/session-1/start');
  await ada('POST', '/sessions/session-1/end');
  expect((await ada('GET', '/courses/course-1/register')).status).toBe(200);
  expect(itemsOf(await root('GET', '/access-log'))).toEqual([]);
  const csv = await ada('GET', '/courses/course-1/register?format=csv&purpose=exam%20board');
  expect(csv.status).toBe(200);
  expect((await ada('GET', '/courses/course-1/students/student-1/attendance')).status).toBe(200);
  expect((await root('GET', '/sessions/session-1/register')).status).toBe(200);
  const log = itemsOf(await root('GET', '/access-log'));
  expect(log).toMatchObject([
    { action: 'export', purpose: 'exam board', scope: { course_id: 'course-1', format: 'csv' } },
    { action: 'history', subject: 'student-1', scope: { course_id: 'course-1' } },
    { action: 'export', actor: { name: 'Office' }, scope: { session_id: 'session-1', format: 'json' } },
  ]);
  expect(log[0]?.['request_id']).toBe(csv.headers.get('x-request-id'));
  expect(await ada('GET', '/access-log')).toMatchObject({ status: 403 });
});
