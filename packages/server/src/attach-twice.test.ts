import { expect, test, vi } from 'vitest';
import { chatApp, PATIENCE } from './attach.test.support.js';
import { schoolOf } from './testing/school.js';
import { followed, sdk } from './testing/sdk.js';
import { connectTo, startServer } from './testing/server.js';

type Middleware = (socket: unknown, next: (error?: Error) => void) => void;

const session_id = 'session-1';
const twice: Middleware = (_socket, next) => {
  next();
  setImmediate(next);
};

test.each(['before', 'after'] as const)(
  '[EMBED-236] a middleware %s ours that calls its next twice lets its socket in once',
  async (order) => {
    const app = await chatApp();
    if (order === 'before') app.io.use(twice);
    const attached = await app.attach();
    if (order === 'after') app.io.use(twice);
    const entries: unknown[] = [];
    attached.on('recordChanged', ({ seq }) => void entries.push(seq));
    const teacher = await connectTo(app.url, 'ada');
    expect(await teacher.send('startAttendanceSession', { session_id })).toMatchObject({ ok: true, seq: 1 });
    for (const status of ['late', 'present']) {
      const mark = { session_id, student_id: 'student-1', status };
      expect(await teacher.send('markStudentAttendance', mark)).toMatchObject({ ok: true });
    }
    const student = await connectTo(app.url, 's-1');
    expect(await student.send('joinAttendanceSession', { session_id })).toMatchObject({ ok: true });
    await vi.waitFor(() => expect(entries).toEqual([2, 3, 4]), PATIENCE);
    expect(teacher.all('studentMarkedPresent')).toHaveLength(1);
    expect(teacher.all('studentMarkedLate')).toHaveLength(1);
    // Both ends of both connections are as they were: nobody was let in once more, and nobody was sent away.
    expect([teacher, student].map(({ socket }) => socket.connected)).toEqual([true, true]);
  },
);

test('[SDK-220] a session goes on where the server lets its socket in twice', async () => {
  const server = await startServer({}, schoolOf(3));
  server.rollcall.io.use(twice);
  const live = await sdk(server.url, 'ada').openSession(session_id, { start: {} });
  const seen = followed(live);
  const states: string[] = [];
  live.on('state', (state) => states.push(state));
  await live.markPresent('student-1');
  await live.mark('student-2', 'late');
  await vi.waitFor(() => expect(seen.seqs()).toEqual([2, 3]), PATIENCE);
  expect(live.state).toBe('live');
  expect(states).toEqual([]);
});
