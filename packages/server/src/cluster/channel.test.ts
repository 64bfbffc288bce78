import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import { createConnection } from 'mongoose';
import { createClient } from 'redis';
import { Server } from 'socket.io';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dropTestDatabase, testMongoUri } from '../testing/mongo-server.js';
import { startRedis, type TestRedis } from '../testing/redis-server.js';
import { type Client, startServer } from '../testing/server.js';
import { detailsOf, freshSchool, missing, PATIENCE, SESSION } from './nodes.test.support.js';

/** Another Socket.IO server on the same Redis. @param key prefix of its channels; default Socket.IO's own */
async function otherApp(redis: TestRedis, key = 'socket.io'): Promise<Server> {
  const clients = [createClient({ url: redis.url }), createClient({ url: redis.url })] as const;
  for (const client of clients) {
    client.on('error', () => {});
    await client.connect();
  }
  const io = new Server(createServer(), { adapter: createAdapter(...clients, { key }) });
  onTestFinished(async () => {
    await io.close();
    for (const client of clients) await client.close();
  });
  return io;
}

/** Every row of a database, in another one, as a restored backup has them. */
async function copyOf(uri: string): Promise<string> {
  const copy = (await testMongoUri()) ?? '';
  onTestFinished(() => dropTestDatabase(copy));
  const [from, to] = [await createConnection(uri).asPromise(), await createConnection(copy).asPromise()];
  for (const { name } of (await from.db?.listCollections().toArray()) ?? []) {
    if (name.startsWith('system.')) continue;
    const rows = await from.collection(name).find().toArray();
    if (rows.length > 0) await to.collection(name).insertMany(rows);
  }
  await Promise.all([from.destroy(), to.destroy()]);
  return copy;
}

const onlineIn = async (teacher: Client) => (await teacher.send('getOnlineStudents', SESSION))['online_count'];

describe.skipIf(missing !== '')(`one Redis for several things${missing ? ` (${missing})` : ''}`, () => {
  test('[NODES-207] another app on the same Redis reaches no client of ours, and none of its own by us', async () => {
    const redis = await startRedis();
    const DATABASE_URL = await freshSchool(2);
    const servers = [
      await startServer({ DATABASE_URL, REDIS_URL: redis.url }),
      await startServer({ DATABASE_URL, REDIS_URL: redis.url }),
    ] as const;
    const app = await otherApp(redis);
    const heard: unknown[] = [];
    app.on('rollcall' as never, ((...args: unknown[]) => heard.push(args)) as never);
    const teacher = await servers[0].connect('ada');
    await teacher.send('startAttendanceSession', SESSION);
    const student = await servers[1].connect('s-1');
    await expect.poll(async () => (await student.send('joinAttendanceSession', SESSION)).ok, PATIENCE).toBe(true);
    const gone: string[] = [];
    for (const { socket } of [teacher, student]) socket.on('disconnect', (reason) => gone.push(reason));
    app.emit('chat', { text: 'to everybody' });
    app.socketsLeave(`session:${SESSION.session_id}`);
    app.disconnectSockets(true);
    // What comes after it in the same Redis has come, and so has what came before.
    const another = await servers[1].connect('s-2');
    expect(await another.send('joinAttendanceSession', SESSION)).toMatchObject({ ok: true });
    await expect.poll(() => onlineIn(teacher), PATIENCE).toBe(2);
    await teacher.send('markStudentPresent', { ...SESSION, student_id: 'student-1' });
    expect(await student.next('attendanceUpdated')).toMatchObject({ status: 'present' });
    expect(gone).toEqual([]);
    expect([...teacher.all('chat'), ...student.all('chat'), ...another.all('chat')]).toEqual([]);
    expect(heard).toEqual([]);
  });

  test('[NODES-207] a copy of the database elsewhere and its original on one Redis do not notice each other', async () => {
    const redis = await startRedis();
    const original = await freshSchool(2);
    const school = await startServer({ DATABASE_URL: original, REDIS_URL: redis.url });
    const teacher = await school.connect('ada');
    await teacher.send('startAttendanceSession', { ...SESSION, policy: { check_in: 'code' } });
    const { code } = await teacher.next('attendanceCode');
    const staging = await startServer({ DATABASE_URL: await copyOf(original), REDIS_URL: redis.url });
    const there = await staging.connect('ada');
    expect(await there.send('watchAttendanceSession', SESSION)).toMatchObject({ ok: true });
    // A copy has the code's key, and the same sessions and students.
    const student = await staging.connect('s-1');
    const tried = await student.send('joinAttendanceSession', { ...SESSION, code });
    expect([undefined, 'CODE_EXPIRED']).toContain(tried.error?.code);
    const guesser = await staging.connect('s-2');
    const guess = (sent: unknown) => guesser.send('joinAttendanceSession', { ...SESSION, code: sent });
    for (let n = 0; n < 10; n += 1) await guess('tulip');
    expect((await guess('tulip')).error?.code).toBe('RATE_LIMITED');
    const beside = await startServer({ DATABASE_URL: original, REDIS_URL: redis.url });
    const current = () => teacher.all('attendanceCode').at(-1)?.['code'];
    const second = await beside.connect('s-2');
    await expect
      .poll(async () => (await second.send('joinAttendanceSession', { ...SESSION, code: current() })).ok, PATIENCE)
      .toBe(true);
    await expect.poll(() => onlineIn(teacher), PATIENCE).toBe(1);
    for (const server of [school, beside]) await expect.poll(() => detailsOf(server), PATIENCE).toEqual([]);
  });

  test('[NODES-208] on its own channel a server hears those alone that the database knows', async () => {
    const redis = await startRedis();
    const DATABASE_URL = await freshSchool(2);
    const here = await startServer({ DATABASE_URL, REDIS_URL: redis.url });
    const channel = `rollcall-${await here.storage.installation.channelKey()}`;
    const teacher = await here.connect('ada');
    await teacher.send('startAttendanceSession', SESSION);
    // A copy that can't be told from the original by where it is has the same channel.
    const stranger = await otherApp(redis, channel);
    const move = { ...SESSION, student_id: 'student-1', socket_id: 'a-socket', move: 'in' };
    const say = (message: object) => stranger.serverSideEmit('rollcall', { channel, node: 'a-stranger', ...message });
    say({ type: 'moves', all: true, moves: [move] });
    say({ type: 'alive' });
    say({ type: 'wrong_codes', wrong: [[SESSION.session_id, 'student-1']] });
    const there = await startServer({ DATABASE_URL, REDIS_URL: redis.url });
    const student = await there.connect('s-2');
    expect(await student.send('joinAttendanceSession', SESSION)).toMatchObject({ ok: true });
    await expect.poll(() => onlineIn(teacher), PATIENCE).toBe(1);
    const answer = await teacher.send('getOnlineStudents', SESSION);
    const students = answer['online_students'] as Array<{ student_id: string }>;
    expect(students.map(({ student_id }) => student_id)).toEqual(['student-2']);
  });
});
