import { describe, expect, onTestFinished, test } from 'vitest';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../testing/mongo-server.js';
import { hasRedis, REDIS_MISSING, startRedis, type TestRedis } from '../testing/redis-server.js';
import { schoolOf } from '../testing/school.js';
import { type Client, startServer, type TestServer } from '../testing/server.js';
import { TcpProxy } from '../testing/tcp-proxy.js';

const SESSION = { session_id: 'session-1' };
const PATIENCE = { timeout: 60_000, interval: 50 };

const uri = await testMongoUri();
const redisThere = hasRedis();
const missing = [uri ? '' : MONGO_MISSING, redisThere ? '' : REDIS_MISSING].filter(Boolean).join('; ');

interface Nodes {
  readonly redis: TestRedis;
  readonly nodes: TestServer[];
}

async function startNodes(count: number, students: number, variables: Record<string, string> = {}): Promise<Nodes> {
  const database = (await testMongoUri()) ?? '';
  onTestFinished(() => dropTestDatabase(database));
  const redis = await startRedis();
  const environment = {
    DATABASE_URL: database,
    REDIS_URL: redis.url,
    RATE_LIMIT_TEACHER_PER_SECOND: '0',
    ...variables,
  };
  const first = await startServer(environment, schoolOf(students));
  const others = await Promise.all(Array.from({ length: count - 1 }, () => startServer(environment)));
  return { redis, nodes: [first, ...others] };
}

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

  test('[CODE-10] a code of one node counts on the other, and wrong codes sent to both count together', async () => {
    const { nodes } = await startNodes(2, 2);
    const [here, there] = nodes as [TestServer, TestServer];
    const teacher = await here.connect('ada');
    await teacher.send('startAttendanceSession', { ...SESSION, policy: { check_in: 'code' } });
    const { code } = await teacher.next('attendanceCode');
    const far = await there.connect('cyd');
    await expect.poll(async () => (await far.send('watchAttendanceSession', SESSION)).ok, PATIENCE).toBe(true);
    await expect
      .poll(() => far.all('attendanceCode').at(-1)?.['code'], PATIENCE)
      .toBe(teacher.all('attendanceCode').at(-1)?.['code'] ?? code);
    const join = (client: Client, sent: unknown) => client.send('joinAttendanceSession', { ...SESSION, code: sent });
    const guesser = [await here.connect('s-1'), await there.connect('s-1')] as const;
    const current = () => teacher.all('attendanceCode').at(-1)?.['code'];
    for (let n = 0; n < 5; n += 1) {
      for (const client of guesser) expect((await join(client, 'tulip')).error?.code).toBe('CODE_INVALID');
    }
    // The word of the last wrong one is under way to the other node.
    for (const client of guesser) {
      await expect.poll(async () => (await join(client, undefined)).error?.code, PATIENCE).toBe('RATE_LIMITED');
      expect((await join(client, current())).error?.code).toBe('RATE_LIMITED');
    }
    expect(await join(await there.connect('s-2'), current())).toMatchObject({ ok: true });
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
    const entries = await first.storage.readEntries('session-1' as never, 0, 10_000);
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
    const entries = await here.storage.readEntries('session-1' as never, 1, 10_000);
    expect(entries).toHaveLength(100);
  });

  test('[NODES-10] [END-8] what would change nothing, or be refused, is decided on what other nodes have written', async () => {
    const { redis, nodes } = await startNodes(2, 12);
    const [here, there] = nodes as [TestServer, TestServer];
    const a = await here.connect('ada');
    await a.send('startAttendanceSession', SESSION);
    const b = await there.connect('cyd');
    await expect.poll(async () => (await b.send('watchAttendanceSession', SESSION)).ok, PATIENCE).toBe(true);
    const mark = (client: Client, student_id: string, status: string, extra = {}) =>
      client.send('markStudentAttendance', { ...SESSION, student_id, status, ...extra });
    const expected: Array<[string, string]> = [];
    for (let n = 1; n <= 12; n += 1) {
      // No word of the other node gets through from here on.
      if (n === 6) redis.freeze();
      const id = `student-${n}`;
      expect(await mark(a, id, 'present')).toMatchObject({ ok: true });
      if (n % 2) expect(await mark(b, id, 'absent')).toMatchObject({ ok: true });
      else {
        const attendanceUpdates = [{ student_id: id, status: 'absent' }];
        expect(await b.send('bulkUpdateAttendance', { ...SESSION, attendanceUpdates })).toMatchObject({ ok: true });
      }
      expected.push([id, 'absent']);
    }
    // Added by one node, and on the roster for the other.
    expect(await mark(a, 'outsider', 'late', { walk_in: true })).toMatchObject({ ok: true });
    expect(await mark(b, 'outsider', 'present')).toMatchObject({ ok: true });
    expected.push(['student-outsider', 'present']);
    expect(await mark(a, 'pending', 'late', { walk_in: true })).toMatchObject({ ok: true });
    const walkIn = await there.connect('pending');
    expect(await walkIn.send('joinAttendanceSession', SESSION)).toMatchObject({ ok: true });
    expect(await mark(a, 'rejected', 'late', { walk_in: true })).toMatchObject({ ok: true });
    expect(await (await there.connect('rejected')).send('leaveAttendanceSession', SESSION)).toMatchObject({ ok: true });
    const ended = await a.send('endAttendanceSession', SESSION);
    const { attendanceRecords } = ended['finalData'] as {
      attendanceRecords: Array<{ student_id: string; status: string }>;
    };
    const final = new Map(attendanceRecords.map(({ student_id, status }) => [student_id, status]));
    for (const [id, status] of expected) expect([id, final.get(id)]).toEqual([id, status]);
    expect((await mark(b, 'student-1', 'absent')).error?.code).toBe('SESSION_ENDED');
  });

  test('[NODES-12] a client that has heard of more than the node is answered with it', async () => {
    const { redis, nodes } = await startNodes(2, 3);
    const [here, there] = nodes as [TestServer, TestServer];
    const a = await here.connect('ada');
    await a.send('startAttendanceSession', SESSION);
    const b = await there.connect('cyd');
    await expect.poll(async () => (await b.send('watchAttendanceSession', SESSION)).ok, PATIENCE).toBe(true);
    redis.freeze();
    const student = await there.connect('s-2');
    const late = { ...SESSION, student_id: 'student-1', status: 'late' };
    const { seq } = await a.send('markStudentAttendance', late);
    const caughtUp = await b.send('getAttendanceSessionData', { ...SESSION, since_seq: Number(seq) });
    expect(caughtUp).toMatchObject({ ok: true, seq, changes: [] });
    await a.send('markStudentAttendance', { ...late, status: 'present' });
    const joined = await student.send('joinAttendanceSession', { ...SESSION, since_seq: Number(seq) + 1 });
    expect(joined).toMatchObject({ ok: true, seq: Number(seq) + 2 });
  });

  test('[NODES-10] while the database is away what leans on it is refused, and rejoins are answered', async () => {
    const { redis, nodes } = await startNodes(1, 3);
    const [here] = nodes as [TestServer];
    const { database } = here.config;
    if (database.kind !== 'mongodb') throw new Error('not on MongoDB');
    const target = new URL(database.uri);
    const proxy = await TcpProxy.start({ host: target.hostname, port: Number(target.port) });
    onTestFinished(() => proxy.cut());
    target.host = `127.0.0.1:${proxy.port}`;
    target.searchParams.set('serverSelectionTimeoutMS', '500');
    const there = await startServer({ DATABASE_URL: target.href, REDIS_URL: redis.url });
    const teacher = await there.connect('ada');
    await teacher.send('startAttendanceSession', { ...SESSION, policy: { check_in: 'code' } });
    const { code } = await teacher.next('attendanceCode');
    const [student, other] = [await there.connect('s-1'), await there.connect('s-2')];
    const join = { ...SESSION, code, op_id: 'join' };
    expect(await student.send('joinAttendanceSession', join)).toMatchObject({ ok: true });
    await other.send('leaveAttendanceSession', SESSION);
    const late = { ...SESSION, student_id: 'student-1', status: 'late' };
    expect(await teacher.send('markStudentAttendance', late)).toMatchObject({ ok: true });
    await proxy.cut();
    for (let round = 0; round < 2; round += 1) {
      const [refused, idle, rejoin, repeat] = await Promise.all([
        other.send('joinAttendanceSession', SESSION),
        teacher.send('markStudentAttendance', { ...late, op_id: 'idle' }),
        student.send('joinAttendanceSession', SESSION),
        student.send('joinAttendanceSession', join),
      ]);
      expect([refused.error?.code, idle.error?.code]).toEqual(['STORAGE_UNAVAILABLE', 'STORAGE_UNAVAILABLE']);
      expect([rejoin.ok, repeat.ok, repeat['duplicate']]).toEqual([true, true, true]);
    }
    await proxy.restore();
    const again = () => teacher.send('markStudentAttendance', { ...late, op_id: 'idle' });
    await expect.poll(async () => (await again()).ok, PATIENCE).toBe(true);
    expect((await other.send('joinAttendanceSession', SESSION)).error?.code).toBe('CODE_REQUIRED');
  });

  test('[NODES-11] [JOIN-17] being put back undoes no leave', async () => {
    const { redis, nodes } = await startNodes(2, 3);
    const [here, there] = nodes as [TestServer, TestServer];
    const teacher = await here.connect('ada');
    await teacher.send('startAttendanceSession', SESSION);
    const co = await there.connect('cyd');
    await expect.poll(async () => (await co.send('watchAttendanceSession', SESSION)).ok, PATIENCE).toBe(true);
    redis.freeze();
    expect(await (await here.connect('s-1')).send('joinAttendanceSession', SESSION)).toMatchObject({ ok: true });
    const student = await there.connect('s-1');
    expect(await student.send('leaveAttendanceSession', SESSION)).toMatchObject({ ok: true });
    await teacher.send('markStudentAttendance', { ...SESSION, student_id: 'student-2', status: 'late' });
    expect(await co.next('attendanceUpdated')).toMatchObject({ student_id: 'student-2' });
    await student.send('unsubscribeFromCourse', { course_id: 'none' });
    expect(student.all('attendanceUpdated')).toEqual([]);
  });

  test('[CODE-1] [CODE-10] who checked in on one node needs no code on the other, also where it heard nothing yet', async () => {
    const { redis, nodes } = await startNodes(2, 3);
    const [here, there] = nodes as [TestServer, TestServer];
    const teacher = await here.connect('ada');
    await teacher.send('startAttendanceSession', { ...SESSION, policy: { check_in: 'code' } });
    const far = await there.connect('cyd');
    await expect.poll(async () => (await far.send('watchAttendanceSession', SESSION)).ok, PATIENCE).toBe(true);
    const join = (client: Client, extra: Record<string, unknown>) =>
      client.send('joinAttendanceSession', { ...SESSION, ...extra });
    redis.freeze();
    const current = () => teacher.all('attendanceCode').at(-1)?.['code'];
    const first = await join(await here.connect('s-1'), { code: current(), op_id: 'once' });
    expect(first).toMatchObject({ ok: true });
    const phone = await there.connect('s-1');
    // As many as would lock the student out, if any of them counted.
    for (let n = 0; n < 12; n += 1) {
      expect(await join(phone, { code: 'tulip', op_id: 'once' })).toMatchObject({ ok: true, seq: first['seq'] });
    }
    expect(await join(await here.connect('s-2'), { code: current() })).toMatchObject({ ok: true });
    expect(await join(await there.connect('s-2'), {})).toMatchObject({ ok: true });
    expect((await join(await there.connect('s-3'), {})).error?.code).toBe('CODE_REQUIRED');
  });

  test('[NODES-11] [CONN-19] [CONN-20] who reconnects to a node that heard nothing yet is put back when it has', async () => {
    const { redis, nodes } = await startNodes(2, 3);
    const [here, there] = nodes as [TestServer, TestServer];
    const teacher = await here.connect('ada');
    redis.freeze();
    await teacher.send('startAttendanceSession', { ...SESSION, policy: { check_in: 'code' } });
    const { code } = await teacher.next('attendanceCode');
    const moved = await there.connect('ada');
    expect(await moved.next('attendanceCode')).toMatchObject(SESSION);
    expect(await (await here.connect('s-1')).send('joinAttendanceSession', { ...SESSION, code })).toMatchObject({
      ok: true,
    });
    const [student, another] = [await there.connect('s-1'), await there.connect('s-2')];
    await expect
      .poll(async () => {
        await teacher.send('markStudentAttendance', {
          ...SESSION,
          student_id: 'student-3',
          status: 'late',
          remarks: `${Math.random()}`,
        });
        return student.all('attendanceUpdated').length;
      }, PATIENCE)
      .toBeGreaterThan(0);
    expect(another.all('attendanceUpdated')).toEqual([]);
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

  test('[NODES-5] who is online is known on every node, and a node that dies takes its sockets with it', async () => {
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
    const entries = await node.storage.readEntries('session-1' as never, 0, 100);
    expect(entries.map(({ type }) => type)).toEqual(['started', 'ended']);
    for (const teacher of teachers) expect(teacher.all('attendanceSessionEnded')).toHaveLength(1);
  });

  test('[NODES-9] a node projects what it wrote, and what the writer did not live to project', async () => {
    const { nodes } = await startNodes(2, 30);
    const [here, there] = nodes as [TestServer, TestServer];
    const projected: string[] = [];
    const { storage } = there;
    const project = storage.project.bind(storage);
    storage.project = (projection) => {
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
    expect(await storage.append('orphaned' as never, 1, [orphan as never])).toBe('committed');
    const status = async (session_id: string, student: number) => {
      const records = await storage.readRecords(session_id as never);
      return records.find(({ student_id }) => student_id === `student-${student}`)?.status;
    };
    await expect.poll(() => status('orphaned', 7), PATIENCE).toBe('late');
    expect(await status('session-1', 30)).toBe('present');
    expect(await storage.listActiveSessions()).not.toContain('ended');
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
