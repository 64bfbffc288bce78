import type { StudentId, UserId } from '@rollcall/protocol';
import { expect, test, vi } from 'vitest';
import type { MarkedEntry } from '../journal/entries.js';
import { appendTo } from '../storage/contract/journal-access.js';
import {
  accepted,
  bulk,
  caughtUp,
  dataOf,
  end,
  journalOf,
  mark,
  rowsOf,
  sessionId,
  startedClass,
} from '../testing/class.js';
import { otherWriter } from '../testing/database-file.js';
import { Replica } from '../testing/replica.js';
import type { Answer, Client, Payload } from '../testing/server.js';

const PATIENT = { timeout: 30_000, interval: 20 };
const truthOf = (answer: Payload) =>
  new Map(rowsOf(answer).map(({ student_id, status, remarks, seq }) => [student_id, { status, remarks, seq }]));

/** A mark as another writer of the same journal would append it. */
const foreignMark = (seq: number, student_id: string, at: number): MarkedEntry => ({
  type: 'marked',
  seq,
  at,
  actor: { user_id: 'someone else' as UserId, name: 'Another node' },
  student_id: student_id as StudentId,
  status: 'excused',
  remarks: null,
  previous_status: 'absent',
});

test('[SEQ-1] every command’s entries are numbered on, without gaps', async () => {
  const { server, teacher } = await startedClass(5, { policy: { auto_mark: true } });
  const student = await server.connect('s-1');
  await accepted(student.send('joinAttendanceSession', { session_id: 'session-1' }));
  await accepted(mark(teacher, 'student-2', 'late'));
  await accepted(mark(teacher, 'student-2', 'late'));
  await accepted(
    bulk(
      teacher,
      [1, 2, 3].map((n) => ({ student_id: `student-${n}`, status: 'excused' })),
    ),
  );
  await accepted(mark(teacher, 'outsider', 'late', { walk_in: true }));
  await accepted(end(teacher));
  const entries = await journalOf(server);
  expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, n) => n + 1));
  expect(entries.map(({ type }) => type)).toEqual(['started', 'checked_in', ...Array(6).fill('marked'), 'ended']);
});

test('[SEQ-2] numbers go on after restarts, each once', async () => {
  const { server, teacher } = await startedClass(3);
  await accepted(mark(teacher, 'student-1', 'late'));
  let current = server;
  for (const [n, status] of ['present', 'absent', 'excused'].entries()) {
    current = await current.restart();
    const back = await current.connect('ada');
    expect(await accepted(mark(back, 'student-1', status))).toMatchObject({ seq: n + 3 });
  }
  expect((await journalOf(current)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
});

test('[SEQ-2] [REG-15] what another writer appended is read, published and decided upon', async () => {
  const { server, teacher } = await startedClass(4);
  const other = await otherWriter(server);
  expect(await appendTo(other, sessionId('session-1'), 1, [foreignMark(2, 'student-2', Date.now())])).toBe('committed');
  const answers = await Promise.all([
    mark(teacher, 'student-1', 'late'),
    mark(teacher, 'student-2', 'excused'),
    mark(teacher, 'student-2', 'late'),
  ]);
  // The second changes nothing any more, and the third changes what the other writer wrote.
  expect(answers.map(({ ok, seq }) => [ok, seq])).toEqual([
    [true, 3],
    [true, 3],
    [true, 4],
  ]);
  await caughtUp(teacher);
  expect(teacher.all('attendanceUpdated')).toMatchObject([
    { seq: 2, student_id: 'student-2', status: 'excused', updated_by: 'Another node' },
    { seq: 3, student_id: 'student-1' },
    { seq: 4, student_id: 'student-2', previous_status: 'excused' },
  ]);
  expect((await journalOf(server)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
});

test('[REG-15] an end that another writer appended ends the session here', async () => {
  const { server, teacher } = await startedClass(2);
  const other = await otherWriter(server);
  const actor = { user_id: null, name: 'Another node' };
  await appendTo(other, sessionId('session-1'), 1, [
    { type: 'ended', seq: 2, at: Date.now(), actor, reason: 'teacher' },
  ]);
  const { ok, error } = await mark(teacher, 'student-1', 'late');
  expect([ok, error?.code]).toEqual([false, 'SESSION_ENDED']);
  expect(await teacher.next('attendanceSessionEnded')).toMatchObject({ ended_by: 'Another node' });
  expect(await dataOf(teacher)).toMatchObject({ session: { status: 'completed' }, seq: 2 });
});

test('[REG-15] a commit of 150,000 entries of another writer is caught up with', async () => {
  const { server, teacher } = await startedClass(10);
  const device = await server.connect('cyd');
  teacher.close();
  const other = await otherWriter(server);
  const entries = Array.from({ length: 150_000 }, (_, n): MarkedEntry => {
    const bulkOf5000 = { group: n - (n % 5_000) + 2 };
    return { ...foreignMark(n + 2, `student-${(n % 10) + 1}`, Date.now()), ...bulkOf5000, remarks: `${n}` };
  });
  expect(await appendTo(other, sessionId('session-1'), 1, entries)).toBe('committed');
  expect(await accepted(mark(device, 'student-1', 'late'))).toMatchObject({ seq: 150_002 });
  const restarted = await server.restart();
  expect(await dataOf(await restarted.connect('ada'))).toMatchObject({ seq: 150_002, statistics: { excusedCount: 9 } });
});

test('[SEQ-3] the seq of an answer is its last entry’s, or the current one where nothing was written', async () => {
  const { server, teacher } = await startedClass(3);
  const student = await server.connect('s-3');
  const rows = [1, 2].map((n) => ({ student_id: `student-${n}`, status: 'late' }));
  const answers: Answer[] = [
    await mark(teacher, 'student-1', 'present'),
    await mark(teacher, 'student-1', 'present'),
    await bulk(teacher, rows),
    await bulk(teacher, rows),
    await student.send('joinAttendanceSession', { session_id: 'session-1' }),
    await student.send('joinAttendanceSession', { session_id: 'session-1' }),
    await teacher.send('startAttendanceSession', { session_id: 'session-1' }),
    await dataOf(teacher),
    await teacher.send('watchAttendanceSession', { session_id: 'session-1' }),
    await end(teacher),
  ];
  expect(answers.map(({ seq }) => seq)).toEqual([2, 2, 4, 4, 5, 5, 5, 5, 5, 6]);
});

test('[SEQ-4] clients that come, go and ask under load end with the server’s records', async () => {
  const count = 120;
  const { server, teacher } = await startedClass(count);
  const second = await server.connect('cyd');
  const students = await Promise.all(Array.from({ length: 20 }, (_, n) => server.connect(`s-${n + 1}`)));
  const statuses = ['present', 'late', 'excused', 'absent'];
  let marking = true;
  let random = 42;
  const next = (below: number) => {
    random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((random / 2 ** 31) * below);
  };
  const load = async (device: Client) => {
    while (marking) {
      const some = Array.from({ length: 8 }, () => {
        const student_id = `student-${next(count) + 1}`;
        return mark(device, student_id, statuses[next(4)] ?? 'late', { remarks: `r${next(5)}` });
      });
      const rows = Array.from({ length: 30 }, () => ({
        student_id: `student-${next(count) + 1}`,
        status: statuses[next(4)],
      }));
      await Promise.all(
        [...some, bulk(device, rows), mark(device, 'outsider', 'late', { walk_in: true })].map(accepted),
      );
    }
  };
  const loads = [load(teacher), load(second)];
  const joins = students.map((student) => student.send('joinAttendanceSession', { session_id: 'session-1' }));
  const replicas: Replica[] = [];
  for (let n = 0; n < 12; n += 1) {
    const device = await server.connect(n % 2 ? 'ada' : 'cyd');
    const replica = new Replica(device, 'session-1');
    // ada's devices are put back at once, so that events come before any snapshot.
    await replica.attach(n % 3 === 0 ? 'startAttendanceSession' : 'getAttendanceSessionData');
    replicas.push(replica);
    await caughtUp(device);
  }
  await Promise.all(joins.map(accepted));
  marking = false;
  await Promise.all(loads);
  const data = await dataOf(teacher);
  for (const replica of replicas) {
    await vi.waitFor(() => expect(replica.last).toBe(data['seq']), PATIENT);
    expect(replica.records).toEqual(truthOf(data));
  }
  expect(data['seq']).toBe((await journalOf(server)).length);
});

test('[SEQ-4] a client that was cut asks for what it missed and ends with the server’s records', async () => {
  const { server, teacher } = await startedClass(30);
  const device = await server.connect('cyd');
  const replica = new Replica(device, 'session-1');
  await replica.attach();
  for (let cut = 0; cut < 5; cut += 1) {
    device.socket.io.engine.close();
    const missed = Array.from({ length: 10 }, (_, n) =>
      mark(teacher, `student-${((cut * 7 + n) % 30) + 1}`, cut % 2 ? 'late' : 'present', { remarks: `${cut}/${n}` }),
    );
    await Promise.all(missed.map(accepted));
    await vi.waitFor(() => expect(device.socket.connected).toBe(true), PATIENT);
    // The colleague's device isn't put back by itself: watching says where the session stands now.
    await accepted(device.send('watchAttendanceSession', { session_id: 'session-1' }));
    await accepted(mark(teacher, 'student-1', 'excused', { remarks: `after ${cut}` }));
    const { seq } = await dataOf(teacher);
    await vi.waitFor(() => expect(replica.last).toBe(seq), PATIENT);
  }
  expect(replica.asked).toBeGreaterThanOrEqual(5);
  expect(replica.records).toEqual(truthOf(await dataOf(teacher)));
});

test('[SEQ-5] numbers go on where the clock of another writer is an hour ahead', async () => {
  const { server, teacher } = await startedClass(3);
  const other = await otherWriter(server);
  const ahead = Date.now() + 3_600_000;
  await appendTo(other, sessionId('session-1'), 1, [foreignMark(2, 'student-1', ahead)]);
  const answer = await accepted(mark(teacher, 'student-1', 'late'));
  expect(answer).toMatchObject({ seq: 3, attendanceRecord: { status: 'late', seq: 3 } });
  expect(await accepted(mark(teacher, 'student-2', 'late'))).toMatchObject({ seq: 4 });
  await caughtUp(teacher);
  expect(teacher.all('attendanceUpdated').map(({ seq }) => seq)).toEqual([2, 3, 4]);
  expect(rowsOf(await dataOf(teacher)).map(({ status }) => status)).toEqual(['late', 'late', 'absent']);
});
