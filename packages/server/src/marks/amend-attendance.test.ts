import { describe, expect, test } from 'vitest';
import { verifySession } from '../cli/verify-session.js';
import {
  addFoundRecord,
  databases,
  importInto,
  openBeside,
  projectedUpTo,
} from '../end-to-end/databases.test.support.js';
import { appendTo, readEntries } from '../storage/contract/journal-access.js';
import { amended } from '../storage/contract/samples.js';
import { accepted, caughtUp, dataOf, end, mark, refused, rowOf, sessionId } from '../testing/class.js';
import { schoolOf } from '../testing/school.js';
import { type Answer, type Client, startServer, type TestServer } from '../testing/server.js';

const SESSION = { session_id: 'session-1' };
const ID = sessionId('session-1');
const PATIENCE = { timeout: 30_000, interval: 20 };

const amend = (teacher: Client, student_id: string, status: string, extra: object = {}): Promise<Answer> =>
  teacher.send('amendAttendance', { ...SESSION, student_id, status, reason: 'a note came', ...extra });

/** A class of two that is over: one was marked late. */
async function classOver(database: string): Promise<{ server: TestServer; teacher: Client; ended: Answer }> {
  const server = await startServer({ DATABASE_URL: database }, schoolOf(2));
  const teacher = await server.connect('ada');
  await accepted(teacher.send('startAttendanceSession', SESSION));
  await accepted(mark(teacher, 'student-1', 'late', { remarks: 'bus' }));
  return { server, teacher, ended: await accepted(end(teacher)) };
}

const projectedSeq = async ({ storage }: Pick<TestServer, 'storage'>) =>
  (await storage.projection.findSession(ID))?.projected_seq;

describe.each(databases)('amendments on $title', ({ missing, fresh }) => {
  test.skipIf(missing)(
    '[AMEND-1] [AMEND-2] [AMEND-5] an amendment changes the record of a session that is over, and is kept with its reason',
    async () => {
      const { server, teacher, ended } = await classOver(await fresh());
      const answer = await accepted(amend(teacher, 's-1', 'excused', { remarks: 'doctor' }));
      const amendment = {
        ...SESSION,
        student_id: 'student-1',
        status: 'excused',
        previous_status: 'late',
        reason: 'a note came',
        amended_by: 'Ada Osei',
        amended_at: expect.stringMatching(/Z$/),
        seq: 4,
      };
      expect(answer).toEqual({ ok: true, ...amendment });
      expect(await teacher.next('attendanceAmended')).toEqual(amendment);
      const data = await dataOf(teacher);
      const record = { status: 'excused', remarks: 'doctor', marked_by: 'Ada Osei', seq: 4 };
      expect(rowOf(data, 'student-1')).toMatchObject(record);
      expect(data).toMatchObject({ seq: 4, statistics: { excusedCount: 1, lateCount: 0, absentCount: 1 } });
      expect(data['session']).toEqual((ended['finalData'] as Answer)['session']);
      const since = await accepted(teacher.send('getAttendanceSessionData', { ...SESSION, since_seq: 3 }));
      expect(since['changes']).toMatchObject([
        { type: 'amended', status: 'excused', previous_status: 'late', remarks: 'doctor', reason: 'a note came' },
      ]);
      await expect.poll(() => projectedSeq(server), PATIENCE).toBe(4);
      const stored = await server.storage.projection.readRecords(ID);
      expect(stored.find(({ student_id }) => student_id === 'student-1')).toMatchObject(record);
      expect(await server.storage.journal.listActiveSessions()).toEqual([]);
      expect((await verifySession(server.storage, ID)).differences).toEqual([]);
      // The reason can be removed without a trace in what is hashed.
      const [commit] = await server.storage.journal.readCommits(ID, 3, 1);
      expect(commit?.facts).not.toContain('a note came');
      expect(commit?.personal).toContain('a note came');
    },
  );

  test.skipIf(missing)(
    '[AMEND-6] an amendment is there after a restart, and its repeat is answered like the first',
    async () => {
      const { server, teacher } = await classOver(await fresh());
      const first = await accepted(amend(teacher, 'student-1', 'present', { op_id: 'once' }));
      await accepted(amend(teacher, 'student-1', 'absent'));
      const restarted = await server.restart();
      const again = await restarted.connect('ada');
      expect(await accepted(amend(again, 'student-1', 'present', { op_id: 'once' }))).toEqual({
        ...first,
        duplicate: true,
      });
      expect(rowOf(await dataOf(again), 'student-1')).toMatchObject({ status: 'absent', seq: 5 });
    },
  );

  test.skipIf(missing)(
    '[AMEND-7] an amendment whose records were not written is projected by the next start',
    async () => {
      const database = await fresh();
      const { server } = await classOver(database);
      await server.close();
      const storage = await openBeside(database);
      // As by a server that died between the two.
      expect(await appendTo(storage, ID, 3, [amended(4, 'student-1', { previous_status: 'late' })], true)).toBe(
        'committed',
      );
      await storage.close();
      const restarted = await server.restart();
      await expect.poll(() => projectedSeq(restarted), PATIENCE).toBe(4);
      const stored = await restarted.storage.projection.readRecords(ID);
      expect(stored.find(({ student_id }) => student_id === 'student-1')).toMatchObject({ status: 'excused', seq: 4 });
      expect(await restarted.storage.journal.listActiveSessions()).toEqual([]);
    },
  );

  test.skipIf(missing)(
    '[AMEND-8] a session that was completed before Rollcall came is amended on a journal of its records as found',
    async () => {
      const database = await fresh();
      await importInto(database, schoolOf(2));
      await addFoundRecord(database, 'session-old', 'student-1');
      const server = await startServer({ DATABASE_URL: database });
      const teacher = await server.connect('ada');
      const old = { session_id: 'session-old', student_id: 'student-1', status: 'present', reason: 'he was there' };
      expect(await accepted(teacher.send('amendAttendance', old))).toMatchObject({ previous_status: 'late', seq: 3 });
      const entries = await readEntries(server.storage, sessionId('session-old'), 0, 10);
      expect(entries.map(({ type }) => type)).toEqual(['adopted', 'ended', 'amended']);
      const data = await dataOf(teacher, 'session-old');
      expect(data['attendanceRecords']).toHaveLength(1);
      expect(rowOf(data, 'student-1')).toMatchObject({ status: 'present', remarks: 'as found' });
      expect(data).toMatchObject({ session: { status: 'completed' }, seq: 3 });
      await projectedUpTo(server.storage, sessionId('session-old'), 3);
      expect((await verifySession(server.storage, sessionId('session-old'))).differences).toEqual([]);
    },
  );
});

test('[AMEND-3] a running session is not amended, and a scheduled or cancelled one neither', async () => {
  const server = await startServer({}, schoolOf(1));
  const teacher = await server.connect('ada');
  expect(await refused(amend(teacher, 'student-1', 'late'))).toMatchObject({ code: 'SESSION_NOT_ACTIVE' });
  await accepted(teacher.send('startAttendanceSession', SESSION));
  const error = await refused(amend(teacher, 'student-1', 'late'));
  expect(error).toMatchObject({ code: 'SESSION_ACTIVE', message: expect.stringContaining('mark the student instead') });
  expect(await readEntries(server.storage, ID, 0, 10)).toHaveLength(1);
});

test('[AMEND-4] teachers who have read the session after its end are told of amendments, once each', async () => {
  const server = await startServer({}, schoolOf(2));
  const [teacher, colleague, other] = await Promise.all(['ada', 'cyd', 'cyd'].map((uid) => server.connect(uid)));
  if (!teacher || !colleague || !other) throw new Error('not connected');
  await accepted(teacher.send('startAttendanceSession', SESSION));
  await accepted(colleague.send('watchAttendanceSession', SESSION));
  await accepted(end(teacher));
  await dataOf(teacher);
  await dataOf(colleague);
  const answer = await accepted(amend(teacher, 'student-1', 'late'));
  const { ok: _, ...amendment } = answer;
  expect(await colleague.next('attendanceAmended')).toEqual(amendment);
  expect(await teacher.next('attendanceAmended')).toEqual(amendment);
  await caughtUp(teacher, colleague, other);
  const counts = [teacher, colleague, other].map((client) => client.all('attendanceAmended').length);
  expect(counts).toEqual([1, 1, 0]);
  // What changes nothing is answered, and told to nobody.
  expect(await accepted(amend(teacher, 'student-1', 'late'))).toMatchObject({ previous_status: 'late', seq: 3 });
  await caughtUp(teacher, colleague);
  expect([teacher, colleague].map((client) => client.all('attendanceAmended').length)).toEqual([2, 1]);
});

test('[AMEND-10] an amendment of a record that was amended since is CONFLICT', async () => {
  const server = await startServer({}, schoolOf(1));
  const teacher = await server.connect('ada');
  await accepted(teacher.send('startAttendanceSession', SESSION));
  await accepted(end(teacher));
  await accepted(amend(teacher, 'student-1', 'late', { expected_seq: 1 }));
  const error = await refused(amend(teacher, 'student-1', 'present', { expected_seq: 1 }));
  expect(error).toMatchObject({ code: 'CONFLICT', details: { record: { status: 'late', seq: 3 } } });
  expect(await refused(amend(teacher, 'nobody', 'present'))).toMatchObject({ code: 'STUDENT_NOT_FOUND' });
});
