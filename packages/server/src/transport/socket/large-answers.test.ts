import type { Socket as ServerSocket } from 'socket.io';
import { expect, test } from 'vitest';
import type WebSocket from 'ws';
import {
  accepted,
  bulk,
  caughtUp,
  dataOf,
  joined,
  mark,
  refused,
  rowsOf,
  sessionId,
  startedClass,
} from '../../testing/class.js';
import { schoolOf } from '../../testing/school.js';
import { type Answer, type Client, startServer, type TestServer } from '../../testing/server.js';
import { waitingFor } from './engine/connection.js';

const session_id = 'session-1';
const MEGABYTE = 1024 * 1024;

const serverSideOf = (server: TestServer, { socket }: Client): ServerSocket => {
  const found = server.rollcall.io.of('/').sockets.get(String(socket.id));
  if (!found) throw new Error('not connected');
  return found;
};

const lineOf = ({ socket }: Client) => (socket.io.engine.transport as unknown as { readonly ws: WebSocket }).ws;

test('[APP-241] who asks for more than they read is answered as they read, and others are served meanwhile', async () => {
  const { server, teacher } = await startedClass(1_000);
  const greedy = await server.connect('cyd');
  const there = serverSideOf(server, greedy);
  lineOf(greedy).pause();
  const asked = Array.from({ length: 100 }, () => accepted(dataOf(greedy)));
  let most = 0;
  for (let n = 1; n <= 50; n += 1) {
    await accepted(mark(teacher, `student-${n}`, 'present'));
    most = Math.max(most, waitingFor(there).bytes);
  }
  await expect.poll(() => waitingFor(there).bytes, { timeout: 60_000 }).toBeGreaterThan(MEGABYTE);
  lineOf(greedy).resume();
  while (waitingFor(there).bytes > 0) {
    most = Math.max(most, waitingFor(there).bytes);
    await accepted(teacher.send('unsubscribeFromCourse', { course_id: 'none' }));
  }
  const answers = await Promise.all(asked);
  // Four megabytes, and the one answer that was made below that, twice. A hundred answers are ninety.
  expect(most).toBeLessThan(6 * MEGABYTE);
  for (const answer of answers) expect(rowsOf(answer)).toHaveLength(1_000);
  const seqs = answers.map(({ seq }) => Number(seq));
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
});

test('[APP-241] what waits for a connection that goes is given up', async () => {
  const { server, teacher } = await startedClass(1_000);
  const greedy = await server.connect('cyd');
  lineOf(greedy).pause();
  const there = serverSideOf(server, greedy);
  for (let n = 0; n < 50; n += 1) greedy.emit('getAttendanceSessionData', { session_id });
  await expect.poll(() => waitingFor(there).bytes, { timeout: 60_000 }).toBeGreaterThan(MEGABYTE);
  lineOf(greedy).terminate();
  await expect.poll(() => there.connected, { timeout: 60_000 }).toBe(false);
  await accepted(mark(teacher, 'student-1', 'present'));
  await server.close();
});

test('[APP-242] a thousand commands in one write leave others their turn', async () => {
  const { server } = await startedClass(30);
  const greedy = await server.connect('cyd');
  await accepted(greedy.send('getOnlineStudents', { session_id }));
  let made = 0;
  serverSideOf(server, greedy).conn.on('packetCreate', () => {
    made += 1;
  });
  for (let n = 0; n < 1_000; n += 1) greedy.emit('getOnlineStudents', { session_id });
  let most = 0;
  let before = 0;
  // Turn by turn: what is made in one of them keeps everybody else waiting.
  while (made < 1_000) {
    await new Promise((resolve) => setImmediate(resolve));
    most = Math.max(most, made - before);
    before = made;
  }
  expect(most).toBeLessThan(900);
  await caughtUp(greedy);
  expect(greedy.all('onlineStudentsData')).toHaveLength(1_001);
});

test('[APP-240] long answers count by what they hold', async () => {
  const variables = { RATE_LIMIT_TEACHER_PER_SECOND: '20' };
  const { server } = await startedClass(2_000, { variables });
  const greedy = await server.connect('cyd');
  const began = performance.now();
  const answers = await Promise.all(Array.from({ length: 20 }, () => accepted(dataOf(greedy))));
  // 9 events each, of which 80 are the burst: the others are waited for, 20 a second.
  expect(performance.now() - began).toBeGreaterThan(3_000);
  for (const answer of answers) expect(rowsOf(answer)).toHaveLength(2_000);
});

test('[DATA-240] who asks at the same seq gets the same records, and after a change the new ones', async () => {
  const { server, teacher } = await startedClass(30);
  const colleague = await server.connect('cyd');
  const [first, second] = await Promise.all([dataOf(teacher), dataOf(colleague)]);
  expect(second).toEqual(first);
  await accepted(bulk(teacher, [{ student_id: 'student-2', status: 'late', remarks: 'bus' }]));
  const third = await dataOf(colleague);
  expect(rowsOf(third).find(({ student_id }) => student_id === 'student-2')).toMatchObject({
    status: 'late',
    remarks: 'bus',
  });
  expect(await accepted(colleague.send('watchAttendanceSession', { session_id }))).toEqual(third);
  const student = await joined(server, 's-1');
  await caughtUp(teacher);
  const fourth: Answer = await dataOf(teacher);
  expect(fourth['statistics']).toMatchObject({ onlineCount: 1 });
  // A student's email is for teachers alone, also where both are kept written.
  await accepted(teacher.send('endAttendanceSession', { session_id }));
  expect(JSON.stringify(await teacher.next('attendanceSessionEndedConfirm'))).toContain('"email"');
  expect(JSON.stringify(await student.next('attendanceSessionEnded'))).not.toContain('"email"');
});

test('[APP-240] a start that is refused for its size has no effect', async () => {
  const server = await startServer({ RATE_LIMIT_TEACHER_PER_SECOND: '1' }, schoolOf(1_000));
  const teacher = await server.connect('ada');
  // The burst, and as much as a wait makes good for the event itself: not for its thousand students.
  for (let n = 0; n < 4; n += 1) teacher.emit('unsubscribeFromCourse', { course_id: 'none' });
  const refusal = await refused(teacher.send('startAttendanceSession', { session_id }));
  expect(refusal).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
  expect(await server.storage.projection.findSession(sessionId(session_id))).toMatchObject({ status: 'scheduled' });
  expect(server.rollcall.io.of('/').adapter.rooms.has(`rollcall:teachers:${session_id}`)).toBe(false);
});
