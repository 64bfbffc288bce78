import { expect, test } from 'vitest';
import { accepted, caughtUp, dataOf, joined, journalOf, mark, refused, rowOf, startedClass } from '../testing/class.js';
import { type Answer, type Client, tokenOf } from '../testing/server.js';

const clear = (teacher: Client, student_id: string, extra: object = {}): Promise<Answer> =>
  teacher.send('clearStudentMark', { session_id: 'session-1', student_id, ...extra });

const UNMARKED = { status: 'absent', remarks: null, marked_at: null, marked_by: null };

test('[MARK-64] [MARK-65] a mark that is taken back leaves the record as before it, and is told as a change', async () => {
  const { server, teacher } = await startedClass(2);
  const colleague = await server.connect('cyd');
  await accepted(colleague.send('watchAttendanceSession', { session_id: 'session-1' }));
  const student = await joined(server, 's-2');
  await accepted(mark(teacher, 'student-1', 'late', { remarks: 'bus' }));
  const cleared = await accepted(clear(teacher, 's-1'));
  expect(cleared).toMatchObject({ session_id: 'session-1', student_id: 'student-1', seq: 4 });
  expect(cleared['attendanceRecord']).toMatchObject({ ...UNMARKED, seq: 4 });
  expect(await teacher.next('studentMarkCleared')).toMatchObject({ attendanceRecord: cleared['attendanceRecord'] });
  for (const client of [teacher, colleague, student]) {
    await client.next('attendanceUpdated');
    const told = await client.next('attendanceUpdated');
    expect(told).toMatchObject({ status: 'absent', previous_status: 'late', updated_by: 'Ada Osei', seq: 4 });
    expect(told['attendanceRecord']).toEqual(cleared['attendanceRecord']);
  }
  const data = await dataOf(teacher);
  expect(rowOf(data, 'student-1')).toMatchObject({ ...UNMARKED, seq: 4 });
  expect(data).toMatchObject({ statistics: { presentCount: 0, lateCount: 0, absentCount: 2 } });
  expect((await journalOf(server)).at(-1)).toMatchObject({
    type: 'cleared',
    previous_status: 'late',
    status: 'absent',
  });
  const since = await accepted(teacher.send('getAttendanceSessionData', { session_id: 'session-1', since_seq: 3 }));
  expect(since['changes']).toMatchObject([
    { type: 'cleared', student_id: 'student-1', status: 'absent', remarks: null },
  ]);
});

test('[MARK-66] taking back what nobody marked changes nothing and is answered', async () => {
  const { server, teacher } = await startedClass(2, { policy: { auto_mark: true } });
  await joined(server, 's-2');
  const before = await journalOf(server);
  const told = teacher.all('attendanceUpdated').length;
  expect(await accepted(clear(teacher, 'student-1'))).toMatchObject({ attendanceRecord: UNMARKED, seq: before.length });
  expect(await accepted(clear(teacher, 'student-2'))).toMatchObject({ attendanceRecord: { status: 'present' } });
  await caughtUp(teacher);
  expect(teacher.all('attendanceUpdated')).toHaveLength(told);
  expect(await journalOf(server)).toEqual(before);
  expect(await refused(clear(teacher, 'nobody'))).toMatchObject({ code: 'STUDENT_NOT_FOUND' });
});

test('[MARK-67] under auto_mark a check-in counts again, whether it comes before or after', async () => {
  const { server, teacher } = await startedClass(2, { policy: { auto_mark: true } });
  await joined(server, 's-1');
  await accepted(mark(teacher, 'student-1', 'excused'));
  const present = { status: 'present', marked_at: null, marked_by: null };
  expect(await accepted(clear(teacher, 'student-1'))).toMatchObject({ attendanceRecord: present });
  // A teacher's word for the same is a change.
  expect(await accepted(mark(teacher, 'student-1', 'present'))).toMatchObject({
    attendanceRecord: { status: 'present', marked_by: 'Ada Osei' },
  });
  await accepted(mark(teacher, 'student-2', 'absent'));
  await accepted(clear(teacher, 'student-2'));
  await joined(server, 's-2');
  expect(rowOf(await dataOf(teacher), 'student-2')).toMatchObject({ status: 'present', marked_by: 'system' });
});

test('[MARK-68] a mark that was taken back stays so after a restart, and its repeat is answered like the first', async () => {
  const { server, teacher } = await startedClass(1);
  await accepted(mark(teacher, 'student-1', 'late', { remarks: 'bus' }));
  const first = await accepted(clear(teacher, 'student-1', { op_id: 'back' }));
  await accepted(mark(teacher, 'student-1', 'excused'));
  const restarted = await server.restart();
  const again = await restarted.connect('ada');
  expect(await accepted(clear(again, 'student-1', { op_id: 'back' }))).toEqual({ ...first, duplicate: true });
  expect(rowOf(await dataOf(again), 'student-1')).toMatchObject({ status: 'excused' });
});

test('[MARK-69] a socket that gets changes in one frame is told of a cleared mark in it', async () => {
  const { server, teacher } = await startedClass(1);
  const auth = { token: await tokenOf('cyd'), client: { name: 'test', batched: true } };
  const screen = await server.connect('cyd', { auth });
  await accepted(screen.send('watchAttendanceSession', { session_id: 'session-1' }));
  await accepted(mark(teacher, 'student-1', 'late', { remarks: 'bus' }));
  await accepted(clear(teacher, 'student-1'));
  await screen.next('attendanceChanges');
  expect(await screen.next('attendanceChanges')).toMatchObject({
    changes: [{ status: 'absent', previous_status: 'late', remarks: null, cleared: true }],
  });
});
