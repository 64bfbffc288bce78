import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { SnapshotMap, Snapshots } from './snapshots.js';
import { journalServer, session_id } from './testing/journal-server.js';
import { clientOf } from './testing/scripted-server.js';

const patiently = { timeout: 30_000 };
const marked = (student: number, status: string) => ({ type: 'marked', student, status }) as const;

test('[SDK-166] a snapshot stays as it is, and is the same one until something changes', async () => {
  const server = await journalServer();
  const live = await clientOf(server.url).openSession(session_id);
  const before = live.getSnapshot();
  const { records, session, online } = before;
  const listed = [...records.values()];
  expect(live.getSnapshot()).toBe(before);
  expect(before).toMatchObject({ state: 'live', seq: 1, own: undefined, code: undefined });
  expect(listed).toEqual([...live.records.values()]);

  const told: number[] = [];
  const stop = live.subscribe(() => told.push(live.getSnapshot().seq));
  server.commit(marked(0, 'present'), marked(1, 'late'));
  await vi.waitFor(() => expect(live.seq).toBe(3), patiently);
  const after = live.getSnapshot();
  // Once for both marks, which came in one go.
  expect(told).toEqual([3]);
  expect(after).not.toBe(before);
  expect(after.records.get('student-1')).toMatchObject({ status: 'present', seq: 2 });
  expect(before.records).toBe(records);
  expect([...records.values()]).toEqual(listed);
  expect(records.get('student-1')?.status).toBe('absent');
  // What didn't change is the very same.
  expect([after.session, after.online]).toEqual([session, online]);
  expect(after.session).toBe(session);
  expect(after.online).toBe(online);
  expect(after.records.get('student-3')).toBe(records.get('student-3'));

  stop();
  server.commit(marked(2, 'late'));
  await vi.waitFor(() => expect(live.seq).toBe(4), patiently);
  expect(told).toEqual([3]);
});

test('[SDK-166] what says the same as before changes no snapshot', async () => {
  const server = await journalServer();
  const live = await clientOf(server.url).openSession(session_id);
  const statistics = { totalStudents: 3, presentCount: 1, onlineCount: 0 };
  const tell = (presentCount: number) =>
    server.io.emit('attendanceStatistics', { session_id, seq: 1, statistics: { ...statistics, presentCount }, at: '' });
  tell(1);
  await vi.waitFor(() => expect(live.statistics).toEqual(statistics), patiently);
  const before = live.getSnapshot();
  let told = 0;
  live.subscribe(() => {
    told += 1;
  });
  const heard = live.once('statistics');
  tell(1);
  await heard;
  await new Promise((resolve) => setImmediate(resolve));
  expect([live.getSnapshot() === before, told]).toEqual([true, 0]);

  // Read anew after a reconnect, everything is as it was: the states on the way are all that was told.
  const resynced = live.once('resynced');
  server.restart(() => undefined);
  await resynced;
  await vi.waitFor(() => expect(live.state).toBe('live'), patiently);
  const { state: _, ...now } = live.getSnapshot();
  expect(now.records).toBe(before.records);
  expect(now.session).toBe(before.session);
  expect(now.online).toBe(before.online);
});

test('[SDK-166] a listener that throws keeps no other from hearing, and one taken off meanwhile hears nothing', () => {
  const tasks: Array<() => void> = [];
  const queue = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((task) => tasks.push(task));
  onTestFinished(() => queue.mockRestore());
  let value = 0;
  const snapshots = new Snapshots(() => ({ value }));
  const heard: string[] = [];
  snapshots.subscribe(() => {
    heard.push('first');
    stop();
    throw new Error('of a listener');
  });
  const stop = snapshots.subscribe(() => heard.push('second'));
  snapshots.subscribe(() => heard.push('third'));
  value = 1;
  snapshots.touch();
  snapshots.touch();
  expect(tasks).toHaveLength(1);
  tasks[0]?.();
  expect(heard).toEqual(['first', 'third']);
  // Reported as an uncaught error, and blamed on nobody else.
  expect(tasks[1]).toThrow('of a listener');
});

test('[SDK-166] a map’s copy is another one exactly when the map has changed', () => {
  const write = fc.oneof(
    fc.record({ type: fc.constant('set' as const), key: fc.nat(3), value: fc.nat(2) }),
    fc.record({ type: fc.constant('delete' as const), key: fc.nat(3) }),
    fc.record({ type: fc.constant('clear' as const) }),
  );
  fc.assert(
    fc.property(fc.array(write), (writes) => {
      const map = new SnapshotMap<number, number>();
      const model = new Map<number, number>();
      for (const one of writes) {
        const [copy, before] = [map.snapshot(), [...model]];
        if (one.type === 'set') {
          map.set(one.key, one.value);
          model.set(one.key, one.value);
        } else if (one.type === 'delete') {
          map.delete(one.key);
          model.delete(one.key);
        } else {
          map.clear();
          model.clear();
        }
        expect([...copy]).toEqual(before);
        expect([...map.snapshot()]).toEqual([...model]);
        expect(map.snapshot() === copy).toBe(JSON.stringify([...model]) === JSON.stringify(before));
      }
    }),
  );
});
