import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Emitter } from './emitter.js';
import type { Caller, ClientEvents, ConnectionState } from './events.js';
import { LiveSession } from './live-session.js';
import { type Added, answerOf, Journal, session_id, toldOf } from './testing/journal-server.js';

interface Request {
  readonly event: string;
  readonly payload: { readonly since_seq?: number; readonly since_chain?: string };
  /** As the server made it; undefined where it hasn't read the request yet, or the answer was lost. */
  answer?: object | undefined;
  readonly deliver: (answer: unknown) => void;
}

/** A line to a server that keeps one journal. It can be cut; requests without an answer are then sent again. */
class Line extends Emitter<ClientEvents> implements Caller {
  readonly journal = new Journal();
  state: ConnectionState = 'connected';
  #requests: Request[] = [];

  request(event: string, payload: object): Promise<never> {
    return new Promise((resolve) => {
      this.#requests.push({ event, payload, deliver: resolve as (answer: unknown) => void });
    });
  }

  /** The server reads the first request that it hasn't read. */
  read(): void {
    const request = this.#requests.find(({ answer }) => answer === undefined);
    if (this.state !== 'connected' || !request) return;
    const online = { ok: true, session_id, online_students: [] };
    request.answer = request.event === 'getOnlineStudents' ? online : answerOf(this.journal, request.payload, true);
  }

  /** The first answer arrives. */
  deliver(): void {
    const index = this.#requests.findIndex(({ answer }) => answer !== undefined);
    const [request] = index < 0 ? [] : this.#requests.splice(index, 1);
    request?.deliver(request.answer);
  }

  commit(added: readonly Added[]): void {
    const [event, payload] = toldOf(this.journal.commit(added), this.journal.chain);
    if (this.state === 'connected')
      this.emit(event as 'attendanceChanges', payload as ClientEvents['attendanceChanges']);
  }

  connect(state: 'connected' | 'offline'): void {
    if (this.state === state) return;
    this.state = state;
    for (const request of this.#requests) request.answer = undefined;
    this.emit('state', { state });
  }
}

type Step =
  | { readonly type: 'commit'; readonly added: readonly Added[] }
  | { readonly type: 'cut' }
  | { readonly type: 'reconnect' }
  | { readonly type: 'read' }
  | { readonly type: 'deliver' }
  /** An answer and the end of the connection arrive in one piece. */
  | { readonly type: 'deliver and cut' }
  /** Cut, put back to the first commits, and on with something else. */
  | { readonly type: 'restore'; readonly commits: number; readonly next: ReadonlyArray<readonly Added[]> };

const commit: fc.Arbitrary<readonly Added[]> = fc.oneof(
  fc.nat(2).map((student) => [{ type: 'checked_in', student } as const]),
  fc.array(
    fc.record({
      type: fc.constant('marked' as const),
      student: fc.nat(2),
      status: fc.constantFrom('present', 'absent', 'late'),
    }),
    { minLength: 1, maxLength: 3 },
  ),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: commit.map((added) => ({ type: 'commit', added }) as const) },
  {
    weight: 6,
    arbitrary: fc.constantFrom<Step>(
      { type: 'cut' },
      { type: 'reconnect' },
      { type: 'read' },
      { type: 'deliver' },
      { type: 'deliver and cut' },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('restore' as const),
      commits: fc.nat(6),
      next: fc.array(commit, { maxLength: 4 }),
    }),
  },
);

const present: Added = { type: 'marked', student: 0, status: 'present' };
const late: Added = { type: 'marked', student: 1, status: 'late' };

async function turn(line: Line): Promise<void> {
  line.read();
  line.deliver();
  await vi.advanceTimersByTimeAsync(0);
}

/** Plays the steps to a live session; at the end the line is up and everything is answered. */
async function follow(steps: readonly Step[]) {
  const line = new Line();
  const opened = LiveSession.open(line, {
    session_id,
    role: 'teacher',
    first: () => line.request('getAttendanceSessionData', { session_id }),
  });
  // One epoch a reset: what was applied in each, and where it began.
  const epochs: Array<{ from: number; seqs: number[] }> = [];
  const listening = opened.then((live) => {
    epochs.push({ from: live.seq, seqs: [] });
    live.on('reset', ({ to_seq }) => epochs.push({ from: to_seq, seqs: [] }));
    live.on('change', ({ seq }) => epochs.at(-1)?.seqs.push(seq));
    return live;
  });
  await turn(line);
  await turn(line);
  const live = await listening;
  for (const one of steps) {
    if (one.type === 'commit') line.commit(one.added);
    else if (one.type === 'cut') line.connect('offline');
    else if (one.type === 'reconnect') line.connect('connected');
    else if (one.type === 'read') line.read();
    else if (one.type === 'deliver') line.deliver();
    else if (one.type === 'deliver and cut') {
      line.deliver();
      line.connect('offline');
    } else {
      line.connect('offline');
      line.journal.restore(one.commits);
      for (const added of one.next) line.commit(added);
    }
    await vi.advanceTimersByTimeAsync(0);
  }
  line.connect('connected');
  for (let turns = 0; turns < 100 && (live.state !== 'live' || turns < 10); turns++) {
    await turn(line);
    await vi.advanceTimersByTimeAsync(10_000);
  }
  live.close();
  return { live, journal: line.journal, epochs };
}

test('[SDK-160] whatever backup is put back, a teacher’s picture ends as the journal, each change applied once and in order', async () => {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
  let resets = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { live, journal, epochs } = await follow(steps);
      expect([...live.records.values()]).toEqual([...journal.records().values()]);
      expect(live.seq).toBe(journal.seq);
      for (const { from, seqs } of epochs) expect(seqs).toEqual(seqs.map((_, n) => from + n + 1));
      resets += epochs.length - 1;
      // What is no reset replaces nothing.
      if (!steps.some(({ type }) => type === 'restore')) expect(epochs).toHaveLength(1);
    }),
    {
      numRuns: 500,
      examples: [
        [
          [
            { type: 'commit', added: [present] },
            { type: 'cut' },
            { type: 'reconnect' },
            { type: 'read' },
            { type: 'deliver and cut' },
            { type: 'restore', commits: 1, next: [[late]] },
            { type: 'reconnect' },
            { type: 'commit', added: [present] },
          ],
        ],
      ],
    },
  );
  expect(resets).toBeGreaterThan(0);
});
