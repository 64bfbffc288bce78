import { describe, expect, test } from 'vitest';
import { startRedis } from '../testing/redis-server.js';
import { connectTo, type Payload, tokenOf } from '../testing/server.js';
import { detailsOf, freshSchool, missing, type NodeProcess, PATIENCE, startNodeProcess } from './nodes.test.support.js';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Tokens that every node takes: what a clock does to those is another affair. */
const connect = async ({ process }: NodeProcess, uid: string) =>
  connectTo(process.url, uid, { token: await tokenOf(uid, {}, '2d') });

describe.skipIf(missing !== '')(`nodes whose clocks differ${missing ? ` (${missing})` : ''}`, () => {
  test.each([
    ['with Redis', [0, 5 * HOUR_MS, 35 * MINUTE_MS]],
    ['with Redis', [5 * HOUR_MS, -2_000]],
    ['without Redis', [-2_000, 35 * MINUTE_MS]],
  ])(
    '[NODES-203] [TIME-200] sessions that any node starts go on on all others, also after a restart (%s, %j ms)',
    async (how, clocks) => {
      const redis = how === 'with Redis' ? { REDIS_URL: (await startRedis()).url } : {};
      const variables = { DATABASE_URL: await freshSchool(4), LATE_AFTER_MINUTES: '10', ...redis };
      const nodes: NodeProcess[] = [];
      for (const clock of clocks) nodes.push(await startNodeProcess(variables, clock));
      const teachers = await Promise.all(nodes.map((node) => connect(node, 'ada')));
      const sessions = nodes.map((_, n) => ({ session_id: `of-node-${n}`, course_id: 'course-1' }));
      for (const [n, teacher] of teachers.entries()) {
        expect(await teacher.send('startAttendanceSession', sessions[n])).toMatchObject({ ok: true });
      }
      const goOn = async (all: typeof teachers, status: string) => {
        for (const { session_id } of sessions) {
          for (const teacher of all) {
            await expect
              .poll(async () => (await teacher.send('watchAttendanceSession', { session_id })).ok, PATIENCE)
              .toBe(true);
            const marked = { session_id, student_id: 'student-4', status };
            expect(await teacher.send('markStudentAttendance', marked)).toMatchObject({ ok: true });
          }
        }
      };
      await goOn(teachers, 'present');
      const another = await startNodeProcess(variables, clocks.at(-1));
      const restarted = await connect(another, 'ada');
      await goOn([...teachers, restarted], 'late');
      // Nobody is late ten minutes after the start, on whatever node.
      for (const [n, node] of [...nodes, another].entries()) {
        const student = await connect(node, `s-${(n % 3) + 1}`);
        for (const { session_id } of sessions) {
          expect(await student.send('joinAttendanceSession', { session_id })).toMatchObject({ ok: true });
        }
      }
      for (const { session_id } of sessions) {
        const data = await restarted.send('getAttendanceSessionData', { session_id, since_seq: 1_000_000 });
        expect(data.ok).toBe(true);
        const whole = await restarted.send('getAttendanceSessionData', { session_id });
        const records = whole['attendanceRecords'] as Payload[];
        const joined = records.filter(({ checked_in_at }) => checked_in_at !== null);
        expect(joined.map(({ status }) => status)).not.toContain('late');
        expect(joined.length).toBeGreaterThanOrEqual(Math.min(3, nodes.length + 1));
      }
      for (const teacher of [...teachers, restarted]) expect(teacher.all('attendanceSessionEnded')).toEqual([]);
    },
  );

  test('[NODES-204] nodes whose clocks differ by more than a few seconds say so, and take each other’s codes', async () => {
    const variables = { DATABASE_URL: await freshSchool(3), REDIS_URL: (await startRedis()).url };
    const right = await startNodeProcess(variables);
    const ahead = await startNodeProcess(variables, 35 * MINUTE_MS);
    const behind = await startNodeProcess(variables, -2_000);
    const name = ({ process }: NodeProcess) => `\\S+:${process.pid}`;
    const said = (pattern: string) => expect.stringMatching(new RegExp(`^${pattern}$`));
    await expect
      .poll(async () => (await detailsOf(right.process)).sort(), PATIENCE)
      .toEqual([said(`the clock of ${name(ahead)} is 35 min ahead of this server's`)]);
    await expect
      .poll(async () => (await detailsOf(ahead.process)).sort(), PATIENCE)
      .toEqual(
        [
          said(`the clock of ${name(right)} is 35 min behind this server's`),
          said(`the clock of ${name(behind)} is 35 min behind this server's`),
          said("this server's clock is 35 min ahead of the database's"),
        ].sort((a, b) => String(a).localeCompare(String(b))),
      );
    await expect.poll(() => ahead.process.stderr, PATIENCE).toMatch(/this server's clock is 35 min ahead/);
    const teacher = await connect(right, 'ada');
    const session = { session_id: 'session-1' };
    await teacher.send('startAttendanceSession', { ...session, policy: { check_in: 'code' } });
    for (const [node, uid] of [
      [ahead, 's-1'],
      [behind, 's-2'],
    ] as const) {
      const student = await connect(node, uid);
      const join = async () => {
        const code = teacher.all('attendanceCode').at(-1)?.['code'];
        const answer = await student.send('joinAttendanceSession', { ...session, code });
        return answer.error?.code === 'SESSION_NOT_ACTIVE' ? 'not heard yet' : (answer.error?.code ?? 'ok');
      };
      await expect.poll(join, PATIENCE).not.toBe('not heard yet');
      expect(await join()).toBe('ok');
    }
  });

  test('[NODES-11] [NODES-203] who is acknowledged by one node is put back by one whose clock is 2 s behind', async () => {
    const redis = await startRedis();
    const variables = { DATABASE_URL: await freshSchool(3), REDIS_URL: redis.url };
    const here = await startNodeProcess(variables);
    const behind = await startNodeProcess(variables, -2_000);
    const teacher = await connect(here, 'ada');
    redis.freeze();
    const session = { session_id: 'session-1' };
    await teacher.send('startAttendanceSession', session);
    expect(await (await connect(here, 's-1')).send('joinAttendanceSession', session)).toMatchObject({ ok: true });
    const student = await connect(behind, 's-1');
    await expect
      .poll(async () => {
        const mark = { ...session, student_id: 'student-3', status: 'late', remarks: `${Math.random()}` };
        await teacher.send('markStudentAttendance', mark);
        return student.all('attendanceUpdated').length;
      }, PATIENCE)
      .toBeGreaterThan(0);
  });
});
