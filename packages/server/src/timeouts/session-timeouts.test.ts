import { afterEach, expect, test, vi } from 'vitest';
import { readEntries } from '../storage/contract/journal-access.js';
import { StorageError } from '../storage/port.js';
import { schoolOf } from '../testing/school.js';
import { type Client, startServer, type TestServer, tokenOf } from '../testing/server.js';

const PATIENCE = { timeout: 60_000, interval: 50 };
const SESSION = { session_id: 'session-1' };
/** 3 s, and 1.5 s of warning. */
const SHORT = 0.05;

async function startClass(policy: Record<string, number>): Promise<{ server: TestServer; teacher: Client }> {
  const server = await startServer({}, schoolOf(2));
  const teacher = await server.connect('ada');
  const started = await teacher.send('startAttendanceSession', { ...SESSION, policy });
  expect(started.ok).toBe(true);
  return { server, teacher };
}

const statusOf = async ({ storage }: TestServer) =>
  (await storage.projection.findSession('session-1' as never))?.status;

afterEach(() => {
  vi.restoreAllMocks();
});

test('[TIME-1] [TIME-3] [TIME-4] a session left alone ends by itself, after a warning, once', async () => {
  const { server, teacher } = await startClass({ inactivity_minutes: SHORT });
  const student = await server.connect('s-1');
  await student.send('joinAttendanceSession', SESSION);
  const warning = await teacher.next('attendanceSessionExpiring');
  expect(warning).toEqual({ session_id: 'session-1', ends_at: expect.any(String), reason: 'inactivity' });
  const ended = await student.next('attendanceSessionEnded');
  expect(ended).toMatchObject({ reason: 'inactivity', ended_by: 'system' });
  expect(Math.abs(Date.parse(String(ended['ended_at'])) - Date.parse(String(warning['ends_at'])))).toBeLessThan(10_000);
  expect(await teacher.next('attendanceSessionEnded')).toMatchObject({ reason: 'inactivity' });
  expect(student.all('attendanceSessionExpiring')).toEqual([]);
  await expect.poll(() => statusOf(server), PATIENCE).toBe('completed');
  const entries = await readEntries(server.storage, 'session-1' as never, 0, 100);
  expect(entries.filter(({ type }) => type === 'ended')).toHaveLength(1);
});

test('[TIME-2] a session that lasts too long ends whatever happens in it', async () => {
  const { teacher } = await startClass({ inactivity_minutes: SHORT, max_minutes: 2 * SHORT });
  let marks = 0;
  const marking = setInterval(() => {
    marks += 1;
    teacher.emit('markStudentAttendance', {
      ...SESSION,
      student_id: 'student-1',
      status: marks % 2 ? 'late' : 'absent',
    });
  }, 300);
  try {
    expect(await teacher.next('attendanceSessionExpiring')).toMatchObject({ reason: 'max_duration' });
    expect(await teacher.next('attendanceSessionEnded')).toMatchObject({ reason: 'max_duration', ended_by: 'system' });
  } finally {
    clearInterval(marking);
  }
  expect(marks).toBeGreaterThan(5);
});

test('[TIME-5] [TIME-11] reading, watching and keepAttendanceSessionAlive put off the end, and the warning comes again', async () => {
  const { teacher } = await startClass({ inactivity_minutes: SHORT });
  for (const event of ['getAttendanceSessionData', 'watchAttendanceSession', 'keepAttendanceSessionAlive']) {
    const warning = await teacher.next('attendanceSessionExpiring');
    expect((await teacher.send(event, SESSION)).ok).toBe(true);
    expect(Date.parse(String(warning['ends_at']))).toBeGreaterThan(Date.now() - 60_000);
    expect(teacher.all('attendanceSessionEnded')).toEqual([]);
  }
  await teacher.next('attendanceSessionExpiring');
  await teacher.next('attendanceSessionEnded');
});

test('[TIME-6] keepAttendanceSessionAlive is acknowledged with ends_at, null where the session doesn’t end by itself', async () => {
  const { server, teacher } = await startClass({ inactivity_minutes: 30, max_minutes: 0 });
  const answer = await teacher.send('keepAttendanceSessionAlive', SESSION);
  const left = Date.parse(String(answer['ends_at'])) - Date.now();
  expect(left).toBeGreaterThan(29 * 60_000);
  expect(left).toBeLessThanOrEqual(30 * 60_000 + 1_000);
  const other = await server.connect('eve');
  const policy = { inactivity_minutes: 0, max_minutes: 0 };
  await other.send('startAttendanceSession', { session_id: 'session-2', policy });
  const never = await other.send('keepAttendanceSessionAlive', { session_id: 'session-2' });
  expect(never).toEqual({ ok: true, session_id: 'session-2', ends_at: null });
});

test('[TIME-9] a deadline that passed while no server ran ends the session at the next start', async () => {
  const { server } = await startClass({ inactivity_minutes: SHORT });
  await server.close();
  const past = performance.now() + SHORT * 60_000;
  await expect.poll(() => performance.now(), PATIENCE).toBeGreaterThan(past);
  const again = await server.restart();
  await expect.poll(() => statusOf(again), PATIENCE).toBe('completed');
  const entries = await readEntries(again.storage, 'session-1' as never, 0, 100);
  expect(entries.at(-1)).toMatchObject({ type: 'ended', reason: 'inactivity' });
});

test('[TIME-8] a deadline counts through a restart, and activity before it isn’t forgotten', async () => {
  const { server, teacher } = await startClass({ inactivity_minutes: 4 * SHORT });
  await teacher.next('attendanceSessionExpiring');
  const kept = await teacher.send('keepAttendanceSessionAlive', SESSION);
  const again = await server.restart();
  const entries = () => readEntries(again.storage, 'session-1' as never, 0, 100);
  await expect.poll(async () => (await entries()).at(-1)?.type, PATIENCE).toBe('ended');
  const ended = (await entries()).at(-1);
  // Without what was remembered it would have ended six seconds earlier.
  expect(ended?.at).toBeGreaterThan(Date.parse(String(kept['ends_at'])) - 2_000);
});

test.each([3_600_000, -3_600_000])('[TIME-10] a jump of the clock by %i ms ends nothing early', async (jump) => {
  const server = await startServer({}, schoolOf(2));
  // The clients' clock jumps as well: they reconnect, and their token must still be good then.
  const teacher = await server.connect('ada', { token: await tokenOf('ada', {}, '12h') });
  await teacher.send('startAttendanceSession', {
    ...SESSION,
    policy: { inactivity_minutes: 2 * SHORT, max_minutes: 10 },
  });
  const { now } = Date;
  vi.spyOn(Date, 'now').mockImplementation(() => now() + jump);
  let since = 0;
  const mark = async () => {
    since = performance.now();
    const answer = await teacher.send('markStudentAttendance', { ...SESSION, student_id: 'student-1', status: 'late' });
    return answer.ok;
  };
  await expect.poll(() => mark().catch(() => false), PATIENCE).toBe(true);
  expect(await teacher.next('attendanceSessionEnded')).toMatchObject({ reason: 'inactivity' });
  expect(performance.now() - since).toBeGreaterThanOrEqual(2 * SHORT * 60_000 - 50);
});

test('[TIME-5] [TIME-6] an end that was put off while the database was away is remembered once it is back', async () => {
  const { server, teacher } = await startClass({ inactivity_minutes: 30 });
  const { storage } = server;
  const touch = storage.journal.touchSession.bind(storage);
  let failures = 0;
  vi.spyOn(storage.journal, 'touchSession').mockImplementation((sessionId, at) => {
    failures += 1;
    return failures <= 2 ? Promise.reject(new StorageError('away')) : touch(sessionId, at);
  });
  const before = Date.now();
  expect(await teacher.send('keepAttendanceSessionAlive', SESSION)).toMatchObject({ ok: true });
  await expect.poll(() => storage.journal.readActivity('session-1' as never), PATIENCE).toBeGreaterThanOrEqual(before);
  expect(failures).toBeGreaterThan(2);
});
