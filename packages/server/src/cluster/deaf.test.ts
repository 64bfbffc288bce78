import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdapter } from '@socket.io/redis-adapter';
import { pino } from 'pino';
import { createClient } from 'redis';
import { Server } from 'socket.io';
import { describe, expect, onTestFinished, test } from 'vitest';
import { attachRollcall } from '../attach.js';
import { startRedis } from '../testing/redis-server.js';
import { type Client, connectTo, SECRET, startServer } from '../testing/server.js';
import { TcpProxy } from '../testing/tcp-proxy.js';
import { detailsOf, freshSchool, messagesOf, missing, PATIENCE, SESSION } from './nodes.test.support.js';

const DEAF =
  'Redis does not deliver to this server what it sends to itself; other nodes are followed through the database';

/** A class on two servers, with a student on the second. */
async function classOn(here: (uid: string) => Promise<Client>, there: (uid: string) => Promise<Client>) {
  const teacher = await here('ada');
  await teacher.send('startAttendanceSession', SESSION);
  const student = await there('s-1');
  await expect.poll(async () => (await student.send('joinAttendanceSession', SESSION)).ok, PATIENCE).toBe(true);
  const online = async () => (await teacher.send('getOnlineStudents', SESSION))['online_count'];
  await expect.poll(online, PATIENCE).toBe(1);
  return { teacher, student, online };
}

describe.skipIf(missing !== '')(`a node that hears nothing${missing ? ` (${missing})` : ''}`, () => {
  test('[NODES-205] a subscribing connection that dies silently is noticed, told once, and made anew', async () => {
    const redis = await startRedis();
    const target = new URL(redis.url);
    const proxy = await TcpProxy.start({ host: target.hostname, port: Number(target.port) });
    onTestFinished(() => proxy.cut());
    const DATABASE_URL = await freshSchool(2);
    const log: string[] = [];
    const here = await startServer(
      { DATABASE_URL, REDIS_URL: `redis://127.0.0.1:${proxy.port}`, LOG_LEVEL: 'info' },
      undefined,
      { onLog: (line) => log.push(line) },
    );
    const there = await startServer({ DATABASE_URL, REDIS_URL: redis.url });
    const { teacher, student, online } = await classOn(here.connect, there.connect);
    proxy.loseAnswersWhere(/SUBSCRIBE/i);
    await expect.poll(() => detailsOf(here), PATIENCE).toEqual([DEAF]);
    const late = { ...SESSION, student_id: 'student-2', status: 'late' };
    const co = await there.connect('cyd');
    expect(await co.send('markStudentAttendance', late)).toMatchObject({ ok: true });
    expect(await teacher.next('attendanceUpdated')).toMatchObject({ status: 'late' });
    // The connection is made anew, on which all is well.
    await expect.poll(() => detailsOf(here), PATIENCE).toEqual([]);
    const told = () => messagesOf(log, /^Redis/);
    await expect
      .poll(told, PATIENCE)
      .toEqual(['Redis is away; other nodes are followed through the database', 'Redis is back']);
    expect(await online()).toBe(1);
    expect(teacher.all('studentLeftAttendance')).toEqual([]);
    student.close();
    expect(await teacher.next('studentLeftAttendance')).toMatchObject({ student_id: 'student-1' });
  });

  test('[NODES-206] inside an app whose Redis stands still, nobody is announced as left, and changes follow', async () => {
    const redis = await startRedis();
    const database = await freshSchool(2);
    const log: string[] = [];
    const app = async () => {
      const httpServer = createServer();
      const clients = [createClient({ url: redis.url }), createClient({ url: redis.url })] as const;
      for (const client of clients) {
        client.on('error', () => {});
        await client.connect();
      }
      const io = new Server(httpServer, { adapter: createAdapter(...clients) });
      onTestFinished(async () => {
        redis.thaw();
        await io.close();
        // What the app has still to publish is published first.
        for (const client of clients) await client.close();
      });
      const logger = pino({ level: 'warn' }, { write: (line: string) => void log.push(line) });
      const attached = await attachRollcall(io, { database, secret: SECRET, severalNodes: true, logger });
      onTestFinished(() => attached.close());
      await new Promise<void>((resolve) => {
        httpServer.listen(0, '127.0.0.1', resolve);
      });
      const { port } = httpServer.address() as AddressInfo;
      return (uid: string) => connectTo(`http://127.0.0.1:${port}`, uid);
    };
    const [here, there] = [await app(), await app()];
    const { teacher, online } = await classOn(here, there);
    const co = await there('cyd');
    redis.freeze();
    const unheard = () => messagesOf(log, /^nothing is heard of the server/);
    await expect.poll(unheard, PATIENCE).toHaveLength(2);
    // For longer than a silent server was given, and the grace of its students.
    const until = performance.now() + 17_000;
    for (let n = 0; performance.now() < until; n += 1) {
      const mark = { ...SESSION, student_id: 'student-2', status: n % 2 ? 'present' : 'late' };
      const { ok, seq } = await co.send('markStudentAttendance', mark);
      expect(ok).toBe(true);
      await expect.poll(() => teacher.all('attendanceUpdated').at(-1)?.['seq'], PATIENCE).toBe(seq);
    }
    expect(teacher.all('studentLeftAttendance')).toEqual([]);
    expect(await online()).toBe(1);
    expect(unheard()).toHaveLength(2);
  });
});
