import { expect, test } from 'vitest';
import { schoolOf } from '../testing/school.js';
import { startServer } from '../testing/server.js';

const session_id = 'session-1';

test('[JOIN-18] a late or needless leave is no error, neither of the enrolled nor of a walk-in', async () => {
  const server = await startServer({}, schoolOf(2));
  const teacher = await server.connect('ada');
  const [joined, needless, walkIn] = [
    await server.connect('s-1'),
    await server.connect('s-2'),
    await server.connect('outsider'),
  ];
  await teacher.send('startAttendanceSession', { session_id });
  await teacher.send('markStudentPresent', { session_id, student_id: 'student-outsider', walk_in: true });
  for (const student of [joined, walkIn]) await student.send('joinAttendanceSession', { session_id });
  const left = { ok: true, session_id, message: 'Left attendance session' };
  expect(await needless.send('leaveAttendanceSession', { session_id })).toEqual(left);
  await teacher.send('endAttendanceSession', { session_id });
  for (const student of [joined, needless, walkIn]) {
    for (let times = 0; times < 2; times += 1) {
      expect(await student.send('leaveAttendanceSession', { session_id })).toEqual(left);
    }
  }
  const restarted = await server.restart();
  const again = await restarted.connect('outsider');
  expect(await again.send('leaveAttendanceSession', { session_id })).toEqual(left);
  for (const client of [joined, needless, walkIn, again]) expect(client.all('attendanceError')).toEqual([]);
});
