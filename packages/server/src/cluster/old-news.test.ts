import { describe, expect, onTestFinished, test } from 'vitest';
import { type Client, startServer, type TestServer } from '../testing/server.js';
import { TcpProxy } from '../testing/tcp-proxy.js';
import { missing, PATIENCE, SESSION, startNodes } from './nodes.test.support.js';

describe.skipIf(missing !== '')(`old news on several nodes${missing ? ` (${missing})` : ''}`, () => {
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
    // Also while the node is never done with what it is sent.
    let busy = true;
    let n = 0;
    const marking = Array.from({ length: 4 }, async () => {
      for (; busy; n += 1) await b.send('markStudentAttendance', { ...late, student_id: 'student-3', remarks: `${n}` });
    });
    const ahead = await b.send('getAttendanceSessionData', { ...SESSION, since_seq: 1_000_000 });
    expect(ahead).toMatchObject({ ok: true, reset: true });
    busy = false;
    await Promise.all(marking);
    const joined = await student.send('joinAttendanceSession', { ...SESSION, since_seq: Number(seq) + 1 });
    expect(joined).toMatchObject({ ok: true });
    expect(Number(joined['seq'])).toBeGreaterThan(Number(seq) + 1);
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
});
