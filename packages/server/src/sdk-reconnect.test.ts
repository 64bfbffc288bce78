import type { LiveSession } from '@rollcall/client';
import { expect, onTestFinished, test, vi } from 'vitest';
import { schoolOf } from './testing/school.js';
import { byId, followed, sdk, upTo } from './testing/sdk.js';
import { startServer, type TestServer } from './testing/server.js';
import { TcpProxy } from './testing/tcp-proxy.js';

/** A line to the server that the test can cut. */
async function lineTo({ port }: TestServer): Promise<{ line: TcpProxy; url: string }> {
  const line = await TcpProxy.start({ host: '127.0.0.1', port });
  onTestFinished(() => line.cut());
  return { line, url: `http://127.0.0.1:${line.port}` };
}

const patiently = { timeout: 30_000, interval: 20 };
const stateOf = ({ state, seq }: LiveSession) => ({ state, seq });

test('[SDK-1] a mark whose acknowledgement was lost is sent again and counts once', async () => {
  const server = await startServer({}, schoolOf(3));
  const { line, url } = await lineTo(server);
  const live = await sdk(url, 'ada').openSession('session-1', { start: {} });
  const seen = followed(live);
  const witness = await sdk(server.url, 'cyd').openSession('session-1');
  line.line = 'answers lost';
  const marked = live.markPresent('student-1');
  await vi.waitFor(() => expect(witness.seq).toBe(2), { timeout: 30_000 });
  await line.cut();
  await line.restore();
  await expect(marked).resolves.toMatchObject({ seq: 2, duplicate: true, attendanceRecord: { status: 'present' } });
  await vi.waitFor(() => expect(stateOf(live)).toEqual({ state: 'live', seq: 2 }), { timeout: 30_000 });
  expect(seen.seqs()).toEqual([2]);
  expect(witness.seq).toBe(2);
});

test('[SDK-1] every command has one effect, however often the line is cut while they are sent', async () => {
  const students = 150;
  const server = await startServer({ RATE_LIMIT_TEACHER_PER_SECOND: '0' }, schoolOf(students));
  const { line, url } = await lineTo(server);
  const client = sdk(url, 'ada');
  const live = await client.openSession('session-1', { start: {} });
  const seen = followed(live);
  // Back and forth: a command that took effect twice, or late, would leave one entry more or another status.
  const marks = upTo(1, students).flatMap((n) => [
    live.markPresent(`student-${n}`),
    live.mark(`student-${n}`, 'late'),
    live.markAbsent(`student-${n}`, { remarks: 'left' }),
  ]);
  let settled = 0;
  for (const mark of marks) void mark.then(() => (settled += 1));
  for (let cut = 1; cut <= 8; cut++) {
    await vi.waitFor(() => expect(settled).toBeGreaterThanOrEqual(Math.min(cut * 40, marks.length)), patiently);
    await line.cut();
    await line.restore();
  }
  const answers = await Promise.all(marks);
  const last = 1 + marks.length;
  expect(answers.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(upTo(2, last));
  await vi.waitFor(() => expect(stateOf(live)).toEqual({ state: 'live', seq: last }), patiently);
  expect(seen.seqs()).toEqual(upTo(2, last));
  const stored = await client.getSessionData({ session_id: 'session-1' });
  expect(new Set(stored.attendanceRecords.map(({ status, remarks }) => `${status} ${remarks}`))).toEqual(
    new Set(['absent left']),
  );
  expect(byId(live.records.values())).toEqual(byId(stored.attendanceRecords));
});

test('[SDK-4] teachers and students who are cut 20 times in a class each end with every change once', async () => {
  const participants = 12;
  const server = await startServer({ RATE_LIMIT_TEACHER_PER_SECOND: '0' }, schoolOf(40));
  const { line, url } = await lineTo(server);
  const ada = await sdk(server.url, 'ada').openSession('session-1', { start: {} });
  const cyd = await sdk(url, 'cyd').openSession('session-1');
  const teacher = followed(cyd);
  const lives = await Promise.all(upTo(1, participants).map((n) => sdk(url, `s-${n}`).joinSession('session-1')));
  const joinedAt = 1 + participants;
  await vi.waitFor(() => expect([ada.seq, cyd.seq]).toEqual([joinedAt, joinedAt]), { timeout: 30_000 });
  const students = lives.map((live) => followed(live));

  let marking = true;
  let round = 0;
  const marks = (async () => {
    for (; marking; round++) {
      const status = (['present', 'late', 'absent', 'excused'] as const)[round % 4] ?? 'absent';
      await ada.mark(`student-${(round % 40) + 1}`, status, { remarks: `round ${round}` });
      if (round % 10 === 0) {
        await ada.bulkUpdate(upTo(1, 5).map((n) => ({ student_id: `student-${n}`, status, remarks: `bulk ${round}` })));
      }
    }
  })();
  for (let cut = 0; cut < 20; cut++) {
    const missed = ada.seq + 5;
    await line.cut();
    await vi.waitFor(() => expect(ada.seq).toBeGreaterThan(missed), patiently);
    await line.restore();
    // Sometimes everybody is back before the next cut, sometimes nobody.
    if (cut % 3 === 0) {
      await vi.waitFor(() => expect([cyd, ...lives].every(({ state }) => state === 'live')).toBe(true), patiently);
    } else if (cut % 3 === 1) await vi.waitFor(() => expect(line.connections).toBeGreaterThan(0), patiently);
  }
  marking = false;
  await marks;

  const last = (await ada.markPresent('student-40', { remarks: 'the last' })).seq;
  for (const live of [cyd, ...lives]) {
    await vi.waitFor(() => expect(stateOf(live)).toEqual({ state: 'live', seq: last }), patiently);
  }
  expect(teacher.seqs()).toEqual(upTo(joinedAt - participants + 1, last));
  // Everything after the check-ins is a mark, and of those a student misses none.
  for (const { seqs } of students) expect(seqs().filter((seq) => seq > joinedAt)).toEqual(upTo(joinedAt + 1, last));
  const stored = await sdk(server.url, 'ada').getSessionData({ session_id: 'session-1' });
  expect(byId(cyd.records.values())).toEqual(byId(stored.attendanceRecords));
});

test('[SDK-4] a restart of the server in the middle of a class loses nothing', async () => {
  const server = await startServer({}, schoolOf(10));
  const live = await sdk(server.url, 'ada').openSession('session-1', { start: {} });
  const student = await sdk(server.url, 's-1').joinSession('session-1');
  const seen = followed(live);
  await live.markPresent('student-1');
  const again = server.restart();
  const marks = upTo(2, 10).map((n) => live.markPresent(`student-${n}`));
  await again;
  await Promise.all(marks);
  await vi.waitFor(() => expect(stateOf(live)).toEqual({ state: 'live', seq: 12 }), patiently);
  await vi.waitFor(() => expect(stateOf(student)).toEqual({ state: 'live', seq: 12 }), patiently);
  expect(seen.seqs().filter((seq) => seq > 2)).toEqual(upTo(3, 12));
  expect(student.own?.status).toBe('present');
  await vi.waitFor(() => expect([...live.online.keys()]).toEqual(['student-1']), patiently);
});

test('[SDK-4] a line that went silent without an end is left for a new one', async () => {
  const server = await startServer({}, schoolOf(3));
  const { line, url } = await lineTo(server);
  const live = await sdk(url, 'ada', { timeout: 500 }).openSession('session-1', { start: {} });
  const witness = await sdk(server.url, 'cyd').openSession('session-1');
  line.line = 'silent';
  const states: string[] = [];
  live.on('state', (state) => states.push(state));
  const marked = live.markPresent('student-1');
  await vi.waitFor(() => expect(states).toContain('offline'), patiently);
  await witness.markPresent('student-2');
  await line.cut();
  await line.restore();
  await marked;
  await vi.waitFor(() => expect(stateOf(live)).toEqual({ state: 'live', seq: 3 }), patiently);
  expect(live.records.get('student-2')?.status).toBe('present');
});

test('[SDK-4] a slow sign-in loses nothing', async () => {
  const server = await startServer({}, schoolOf(3));
  const { line, url } = await lineTo(server);
  const gate = { open: () => {} };
  const slow = sdk(url, 'cyd');
  server.rollcall.io.use((_socket, next) => {
    gate.open = () => {
      gate.open = () => {};
      next();
    };
    if (!slowly) next();
  });
  let slowly = false;
  const ada = await sdk(server.url, 'ada').openSession('session-1', { start: {} });
  const live = await slow.openSession('session-1');
  const seen = followed(live);
  slowly = true;
  await line.cut();
  gate.open = () => {};
  const held = new Promise<void>((resolve) => {
    server.rollcall.io.engine.once('connection', () => resolve());
  });
  await line.restore();
  await held;
  await ada.markPresent('student-1');
  await ada.markPresent('student-2');
  expect(stateOf(live)).toEqual({ state: 'offline', seq: 1 });
  slowly = false;
  await vi.waitFor(() => {
    gate.open();
    expect(stateOf(live)).toEqual({ state: 'live', seq: 3 });
  }, patiently);
  expect(seen.seqs()).toEqual([2, 3]);
});

test('[SDK-4] who was away learns of students added and of the end', async () => {
  const server = await startServer({}, schoolOf(4));
  const { line, url } = await lineTo(server);
  const ada = await sdk(server.url, 'ada').openSession('session-1', { start: {} });
  const teacher = await sdk(url, 'cyd').openSession('session-1');
  const seen = followed(teacher);
  const student = await sdk(url, 's-1').joinSession('session-1');
  await vi.waitFor(() => expect(teacher.seq).toBe(2), { timeout: 30_000 });

  await line.cut();
  await vi.waitFor(() => expect([teacher.state, student.state]).toEqual(['offline', 'offline']), patiently);
  await ada.markPresent('outsider', { walk_in: true });
  await line.restore();
  await vi.waitFor(() => expect(stateOf(teacher)).toEqual({ state: 'live', seq: 3 }), patiently);
  expect(teacher.records.get('student-outsider')).toMatchObject({
    status: 'present',
    student: { name: 'outsider', email: 'outsider@school.example' },
  });
  await vi.waitFor(() => expect(stateOf(student)).toEqual({ state: 'live', seq: 3 }), patiently);

  await line.cut();
  await vi.waitFor(() => expect([teacher.state, student.state]).toEqual(['offline', 'offline']), patiently);
  await ada.markAbsent('student-1', { remarks: 'slept' });
  const { finalData } = await ada.end();
  const ends = [teacher.once('ended'), student.once('ended')];
  await line.restore();
  const [forTeacher, forStudent] = await Promise.all(ends);
  expect(forTeacher).toMatchObject({ reason: 'teacher', ended_by: 'Ada Osei' });
  expect(forStudent).toMatchObject({ finalData: undefined });
  expect([teacher.state, student.state]).toEqual(['ended', 'ended']);
  expect(teacher.session?.status).toBe('completed');
  expect(teacher.statistics).toEqual({ ...finalData.statistics, onlineCount: 0 });
  expect(byId(teacher.records.values())).toEqual(byId(finalData.attendanceRecords));
  expect(seen.seqs()).toEqual([2, 3, 4, 5]);
  expect(seen.changes.at(-1)?.type).toBe('ended');
});

test('[SDK-4] closing, leaving and a lost right end the following, and nothing else', async () => {
  const server = await startServer({}, schoolOf(4));
  const teacher = sdk(server.url, 'ada');
  const live = await teacher.openSession('session-1', { start: {} });
  const client = sdk(server.url, 's-1');
  const student = await client.joinSession('session-1');
  const seen = followed(student);
  await student.leave();
  expect(student.state).toBe('closed');
  await live.markPresent('student-1');
  const { activeSessions } = await client.activeSessions({ course_id: 'course-1' });
  expect(activeSessions).toHaveLength(1);
  expect(seen.seqs()).toEqual([]);

  live.close();
  expect(live.state).toBe('closed');
  await expect(teacher.markPresent({ session_id: 'session-1', student_id: 'student-2' })).resolves.toMatchObject({
    seq: 4,
  });
  expect(live.seq).toBe(3);
});
