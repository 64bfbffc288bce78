import { pino } from 'pino';
import { expect, test } from 'vitest';
import { chatApp, PATIENCE } from './attach.test.support.js';
import { connectTo } from './testing/server.js';

const session_id = 'session-1';

test('[EMBED-185] hooks are told of each start, change and end, with the record as it was after the change', async () => {
  const app = await chatApp();
  const attached = await app.attach({ policy: { auto_mark: true } });
  const told: Array<Record<string, unknown>> = [];
  for (const name of ['sessionStarted', 'recordChanged', 'sessionEnded'] as const) {
    attached.on(name, (event) => void told.push({ name, ...event }));
  }
  const off = attached.on('recordChanged', () => told.push({ name: 'taken away' }));
  off();
  const teacher = await connectTo(app.url, 'ada');
  const student = await connectTo(app.url, 's-1');
  await teacher.send('startAttendanceSession', { session_id });
  await student.send('joinAttendanceSession', { session_id });
  await teacher.send('bulkUpdateAttendance', {
    session_id,
    attendanceUpdates: [
      { student_id: 'student-1', status: 'late', remarks: 'bus' },
      { student_id: 'student-2', status: 'excused' },
    ],
  });
  await teacher.send('markStudentPresent', { session_id, student_id: 'student-2' });
  await teacher.send('endAttendanceSession', { session_id });
  await expect.poll(() => told.length, PATIENCE).toBe(7);
  expect(told.map(({ name, seq, here }) => [name, seq, here])).toEqual([
    ['sessionStarted', 1, true],
    ['recordChanged', 2, true],
    ['recordChanged', 3, true],
    ['recordChanged', 4, true],
    ['recordChanged', 5, true],
    ['recordChanged', 6, true],
    ['sessionEnded', 7, true],
  ]);
  const [started, checkedIn, marked, late, excused, present, end] = told;
  expect(started).toMatchObject({ session_id, by: { name: 'Ada Osei' }, session: { status: 'active' } });
  expect(checkedIn).toMatchObject({ type: 'checked_in', previous_status: null, record: { student_id: 'student-1' } });
  expect(marked).toMatchObject({ type: 'marked', previous_status: 'absent', record: { status: 'present' } });
  expect(late).toMatchObject({ previous_status: 'present', record: { status: 'late', remarks: 'bus' } });
  // The next mark was told apart from this one.
  expect(excused).toMatchObject({ previous_status: 'absent', record: { status: 'excused', seq: 5 } });
  expect(present).toMatchObject({ previous_status: 'excused', record: { status: 'present', seq: 6 } });
  expect(end).toMatchObject({
    reason: 'teacher',
    session: { status: 'completed' },
    statistics: { lateCount: 1, presentCount: 1 },
  });
  expect((end as { attendanceRecords: unknown[] }).attendanceRecords).toHaveLength(2);
});

test('[EMBED-185] what a hook throws, or rejects with, is logged and does no harm', async () => {
  const app = await chatApp();
  const lines: string[] = [];
  const logger = pino({ level: 'error' }, { write: (line: string) => lines.push(line) });
  const attached = await app.attach({ logger });
  let later = 0;
  attached.on('sessionStarted', () => {
    throw new Error('thrown by the app');
  });
  attached.on('sessionStarted', () => Promise.reject(new Error('rejected by the app')));
  attached.on('sessionStarted', () => {
    later += 1;
  });
  const teacher = await connectTo(app.url, 'ada');
  expect(await teacher.send('startAttendanceSession', { session_id })).toMatchObject({ ok: true });
  await expect.poll(() => later, PATIENCE).toBe(1);
  await expect.poll(() => lines.length, PATIENCE).toBe(2);
  for (const line of lines) expect(line).toContain('a hook of the app failed');
  for (const what of ['thrown', 'rejected']) expect(lines.join('')).toContain(`${what} by the app`);
  expect(await teacher.send('markStudentPresent', { session_id, student_id: 'student-1' })).toMatchObject({ ok: true });
  for (const [name, hook] of [
    ['recordChnged', () => {}],
    ['recordChanged', undefined],
  ] as const) {
    expect(() => attached.on(name as 'recordChanged', hook as () => void)).toThrow(TypeError);
  }
});

test('[EMBED-186] an app reads its sessions: which are active, and all of one in whatever state', async () => {
  const app = await chatApp();
  const { sessions } = await app.attach();
  expect(sessions.list()).toEqual([]);
  expect(await sessions.get(session_id)).toMatchObject({ session: { status: 'scheduled' }, seq: 0 });
  const teacher = await connectTo(app.url, 'ada');
  await teacher.send('startAttendanceSession', { session_id });
  await teacher.send('markStudentPresent', { session_id, student_id: 'student-1' });
  expect(sessions.list()).toMatchObject([
    { session: { session_id, status: 'active' }, statistics: { presentCount: 1 }, seq: 2 },
  ]);
  const { session, attendanceRecords, statistics, seq } = await teacher.send('getAttendanceSessionData', {
    session_id,
  });
  const read = await sessions.get(session_id);
  expect(read).toMatchObject({ session, attendanceRecords, seq, statistics } as object);
  await teacher.send('endAttendanceSession', { session_id });
  expect(sessions.list()).toEqual([]);
  expect(await sessions.get(session_id)).toMatchObject({ session: { status: 'completed' }, seq: 3 });
  expect(await sessions.get('no such session')).toBeNull();
});
