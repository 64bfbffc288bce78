import { expect, test } from 'vitest';
import {
  accepted,
  bulk,
  caughtUp,
  dataOf,
  end,
  holdCommits,
  joined,
  journalOf,
  mark,
  refused,
  rowOf,
  startedClass,
} from '../testing/class.js';
import type { Answer, Client, Payload } from '../testing/server.js';

const one = { session_id: 'session-1', student_id: 'student-1' };

/** The first answer as its repeat must be: marked as a duplicate. */
const again = (answer: Answer) => ({ ...answer, duplicate: true });

test('[ANS-8] [ANS-9] a mark repeated at once, in the same batch, later and by another socket has one effect', async () => {
  const { server, teacher } = await startedClass(3);
  const tablet = await server.connect('ada');
  const op = { op_id: 'op-1', remarks: 'bus' };
  const lock = await holdCommits(server);
  const waiting = [mark(teacher, 'student-2', 'late')];
  await caughtUp(teacher);
  const sent = [
    mark(teacher, 'student-1', 'late', op),
    mark(teacher, 'student-1', 'late', op),
    mark(tablet, 's-1', 'late', op),
  ];
  await caughtUp(teacher, tablet);
  lock.release();
  await Promise.all(waiting.map(accepted));
  const answers = await Promise.all(sent.map(accepted));
  const first = answers.find(({ duplicate }) => duplicate === undefined);
  if (!first) throw new Error('nobody was first');
  expect(answers.filter(({ duplicate }) => duplicate)).toEqual([again(first), again(first)]);
  await accepted(mark(teacher, 'student-1', 'absent', { remarks: '' }));
  expect(await mark(tablet, 'student-1', 'late', op)).toEqual(again(first));
  expect(rowOf(await dataOf(teacher), 'student-1')).toMatchObject({ status: 'absent', remarks: null });
  expect(await journalOf(server)).toHaveLength(4);
  await caughtUp(teacher);
  expect(teacher.all('attendanceUpdated')).toHaveLength(3);
  expect([...teacher.all('attendanceError'), ...tablet.all('attendanceError')]).toEqual([]);
});

test('[ANS-9] a repeat is also answered by the seed’s event', async () => {
  const { teacher } = await startedClass(1);
  await accepted(mark(teacher, 'student-1', 'excused', { op_id: 'x' }));
  await accepted(mark(teacher, 'student-1', 'absent'));
  await accepted(mark(teacher, 'student-1', 'excused', { op_id: 'x' }));
  const events = teacher.all('studentMarkedExcused');
  expect(events).toHaveLength(2);
  expect(events[1]).toEqual(events[0]);
});

test('[ANS-9] [ANS-12] every command’s repeat is recognised after a restart and after the end', async () => {
  const { server, teacher } = await startedClass(4, { policy: { auto_mark: true } });
  const student = await server.connect('s-4');
  const join = (client: Client) => client.send('joinAttendanceSession', { session_id: 'session-1', op_id: 'join' });
  const marking = (client: Client) => mark(client, 'student-1', 'late', { op_id: 'mark' });
  const updating = (client: Client) =>
    bulk(
      client,
      [
        { student_id: 'student-2', status: 'late' },
        { student_id: 'student-1', status: 'late' },
        { student_id: 'nobody', status: 'late' },
        { student_id: 'student-3', status: 'excused' },
        { student_id: 'student-3', status: 'asleep' },
        { student_id: 'outsider', status: 'late' },
      ],
      { op_id: 'bulk', partial: true },
    );
  const firsts = [await accepted(marking(teacher)), await accepted(updating(teacher))];
  const firstJoin = await accepted(join(student));
  const written = await journalOf(server);
  expect(written).toHaveLength(6);

  expect([await marking(teacher), await updating(teacher)]).toEqual(firsts.map(again));
  expect(await join(student)).toEqual(again(firstJoin));

  const restarted = await server.restart();
  const [laptop, phone] = [await restarted.connect('ada'), await restarted.connect('s-4')];
  expect([await marking(laptop), await updating(laptop)]).toEqual(firsts.map(again));
  expect(await join(phone)).toEqual(again(firstJoin));

  const ended = await accepted(end(laptop, { op_id: 'end' }));
  expect([await marking(laptop), await updating(laptop)]).toEqual(firsts.map(again));
  expect(await end(laptop, { op_id: 'end' })).toMatchObject({ ok: true, duplicate: true, seq: ended['seq'] });
  expect(await refused(end(laptop, { op_id: 'another end' }))).toMatchObject({ code: 'SESSION_NOT_ACTIVE' });

  const last = await (await restarted.restart()).connect('ada');
  expect([await marking(last), await updating(last)]).toEqual(firsts.map(again));
  expect(await end(last, { op_id: 'end' })).toMatchObject({ ok: true, duplicate: true, seq: ended['seq'] });
  expect(await refused(mark(last, 'student-1', 'present'))).toMatchObject({ code: 'SESSION_ENDED' });
  expect(last.all('attendanceError')).toHaveLength(1);
});

test('[ANS-21] the repeat of a mark that changed nothing changes nothing either', async () => {
  const { server, teacher } = await startedClass(2);
  await accepted(mark(teacher, 'student-1', 'late'));
  const first = await accepted(mark(teacher, 'student-1', 'late', { op_id: 'no-op' }));
  expect(first['duplicate']).toBeUndefined();
  await accepted(mark(teacher, 'student-1', 'present'));
  expect(await accepted(mark(teacher, 'student-1', 'late', { op_id: 'no-op' }))).toMatchObject({
    duplicate: true,
    seq: first['seq'],
  });
  const rows = [{ student_id: 'student-2', status: 'absent' }];
  await accepted(bulk(teacher, rows));
  await accepted(bulk(teacher, rows, { op_id: 'no bulk' }));
  await accepted(mark(teacher, 'student-2', 'late'));
  expect(await accepted(bulk(teacher, rows, { op_id: 'no bulk' }))).toMatchObject({ duplicate: true, totalUpdated: 1 });
  const data = await dataOf(teacher);
  expect([rowOf(data, 'student-1').status, rowOf(data, 'student-2').status]).toEqual(['present', 'late']);
  expect(await journalOf(server)).toHaveLength(5);
});

test('[ANS-12] [ANS-21] the last 10,000 op_ids that changed nothing are known until a restart, those of changes for good', async () => {
  const { server, teacher } = await startedClass(2);
  const change = () => mark(teacher, 'student-2', 'late', { op_id: 'change' });
  const late = (n: number, client = teacher) => mark(client, 'student-1', 'late', { op_id: `idle ${n}` });
  const changed = await accepted(change());
  await accepted(mark(teacher, 'student-1', 'late'));
  for (let n = 1; n <= 10_000; n += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, more) => accepted(late(n + more))));
  }
  await accepted(mark(teacher, 'student-1', 'present'));
  expect(await late(1)).toMatchObject({ ok: true, duplicate: true });
  await accepted(mark(teacher, 'student-1', 'present', { op_id: 'one more' }));

  expect(await late(2)).toMatchObject({ ok: true, duplicate: true });
  expect(await change()).toEqual(again(changed));
  expect(rowOf(await dataOf(teacher), 'student-1').status).toBe('present');
  expect((await accepted(late(1)))['duplicate']).toBeUndefined();
  expect(rowOf(await dataOf(teacher), 'student-1').status).toBe('late');
  // It has changed something now.
  await accepted(mark(teacher, 'student-1', 'present'));
  const back = await (await server.restart()).connect('ada');
  expect(await late(1, back)).toMatchObject({ ok: true, duplicate: true });
  expect((await accepted(late(2, back)))['duplicate']).toBeUndefined();
  expect(rowOf(await dataOf(back), 'student-1').status).toBe('late');
});

test('[ANS-8] a bulk repeated after others were marked is answered as it was then', async () => {
  const { teacher } = await startedClass(3);
  const rows = [1, 2, 3].map((n) => ({ student_id: `student-${n}`, status: 'late' }));
  const first = await accepted(bulk(teacher, rows, { op_id: 'all late' }));
  await accepted(mark(teacher, 'student-2', 'present'));
  expect(await bulk(teacher, rows, { op_id: 'all late' })).toEqual(again(first));
  expect(rowOf(await dataOf(teacher), 'student-2').status).toBe('present');
  await caughtUp(teacher);
  expect(teacher.all('attendanceBulkUpdated')).toHaveLength(1);
});

test('[ANS-8] the repeat of a start attaches, and is a duplicate', async () => {
  const { server, teacher } = await startedClass(1);
  const start = () => teacher.send('startAttendanceSession', { session_id: 'another', op_id: 'start' });
  const first = await accepted(start());
  expect(await start()).toEqual(again(first));
  expect(await journalOf(server, 'another')).toHaveLength(1);
});

test('[ANS-10] an op_id counts within its session and its user', async () => {
  const { server, teacher } = await startedClass(2);
  const colleague = await server.connect('cyd');
  await accepted(teacher.send('startAttendanceSession', { session_id: 'other', course_id: 'course-1' }));
  const op_id = 'the same';
  await accepted(mark(teacher, 'student-1', 'late', { op_id }));
  const theirs = await accepted(mark(colleague, 'student-1', 'present', { op_id }));
  const elsewhere = await accepted(
    teacher.send('markStudentPresent', { session_id: 'other', student_id: 'student-1', op_id }),
  );
  for (const answer of [theirs, elsewhere]) expect(answer['duplicate']).toBeUndefined();
  expect(theirs['seq']).toBe(3);
  expect(await journalOf(server)).toHaveLength(3);
  expect(await journalOf(server, 'other')).toHaveLength(2);
});

test('[ANS-11] the same op_id with another event is BAD_REQUEST', async () => {
  const { server, teacher } = await startedClass(2);
  const present = (client: Client) => client.send('markStudentPresent', { ...one, op_id: 'p' });
  const first = await accepted(present(teacher));
  const rows = [{ student_id: 'student-1', status: 'present' }];
  const others = (client: Client) => [
    client.send('markStudentAbsent', { ...one, op_id: 'p' }),
    mark(client, 'student-1', 'present', { op_id: 'p' }),
    bulk(client, rows, { op_id: 'p' }),
    end(client, { op_id: 'p' }),
    client.send('startAttendanceSession', { session_id: 'session-1', op_id: 'p' }),
  ];
  const misused = { code: 'BAD_REQUEST', details: { field: 'op_id' } };
  for (const answer of others(teacher)) expect(await refused(answer)).toMatchObject(misused);
  const restarted = await (await server.restart()).connect('ada');
  for (const answer of others(restarted)) expect(await refused(answer)).toMatchObject(misused);
  expect(await present(restarted)).toEqual(again(first));
  expect(await dataOf(restarted)).toMatchObject({ seq: 2, session: { status: 'active' } });
});

test('[ANS-9] the same event with another status is answered like the first, record and event alike', async () => {
  const { teacher } = await startedClass(2);
  const first = await accepted(mark(teacher, 'student-1', 'late', { op_id: 'late' }));
  expect(await mark(teacher, 'student-1', 'present', { op_id: 'late' })).toEqual(again(first));
  await caughtUp(teacher);
  expect(teacher.all('studentMarkedPresent')).toEqual([]);
  expect(teacher.all('studentMarkedLate')).toHaveLength(2);
});

test('[ANS-8] a refused command may be repeated with its op_id once it can be done', async () => {
  const { teacher, server } = await startedClass(1);
  await refused(mark(teacher, 'student-outsider', 'late', { op_id: 'guest' }));
  const answer = await accepted(mark(teacher, 'student-outsider', 'late', { op_id: 'guest', walk_in: true }));
  expect(answer['duplicate']).toBeUndefined();
  expect(await journalOf(server)).toHaveLength(2);
});

test('[REG-14] a mark whose acknowledgement was lost is stored once where it is repeated', async () => {
  const { server, teacher } = await startedClass(30);
  const lossy = await server.connect('ada');
  for (let n = 1; n <= 30; n += 1)
    lossy.emit('markStudentPresent', { ...one, student_id: `student-${n}`, op_id: `m${n}` });
  await expect.poll(async () => (await journalOf(server)).length, { interval: 5 }).toBeGreaterThan(1);
  lossy.close();
  const back = await server.connect('ada');
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, n) =>
      back.send('markStudentPresent', { ...one, student_id: `student-${n + 1}`, op_id: `m${n + 1}` }),
    ),
  );
  expect(answers.map(({ ok }) => ok)).toEqual(Array(30).fill(true));
  const seqs = answers.map(({ attendanceRecord }) => (attendanceRecord as Payload)['seq']);
  expect(new Set(seqs).size).toBe(30);
  expect(await journalOf(server)).toHaveLength(31);
  await caughtUp(teacher);
  expect(teacher.all('attendanceUpdated')).toHaveLength(30);
});

test('[APP-10] a repeat, a no-op and a late leave send no attendanceError', async () => {
  const { server, teacher } = await startedClass(2);
  const student = await joined(server, 's-1');
  await accepted(mark(teacher, 'student-1', 'present', { op_id: '1' }));
  await accepted(mark(teacher, 'student-1', 'present', { op_id: '1' }));
  await accepted(mark(teacher, 'student-1', 'present'));
  await accepted(student.send('joinAttendanceSession', { session_id: 'session-1' }));
  await accepted(end(teacher, { op_id: 'e' }));
  await accepted(end(teacher, { op_id: 'e' }));
  await accepted(student.send('leaveAttendanceSession', { session_id: 'session-1' }));
  await caughtUp(teacher, student);
  expect([...teacher.all('attendanceError'), ...student.all('attendanceError')]).toEqual([]);
});

test('[ANS-9] [ANS-240] hundreds of repeats of what was done long ago are answered like the first', async () => {
  const { server, teacher } = await startedClass(1_000);
  const marks = (client: Client) =>
    Array.from({ length: 300 }, (_, n) =>
      mark(client, `student-${n + 1}`, 'late', { op_id: `old-${n}`, remarks: `bus ${n}` }),
    );
  const first = await Promise.all(marks(teacher).map(accepted));
  const rows = ['present', 'absent', 'excused'].flatMap((status) => {
    return [Array.from({ length: 1_000 }, (_, n) => ({ student_id: `student-${n + 1}`, status }))];
  });
  const op_id = 'old bulk';
  const bulks = [];
  for (const some of rows) bulks.push(await accepted(bulk(teacher, some, { op_id: `${op_id} ${some[0]?.status}` })));
  // Past what is kept in memory.
  for (const status of ['late', 'absent', 'late', 'absent']) {
    await accepted(
      bulk(
        teacher,
        rows[0]?.map((row) => ({ ...row, status })),
      ),
    );
  }
  const repeated = await Promise.all(marks(teacher));
  expect(repeated).toEqual(first.map(again));
  expect(await bulk(teacher, rows[0], { op_id: `${op_id} present` })).toEqual(again(bulks[0] as Answer));
  await accepted(end(teacher));
  const after = await (await server.restart()).connect('ada');
  expect(await Promise.all(marks(after))).toEqual(first.map(again));
});
