import { describe, expect, onTestFinished, test } from 'vitest';
import { appendTo, readEntries } from '../storage/contract/journal-access.js';
import { dropTestDatabase, testMongoUri } from '../testing/mongo-server.js';
import { startRedis } from '../testing/redis-server.js';
import { schoolOf } from '../testing/school.js';
import { type Client, startServer, type TestServer } from '../testing/server.js';
import { missing, PATIENCE, SESSION, startNodeProcess, startNodes } from './nodes.test.support.js';

/** The records of a teacher's screen: its snapshot and what came after, applied by seq. */
async function pictureOf(teacher: Client): Promise<unknown> {
  const data = await teacher.send('getAttendanceSessionData', SESSION);
  const records = data['attendanceRecords'] as Array<{ student_id: string; status: string; seq: number }>;
  const lines = records.map(({ student_id, status, seq }) => [student_id, status, seq]);
  return { seq: data['seq'], records: lines.sort() };
}

describe.skipIf(missing !== '')(`several nodes${missing ? ` (${missing})` : ''}`, () => {
  test('[NODES-1] a class runs on two nodes as on one: start, joins, marks and end reach everybody', async () => {
    const { nodes } = await startNodes(2, 3);
    const [here, there] = nodes as [TestServer, TestServer];
    const teacher = await here.connect('ada');
    const student = await there.connect('s-1');
    const watcher = await there.connect('s-2');
    await watcher.send('subscribeToCourse', { course_id: 'course-1' });
    const started = await teacher.send('startAttendanceSession', SESSION);
    expect(started).toMatchObject({ ok: true, totalStudents: 3 });
    expect(await watcher.next('courseSessionStarted')).toMatchObject(SESSION);
    expect(await student.send('joinAttendanceSession', SESSION)).toMatchObject({ ok: true, seq: 2 });
    expect(await teacher.next('studentJoinedAttendance')).toMatchObject({ student_id: 'student-1', seq: 2 });
    await teacher.send('markStudentPresent', { ...SESSION, student_id: 'student-1' });
    expect(await student.next('attendanceUpdated')).toMatchObject({ status: 'present', seq: 3 });
    const online = async () => (await teacher.send('getOnlineStudents', SESSION))['online_count'];
    await expect.poll(online, PATIENCE).toBe(1);
    const co = await there.connect('cyd');
    expect(await co.send('endAttendanceSession', SESSION)).toMatchObject({ ok: true });
    expect(await teacher.next('attendanceSessionEnded')).toMatchObject({ ended_by: 'Cyd Moreau' });
    expect(await student.next('attendanceSessionEnded')).toMatchObject({ reason: 'teacher' });
    expect(await watcher.next('courseSessionEnded')).toMatchObject(SESSION);
    const late = await teacher.send('markStudentAbsent', { ...SESSION, student_id: 'student-1' });
    expect(late.error?.code).toBe('SESSION_ENDED');
  });

  test('[NODES-2] marks from four markers on three nodes make one dense sequence, the same everywhere', async () => {
    const { nodes } = await startNodes(3, 40);
    const [first] = nodes as [TestServer];
    const opener = await first.connect('ada');
    await opener.send('startAttendanceSession', SESSION);
    const markers = await Promise.all(
      [0, 1, 2, 0].map(async (node, index) => {
        const marker = await (nodes[node] as TestServer).connect(index % 2 ? 'cyd' : 'ada');
        await expect.poll(async () => (await marker.send('watchAttendanceSession', SESSION)).ok, PATIENCE).toBe(true);
        return marker;
      }),
    );
    const statuses = ['present', 'absent', 'late', 'excused'];
    const answers = await Promise.all(
      markers.flatMap((marker, index) =>
        Array.from({ length: 100 }, (_, n) =>
          marker.send('markStudentAttendance', {
            ...SESSION,
            student_id: `student-${((n * 7 + index) % 40) + 1}`,
            status: statuses[(n + index) % 4],
            op_id: `${index}-${n}`,
          }),
        ),
      ),
    );
    expect(answers.filter(({ ok }) => !ok)).toEqual([]);
    const entries = await readEntries(first.storage, 'session-1' as never, 0, 10_000);
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
    for (const marker of markers) {
      await expect.poll(() => marker.all('attendanceUpdated').at(-1)?.['seq'], PATIENCE).toBe(entries.length);
      const seen = marker.all('attendanceUpdated').map(({ seq }) => Number(seq));
      expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
    }
    const pictures = await Promise.all(markers.map(pictureOf));
    for (const picture of pictures) expect(picture).toEqual(pictures[0]);
  });

  test('[NODES-3] one op_id sent to two nodes at once has one effect and is answered by both', async () => {
    const { nodes } = await startNodes(2, 5);
    const [here, there] = nodes as [TestServer, TestServer];
    const a = await here.connect('ada');
    await a.send('startAttendanceSession', SESSION);
    const b = await there.connect('ada');
    await expect.poll(async () => (await b.send('watchAttendanceSession', SESSION)).ok, PATIENCE).toBe(true);
    for (let round = 0; round < 100; round += 1) {
      const mark = {
        ...SESSION,
        student_id: `student-${(round % 5) + 1}`,
        status: round % 10 < 5 ? 'present' : 'late',
        op_id: `op-${round}`,
      };
      const [one, two] = await Promise.all([
        a.send('markStudentAttendance', mark),
        b.send('markStudentAttendance', mark),
      ]);
      expect(one.ok && two.ok).toBe(true);
      expect(one['seq']).toBe(two['seq']);
      expect([one['duplicate'], two['duplicate']].filter(Boolean)).toHaveLength(1);
    }
    const entries = await readEntries(here.storage, 'session-1' as never, 1, 10_000);
    expect(entries).toHaveLength(100);
  });

  test('[NODES-4] with Redis away nodes go on and follow each other through the database', async () => {
    const { redis, nodes } = await startNodes(2, 3);
    const [here, there] = nodes as [TestServer, TestServer];
    const teacher = await here.connect('ada');
    await teacher.send('startAttendanceSession', SESSION);
    const student = await there.connect('s-1');
    await expect.poll(async () => (await student.send('joinAttendanceSession', SESSION)).ok, PATIENCE).toBe(true);
    await redis.kill();
    const marked = await teacher.send('markStudentPresent', { ...SESSION, student_id: 'student-1' });
    expect(marked.ok).toBe(true);
    expect(await student.next('attendanceUpdated')).toMatchObject({ status: 'present' });
    await redis.start();
    await teacher.send('markStudentAttendance', { ...SESSION, student_id: 'student-1', status: 'late' });
    expect(await student.next('attendanceUpdated')).toMatchObject({ status: 'late' });
    expect(teacher.all('studentLeftAttendance')).toEqual([]);
  });

  test('[NODES-4] [LOG-6] a Redis that goes and comes back is told of once each in the log', async () => {
    const database = (await testMongoUri()) ?? '';
    onTestFinished(() => dropTestDatabase(database));
    const redis = await startRedis();
    const log: string[] = [];
    const onLog = (line: string) => void log.push(line);
    await startServer({ DATABASE_URL: database, REDIS_URL: redis.url, LOG_LEVEL: 'info' }, schoolOf(1), { onLog });
    const told = () => log.map((line) => JSON.parse(line).msg as string).filter((message) => /Redis/.test(message));
    const [away, back] = ['Redis is away; other nodes are followed through the database', 'Redis is back'];
    await redis.kill();
    await expect.poll(told, PATIENCE).toEqual([away]);
    await redis.start();
    await expect.poll(told, PATIENCE).toEqual([away, back]);
    redis.freeze();
    await expect.poll(told, PATIENCE).toEqual([away, back, away]);
    redis.thaw();
    await expect.poll(told, PATIENCE).toEqual([away, back, away, back]);
  });

  test('[NODES-5] who is online is known on every node, and a node that stops takes its sockets with it', async () => {
    const { nodes } = await startNodes(3, 3);
    const [here, there, third] = nodes as [TestServer, TestServer, TestServer];
    const teacher = await here.connect('ada');
    await teacher.send('startAttendanceSession', SESSION);
    const student = await there.connect('s-1');
    await expect.poll(async () => (await student.send('joinAttendanceSession', SESSION)).ok, PATIENCE).toBe(true);
    const other = await third.connect('s-2');
    await expect.poll(async () => (await other.send('joinAttendanceSession', SESSION)).ok, PATIENCE).toBe(true);
    const online = async () => (await teacher.send('getOnlineStudents', SESSION))['online_count'];
    await expect.poll(online, PATIENCE).toBe(2);
    student.close();
    expect(await teacher.next('studentLeftAttendance')).toMatchObject({
      student_id: 'student-1',
      remaining_online_count: 1,
    });
    other.socket.io.reconnection(false);
    await third.close();
    expect(await teacher.next('studentLeftAttendance')).toMatchObject({ student_id: 'student-2' });
    await expect.poll(online, PATIENCE).toBe(0);
  });

  test('[NODES-5] a node that is killed, or stands still, takes its sockets with it; one that goes on brings them back', async () => {
    const { redis, nodes } = await startNodes(1, 3);
    const [here] = nodes as [TestServer];
    const { database } = here.config;
    if (database.kind !== 'mongodb') throw new Error('not on MongoDB');
    const variables = { DATABASE_URL: database.uri, REDIS_URL: redis.url };
    const [killed, frozen] = await Promise.all([startNodeProcess(variables), startNodeProcess(variables)]);
    const teacher = await here.connect('ada');
    await teacher.send('startAttendanceSession', SESSION);
    const [first, second] = [await killed.connect('s-1'), await frozen.connect('s-2')];
    for (const student of [first, second]) {
      await expect.poll(async () => (await student.send('joinAttendanceSession', SESSION)).ok, PATIENCE).toBe(true);
    }
    const online = async () => (await teacher.send('getOnlineStudents', SESSION))['online_count'];
    await expect.poll(online, PATIENCE).toBe(2);
    first.socket.io.reconnection(false);
    killed.process.kill('SIGKILL');
    frozen.process.kill('SIGSTOP');
    const left = [await teacher.next('studentLeftAttendance'), await teacher.next('studentLeftAttendance')];
    expect(left.map(({ student_id }) => student_id).sort()).toEqual(['student-1', 'student-2']);
    frozen.process.kill('SIGCONT');
    await expect.poll(online, PATIENCE).toBe(1);
  });

  test('[NODES-6] a session left alone is ended by one node of three, once, and all tell of it', async () => {
    const { nodes } = await startNodes(3, 2);
    const teachers = await Promise.all(nodes.map((node) => node.connect('ada')));
    const [first] = teachers as [Client];
    await first.send('startAttendanceSession', { ...SESSION, policy: { inactivity_minutes: 0.1 } });
    for (const teacher of teachers) {
      await expect.poll(async () => (await teacher.send('watchAttendanceSession', SESSION)).ok, PATIENCE).toBe(true);
    }
    for (const teacher of teachers) {
      expect(await teacher.next('attendanceSessionExpiring')).toMatchObject({ reason: 'inactivity' });
      expect(await teacher.next('attendanceSessionEnded')).toMatchObject({ reason: 'inactivity', ended_by: 'system' });
    }
    const [node] = nodes as [TestServer];
    const entries = await readEntries(node.storage, 'session-1' as never, 0, 100);
    expect(entries.map(({ type }) => type)).toEqual(['started', 'ended']);
    for (const teacher of teachers) expect(teacher.all('attendanceSessionEnded')).toHaveLength(1);
  });

  test('[NODES-9] a node projects what it wrote, and what the writer did not live to project', async () => {
    const { nodes } = await startNodes(2, 30);
    const [here, there] = nodes as [TestServer, TestServer];
    const projected: string[] = [];
    const { storage } = there;
    const project = storage.projection.project.bind(storage);
    storage.projection.project = (projection) => {
      projected.push(projection.session_id);
      return project(projection);
    };
    const teacher = await here.connect('ada');
    const co = await there.connect('cyd');
    for (const session_id of ['session-1', 'orphaned', 'ended']) {
      await teacher.send('startAttendanceSession', { session_id, course_id: 'course-1' });
      await expect.poll(async () => (await co.send('watchAttendanceSession', { session_id })).ok, PATIENCE).toBe(true);
    }
    await teacher.send('endAttendanceSession', { session_id: 'ended' });
    for (let n = 1; n <= 30; n += 1)
      await teacher.send('markStudentPresent', { ...SESSION, student_id: `student-${n}` });
    await expect.poll(async () => (await co.send('watchAttendanceSession', SESSION))['seq'], PATIENCE).toBe(31);
    const mark = { type: 'marked', seq: 2, at: Date.now(), actor: { user_id: 'ada', name: 'Ada Osei' } } as const;
    const orphan = { ...mark, student_id: 'student-7', status: 'late', remarks: null, previous_status: 'absent' };
    expect(await appendTo(storage, 'orphaned' as never, 1, [orphan as never])).toBe('committed');
    const status = async (session_id: string, student: number) => {
      const records = await storage.projection.readRecords(session_id as never);
      return records.find(({ student_id }) => student_id === `student-${student}`)?.status;
    };
    await expect.poll(() => status('orphaned', 7), PATIENCE).toBe('late');
    expect(await status('session-1', 30)).toBe('present');
    expect(await storage.journal.listActiveSessions()).not.toContain('ended');
    // What the writer had projected was due before the orphan was.
    expect(projected.filter((id) => id !== 'orphaned')).toEqual([]);
  });

  test('[NODES-8] a node that stops answers what it was sent before it sends a client away, without a goodbye', async () => {
    const { nodes } = await startNodes(2, 200);
    const [here, there] = nodes as [TestServer, TestServer];
    const teacher = await here.connect('ada');
    await teacher.send('startAttendanceSession', SESSION);
    const reasons: string[] = [];
    teacher.socket.on('disconnect', (reason) => reasons.push(reason));
    teacher.socket.io.reconnection(false);
    const marks = Array.from({ length: 200 }, (_, n) =>
      teacher.send('markStudentPresent', { ...SESSION, student_id: `student-${n + 1}` }),
    );
    await marks[0];
    const closed = here.close();
    const answers = await Promise.all(marks);
    expect(answers.filter(({ ok }) => !ok)).toEqual([]);
    await closed;
    // Not `io server disconnect`: after that one, clients don't come back by themselves.
    expect(reasons).toEqual([expect.stringMatching(/^transport (close|error)$/)]);
    const co = await there.connect('cyd');
    await expect.poll(async () => (await co.send('watchAttendanceSession', SESSION))['seq'], PATIENCE).toBe(201);
  });
});
