import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { seenIn, WritingFollower } from '../register/writing-follower.test.support.js';
import { startRedis } from '../testing/redis-server.js';
import { startServer, temporaryFolder } from '../testing/server.js';
import { freshSchool, missing, PATIENCE, SESSION } from './nodes.test.support.js';

describe.skipIf(missing !== '')(`followers on several nodes${missing ? ` (${missing})` : ''}`, () => {
  test('[REG-94] a node follows at once what it wrote, and after a while what the writer left behind', async () => {
    const folder = await temporaryFolder();
    const files = [join(folder, 'here'), join(folder, 'there')] as const;
    const [ours, theirs] = [new WritingFollower(files[0]), new WritingFollower(files[1])];
    const redis = await startRedis();
    const variables = { DATABASE_URL: await freshSchool(3), REDIS_URL: redis.url };
    const here = await startServer(variables, undefined, { followers: [ours] });
    const there = await startServer(variables, undefined, { followers: [theirs] });
    const seen = () => Promise.all(files.map((file) => seenIn(file, SESSION.session_id)));
    const teacher = await here.connect('ada');
    const co = await there.connect('cyd');
    const reaches = (seq: number) =>
      expect.poll(async () => (await co.send('watchAttendanceSession', SESSION))['seq'], PATIENCE).toBe(seq);
    const marks = async (status: string) => {
      for (const n of [1, 2]) {
        const row = { ...SESSION, student_id: `student-${n}`, status };
        expect(await teacher.send('markStudentAttendance', row)).toMatchObject({ ok: true });
      }
    };
    expect(await teacher.send('startAttendanceSession', SESSION)).toMatchObject({ ok: true });
    await marks('late');
    await reaches(3);
    await expect.poll(seen, PATIENCE).toEqual([[1, 2, 3], []]);
    ours.failing = true;
    await marks('present');
    await reaches(5);
    await expect.poll(() => ours.refusals, PATIENCE).toBeGreaterThan(0);
    await here.close();
    await expect.poll(seen, PATIENCE).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    expect(await there.storage.journal.listActiveSessions()).toEqual([SESSION.session_id]);
    expect(await co.send('endAttendanceSession', SESSION)).toMatchObject({ ok: true });
    await expect.poll(() => there.storage.journal.listActiveSessions(), PATIENCE).toEqual([]);
    expect(await seen()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });
});
