import { describe, expect, test } from 'vitest';
import { startRedis } from '../testing/redis-server.js';
import { type Client, startServer } from '../testing/server.js';
import {
  detailsOf,
  freshSchool,
  messagesOf,
  missing,
  PATIENCE,
  SESSION,
  startNodeProcess,
} from './nodes.test.support.js';

const OTHER = /^another server \(\S+:\d+\) uses this database, and this one has no REDIS_URL: it is followed through/;

const mark = (client: Client, student_id: string, status: string) =>
  client.send('markStudentAttendance', { ...SESSION, student_id, status });

describe.skipIf(missing !== '')(`two servers on one database${missing ? ` (${missing})` : ''}`, () => {
  test('[NODES-200] without Redis they know of each other, and each says so once while it lasts', async () => {
    const database = { DATABASE_URL: await freshSchool(1), LOG_LEVEL: 'info' };
    const logs: [string[], string[]] = [[], []];
    const first = await startServer(database, undefined, { onLog: (line) => logs[0].push(line) });
    expect(await detailsOf(first)).toEqual([]);
    const second = await startServer(database, undefined, { onLog: (line) => logs[1].push(line) });
    for (const server of [first, second]) {
      await expect.poll(() => detailsOf(server), PATIENCE).toEqual([expect.stringMatching(OTHER)]);
    }
    for (const log of logs) await expect.poll(() => messagesOf(log, OTHER), PATIENCE).toHaveLength(1);
    await second.close();
    await expect.poll(() => detailsOf(first), PATIENCE).toEqual([]);
    await expect.poll(() => messagesOf(logs[0], /hear each other/), PATIENCE).toHaveLength(1);
    for (const log of logs) expect(messagesOf(log, OTHER)).toHaveLength(1);
  });

  test('[NODES-201] without Redis nothing is acknowledged or refused on old state, and changes follow', async () => {
    const database = { DATABASE_URL: await freshSchool(12), RATE_LIMIT_TEACHER_PER_SECOND: '0' };
    const [here, there] = [await startServer(database), await startServer(database)];
    const a = await here.connect('ada');
    // The first knows of the second once it says so.
    await expect.poll(() => detailsOf(here), PATIENCE).toHaveLength(1);
    await a.send('startAttendanceSession', SESSION);
    const b = await there.connect('cyd');
    await expect.poll(async () => (await b.send('watchAttendanceSession', SESSION)).ok, PATIENCE).toBe(true);
    for (let n = 1; n <= 12; n += 1) {
      const [one, other] = n % 2 ? [a, b] : [b, a];
      expect(await mark(one, `student-${n}`, 'present')).toMatchObject({ ok: true });
      expect(await mark(other, `student-${n}`, 'absent')).toMatchObject({ ok: true });
    }
    for (const client of [a, b]) {
      await expect.poll(() => client.all('attendanceUpdated').length, PATIENCE).toBe(24);
    }
    const ended = await a.send('endAttendanceSession', SESSION);
    const { attendanceRecords } = ended['finalData'] as { attendanceRecords: Array<{ status: string }> };
    expect(attendanceRecords.map(({ status }) => status)).toEqual(Array(12).fill('absent'));
    expect((await mark(b, 'student-1', 'absent')).error?.code).toBe('SESSION_ENDED');
  });

  test('[NODES-200] servers on one database with different Redis find that out', async () => {
    const [one, other] = [await startRedis(), await startRedis()];
    const DATABASE_URL = await freshSchool(1);
    const first = await startServer({ DATABASE_URL, REDIS_URL: one.url });
    const second = await startServer({ DATABASE_URL, REDIS_URL: other.url });
    const teacher = await first.connect('ada');
    await teacher.send('startAttendanceSession', SESSION);
    for (const server of [first, second]) {
      await expect
        .poll(() => detailsOf(server), PATIENCE)
        .toEqual([
          expect.stringMatching(/^nothing is heard of the server \S+, which uses this database: it is followed/),
        ]);
    }
    const co = await second.connect('cyd');
    await expect.poll(async () => (await co.send('watchAttendanceSession', SESSION)).ok, PATIENCE).toBe(true);
    await mark(teacher, 'student-1', 'late');
    expect(await co.next('attendanceUpdated')).toMatchObject({ status: 'late' });
  });

  test('[NODES-202] a server that was killed is no other server to the one that takes its place', async () => {
    const DATABASE_URL = await freshSchool(1);
    const killed = await startNodeProcess({ DATABASE_URL });
    killed.process.kill('SIGKILL');
    await killed.process.exit;
    const log: string[] = [];
    const next = await startServer({ DATABASE_URL, LOG_LEVEL: 'info' }, undefined, { onLog: (line) => log.push(line) });
    expect(await detailsOf(next)).toEqual([]);
    const { storage } = next;
    const self = { node: 'observer', name: 'observer', channel: null, ahead_ms: null };
    // Until the note of the killed one is older than any that counts.
    await expect
      .poll(async () => {
        const all = await storage.installation.beat(self);
        const now = Math.max(...all.map(({ beat_at }) => beat_at));
        await storage.installation.leave(self.node);
        return all.length === 3 && Math.min(...all.map(({ beat_at }) => beat_at)) < now - 10_000;
      }, PATIENCE)
      .toBe(true);
    expect(messagesOf(log, OTHER).filter((message) => !message.includes('observer'))).toEqual([]);
  });
});
