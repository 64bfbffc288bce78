import { describe, expect, test } from 'vitest';
import { accepted, dataOf, end, rowOf } from '../testing/class.js';
import { schoolOf } from '../testing/school.js';
import { startServer, type TestServer } from '../testing/server.js';
import { freshSchool, missing, PATIENCE, SESSION, startNodes } from './nodes.test.support.js';

const AMENDMENT = { ...SESSION, student_id: 'student-1', status: 'excused', reason: 'a note came' };

async function amendsReach(here: TestServer, there: TestServer): Promise<void> {
  const teacher = await here.connect('ada');
  await accepted(teacher.send('startAttendanceSession', SESSION));
  await accepted(end(teacher));
  const watcher = await there.connect('cyd');
  const ended = async () => ((await dataOf(watcher))['session'] as { status: string }).status;
  await expect.poll(ended, PATIENCE).toBe('completed');
  const answer = await accepted(teacher.send('amendAttendance', AMENDMENT));
  const { ok: _, ...amendment } = answer;
  expect(await watcher.next('attendanceAmended')).toEqual(amendment);
  expect(rowOf(await dataOf(watcher), 'student-1')).toMatchObject({ status: 'excused', seq: 3 });
  // And the other way round, on the state of the first.
  const back = await accepted(watcher.send('amendAttendance', { ...AMENDMENT, status: 'late' }));
  expect(back).toMatchObject({ previous_status: 'excused', seq: 4 });
  expect((await accepted(teacher.send('getAttendanceSessionData', { ...SESSION, since_seq: 4 })))['seq']).toBe(4);
}

describe.skipIf(missing !== '')(`amendments on several nodes${missing ? ` (${missing})` : ''}`, () => {
  test('[AMEND-11] an amendment on one node is told to watchers on the other, and is the state of both', async () => {
    const { nodes } = await startNodes(2, 2);
    await amendsReach(nodes[0] as TestServer, nodes[1] as TestServer);
  });

  test('[AMEND-11] the same without Redis: the other node finds it in the database', async () => {
    const DATABASE_URL = await freshSchool(2);
    const here = await startServer({ DATABASE_URL }, schoolOf(2));
    const there = await startServer({ DATABASE_URL });
    await amendsReach(here, there);
  });
});
