import { describe, expect, onTestFinished, test } from 'vitest';
import { readEntries } from '../storage/contract/journal-access.js';
import { MongoStorage } from '../storage/mongo/mongo-storage.js';
import { accepted, end, mark, refused, sessionId, UNLIMITED } from '../testing/class.js';
import { dropTestDatabase, MONGO_MISSING, testMongoUri, throughProxy } from '../testing/mongo-server.js';
import { schoolOf } from '../testing/school.js';
import { startServer } from '../testing/server.js';
import { TcpProxy } from '../testing/tcp-proxy.js';

const there = (await testMongoUri()) !== undefined;
const PATIENCE = { timeout: 60_000, interval: 50 };
const session_id = 'session-1';
/** How the driver asks for a commit to be inserted: the name of the command, and the collection with its length. */
const INSERT_COMMIT = 'insert\u0000\u0011\u0000\u0000\u0000rollcall_journal';

/** A server whose database is reached through a line that can lose the answers, and the database itself. */
async function classBehindProxy() {
  const uri = (await testMongoUri()) ?? '';
  const behind = throughProxy(uri);
  const proxy = await TcpProxy.start(behind.target);
  const direct = new MongoStorage({ uri });
  await direct.open();
  onTestFinished(async () => {
    await direct.close();
    await proxy.cut();
    await dropTestDatabase(uri);
  });
  const DATABASE_URL = behind.uri(proxy.port, { selectionMs: 1_000, socketMs: 2_000 });
  const server = await startServer({ ...UNLIMITED, DATABASE_URL }, schoolOf(3));
  const entries = (id = session_id) => readEntries(direct, sessionId(id), 0, 100);
  return { server, proxy, entries };
}

describe.skipIf(!there)(`a database whose answers are lost${there ? '' : `: ${MONGO_MISSING}`}`, () => {
  test('[REG-18] a change whose answer was lost is acknowledged and told once the journal can be read', async () => {
    const { server, proxy, entries } = await classBehindProxy();
    const [teacher, colleague] = [await server.connect('ada'), await server.connect('cyd')];
    await accepted(teacher.send('startAttendanceSession', { session_id }));
    await accepted(colleague.send('watchAttendanceSession', { session_id }));
    proxy.loseAnswersTo = INSERT_COMMIT;
    const answer = mark(teacher, 'student-1', 'late', { op_id: 'once' });
    await expect.poll(async () => (await entries()).length, PATIENCE).toBe(2);
    // The line is back before the driver gives up: what was asked is there, and its answer never comes.
    await proxy.cut();
    await proxy.restore();
    expect(await answer).toMatchObject({ ok: true, seq: 2 });
    expect(await colleague.next('attendanceUpdated')).toMatchObject({ seq: 2, status: 'late' });
    expect(await accepted(mark(teacher, 'student-2', 'late'))).toMatchObject({ seq: 3 });
  });

  test('[REG-19] what was committed while the database was away is told by itself, and its caller wasn’t told that nothing changed', async () => {
    const { server, proxy, entries } = await classBehindProxy();
    const [teacher, colleague] = [await server.connect('ada'), await server.connect('cyd')];
    await accepted(teacher.send('startAttendanceSession', { session_id }));
    await accepted(colleague.send('watchAttendanceSession', { session_id }));
    await accepted(colleague.send('subscribeToCourse', { course_id: 'course-1' }));
    proxy.loseAnswersTo = INSERT_COMMIT;
    const answer = end(teacher);
    await expect.poll(async () => (await entries()).length, PATIENCE).toBe(2);
    const error = await refused(answer);
    expect(error).toMatchObject({ code: 'STORAGE_UNAVAILABLE', retryable: true });
    expect(error.message).toMatch(/may or may not have been saved/);
    await proxy.cut();
    await proxy.restore();
    // Nobody sends a command meanwhile.
    expect(await colleague.next('attendanceSessionEnded')).toMatchObject({ reason: 'teacher' });
    await expect.poll(() => colleague.all('activeSessionsData').at(-1)?.['activeSessions'], PATIENCE).toEqual([]);
  });

  test('[REG-19] a start whose answer was lost becomes active by itself', async () => {
    const { server, proxy, entries } = await classBehindProxy();
    const [teacher, student] = [await server.connect('ada'), await server.connect('s-1')];
    await accepted(student.send('subscribeToCourse', { course_id: 'course-1' }));
    await accepted(teacher.send('getAttendanceSessionData', { session_id }));
    proxy.loseAnswersTo = INSERT_COMMIT;
    const answer = teacher.send('startAttendanceSession', { session_id, op_id: 'start' });
    await expect.poll(async () => (await entries()).length, PATIENCE).toBe(1);
    expect(await refused(answer)).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await proxy.cut();
    await proxy.restore();
    // Nobody sends a command meanwhile.
    expect(await student.next('courseSessionStarted')).toMatchObject({ session_id });
    expect(await accepted(teacher.send('startAttendanceSession', { session_id, op_id: 'start' }))).toMatchObject({
      seq: 1,
    });
  });
});
