import { expect, test, vi } from 'vitest';
import { accepted, bulk, caughtUp, dataOf, end, joined, mark, rowsOf, startedClass } from '../testing/class.js';
import type { Client, Payload } from '../testing/server.js';

const PATIENT = { timeout: 20_000, interval: 20 };
const statisticsOf = (payload: Payload | undefined) => payload?.['statistics'] as Record<string, number> | undefined;
const lastOf = (client: Client) => client.all('attendanceStatistics').at(-1);

function counted(answer: Payload): Record<string, number> {
  const rows = rowsOf(answer);
  const of = (status: string) => rows.filter((row) => row.status === status).length;
  const [present, late] = [of('present'), of('late')];
  return {
    totalStudents: rows.length,
    presentCount: present,
    absentCount: of('absent'),
    lateCount: late,
    excusedCount: of('excused'),
    attendanceRate: rows.length === 0 ? 0 : Number((((present + late) / rows.length) * 100).toFixed(2)),
    checkedInCount: rows.filter(({ checked_in_at }) => checked_in_at !== null).length,
  };
}

test('[STAT-1] [STAT-2] [STAT-4] statistics count every status, and the rate has two decimals', async () => {
  const { teacher } = await startedClass(7);
  await accepted(
    bulk(teacher, [
      { student_id: 'student-1', status: 'present' },
      { student_id: 'student-2', status: 'late' },
      { student_id: 'student-3', status: 'excused' },
    ]),
  );
  expect(statisticsOf(await dataOf(teacher))).toEqual({
    totalStudents: 7,
    presentCount: 1,
    absentCount: 4,
    lateCount: 1,
    excusedCount: 1,
    attendanceRate: 28.57,
    checkedInCount: 0,
    onlineCount: 0,
  });
});

test('[STAT-3] the rate of an empty roster is 0', async () => {
  const { teacher } = await startedClass(1);
  const open = await accepted(teacher.send('startAttendanceSession', { session_id: 'open' }));
  expect(statisticsOf(open)).toMatchObject({ totalStudents: 0, attendanceRate: 0 });
});

test('[STAT-5] [STAT-6] teachers hear of changes, check-ins and presence, participants of marks', async () => {
  const { server, teacher } = await startedClass(3);
  const student = await joined(server, 's-1');
  await vi.waitFor(() => {
    expect(statisticsOf(lastOf(teacher))).toMatchObject({ checkedInCount: 1, onlineCount: 1 });
  }, PATIENT);
  await joined(server, 's-2');
  await vi.waitFor(() => expect(statisticsOf(lastOf(teacher))).toMatchObject({ checkedInCount: 2 }), PATIENT);
  await caughtUp(student);
  expect(student.all('attendanceStatistics')).toEqual([]);
  await accepted(mark(teacher, 'student-3', 'late'));
  for (const client of [teacher, student]) {
    await vi.waitFor(() => expect(statisticsOf(lastOf(client))).toMatchObject({ lateCount: 1 }), PATIENT);
    expect(lastOf(client)).toMatchObject({ session_id: 'session-1', seq: 4, at: expect.any(String) });
  }
  student.close();
  await vi.waitFor(() => {
    expect(statisticsOf(lastOf(teacher))).toMatchObject({ onlineCount: 1, checkedInCount: 2 });
  }, PATIENT);
});

test('[STAT-6] under visibility private participants get no statistics', async () => {
  const { server, teacher } = await startedClass(2, { policy: { visibility: 'private' } });
  const student = await joined(server, 's-1');
  await accepted(mark(teacher, 'student-1', 'late'));
  await vi.waitFor(() => expect(statisticsOf(lastOf(teacher))).toMatchObject({ lateCount: 1 }), PATIENT);
  await caughtUp(student);
  expect(student.all('attendanceStatistics')).toEqual([]);
});

test('[STAT-7] [STAT-8] [STAT-9] at most 4 a second come, and the last state always', async () => {
  const { server, teacher } = await startedClass(40);
  const second = await server.connect('cyd');
  const student = await joined(server, 's-1');
  const statuses = ['present', 'late', 'excused', 'absent'];
  const until = Date.now() + 2_500;
  let sent = 0;
  while (Date.now() < until) {
    const burst = Array.from({ length: 10 }, () => {
      sent += 1;
      return mark(
        sent % 2 ? teacher : second,
        `student-${(sent % 40) + 1}`,
        statuses[Math.floor(sent / 40) % 4] ?? 'late',
      );
    });
    await Promise.all(burst.map(accepted));
  }
  const data = await dataOf(teacher);
  for (const client of [teacher, student]) {
    await vi.waitFor(() => expect(lastOf(client)?.['seq']).toBe(data['seq']), PATIENT);
    const { onlineCount, ...last } = statisticsOf(lastOf(client)) ?? {};
    expect(last).toEqual(counted(data));
    expect(onlineCount).toBe(1);
    const ats = client.all('attendanceStatistics').map(({ at }) => Date.parse(String(at)));
    expect(ats.length).toBeGreaterThan(5);
    // Timers keep whole milliseconds, so that a window may come out a few short.
    for (const [n, at] of ats.entries()) expect((ats[n + 4] ?? Number.POSITIVE_INFINITY) - at).toBeGreaterThan(980);
  }
});

test('[STAT-8] no statistics follow the end, which has them', async () => {
  const { server, teacher } = await startedClass(10);
  const student = await joined(server, 's-1');
  for (let n = 1; n <= 10; n += 1)
    teacher.emit('markStudentPresent', { session_id: 'session-1', student_id: `student-${n}` });
  const { finalData } = await accepted(end(teacher));
  expect(statisticsOf(finalData as Payload)).toMatchObject({ presentCount: 10, attendanceRate: 100 });
  await accepted(teacher.send('startAttendanceSession', { session_id: 'next' }));
  await accepted(teacher.send('markStudentPresent', { session_id: 'next', student_id: 'student-1' }));
  await vi.waitFor(() => expect(lastOf(teacher)).toMatchObject({ session_id: 'next' }), PATIENT);
  for (const client of [teacher, student]) {
    const names = client.events
      .filter(({ payload }) => payload['session_id'] === 'session-1')
      .map(({ event }) => event);
    expect(names.indexOf('attendanceSessionEnded')).toBeGreaterThan(names.lastIndexOf('attendanceStatistics'));
  }
});
