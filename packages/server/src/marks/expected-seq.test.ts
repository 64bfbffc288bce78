import { expect, test } from 'vitest';
import { accepted, bulk, dataOf, journalOf, mark, refused, rowOf, startedClass } from '../testing/class.js';

test('[MARK-61] a mark on a record that was changed since is CONFLICT, with the record as it stands', async () => {
  const { server, teacher, started } = await startedClass(2);
  const colleague = await server.connect('cyd');
  const shown = rowOf(started, 'student-1').seq;
  const first = await accepted(mark(colleague, 'student-1', 'late', { expected_seq: shown }));
  const error = await refused(mark(teacher, 'student-1', 'present', { expected_seq: shown }));
  expect(error).toMatchObject({ code: 'CONFLICT', retryable: false, details: { record: first['attendanceRecord'] } });
  expect(error.details?.['record']).not.toHaveProperty('student.email');
  // What it would change is of no account.
  expect(await refused(mark(teacher, 'student-1', 'late', { expected_seq: shown }))).toMatchObject({
    code: 'CONFLICT',
  });
  for (const event of ['markStudentPresent', 'markStudentAbsent', 'clearStudentMark']) {
    const payload = { session_id: 'session-1', student_id: 'student-1', expected_seq: shown };
    expect(await refused(teacher.send(event, payload)), event).toMatchObject({ code: 'CONFLICT' });
  }
  expect(await journalOf(server)).toHaveLength(2);
  const { seq } = rowOf(await dataOf(teacher), 'student-1');
  await accepted(mark(teacher, 'student-1', 'present', { expected_seq: seq }));
  // Another record's change is none of this one's.
  await accepted(mark(teacher, 'student-2', 'present', { expected_seq: shown }));
});

test('[MARK-62] the repeat of a mark with expected_seq is answered like the first', async () => {
  const { teacher, started } = await startedClass(1);
  const extra = { expected_seq: rowOf(started, 'student-1').seq, op_id: 'once' };
  const first = await accepted(mark(teacher, 'student-1', 'late', extra));
  expect(await accepted(mark(teacher, 'student-1', 'late', extra))).toEqual({ ...first, duplicate: true });
});

test('[MARK-63] a row of a bulk on a record that was changed since is a bad row with the code CONFLICT', async () => {
  const { server, teacher, started } = await startedClass(3);
  const { seq } = rowOf(started, 'student-1');
  await accepted(mark(teacher, 'student-1', 'late'));
  const rows = [1, 2, 3].map((n) => ({ student_id: `student-${n}`, status: 'present', expected_seq: seq }));
  const row = { index: 0, student_id: 'student-1', code: 'CONFLICT' };
  const error = await refused(bulk(teacher, rows));
  expect(error).toMatchObject({ code: 'CONFLICT', details: { rows: [row] } });
  expect(await journalOf(server)).toHaveLength(2);
  const partial = await accepted(bulk(teacher, rows, { partial: true }));
  expect(partial).toMatchObject({ totalUpdated: 2, failed: [row] });
  expect(rowOf(await dataOf(teacher), 'student-1')).toMatchObject({ status: 'late' });
});
