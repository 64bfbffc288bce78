import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { appendTo } from '../storage/contract/journal-access.js';
import {
  accepted,
  bulk,
  caughtUp,
  dataOf,
  end,
  joined,
  journalOf,
  mark,
  refused,
  rowOf,
  sessionId,
  startedClass,
} from '../testing/class.js';
import { fileOf, lockWrites, otherConnection, otherWriter, refuseAppends } from '../testing/database-file.js';
import { schoolOf } from '../testing/school.js';
import { type Client, startServer, temporaryFolder } from '../testing/server.js';

const OUT = { code: 'STORAGE_UNAVAILABLE', retryable: true };
/** Statistics and course lists aside, which are answers and presence. */
const changesOf = (client: Client) =>
  client.events
    .filter(({ event }) => /Updated$|studentJoined|Ended$|courseSession/.test(event))
    .map(({ event }) => event);

test('[REG-4] [REG-5] [REG-8] a batch that can’t be committed is refused whole, and told to nobody', async () => {
  const { server, teacher } = await startedClass(10);
  const [second, student, newcomer] = await Promise.all([
    server.connect('cyd'),
    joined(server, 's-1'),
    server.connect('s-2'),
  ]);
  await dataOf(second);
  await accepted(second.send('subscribeToCourse', { course_id: 'course-1' }));
  await caughtUp(teacher, second, student);
  const before = [teacher, second, student].map(changesOf);
  const trouble = refuseAppends(fileOf(server), 'session-1');
  const sent = [
    mark(teacher, 'student-1', 'late', { op_id: 'm' }),
    bulk(teacher, [{ student_id: 'student-2', status: 'late' }]),
    newcomer.send('joinAttendanceSession', { session_id: 'session-1' }),
    mark(second, 'outsider', 'late', { walk_in: true }),
    end(second),
  ];
  for (const answer of sent) expect(await refused(answer)).toMatchObject(OUT);
  await caughtUp(teacher, second, student, newcomer);
  expect([teacher, second, student].map(changesOf)).toEqual(before);
  expect(await dataOf(teacher)).toMatchObject({ seq: 2, statistics: { absentCount: 10, checkedInCount: 1 } });
  expect(await newcomer.next('attendanceError')).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  trouble.release();
  const answer = await accepted(mark(teacher, 'student-1', 'late', { op_id: 'm' }));
  expect(answer).toMatchObject({ seq: 3 });
  expect(answer['duplicate']).toBeUndefined();
  await accepted(newcomer.send('joinAttendanceSession', { session_id: 'session-1' }));
  expect(await accepted(end(teacher))).toMatchObject({ seq: 5 });
  expect((await journalOf(server)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
});

test('[REG-6] after a failed commit the journal is read before the next command is decided', async () => {
  const { server, teacher } = await startedClass(3);
  const trouble = refuseAppends(fileOf(server), 'session-1');
  expect(await refused(mark(teacher, 'student-1', 'late'))).toMatchObject(OUT);
  trouble.release();
  // Meanwhile somebody else wrote: decided on the old state the next mark would change nothing, and no append would
  // find out.
  const other = await otherWriter(server);
  const [started] = await journalOf(server);
  if (started?.type !== 'started') throw new Error('the journal was not started');
  const [row] = started.roster;
  if (!row) throw new Error('the roster is empty');
  const { student_id } = row.student;
  const { actor } = started;
  await appendTo(other, sessionId('session-1'), 1, [
    {
      type: 'marked',
      seq: 2,
      at: Date.now(),
      actor,
      student_id,
      status: 'late',
      remarks: null,
      previous_status: 'absent',
    },
  ]);
  expect(await accepted(mark(teacher, 'student-1', 'absent'))).toMatchObject({ seq: 3 });
  expect(await journalOf(server)).toHaveLength(3);
  expect(await teacher.next('attendanceUpdated')).toMatchObject({ seq: 2, status: 'late' });
});

test('[REG-7] a failed commit of one session doesn’t refuse the commands of another', async () => {
  const { server, teacher } = await startedClass(20);
  const eve = await server.connect('eve');
  await accepted(eve.send('startAttendanceSession', { session_id: 'session-2' }));
  refuseAppends(fileOf(server), 'session-1');
  // Let go at the same moment behind a lock, so that both sessions' commits share a transaction.
  const lock = lockWrites(fileOf(server));
  const theirs = mark(eve, 'student-outsider', 'present', { session_id: 'session-2', remarks: 'first' });
  const ours = mark(teacher, 'student-1', 'late');
  await caughtUp(eve, teacher);
  lock.release();
  expect(await accepted(theirs)).toMatchObject({ seq: 2 });
  expect(await refused(ours)).toMatchObject(OUT);
  for (let n = 0; n < 10; n += 1) {
    const [bad, good] = await Promise.all([
      mark(teacher, `student-${n + 1}`, 'late'),
      mark(eve, 'student-outsider', n % 2 ? 'present' : 'late', { session_id: 'session-2' }),
    ]);
    expect(bad.error).toMatchObject(OUT);
    expect(good).toMatchObject({ ok: true, seq: n + 3 });
  }
  expect(await journalOf(server)).toHaveLength(1);
});

test('[REG-4] [REG-8] a database that another process keeps locked refuses, and recovers by itself', async () => {
  const { server, teacher } = await startedClass(3);
  const lock = lockWrites(fileOf(server));
  expect(await refused(mark(teacher, 'student-2', 'late'))).toMatchObject(OUT);
  lock.release();
  expect(await accepted(mark(teacher, 'student-1', 'present'))).toMatchObject({ seq: 2 });
  expect(rowOf(await dataOf(teacher), 'student-2').status).toBe('absent');
});

test('[REG-4] [REG-5] [REG-7] [REG-8] a full disk refuses what doesn’t fit, and recovers when there is space', async () => {
  const folder = await temporaryFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', folder]);
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
  const variables = { DATABASE_URL: `sqlite:${join(folder, 'rollcall.db')}`, RATE_LIMIT_TEACHER_PER_SECOND: '0' };
  const server = await startServer(variables, schoolOf(2_000));
  const [teacher, eve] = [await server.connect('ada'), await server.connect('eve')];
  await accepted(teacher.send('startAttendanceSession', { session_id: 'session-1' }));
  await accepted(eve.send('startAttendanceSession', { session_id: 'session-2' }));
  await expect
    .poll(async () => (await server.storage.projection.readRecords(sessionId('session-1'))).length, { timeout: 20_000 })
    .toBe(2_000);
  // Takes all that is left but what a mark or two need.
  const ballast = join(folder, 'ballast');
  const free = () => Number(execFileSync('stat', ['-f', '-c', '%a', folder], { encoding: 'utf8' })) * 4096;
  execFileSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4096', `count=${Math.floor(free() / 4096) - 24}`], {
    stdio: 'ignore',
  });
  const rows = Array.from({ length: 2_000 }, (_, n) => ({
    student_id: `student-${n + 1}`,
    status: 'late',
    remarks: 'x'.repeat(200),
  }));
  const { seq } = await dataOf(teacher);
  expect(await refused(bulk(teacher, rows))).toMatchObject(OUT);
  expect(await accepted(mark(eve, 'student-outsider', 'late', { session_id: 'session-2' }))).toMatchObject({ seq: 2 });
  await caughtUp(teacher);
  expect(teacher.all('attendanceBulkUpdated')).toEqual([]);
  expect(await dataOf(teacher)).toMatchObject({ seq, statistics: { lateCount: 0 } });
  execFileSync('rm', [ballast]);
  expect(await accepted(bulk(teacher, rows))).toMatchObject({ totalUpdated: 2_000, seq: 2_001 });
  expect(await dataOf(teacher)).toMatchObject({ statistics: { lateCount: 2_000 } });
  expect(otherConnection(fileOf(server)).rows('PRAGMA integrity_check')).toEqual([['ok']]);
});
