import { expect, test, vi } from 'vitest';
import type { LiveChange, LiveSession } from './index.js';
import { clientOf, type Received, refused, scripted } from './testing/scripted-server.js';

const at = '2026-11-23T09:00:00.000Z';
const session_id = 'session-1';
const statistics = {
  totalStudents: 2,
  presentCount: 0,
  absentCount: 2,
  lateCount: 0,
  excusedCount: 0,
  attendanceRate: 0,
  checkedInCount: 0,
  onlineCount: 0,
};
const record = (student_id: string, seq = 1) => ({
  _id: student_id,
  session_id,
  student_id,
  status: 'absent',
  remarks: null,
  student: {
    student_id,
    user_id: null,
    name: student_id,
    roll: null,
    section: null,
    profile_picture: null,
    email: null,
  },
  checked_in_at: null,
  marked_at: null,
  marked_by: null,
  seq,
  createdAt: at,
  updatedAt: at,
});
const head = { ok: true, session_id, session: { _id: session_id, status: 'active' }, statistics };
const whole = { ...head, attendanceRecords: [record('student-1'), record('student-2')], seq: 1 };
const present = (student_id: string) => ({
  student_id,
  student_name: student_id,
  roll: null,
  profile_picture: null,
  joined_at: at,
});
const marked = (seq: number, student_id: string, status: string) => ({
  seq,
  type: 'marked',
  at,
  actor: { user_id: 'user-ada', name: 'Ada Osei' },
  student_id,
  status,
  previous_status: 'absent',
  remarks: null,
});

/** A teacher's session on a server whose answers to catch-ups the test gives. */
async function followed(catchUp: (since: number, times: number) => object) {
  let times = 0;
  const online: string[] = [];
  const server = await scripted(({ event, payload }) => {
    if (event === 'getOnlineStudents') return { ok: true, session_id, online_students: online.map(present) };
    if (payload['since_seq'] === undefined) return whole;
    times += 1;
    return catchUp(Number(payload['since_seq']), times);
  });
  const client = clientOf(server.url);
  const live: LiveSession = await client.openSession(session_id);
  const changes: LiveChange[] = [];
  live.on('change', (change) => changes.push(change));
  const asked = () =>
    server.received.flatMap(({ payload }: Received) =>
      payload['since_seq'] === undefined ? [] : [payload['since_seq']],
    );
  return { ...server, live, online, asked, seqs: () => changes.map(({ seq }) => seq), changes };
}

test('[SDK-3] the changes of one commit in one frame are applied one by one', async () => {
  const { io, live, changes, asked } = await followed(() => refused('INTERNAL'));
  const { type: _type, at: updated_at, actor: _actor, ...first } = marked(2, 'student-1', 'present');
  io.emit('attendanceChanges', {
    session_id,
    from_seq: 2,
    to_seq: 3,
    changes: [
      { ...first, updated_by: 'Ada Osei', updated_at },
      { ...first, seq: 3, status: 'late', previous_status: 'present', updated_by: 'Cyd Moreau', updated_at },
    ],
  });
  await vi.waitFor(() => expect(changes).toHaveLength(2), { timeout: 30_000 });
  expect(changes.map(({ seq, status, previous_status, actor }) => [seq, status, previous_status, actor.name])).toEqual([
    [2, 'present', 'absent', 'Ada Osei'],
    [3, 'late', 'present', 'Cyd Moreau'],
  ]);
  expect(live.records.get('student-1')).toMatchObject({ status: 'late', marked_by: 'Cyd Moreau', seq: 3 });
  expect(asked()).toEqual([]);
});

test('[SDK-3] on a gap the changes after the last seq are asked for, and what lies behind it waits', async () => {
  const { io, live, seqs, asked } = await followed((since) => ({
    ...head,
    seq: 3,
    changes: [marked(2, 'student-1', 'present'), marked(3, 'student-2', 'late')].filter(({ seq }) => seq > since),
  }));
  for (const seq of [4, 4]) {
    io.emit('attendanceUpdated', {
      session_id,
      student_id: 'student-1',
      status: 'excused',
      attendanceRecord: { ...record('student-1', seq), status: 'excused' },
      updated_by: 'Ada Osei',
      updated_at: at,
      seq,
      previous_status: 'present',
    });
  }
  await vi.waitFor(() => expect(live.seq).toBe(4), { timeout: 30_000 });
  await vi.waitFor(() => expect(live.state).toBe('live'), { timeout: 30_000 });
  expect(seqs()).toEqual([2, 3, 4]);
  expect(asked()).toEqual([1]);
  expect([...live.records.values()].map(({ status }) => status)).toEqual(['excused', 'late']);
});

test('[SDK-3] statistics that count more than arrived show that something was lost', async () => {
  const { io, live, seqs } = await followed(() => ({ ...head, seq: 2, changes: [marked(2, 'student-1', 'present')] }));
  io.emit('attendanceStatistics', { session_id, seq: 2, statistics, at });
  await vi.waitFor(() => expect(live.seq).toBe(2), { timeout: 30_000 });
  expect(seqs()).toEqual([2]);
});

test('[SDK-3] events of other sessions are none of a session’s business', async () => {
  const { io, live, seqs, asked } = await followed(() => refused('INTERNAL'));
  io.emit('attendanceStatistics', { session_id: 'another', seq: 9, statistics: { ...statistics, lateCount: 9 }, at });
  io.emit('attendanceStatistics', { session_id, seq: 1, statistics: { ...statistics, lateCount: 1 }, at });
  await vi.waitFor(() => expect(live.statistics?.lateCount).toBe(1), { timeout: 30_000 });
  expect(live.seq).toBe(1);
  expect([seqs(), asked()]).toEqual([[], []]);
});

test('[SDK-4] a catch-up that is refused for now is asked for again, one refused for good ends the following', async () => {
  const { io, live, seqs, asked } = await followed((_, times) =>
    times <= 4
      ? refused('INTERNAL', { retryable: true })
      : times === 5
        ? { ...head, seq: 2, changes: [marked(2, 'student-1', 'present')] }
        : refused('NOT_SESSION_TEACHER'),
  );
  io.disconnectSockets(true);
  await vi.waitFor(() => expect(live).toMatchObject({ state: 'live', seq: 2 }), { timeout: 20_000 });
  expect(seqs()).toEqual([2]);
  expect(asked()).toEqual([1, 1, 1, 1, 1]);

  const error = live.once('error');
  io.disconnectSockets(true);
  expect(await error).toMatchObject({ code: 'NOT_SESSION_TEACHER' });
  expect(live.state).toBe('closed');
});

test('[SDK-4] a server that can’t fill a gap is asked ever more slowly', async () => {
  const { io, live, asked } = await followed((_, times) =>
    times < 4 ? { ...head, seq: 1, changes: [] } : { ...head, seq: 2, changes: [marked(2, 'student-1', 'late')] },
  );
  const update = { session_id, student_id: 'student-2', status: 'late', updated_by: 'Ada Osei', updated_at: at };
  const late = { ...record('student-2', 3), status: 'late' };
  io.emit('attendanceUpdated', { ...update, attendanceRecord: late, seq: 3, previous_status: 'absent' });
  await vi.waitFor(() => expect(live).toMatchObject({ state: 'live', seq: 3 }), { timeout: 20_000 });
  expect(asked()).toEqual([1, 1, 1, 1]);
});

test('[SDK-4] who is online is asked for after a reconnect, and followed by notices', async () => {
  const { io, live, online } = await followed(() => ({ ...head, seq: 1, changes: [] }));
  online.push('student-1');
  const resynced = live.once('resynced');
  io.disconnectSockets(true);
  await resynced;
  expect([...live.online.keys()]).toEqual(['student-1']);

  const [joined, left] = [live.once('joined'), live.once('left')];
  const notice = { session_id, user_id: null, checked_in_at: at, disconnected_at: at, remaining_online_count: 1 };
  io.emit('studentJoinedAttendance', { ...notice, ...present('student-2') });
  io.emit('studentLeftAttendance', { ...notice, ...present('student-1') });
  expect(await joined).toEqual(present('student-2'));
  expect(await left).toEqual({ student_id: 'student-1', student_name: 'student-1' });
  expect([...live.online.keys()]).toEqual(['student-2']);
});

test('[SDK-4] who came back without a notice is found by the number of those online', async () => {
  const { io, live, online } = await followed(() => refused('INTERNAL'));
  expect(live.online.size).toBe(0);
  online.push('student-1', 'student-2');
  io.emit('attendanceStatistics', { session_id, seq: 1, statistics: { ...statistics, onlineCount: 2 }, at });
  await vi.waitFor(() => expect([...live.online.keys()]).toEqual(online), { timeout: 10_000 });
});

test('[SDK-11] a session tells that it will end by itself, and is kept alive through it or the client', async () => {
  const { url, io, received } = await scripted(({ event }) => {
    if (event === 'getOnlineStudents') return { ok: true, session_id, online_students: [] };
    return event === 'keepAttendanceSessionAlive' ? { ok: true, session_id, ends_at: at } : whole;
  });
  const client = clientOf(url);
  const live = await client.openSession(session_id);
  const expiring = live.once('expiring');
  io.emit('attendanceSessionExpiring', { session_id: 'another', ends_at: at, reason: 'max_duration' });
  io.emit('attendanceSessionExpiring', { session_id, ends_at: at, reason: 'inactivity' });
  expect(await expiring).toEqual({ ends_at: at, reason: 'inactivity' });
  expect(await live.keepAlive()).toMatchObject({ ends_at: at });
  expect(await client.keepAlive(session_id)).toMatchObject({ ends_at: at });
  const kept = received.filter(({ event }) => event === 'keepAttendanceSessionAlive');
  expect(kept.map(({ payload }) => payload)).toEqual([{ session_id }, { session_id }]);
});

test('[SDK-3] a bulk that leaves a student as they were doesn’t make a mark of their check-in', async () => {
  const later = '2026-11-23T09:05:00.000Z';
  const own = { ...record('student-1', 2), checked_in_at: at };
  const { url, io } = await scripted(() => ({ ok: true, session_id, student_id: 'student-1', record: own, seq: 1 }));
  const live = await clientOf(url).joinSession(session_id);
  const changes: LiveChange[] = [];
  live.on('change', (change) => changes.push(change));
  const marks = { status: 'late', marked_at: later, marked_by: 'Ada Osei', updatedAt: later };
  const updatedRecords = [{ ...record('student-2', 3), ...marks }, own];
  io.emit('attendanceBulkUpdated', { session_id, updatedRecords, updated_by: 'Ada Osei', updated_at: later, seq: 3 });
  await vi.waitFor(() => expect(changes).not.toEqual([]), { timeout: 30_000 });
  expect(changes.map(({ type, seq, student_id }) => [type, seq, student_id])).toEqual([['marked', 3, 'student-2']]);
});
