import { expect, test, vi } from 'vitest';
import { accepted, bulk, dataOf, end, joined, journalOf, mark, sessionId, startedClass } from '../testing/class.js';
import { fileOf, otherConnection } from '../testing/database-file.js';
import type { Client, Payload } from '../testing/server.js';

/** Presence is no part of the journal. */
const withoutPresence = (answer: Payload) => ({
  ...answer,
  statistics: { ...(answer['statistics'] as object), onlineCount: 0 },
});

/** In no particular order. */
async function listedBy(teacher: Client): Promise<Payload[]> {
  const { activeSessions } = await accepted(teacher.send('checkActiveSessions', {}));
  return (activeSessions as Payload[]).sort((a, b) => (String(a['session_id']) < String(b['session_id']) ? -1 : 1));
}

async function busyClass() {
  const made = await startedClass(6, { policy: { auto_mark: true, late_after_minutes: 5 } });
  const { server, teacher } = made;
  await joined(server, 's-1');
  await joined(server, 's-2');
  await accepted(mark(teacher, 'student-2', 'excused', { remarks: 'doctor', op_id: 'op' }));
  await accepted(
    bulk(
      teacher,
      [3, 4].map((n) => ({ student_id: `student-${n}`, status: 'late' })),
    ),
  );
  await accepted(mark(teacher, 'outsider', 'present', { walk_in: true }));
  await accepted(teacher.send('startAttendanceSession', { session_id: 'open' }));
  await accepted(teacher.send('startAttendanceSession', { session_id: 'lab', course_id: 'course-1' }));
  await accepted(end(teacher, { session_id: 'lab' }));
  return made;
}

test('[REG-9] [REG-10] active sessions are there, as they were, for the first command after a restart', async () => {
  const { server, teacher } = await busyClass();
  const before = withoutPresence(await dataOf(teacher));
  const listed = await listedBy(teacher);
  const restarted = await server.restart();
  const back = await restarted.connect('ada');
  // No start and no reading first.
  expect(await accepted(mark(back, 'student-2', 'excused', { op_id: 'op', remarks: 'doctor' }))).toMatchObject({
    duplicate: true,
    seq: 6,
  });
  expect(await listedBy(back)).toEqual(listed);
  expect(withoutPresence(await dataOf(back))).toEqual(before);
  const student = await restarted.connect('s-1');
  const rejoined = await accepted(student.send('joinAttendanceSession', { session_id: 'session-1' }));
  expect(rejoined['seq']).toBe(before['seq' as keyof typeof before]);
  expect(await accepted(mark(back, 'student-5', 'late'))).toMatchObject({
    seq: ((before as Payload)['seq'] as number) + 1,
  });
  expect(await accepted(end(back))).toMatchObject({ ok: true });
});

test('[REG-12] records, statistics and the active sessions come from the journal alone', async () => {
  const { server, teacher } = await busyClass();
  const before = withoutPresence(await dataOf(teacher));
  const lab = await dataOf(teacher, 'lab');
  const listed = await listedBy(teacher);
  const projected = () => server.storage.projection.readRecords(sessionId('session-1'));
  await vi.waitFor(async () => expect(await projected()).toHaveLength(7), { timeout: 20_000, interval: 50 });
  const records = (await projected()).sort((a, b) => (a.student_id < b.student_id ? -1 : 1));
  await server.close();
  otherConnection(fileOf(server)).exec(`
    DELETE FROM attendance_records;
    UPDATE class_sessions SET status = 'scheduled', started_at = NULL, ended_at = NULL, projected_seq = 0;
  `);
  const restarted = await server.restart();
  const back = await restarted.connect('ada');
  expect(await listedBy(back)).toEqual(listed);
  expect(withoutPresence(await dataOf(back))).toEqual(before);
  expect(await dataOf(back, 'lab')).toEqual(lab);
  // And the projection is made good again.
  await vi.waitFor(
    async () => {
      const again = await restarted.storage.projection.readRecords(sessionId('session-1'));
      expect(again.sort((a, b) => (a.student_id < b.student_id ? -1 : 1))).toEqual(records);
    },
    { timeout: 20_000, interval: 50 },
  );
  expect(await journalOf(restarted)).toHaveLength((before as Payload)['seq'] as number);
});

test('[REG-10] a session that ended while its records were not yet written is completed after a restart', async () => {
  const { server, teacher } = await startedClass(3);
  await accepted(mark(teacher, 'student-1', 'late'));
  const ended = await accepted(end(teacher));
  await server.close();
  otherConnection(fileOf(server)).exec(`
    UPDATE journals SET open = 1;
    UPDATE class_sessions SET status = 'active', ended_at = NULL, projected_seq = 1 WHERE session_id = 'session-1';
    UPDATE attendance_records SET status = 'absent', seq = 1;
  `);
  const restarted = await server.restart();
  const stored = await restarted.storage.projection.findSession(sessionId('session-1'));
  expect(stored).toMatchObject({ status: 'completed', projected_seq: ended['seq'] });
  const records = await restarted.storage.projection.readRecords(sessionId('session-1'));
  expect(records.find(({ student_id }) => student_id === 'student-1')).toMatchObject({ status: 'late', seq: 2 });
  const back = await restarted.connect('ada');
  expect(await accepted(back.send('checkActiveSessions', {}))).toMatchObject({ activeSessions: [] });
});
