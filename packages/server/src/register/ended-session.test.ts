import { expect, test, vi } from 'vitest';
import { schoolOf } from '../testing/school.js';
import { startServer } from '../testing/server.js';

const session_id = 'session-1';

test('[RIGHT-12] a crowd that joins a session that is over doesn’t have its journal read', async () => {
  const first = await startServer({}, schoolOf(1));
  const teacher = await first.connect('ada');
  await teacher.send('startAttendanceSession', { session_id });
  await teacher.send('endAttendanceSession', { session_id });
  const server = await first.restart();
  const student = await server.connect('s-1');
  const read = vi.spyOn(server.storage.journal, 'readCommits');
  const answers = await Promise.all(
    Array.from({ length: 60 }, () => student.send('joinAttendanceSession', { session_id })),
  );
  expect(new Set(answers.map(({ error }) => error?.code))).toEqual(new Set(['SESSION_NOT_ACTIVE']));
  expect(read.mock.calls.filter(([id]) => id === session_id)).toEqual([]);
});

test('[DATA-2] teachers who look at a session that is over at once share one reading of its journal', async () => {
  const first = await startServer({}, schoolOf(1));
  const teacher = await first.connect('ada');
  await teacher.send('startAttendanceSession', { session_id });
  await teacher.send('endAttendanceSession', { session_id });
  const server = await first.restart();
  const again = await server.connect('ada');
  const read = vi.spyOn(server.storage.journal, 'readCommits');
  const asks = Array.from({ length: 60 }, () => again.send('getAttendanceSessionData', { session_id }));
  const answers = await Promise.all(asks);
  expect(answers.every(({ ok }) => ok)).toBe(true);
  expect(read.mock.calls.filter(([id]) => id === session_id)).toHaveLength(1);
});
