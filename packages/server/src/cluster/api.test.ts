import { describe, expect, test } from 'vitest';
import { apiOf } from '../testing/api.js';
import { accepted, joined } from '../testing/class.js';
import type { TestServer } from '../testing/server.js';
import { missing, PATIENCE, SESSION, startNodes } from './nodes.test.support.js';

describe.skipIf(missing !== '')(`the HTTP API on several nodes${missing ? ` (${missing})` : ''}`, () => {
  test('[API-45] a mark over HTTP on one node reaches the sockets of all', async () => {
    const { nodes } = await startNodes(2, 2);
    const [here, there] = nodes as [TestServer, TestServer];
    const ada = await apiOf(here, 'ada');
    await ada('POST', '/sessions/session-1/start');
    const screen = await there.connect('cyd');
    await expect.poll(async () => (await screen.send('watchAttendanceSession', SESSION)).ok, PATIENCE).toBe(true);
    const student = await joined(there, 's-1');
    const mark = { body: { status: 'late' } };
    expect((await ada('PUT', '/sessions/session-1/records/student-1', mark)).status).toBe(200);
    for (const client of [screen, student]) {
      expect(await client.next('attendanceUpdated')).toMatchObject({ student_id: 'student-1', status: 'late' });
    }
  });

  test('[API-46] a right that an admin takes away over HTTP on one node ends on every node within seconds', async () => {
    const { nodes } = await startNodes(2, 2);
    const [here, there] = nodes as [TestServer, TestServer];
    const root = await apiOf(here, 'root');
    const colleague = await there.connect('cyd');
    await accepted(colleague.send('startAttendanceSession', SESSION));
    const student = await joined(there, 's-1');
    expect((await root('PATCH', '/courses/course-1', { body: { co_teacher_ids: [] } })).status).toBe(200);
    expect((await root('PATCH', '/people/s-1', { body: { disabled: true } })).status).toBe(200);
    const refusal = async () => (await colleague.send('getAttendanceSessionData', SESSION)).error?.code;
    await expect.poll(refusal, PATIENCE).toBe('NOT_SESSION_TEACHER');
    const rooms = () => there.rollcall.io.of('/').adapter.socketRooms(student.socket.id as never)?.size ?? 0;
    await expect.poll(rooms, PATIENCE).toBeLessThanOrEqual(1);
  });
});
