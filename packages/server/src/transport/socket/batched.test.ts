import { expect, test } from 'vitest';
import { readEntries } from '../../storage/contract/journal-access.js';
import { schoolOf } from '../../testing/school.js';
import { type Client, type Payload, startServer, type TestServer } from '../../testing/server.js';

const SESSION = { session_id: 'session-1' };
const PATIENCE = { timeout: 60_000, interval: 20 };

async function connectBatched(server: TestServer, uid: string): Promise<Client> {
  const { tokenOf } = await import('../../testing/server.js');
  const token = await tokenOf(uid);
  const auth = { token, client: { name: 'test', version: '1', batched: true } };
  return server.connect(uid, { token, auth });
}

const changesOf = (client: Client): Array<{ seq: number; student_id: string; status: string }> =>
  client.all('attendanceChanges').flatMap((batch) => batch['changes'] as never);

const seqsOf = (client: Client, event: string): number[] =>
  client.all(event).map((payload: Payload) => Number(payload['seq']));

test('[BATCH-1] [BATCH-2] [BATCH-3] batched sockets get the marks of a commit in one frame, all others one by one', async () => {
  const server = await startServer({ RATE_LIMIT_TEACHER_PER_SECOND: '0' }, schoolOf(60));
  const teacher = await server.connect('ada');
  await teacher.send('startAttendanceSession', SESSION);
  const batchedTeacher = await connectBatched(server, 'cyd');
  await batchedTeacher.send('watchAttendanceSession', SESSION);
  const plain = await server.connect('s-1');
  const batched = await connectBatched(server, 's-2');
  for (const student of [plain, batched]) await student.send('joinAttendanceSession', SESSION);

  const joiners = Array.from({ length: 10 }, (_, n) => server.connect(`s-${n + 40}`));
  const students = await Promise.all(joiners);
  const answers = await Promise.all([
    ...Array.from({ length: 100 }, (_, n) =>
      teacher.send('markStudentAttendance', {
        ...SESSION,
        student_id: `student-${(n % 30) + 1}`,
        status: n < 30 ? 'late' : n < 60 ? 'present' : n < 90 ? 'excused' : 'absent',
      }),
    ),
    ...students.map((student) => student.send('joinAttendanceSession', SESSION)),
    teacher.send('bulkUpdateAttendance', {
      ...SESSION,
      attendanceUpdates: Array.from({ length: 20 }, (_, n) => ({ student_id: `student-${n + 31}`, status: 'present' })),
    }),
  ]);
  expect(answers.every(({ ok }) => ok)).toBe(true);
  const entries = await readEntries(server.storage, 'session-1' as never, 0, 10_000);
  const marks = entries.filter(({ type }) => type === 'marked').map(({ seq }) => seq);
  expect(marks).toHaveLength(120);

  for (const client of [batchedTeacher, batched]) {
    await expect.poll(() => changesOf(client).length, PATIENCE).toBe(marks.length);
    expect(changesOf(client).map(({ seq }) => seq)).toEqual(marks);
    expect(client.all('attendanceUpdated')).toEqual([]);
    expect(client.all('attendanceBulkUpdated')).toEqual([]);
    for (const batch of client.all('attendanceChanges')) {
      const seqs = (batch['changes'] as Array<{ seq: number }>).map(({ seq }) => seq);
      expect([batch['from_seq'], batch['to_seq']]).toEqual([seqs[0], seqs.at(-1)]);
    }
  }
  expect(batched.all('attendanceChanges').length).toBeLessThan(marks.length);
  for (const client of [teacher, plain]) {
    await expect.poll(() => client.all('attendanceBulkUpdated').length, PATIENCE).toBe(1);
    await expect.poll(() => seqsOf(client, 'attendanceUpdated').length, PATIENCE).toBe(100);
    expect(client.all('attendanceChanges')).toEqual([]);
  }
  const told = batchedTeacher.events.flatMap(({ event, payload }) => {
    if (event === 'attendanceChanges') return (payload['changes'] as Array<{ seq: number }>).map(({ seq }) => seq);
    return event === 'studentJoinedAttendance' && payload['seq'] !== undefined ? [Number(payload['seq'])] : [];
  });
  expect(told).toEqual([...told].sort((a, b) => a - b));
  expect(told.at(-1)).toBe(entries.length);
});

test('[BATCH-4] under visibility private batched students get their own changes one by one', async () => {
  const server = await startServer({}, schoolOf(3));
  const teacher = await connectBatched(server, 'ada');
  await teacher.send('startAttendanceSession', { ...SESSION, policy: { visibility: 'private' } });
  const [one, two] = await Promise.all([connectBatched(server, 's-1'), connectBatched(server, 's-2')]);
  for (const student of [one, two]) await student?.send('joinAttendanceSession', SESSION);
  await teacher.send('markStudentPresent', { ...SESSION, student_id: 'student-1' });
  const attendanceUpdates = [1, 2, 3].map((n) => ({ student_id: `student-${n}`, status: 'late' }));
  await teacher.send('bulkUpdateAttendance', { ...SESSION, attendanceUpdates });
  await expect.poll(() => changesOf(teacher).length, PATIENCE).toBe(4);
  expect(await one?.next('attendanceUpdated')).toMatchObject({ student_id: 'student-1', status: 'present' });
  for (const [index, student] of [one, two].entries()) {
    const own = await student?.next('attendanceBulkUpdated');
    expect(own?.['updatedRecords']).toMatchObject([{ student_id: `student-${index + 1}`, status: 'late' }]);
    expect(student && changesOf(student)).toEqual([]);
  }
  expect(two?.all('attendanceUpdated')).toEqual([]);
});

test('[BATCH-1] [MARK-8] who teaches a private session and is a student of it is told once', async () => {
  const school = schoolOf(2);
  const [pattern] = school.students;
  if (!pattern) throw new Error('no student');
  const students = [...school.students, { ...pattern, id: 'student-ada', uid: 'ada' }];
  const enrolled = { course_id: 'course-1', student_id: 'student-ada', status: 'approved' } as const;
  const server = await startServer({}, { ...school, students, enrollments: [...school.enrollments, enrolled] });
  const plain = await server.connect('ada');
  const batched = await connectBatched(server, 'ada');
  await plain.send('startAttendanceSession', { ...SESSION, policy: { visibility: 'private' } });
  for (const client of [plain, batched]) {
    await client.send('watchAttendanceSession', SESSION);
    expect(await client.send('joinAttendanceSession', SESSION)).toMatchObject({ ok: true });
  }
  await plain.send('markStudentPresent', { ...SESSION, student_id: 'student-ada' });
  const attendanceUpdates = [{ student_id: 'student-ada', status: 'late' }];
  await plain.send('bulkUpdateAttendance', { ...SESSION, attendanceUpdates });
  await expect.poll(() => changesOf(batched).map(({ status }) => status), PATIENCE).toEqual(['present', 'late']);
  await plain.send('endAttendanceSession', SESSION);
  for (const client of [plain, batched]) {
    await expect.poll(() => client.all('attendanceSessionEnded').length, PATIENCE).toBe(1);
    await client.send('unsubscribeFromCourse', { course_id: 'none' });
    expect(client.all('attendanceSessionEnded')).toHaveLength(1);
  }
  expect([plain.all('attendanceUpdated').length, plain.all('attendanceBulkUpdated').length]).toEqual([1, 1]);
  expect([batched.all('attendanceUpdated').length, batched.all('attendanceBulkUpdated').length]).toEqual([0, 0]);
});

test('[BATCH-5] in a room of thousands every socket gets each event once and in order, teachers first', async () => {
  const SOCKETS = 2_500;
  const server = await startServer({ RATE_LIMIT_STUDENT_PER_SECOND: '0', LOG_LEVEL: 'silent' }, schoolOf(3));
  const teacher = await server.connect('ada');
  await teacher.send('startAttendanceSession', SESSION);
  const clients: Client[] = [];
  for (let n = 0; n < SOCKETS; n += 100) {
    clients.push(...(await Promise.all(Array.from({ length: 100 }, () => server.connect('s-1')))));
  }
  await Promise.all(clients.map((client) => client.send('joinAttendanceSession', SESSION)));
  const before = Number((await teacher.send('getAttendanceSessionData', SESSION))['seq']);
  const statuses = ['present', 'late', 'absent', 'excused', 'present', 'late'];
  for (const status of statuses) {
    teacher.emit('markStudentAttendance', { ...SESSION, student_id: 'student-2', status });
  }
  await teacher.send('endAttendanceSession', SESSION);
  const expected = statuses.map((_, index) => before + index + 1);
  for (const client of [teacher, ...clients]) {
    await expect.poll(() => client.all('attendanceSessionEnded').length, PATIENCE).toBe(1);
    expect(seqsOf(client, 'attendanceUpdated')).toEqual(expected);
    expect(client.events.at(-1)?.event).toBe('attendanceSessionEnded');
  }
}, 300_000);
