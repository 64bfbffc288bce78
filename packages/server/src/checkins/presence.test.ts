import { expect, test, vi } from 'vitest';
import {
  accepted,
  caughtUp,
  end,
  holdCommits,
  joined,
  journalOf,
  mark,
  refused,
  startedClass,
} from '../testing/class.js';
import type { Client, Payload } from '../testing/server.js';

/** Longer than the grace of 5 s, with patience for a busy machine. */
const PAST_THE_GRACE = { timeout: 20_000, interval: 50 };

const online = async (teacher: Client) => accepted(teacher.send('getOnlineStudents', { session_id: 'session-1' }));
const join = (client: Client) => client.send('joinAttendanceSession', { session_id: 'session-1' });
const leave = (client: Client) => client.send('leaveAttendanceSession', { session_id: 'session-1' });
const leftOf = (teacher: Client) => teacher.all('studentLeftAttendance');
const at = (payload: Payload | undefined, field: string) => Date.parse(String(payload?.[field]));

/** Waits until the server knows that this client's connection is gone. */
async function gone(teacher: Client, student_id: string): Promise<void> {
  const socketOf = async () => {
    const { online_students } = await online(teacher);
    return (online_students as Payload[]).find((each) => each['student_id'] === student_id)?.['socket_id'];
  };
  await expect.poll(socketOf, PAST_THE_GRACE).toBeNull();
}

test('[JOIN-13] a student with two sockets is online until the last one goes', async () => {
  const { server, teacher } = await startedClass(2);
  const phone = await joined(server, 's-1');
  const laptop = await joined(server, 's-1');
  const classmate = await joined(server, 's-2');
  const socketGone = phone.socket.id;
  phone.close();
  await expect
    .poll(async () => {
      const { online_students } = await online(teacher);
      return (online_students as Payload[]).map(({ socket_id }) => socket_id);
    }, PAST_THE_GRACE)
    .not.toContain(socketGone);
  classmate.close();
  // The classmate's going is announced after a whole grace; the student's would have been before it.
  await vi.waitFor(() => expect(leftOf(teacher)).toHaveLength(1), PAST_THE_GRACE);
  expect(leftOf(teacher)).toMatchObject([{ student_id: 'student-2', remaining_online_count: 1 }]);
  expect(await online(teacher)).toMatchObject({ online_count: 1 });
  await caughtUp(laptop);
});

test('[JOIN-14] [APP-7] [APP-8] who leaves or loses the connection is announced to the teachers after 5 s', async () => {
  const { server, teacher } = await startedClass(3);
  const [leaver, lost, witness] = await Promise.all(['s-1', 's-2', 's-3'].map((uid) => joined(server, uid)));
  if (!leaver || !lost || !witness) throw new Error('not joined');
  const before = Date.now();
  await accepted(leave(leaver));
  lost.close();
  await vi.waitFor(() => expect(leftOf(teacher)).toHaveLength(2), PAST_THE_GRACE);
  const left = leftOf(teacher);
  expect(left.map(({ student_id }) => student_id).sort()).toEqual(['student-1', 'student-2']);
  const [first] = left;
  expect(first).toEqual({
    session_id: 'session-1',
    sessionId: 'session-1',
    student_id: first?.['student_id'],
    studentId: first?.['student_id'],
    student_name: expect.stringMatching(/^Student [12]$/),
    roll: expect.stringMatching(/^190700[12]$/),
    profile_picture: null,
    disconnected_at: expect.any(String),
    remaining_online_count: 2,
  });
  // The notice waits for the grace, and tells of when they went.
  expect(Date.now() - before).toBeGreaterThanOrEqual(4_900);
  expect(at(first, 'disconnected_at')).toBeGreaterThanOrEqual(before);
  expect(Date.now() - at(first, 'disconnected_at')).toBeGreaterThanOrEqual(4_900);
  expect(left[1]).toMatchObject({ remaining_online_count: 1 });
  await caughtUp(teacher, witness);
  expect(teacher.all('studentLeft')).toEqual(left);
  expect(witness.all('studentLeftAttendance')).toEqual([]);
  expect(witness.all('studentLeft')).toEqual([]);
});

test('[JOIN-15] [JOIN-16] coming back within the grace is silent, after it is announced', async () => {
  const { server, teacher } = await startedClass(3);
  const quick = await joined(server, 's-1');
  const slow = await joined(server, 's-2');
  quick.close();
  slow.close();
  await gone(teacher, 'student-1');
  const back = await server.connect('s-1');
  await vi.waitFor(() => expect(leftOf(teacher)).toHaveLength(1), PAST_THE_GRACE);
  expect(leftOf(teacher)).toMatchObject([{ student_id: 'student-2', remaining_online_count: 1 }]);
  expect(teacher.all('studentJoinedAttendance')).toHaveLength(2);
  const [, first] = teacher.all('studentJoinedAttendance');
  const later = await server.connect('s-2');
  await vi.waitFor(() => expect(teacher.all('studentJoinedAttendance')).toHaveLength(3), PAST_THE_GRACE);
  const [, , again] = teacher.all('studentJoinedAttendance');
  expect(again).toMatchObject({ student_id: 'student-2', checked_in_at: first?.['checked_in_at'] });
  expect(at(again, 'joined_at')).toBeGreaterThan(at(first, 'joined_at'));
  await caughtUp(teacher, back, later);
  expect(leftOf(teacher)).toHaveLength(1);
  expect(await online(teacher)).toMatchObject({ online_count: 2, total_joined: 2 });
});

test('[JOIN-17] leaving takes the socket out of the room and is answered', async () => {
  const { server, teacher } = await startedClass(2);
  const client = await joined(server, 's-1');
  const { ok, ...ack } = await accepted(leave(client));
  expect(ok).toBe(true);
  expect(ack).toEqual({ session_id: 'session-1', message: expect.any(String) });
  expect(await client.next('attendanceSessionLeft')).toEqual(ack);
  await accepted(teacher.send('markStudentPresent', { session_id: 'session-1', student_id: 'student-1' }));
  await caughtUp(client);
  expect(client.all('attendanceUpdated')).toEqual([]);
  expect(await server.rollcall.io.in('attendance_session-1').fetchSockets()).toEqual([]);
});

test('[JOIN-18] a late or needless leave is no error', async () => {
  const { server, teacher } = await startedClass(2);
  const never = await server.connect('s-2');
  const twice = await joined(server, 's-1');
  for (const client of [never, twice, twice]) expect(await leave(client)).toMatchObject({ ok: true });
  await accepted(end(teacher));
  for (const client of [never, twice]) expect(await leave(client)).toMatchObject({ ok: true });
  expect([...never.all('attendanceError'), ...twice.all('attendanceError')]).toEqual([]);
});

test('[JOIN-19] [JOIN-20] [JOIN-21] the online students are listed with one socket each', async () => {
  const { server, teacher } = await startedClass(4);
  const one = await joined(server, 's-1');
  const two = await joined(server, 's-2');
  await joined(server, 's-2');
  await server.connect('s-3');
  const { ok, ...ack } = await online(teacher);
  expect(ok).toBe(true);
  expect(await teacher.next('onlineStudentsData')).toEqual(ack);
  expect(ack).toEqual({
    session_id: 'session-1',
    total_joined: 2,
    online_count: 2,
    online_students: [
      {
        student_id: 'student-1',
        student_name: 'Student 1',
        roll: '1907001',
        profile_picture: null,
        socket_id: one.socket.id,
        joined_at: expect.any(String),
      },
      expect.objectContaining({ student_id: 'student-2', socket_id: two.socket.id }),
    ],
    retrieved_at: expect.any(String),
  });
  one.close();
  await vi.waitFor(() => expect(leftOf(teacher)).toHaveLength(1), PAST_THE_GRACE);
  expect(await online(teacher)).toMatchObject({ total_joined: 2, online_count: 1 });
});

test('[JOIN-17] a student who left on purpose isn’t put back by a new connection', async () => {
  const { server, teacher } = await startedClass(2);
  const client = await joined(server, 's-1');
  await accepted(leave(client));
  const again = await server.connect('s-1');
  await accepted(teacher.send('markStudentPresent', { session_id: 'session-1', student_id: 'student-1' }));
  await caughtUp(again);
  expect(again.all('attendanceUpdated')).toEqual([]);
  expect(await refused(again.send('joinAttendanceSession', { session_id: 'nowhere' }))).toMatchObject({
    code: 'SESSION_NOT_ACTIVE',
  });
});

test('[JOIN-22] a leave sent right behind the join takes the student out, and the check-in stays', async () => {
  const { server, teacher } = await startedClass(2);
  const client = await server.connect('s-1');
  const lock = await holdCommits(server);
  const joining = join(client);
  await accepted(leave(client));
  lock.release();
  await accepted(joining);
  expect(await journalOf(server)).toMatchObject([{ type: 'started' }, { type: 'checked_in', student_id: 'student-1' }]);
  const again = await server.connect('s-1');
  await accepted(mark(teacher, 'student-1', 'present'));
  await caughtUp(client, again);
  for (const each of [client, again]) expect(each.all('attendanceUpdated')).toEqual([]);
  expect(await server.rollcall.io.in('attendance_session-1').fetchSockets()).toEqual([]);
  // Whom the teachers saw coming they see going.
  await vi.waitFor(() => expect(leftOf(teacher)).toMatchObject([{ student_id: 'student-1' }]), PAST_THE_GRACE);
  expect(teacher.all('studentJoinedAttendance')).toHaveLength(1);
  expect(await online(teacher)).toMatchObject({ online_count: 0, total_joined: 1 });
  await accepted(join(client));
  await accepted(mark(teacher, 'student-1', 'late'));
  expect(await client.next('attendanceUpdated')).toMatchObject({ status: 'late' });
});

test('[JOIN-22] a leave takes back the joins before it and not the one behind it', async () => {
  const { server, teacher } = await startedClass(2);
  const client = await joined(server, 's-1');
  const lock = await holdCommits(server);
  const waiting = mark(teacher, 'student-2', 'late');
  await caughtUp(teacher);
  const before = join(client);
  await accepted(leave(client));
  const behind = join(client);
  await caughtUp(client);
  lock.release();
  await Promise.all([waiting, before, behind].map(accepted));
  await accepted(mark(teacher, 'student-1', 'present'));
  expect(await client.next('attendanceUpdated')).toMatchObject({ student_id: 'student-1' });
  expect(await online(teacher)).toMatchObject({ online_students: [{ socket_id: client.socket.id }] });
});

test('[JOIN-22] a student who left behind their join and lost the connection isn’t put back', async () => {
  const { server, teacher } = await startedClass(2);
  const client = await server.connect('s-1');
  const lock = await holdCommits(server);
  client.emit('joinAttendanceSession', { session_id: 'session-1' });
  await accepted(leave(client));
  const sockets = server.rollcall.io.of('/').sockets;
  const id = String(client.socket.id);
  client.close();
  await expect.poll(() => sockets.has(id)).toBe(false);
  lock.release();
  await teacher.next('studentJoinedAttendance');
  const again = await server.connect('s-1');
  await accepted(mark(teacher, 'student-1', 'present'));
  await caughtUp(again);
  expect(again.all('attendanceUpdated')).toEqual([]);
});
