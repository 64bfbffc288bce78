import { expect, test, vi } from 'vitest';
import type { LiveSession } from './index.js';
import { type Journal, journalServer, session_id } from './testing/journal-server.js';
import { clientOf } from './testing/scripted-server.js';

const patiently = { timeout: 30_000 };
const marked = (student: number, status: string) => ({ type: 'marked', student, status }) as const;
const checkedIn = (student: number) => ({ type: 'checked_in', student }) as const;

function watched(live: LiveSession) {
  const resets: object[] = [];
  const seqs: number[] = [];
  live.on('reset', (reset) => resets.push(reset));
  live.on('change', ({ seq }) => seqs.push(seq));
  return { resets, seqs };
}

const equals = (live: LiveSession, journal: Journal) =>
  vi.waitFor(() => {
    expect(live).toMatchObject({ state: 'live', seq: journal.seq });
    expect([...live.records.values()]).toEqual([...journal.records().values()]);
  }, patiently);

test.each([true, false])(
  '[SDK-160] a teacher’s picture of a journal that was cut back is replaced (chains: %s)',
  async (chained) => {
    const server = await journalServer({ chained });
    const live = await clientOf(server.url).openSession(session_id);
    const { resets, seqs } = watched(live);
    server.commit(marked(0, 'present'), marked(1, 'late'));
    server.commit(marked(0, 'excused'));
    await equals(live, server.journal);

    server.restart(() => server.journal.restore(1));
    await vi.waitFor(() => expect(resets).toEqual([{ from_seq: 4, to_seq: 1 }]), patiently);
    await equals(live, server.journal);

    server.commit(marked(2, 'present'));
    await equals(live, server.journal);
    expect(seqs).toEqual([2, 3, 4, 2]);
    expect(resets).toHaveLength(1);
  },
);

test('[SDK-160] a teacher’s picture is replaced where the same numbers stand for other entries', async () => {
  const server = await journalServer();
  const live = await clientOf(server.url).openSession(session_id);
  const { resets } = watched(live);
  server.commit(marked(0, 'present'), marked(1, 'late'));
  await equals(live, server.journal);
  const { chain } = server.journal;

  server.restart(() => {
    server.journal.restore(1);
    server.journal.commit([marked(1, 'present'), marked(2, 'present')]);
  });
  await vi.waitFor(() => expect(resets).toEqual([{ from_seq: 3, to_seq: 3 }]), patiently);
  await equals(live, server.journal);
  expect(server.asked()).toEqual([{ since_seq: 3, since_chain: chain }]);
});

test('[SDK-160] entries that came without a chain are compared with those of the answer', async () => {
  const server = await journalServer();
  const live = await clientOf(server.url).openSession(session_id);
  const { resets } = watched(live);
  const { chain } = server.journal;
  server.commit(checkedIn(0));
  server.commit(checkedIn(1));
  await equals(live, server.journal);

  // The same entries: nothing is replaced, and nothing is applied twice.
  server.restart(() => undefined);
  await vi.waitFor(() => expect(server.asked()).toHaveLength(1), patiently);
  await equals(live, server.journal);
  expect(resets).toEqual([]);

  server.commit(checkedIn(2));
  await equals(live, server.journal);
  server.restart(() => {
    server.journal.restore(3);
    server.journal.commit([checkedIn(2)]);
  });
  await vi.waitFor(() => expect(resets).toEqual([{ from_seq: 4, to_seq: 4 }]), patiently);
  await equals(live, server.journal);
  expect(server.asked()[0]).toEqual({ since_seq: 1, since_chain: chain });
});

test('[SDK-160] a chain that contradicts the picture makes the client ask, also without a reconnect', async () => {
  const server = await journalServer();
  const live = await clientOf(server.url).openSession(session_id);
  const { resets } = watched(live);
  server.commit(marked(0, 'present'));
  await equals(live, server.journal);
  server.journal.restore(1);
  server.commit(marked(1, 'late'));
  await vi.waitFor(() => expect(resets).toEqual([{ from_seq: 2, to_seq: 2 }]), patiently);
  await equals(live, server.journal);
});

test.each([true, false])(
  '[SDK-161] a student’s picture of a journal that was cut back is replaced (chains: %s)',
  async (chained) => {
    const server = await journalServer({ chained });
    const live = await clientOf(server.url).joinSession(session_id);
    const { resets } = watched(live);
    server.commit(marked(0, 'present'), marked(1, 'late'));
    await vi.waitFor(() => expect(live).toMatchObject({ own: { status: 'present' }, seq: 3 }), patiently);

    server.restart(() => server.journal.restore(1));
    await vi.waitFor(() => expect(resets).toEqual([{ from_seq: 3, to_seq: 1 }]), patiently);
    expect([...live.records]).toEqual([['student-1', server.journal.records().get('student-1')]]);
    server.commit(marked(0, 'late'));
    await vi.waitFor(() => expect(live.own).toMatchObject({ status: 'late', seq: 2 }), patiently);
    expect(live.state).toBe('live');
  },
);

test('[SDK-163] a node that hasn’t heard of the newest entries is no reason to replace anything', async () => {
  const server = await journalServer();
  const live = await clientOf(server.url).openSession(session_id);
  const { resets, seqs } = watched(live);
  server.commit(checkedIn(0));
  server.commit(checkedIn(1));
  await equals(live, server.journal);

  server.restart(() => server.lag(2));
  await vi.waitFor(() => expect(server.asked().map(({ since_seq }) => since_seq)).toEqual([1, 3, 1]), patiently);
  await equals(live, server.journal);
  expect([resets, seqs]).toEqual([[], [2, 3]]);
});

test('[SDK-162] what wasn’t acknowledged before a reset is sent after it with the op_id that it had', async () => {
  const server = await journalServer();
  const client = clientOf(server.url);
  const live = await client.openSession(session_id);
  const { resets } = watched(live);
  server.commit(marked(0, 'present'));
  await equals(live, server.journal);
  const marks: Array<Promise<unknown>> = [];
  server.restart(() => {
    server.journal.restore(1);
    for (const student of ['student-1', 'student-2'])
      marks.push(live.markPresent(student, {}, { op_id: `of ${student}` }));
  });
  await Promise.all(marks);
  await vi.waitFor(() => expect(resets).toHaveLength(1), patiently);
  const sent = server.received.filter(({ event }) => event === 'markStudentPresent').map(({ payload }) => payload);
  expect(sent.slice(-2).map(({ op_id, student_id }) => [student_id, op_id])).toEqual([
    ['student-1', 'of student-1'],
    ['student-2', 'of student-2'],
  ]);
});
