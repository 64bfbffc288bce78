import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { RollcallClientError } from './errors.js';
import type { Lane } from './lanes.js';
import { type Link, Outbox } from './outbox.js';

/** What may happen to an outbox. `which` picks one of those that there are. */
type Step =
  | { readonly type: 'call'; readonly lanes: ReadonlyArray<Lane | undefined> }
  | { readonly type: 'up' | 'down' | 'wait' }
  | { readonly type: 'answer'; readonly which: number; readonly how: 'ok' | 'refused' | 'later' }
  | { readonly type: 'abort'; readonly which: number };

const MOST_IN_FLIGHT = 64;

interface Open {
  readonly id: number;
  readonly lane: Lane | undefined;
  state: 'ready' | 'sent' | 'waiting';
  refusals: number;
  /** When it is tried again, and how many were put off before it. */
  due: number;
  put_off: number;
}

/** The plain model: looks at everything that is open, from the first, whenever anything happened. */
class Model {
  open: Open[] = [];
  readonly sent: number[] = [];
  readonly results: string[] = [];
  connected = false;
  #now = 0;
  #putOff = 0;

  call(lane: Lane | undefined): void {
    const id = this.results.push('open') - 1;
    this.open.push({ id, lane, state: 'ready', refusals: 0, due: 0, put_off: 0 });
    this.pump();
  }

  pump(): void {
    if (!this.connected) return;
    for (const one of this.open) if (!one.lane && one.state === 'ready') this.#send(one);
    const changes = this.open.filter(({ lane }) => lane);
    for (const [index, one] of changes.entries()) {
      if (changes.filter(({ state }) => state === 'sent').length >= MOST_IN_FLIGHT) return;
      const inTheWay = changes
        .slice(0, index)
        .some(
          ({ lane }) =>
            lane?.session_id === one.lane?.session_id &&
            (lane?.student_id === null || one.lane?.student_id === null || lane?.student_id === one.lane?.student_id),
        );
      if (!inTheWay && one.state === 'ready') this.#send(one);
    }
  }

  settle(one: Open, result: string): void {
    this.results[one.id] = result;
    this.open = this.open.filter((other) => other !== one);
    this.pump();
  }

  putOff(one: Open): void {
    // Half to all of 200 ms × 2^n, at most 5 s, with randomness in the middle.
    const delay = Math.min(5_000, 200 * 2 ** one.refusals) * 0.75;
    Object.assign(one, {
      state: 'waiting',
      refusals: one.refusals + 1,
      due: this.#now + delay,
      put_off: this.#putOff++,
    });
    this.pump();
  }

  wait(ms: number): void {
    const due = this.open.filter((one) => one.state === 'waiting' && one.due <= this.#now + ms);
    for (const one of due.sort((a, b) => a.due - b.due || a.put_off - b.put_off)) {
      one.state = 'ready';
      this.pump();
    }
    this.#now += ms;
  }

  down(): void {
    this.connected = false;
    for (const one of this.open) if (one.state === 'sent') one.state = 'ready';
  }

  #send(one: Open): void {
    one.state = 'sent';
    this.sent.push(one.id);
  }
}

const lane: fc.Arbitrary<Lane | undefined> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      session_id: fc.constantFrom('a', 'b'),
      student_id: fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom('1', '2', '3') },
        { weight: 1, arbitrary: fc.constant(null) },
      ),
    }),
  },
  // More students than may be in flight.
  { weight: 4, arbitrary: fc.nat(200).map((n) => ({ session_id: 'a', student_id: `of ${n}` })) },
  { weight: 1, arbitrary: fc.constant(undefined) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(lane, { minLength: 1, maxLength: 60 }).map((lanes) => ({ type: 'call', lanes }) as const),
  },
  { weight: 5, arbitrary: fc.constantFrom('up', 'up', 'down', 'wait').map((type) => ({ type }) as const) },
  {
    weight: 10,
    arbitrary: fc.record({
      type: fc.constant('answer' as const),
      which: fc.nat(70),
      how: fc.constantFrom('ok' as const, 'refused' as const, 'later' as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('abort' as const), which: fc.nat(300) }) },
);

const answers = {
  ok: { ok: true, seq: 1 },
  refused: { ok: false, error: { code: 'BAD_REQUEST', message: 'no', retryable: false } },
  later: { ok: false, error: { code: 'STORAGE_UNAVAILABLE', message: 'later', retryable: true } },
};

test('[SDK-8] commands are sent in the order of a plain scan, each with its op_id, whatever is answered, put off, given up or cut', async () => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  onTestFinished(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const model = new Model();
      const outbox = new Outbox({ timeout: 10_000_000 });
      const sent: object[] = [];
      const answering = new Map<number, (answer: unknown) => void>();
      const link: Link = {
        heard_at: 0,
        drop: () => undefined,
        send: (_event, payload, answer) => {
          sent.push(payload);
          answering.set((payload as { id: number }).id, answer);
        },
      };
      const given: Array<{ payload: object; stop: AbortController; result: Promise<string> }> = [];
      const call = (lane: Lane | undefined) => {
        const payload = { id: given.length, op_id: `op-${given.length}` };
        const stop = new AbortController();
        const deadline = Number.POSITIVE_INFINITY;
        const order = { event: 'a command', payload, op_id: payload.op_id, lane, deadline, signal: stop.signal };
        const result = outbox.request(order).then(
          () => 'ok',
          (error: unknown) => (error instanceof RollcallClientError ? `${error.code} ${error.op_id}` : 'thrown'),
        );
        given.push({ payload, stop, result });
        model.call(lane);
      };
      for (const one of steps) {
        if (one.type === 'call') for (const lane of one.lanes) call(lane);
        else if (one.type === 'up' && !model.connected) {
          model.connected = true;
          outbox.up(link);
          model.pump();
        } else if (one.type === 'down' && model.connected) {
          outbox.down('cut');
          model.down();
        } else if (one.type === 'wait') {
          await vi.advanceTimersByTimeAsync(6_000);
          model.wait(6_000);
        } else if (one.type === 'answer') {
          const out = model.open.filter(({ state }) => state === 'sent');
          const answered = out[one.which % out.length];
          if (!answered) continue;
          answering.get(answered.id)?.(answers[one.how]);
          if (one.how === 'later') model.putOff(answered);
          else model.settle(answered, one.how === 'ok' ? 'ok' : `BAD_REQUEST op-${answered.id}`);
        } else if (one.type === 'abort') {
          const given_up = model.open[one.which % model.open.length];
          if (!given_up) continue;
          given[given_up.id]?.stop.abort();
          model.settle(given_up, `ABORTED op-${given_up.id}`);
        }
        expect(outbox.size).toBe(model.open.length);
        expect(sent).toHaveLength(model.sent.length);
      }
      expect(sent).toEqual(model.sent.map((id) => given[id]?.payload));
      outbox.close(new RollcallClientError('CLOSED', 'closed'));
      for (const { id } of model.open) model.results[id] = `CLOSED op-${id}`;
      expect(await Promise.all(given.map(({ result }) => result))).toEqual(model.results);
      expect(outbox.size).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['for as many students', (n: number) => `student-${n}`],
  ['for thirty students', (n: number) => `student-${n % 30}`],
  ['for one student', () => 'student-1'],
  ['behind one for the whole session', (n: number) => (n === 0 ? null : `student-${n}`)],
] as const)(
  '[SDK-164] of 5,000 queued commands %s each is looked at a few times, not once for each other',
  async (_, student) => {
    let looks = 0;
    const outbox = new Outbox({ timeout: 10_000_000 });
    const link: Link = {
      heard_at: 0,
      drop: () => undefined,
      send: (_event, _payload, answer) => queueMicrotask(() => answer({ ok: true, seq: 1 })),
    };
    const queued = Array.from({ length: 5_000 }, (_, n) => {
      const lane: Lane = {
        get session_id() {
          looks += 1;
          return 'session-1';
        },
        student_id: student(n),
      };
      const deadline = Number.POSITIVE_INFINITY;
      return outbox.request({ event: 'a command', payload: {}, op_id: `${n}`, lane, deadline, signal: undefined });
    });
    outbox.up(link);
    await Promise.all(queued);
    expect(looks).toBeLessThanOrEqual(5 * queued.length);
  },
);
