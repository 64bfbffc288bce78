import { expect, test } from 'vitest';
import {
  accepted,
  bulk,
  dataOf,
  end,
  joined,
  journalOf,
  mark,
  refused,
  rowOf,
  rowsOf,
  startedClass,
  UNLIMITED,
} from '../testing/class.js';
import { fileOf, otherConnection } from '../testing/database-file.js';
import { Replica } from '../testing/replica.js';
import { schoolOf } from '../testing/school.js';
import { type Client, type Payload, startServer } from '../testing/server.js';

const since = (client: Client, since_seq: number, session_id = 'session-1') =>
  accepted(client.send('getAttendanceSessionData', { session_id, since_seq }));
const seqsOf = (answer: Payload) => (answer['changes'] as { seq: number }[]).map(({ seq }) => seq);

test('[DATA-1] reading answers session, records, statistics and seq, by event and acknowledgement', async () => {
  const { server, teacher } = await startedClass(2);
  await joined(server, 's-1');
  const { ok, ...ack } = await dataOf(teacher);
  expect(ok).toBe(true);
  expect(await teacher.next('attendanceSessionData')).toEqual(ack);
  expect(Object.keys(ack).sort()).toEqual(
    ['attendanceRecords', 'chain', 'seq', 'session', 'session_id', 'statistics'].sort(),
  );
  expect(ack).toMatchObject({ session_id: 'session-1', seq: 2, statistics: { checkedInCount: 1, onlineCount: 1 } });
});

test('[DATA-2] a completed session is answered with its final records, also after a restart', async () => {
  const { server, teacher } = await startedClass(3);
  await accepted(mark(teacher, 'student-2', 'late', { remarks: 'rain' }));
  const { finalData } = await accepted(end(teacher));
  const final = finalData as Payload;
  const after = await dataOf(teacher);
  const restarted = await server.restart();
  const later = await dataOf(await restarted.connect('cyd'));
  for (const answer of [after, later]) {
    expect(answer).toMatchObject({ seq: 3, session: { status: 'completed' }, statistics: { lateCount: 1 } });
    expect(answer['attendanceRecords']).toEqual(final['attendanceRecords']);
    expect(answer['session']).toEqual(final['session']);
  }
});

test('[DATA-2] a session that was completed before there was a journal has its records as found', async () => {
  const server = await startServer(UNLIMITED, schoolOf(3));
  otherConnection(fileOf(server)).exec(
    `INSERT INTO attendance_records VALUES
     ('session-old', 'student-1', 'aaaaaaaaaaaaaaaaaaaaaaaa', 'present', NULL, NULL, NULL, NULL, 1, 1, 0),
     ('session-old', 'student-2', 'bbbbbbbbbbbbbbbbbbbbbbbb', 'absent', 'ill', NULL, NULL, NULL, 1, 1, 0),
     ('session-old', 'gone', 'cccccccccccccccccccccccc', 'late', NULL, NULL, NULL, NULL, 1, 1, 0),
     ('session-old', 'gone too', 'dddddddddddddddddddddddd', 'absent', NULL, NULL, NULL, NULL, 1, 1, 0)`,
  );
  const data = await dataOf(await server.connect('ada'), 'session-old');
  expect(data).toMatchObject({
    seq: 0,
    session: { status: 'completed', policy: null },
    statistics: { totalStudents: 4, presentCount: 1, absentCount: 2, lateCount: 1, attendanceRate: 50 },
  });
  expect(rowsOf(data)).toHaveLength(4);
  expect(rowOf(data, 'gone')).toMatchObject({ status: 'late', student: { name: 'gone', user_id: null } });
  expect(rowOf(data, 'student-2')).toMatchObject({ _id: 'bbbbbbbbbbbbbbbbbbbbbbbb', remarks: 'ill' });
  expect(await journalOf(server, 'session-old')).toEqual([]);
});

test('[DATA-3] a scheduled session has its roster counted and the records there are', async () => {
  const server = await startServer(UNLIMITED, schoolOf(3));
  const teacher = await server.connect('ada');
  expect(await dataOf(teacher)).toMatchObject({
    session: { status: 'scheduled', started_at: null },
    attendanceRecords: [],
    statistics: { totalStudents: 3, absentCount: 3, attendanceRate: 0 },
    seq: 0,
  });
  otherConnection(fileOf(server)).exec(
    `INSERT INTO attendance_records VALUES
     ('session-1', 'student-2', 'cccccccccccccccccccccccc', 'excused', NULL, NULL, NULL, NULL, 1, 1, 0)`,
  );
  const data = await dataOf(teacher);
  expect(rowsOf(data)).toHaveLength(1);
  expect(data).toMatchObject({ statistics: { totalStudents: 3, absentCount: 2, excusedCount: 1 } });
  expect(await journalOf(server)).toEqual([]);
});

test('[DATA-4] [DATA-5] [DATA-6] [SEQ-6] since_seq answers the entries after it: from 0, the middle and beyond', async () => {
  const { teacher } = await startedClass(4);
  for (const n of [1, 2, 3, 4]) await accepted(mark(teacher, `student-${n}`, 'present'));
  const all = await since(teacher, 0);
  expect(all['attendanceRecords']).toBeUndefined();
  expect(all).toMatchObject({ seq: 5, statistics: { presentCount: 4 }, session: { status: 'active' } });
  expect(seqsOf(all)).toEqual([1, 2, 3, 4, 5]);
  expect(seqsOf(await since(teacher, 3))).toEqual([4, 5]);
  expect(seqsOf(await since(teacher, 5))).toEqual([]);
  const beyond = await since(teacher, 1_000_000);
  expect(beyond).toMatchObject({ seq: 5, reset: true });
  expect(beyond['attendanceRecords']).toHaveLength(4);
  for (const bad of [-1, 1.5, '3']) {
    const error = await refused(teacher.send('getAttendanceSessionData', { session_id: 'session-1', since_seq: bad }));
    expect(error).toMatchObject({ code: 'BAD_REQUEST', details: { field: 'since_seq' } });
  }
});

test('[DATA-5] a journal longer than what is kept in memory is answered whole, live, ended and after a restart', async () => {
  const { server, teacher } = await startedClass(1_500);
  const rows = (status: string) =>
    Array.from({ length: 1_500 }, (_, n) => ({ student_id: `student-${n + 1}`, status }));
  for (const status of ['present', 'late', 'excused', 'absent']) await accepted(bulk(teacher, rows(status)));
  const last = 1 + 4 * 1_500;
  const dense = (from: number) => Array.from({ length: last - from }, (_, n) => from + n + 1);
  for (const from of [0, 1, 1_700, 4_000, last - 1, last]) {
    const answer = await since(teacher, from);
    expect(seqsOf(answer)).toEqual(dense(from));
    expect(answer['seq']).toBe(last);
  }
  const restarted = await (await server.restart()).connect('ada');
  for (const from of [0, 2_999, last - 1]) expect(seqsOf(await since(restarted, from))).toEqual(dense(from));
  await accepted(end(restarted));
  expect(seqsOf(await since(restarted, 2_999))).toEqual([...dense(2_999), last + 1]);
});

test('[DATA-7] a change is flat and has what its type has', async () => {
  const { server, teacher } = await startedClass(2);
  await joined(server, 's-1');
  await accepted(mark(teacher, 'student-1', 'late', { remarks: 'bus' }));
  await accepted(mark(teacher, 'student-outsider', 'present', { walk_in: true }));
  await accepted(end(teacher));
  const { changes } = await since(teacher, 0);
  const ada = { user_id: expect.any(String), name: 'Ada Osei' };
  const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  const marked = { type: 'marked', at, actor: ada };
  expect(changes).toEqual([
    { seq: 1, type: 'started', at, actor: ada },
    {
      seq: 2,
      type: 'checked_in',
      at,
      actor: { user_id: expect.any(String), name: 'Student 1' },
      student_id: 'student-1',
    },
    { seq: 3, ...marked, student_id: 'student-1', status: 'late', previous_status: 'absent', remarks: 'bus' },
    { seq: 4, ...marked, student_id: 'student-outsider', status: 'present', previous_status: null, remarks: null },
    { seq: 5, type: 'ended', at, actor: ada, reason: 'teacher' },
  ]);
});

test('[DATA-8] the changes after n, applied to the records as of n, give the records as they stand', async () => {
  const { server, teacher } = await startedClass(6, { policy: { auto_mark: true } });
  const observer = await server.connect('cyd');
  const snapshots = [await dataOf(observer)];
  const steps = [
    () => joined(server, 's-1'),
    () => mark(teacher, 'student-2', 'present', { remarks: 'early' }),
    () =>
      bulk(
        teacher,
        [3, 4, 2].map((n) => ({ student_id: `student-${n}`, status: 'late' })),
      ),
    () => mark(teacher, 'student-outsider', 'present', { walk_in: true }),
    () => mark(teacher, 'student-2', 'late', { remarks: '' }),
    () => mark(teacher, 'student-2', 'absent'),
    () => joined(server, 's-5'),
  ];
  for (const step of steps) {
    await step();
    snapshots.push(await dataOf(observer));
  }
  const now = snapshots.at(-1) as Payload;
  const truth = new Map(
    rowsOf(now).map(({ student_id, status, remarks, seq }) => [student_id, { status, remarks, seq }]),
  );
  expect(snapshots.map(({ seq }) => seq)).toEqual([1, 3, 4, 7, 8, 9, 10, 12]);
  for (const snapshot of snapshots) {
    const replica = new Replica(observer, 'nothing live');
    replica.load(snapshot);
    replica.applyChanges(await since(observer, snapshot['seq'] as number));
    expect(replica.records).toEqual(truth);
  }
});

test('[DATA-9] watching answers like reading and brings every change from then on', async () => {
  const { server, teacher } = await startedClass(2);
  const device = await server.connect('cyd');
  const { ok, ...watched } = await accepted(device.send('watchAttendanceSession', { session_id: 'session-1' }));
  expect(ok).toBe(true);
  expect(await device.next('attendanceSessionData')).toEqual(watched);
  const { ok: _, ...read } = await dataOf(device);
  expect(watched).toEqual(read);
  await accepted(mark(teacher, 'student-1', 'present'));
  expect(await device.next('attendanceUpdated')).toMatchObject({ seq: 2 });
});
