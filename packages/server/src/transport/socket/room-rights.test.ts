import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freshFolder, rollcall } from '../../cli/rollcall.test.support.js';
import { missing, startNodes } from '../../cluster/nodes.test.support.js';
import { databases, importInto } from '../../end-to-end/databases.test.support.js';
import type { School } from '../../storage/port.js';
import { accepted } from '../../testing/class.js';
import { schoolOf } from '../../testing/school.js';
import { type Client, startServer, type TestServer } from '../../testing/server.js';
import { RIGHTS_EVERY_MS } from './room-rights.js';

const session_id = 'session-1';
const course_id = 'course-1';
const PATIENCE = { timeout: 60_000, interval: 100 };
const SOON = { rightsEveryMs: 300 };
/** Nobody is looked at again by the clock alone. */
const NEVER = { rightsEveryMs: 3_600_000 };
const UNLIMITED = { RATE_LIMIT_TEACHER_PER_SECOND: '0', RATE_LIMIT_STUDENT_PER_SECOND: '0', CODE_SECONDS: '5' };

const roundTrip = (client: Client) => client.send('unsubscribeFromCourse', { course_id: 'none' });

/** The school once cyd is no co-teacher any more, s-2's enrolment is rejected, and s-3 is disabled. */
function afterwards(): School {
  const school = schoolOf(3);
  return {
    ...school,
    courses: school.courses.map((course) => ({ ...course, co_teacher_ids: [] })),
    enrollments: school.enrollments.map((enrollment) =>
      enrollment.student_id === 'student-2' ? { ...enrollment, status: 'rejected' as const } : enrollment,
    ),
    students: school.students.map((one) => (one.uid === 's-3' ? { ...one, disabled: true } : one)),
  };
}

/** A class with codes, everybody in every room that they may be in, and a walk-in. */
async function classOf(teachers: TestServer, others: TestServer) {
  const ada = await teachers.connect('ada');
  const cyd = await others.connect('cyd');
  await accepted(ada.send('startAttendanceSession', { session_id, policy: { check_in: 'code' } }));
  const walkIn = { session_id, student_id: 'student-nowhere', status: 'present', walk_in: true };
  await accepted(ada.send('markStudentAttendance', walkIn));
  const students: Client[] = [];
  for (const uid of ['s-1', 's-2', 's-3', 'nowhere']) {
    const student = await others.connect(uid);
    const { code } = ada.all('attendanceCode').at(-1) ?? (await ada.next('attendanceCode'));
    await accepted(student.send('joinAttendanceSession', { session_id, code }));
    if (uid !== 'nowhere') await accepted(student.send('subscribeToCourse', { course_id }));
    students.push(student);
  }
  const [kept, rejected, disabled, walkedIn] = students;
  if (!kept || !rejected || !disabled || !walkedIn) throw new TypeError('four students were let in');
  await accepted(cyd.send('watchAttendanceSession', { session_id }));
  await accepted(cyd.send('subscribeToCourse', { course_id }));
  return { ada, cyd, kept, rejected, disabled, walkedIn };
}

/** `rollcall import`, as an administrator uses it beside running servers. */
async function importByCommand(databaseUrl: string, school: School): Promise<void> {
  const folder = await freshFolder();
  const file = join(folder, 'school.json');
  await writeFile(
    file,
    JSON.stringify(school, (_name, value: unknown) => value ?? undefined),
  );
  const { code, stderr } = await rollcall(folder, ['import', file], { DATABASE_URL: databaseUrl });
  expect(code, stderr).toBe(0);
}

/** Takes the rights away in the database, and holds that whatever room it was nothing more comes to who had them. */
async function takeAway(
  databaseUrl: string,
  scene: Awaited<ReturnType<typeof classOf>>,
  bringIn: (databaseUrl: string, school: School) => Promise<void> = importInto,
): Promise<void> {
  const { ada, cyd, kept, rejected, disabled, walkedIn } = scene;
  const everybody = [cyd, rejected, disabled, kept, walkedIn];
  let status = 'late';
  /** Marks once more. @returns who is told of it */
  const hearers = async (): Promise<Client[]> => {
    status = status === 'late' ? 'present' : 'late';
    const { seq } = await accepted(ada.send('markStudentAttendance', { session_id, student_id: 'student-1', status }));
    const heard = (client: Client) => client.all('attendanceUpdated').some((one) => one['seq'] === seq);
    // On whatever node: once one of those who keep their right has it, the others of that node have it too.
    await expect.poll(() => heard(kept) && heard(walkedIn), PATIENCE).toBe(true);
    for (const client of everybody) if (client.socket.connected) await roundTrip(client).catch(() => undefined);
    return everybody.filter(heard);
  };
  expect(await hearers()).toEqual(everybody);

  await bringIn(databaseUrl, afterwards());
  await expect.poll(async () => (await hearers()).length, PATIENCE).toBe(2);
  await expect.poll(() => disabled.socket.connected, PATIENCE).toBe(false);
  const lost = [cyd, rejected, disabled];
  const before = lost.map(({ events }) => events.length);
  expect(await hearers()).toEqual([kept, walkedIn]);
  const codes = ada.all('attendanceCode').length;
  await expect.poll(() => ada.all('attendanceCode').length, PATIENCE).toBeGreaterThan(codes);
  await accepted(ada.send('endAttendanceSession', { session_id }));
  await accepted(ada.send('startAttendanceSession', { session_id: 'next', course_id }));
  for (const event of ['attendanceSessionEnded', 'courseSessionEnded', 'courseSessionStarted']) await kept.next(event);
  await walkedIn.next('attendanceSessionEnded');
  for (const client of [cyd, rejected]) await roundTrip(client);
  expect(lost.map(({ events }, index) => events.slice(before[index]))).toEqual([[], [], []]);
  const answer = await cyd.send('watchAttendanceSession', { session_id: 'next' });
  expect(answer.error?.code).toBe('NOT_SESSION_TEACHER');
  const joining = await rejected.send('subscribeToCourse', { course_id });
  expect(joining.error?.code).toBe('FORBIDDEN');
}

describe.each(databases)('$title', ({ missing, fresh }) => {
  test.skipIf(missing)('[RIGHT-260] [RIGHT-261] [RIGHT-262] who has lost their right gets nothing more', async () => {
    const database = await fresh();
    const server = await startServer({ ...UNLIMITED, DATABASE_URL: database }, schoolOf(3), SOON);
    const scene = await classOf(server, server);
    await takeAway(database, scene);
    const reason = await server.connect('s-3').catch((error: Error) => error.message);
    expect(reason).toBe('User not found');
  });
});

describe.each(databases)('$title', ({ missing, fresh }) => {
  test.skipIf(missing)('[RIGHT-312] running servers hear of an import by its command', async () => {
    const database = await fresh();
    const server = await startServer({ ...UNLIMITED, DATABASE_URL: database }, schoolOf(3), NEVER);
    await takeAway(database, await classOf(server, server), importByCommand);
  });
});

test.skipIf(missing)(`[RIGHT-312] each node hears of an import by its command ${missing}`, async () => {
  const { nodes } = await startNodes(2, 3, UNLIMITED, NEVER);
  const [one, two] = nodes;
  if (!one || !two) throw new TypeError('two nodes were started');
  const database = one.config.database.kind === 'mongodb' ? one.config.database.uri : '';
  await takeAway(database, await classOf(one, two), importByCommand);
});

test.skipIf(missing)(`[RIGHT-260] whichever node they are on ${missing}`, async () => {
  const { nodes } = await startNodes(2, 3, UNLIMITED, SOON);
  const [one, two] = nodes;
  if (!one || !two) throw new TypeError('two nodes were started');
  await takeAway(one.config.database.kind === 'mongodb' ? one.config.database.uri : '', await classOf(one, two));
});

test('[RIGHT-260] who comes back after their enrolment was rejected leaves the session’s rooms at once', async () => {
  const server = await startServer(UNLIMITED, schoolOf(2));
  const ada = await server.connect('ada');
  await accepted(ada.send('startAttendanceSession', { session_id }));
  const student = await server.connect('s-2');
  await accepted(student.send('joinAttendanceSession', { session_id }));
  student.close();
  await expect.poll(() => server.rollcall.io.of('/').sockets.size, PATIENCE).toBe(1);
  await server.storage.school.importSchool(afterwards(), { dryRun: false });
  const again = await server.connect('s-2');
  const { adapter } = server.rollcall.io.of('/');
  const rooms = () => [...(adapter.socketRooms(String(again.socket.id)) ?? [])];
  // Long before everybody is looked at again.
  await expect.poll(rooms, { ...PATIENCE, timeout: RIGHTS_EVERY_MS / 2 }).toEqual([again.socket.id]);
});

test('[RIGHT-260] what two looks are apart and what is known may be old by come to less than a minute', () => {
  expect(2 * RIGHTS_EVERY_MS).toBeLessThanOrEqual(50_000);
});
