import type { Socket } from 'socket.io-client';
import type { Lab } from '../experiment.js';
import type { StoredEntry } from './database.js';
import { type Answer, Plain } from './plain.js';

const TICK_MS = 10;
/** Marks sent at most in one go, where the machine didn't come round to it for a while. */
const CATCH_UP_MAX = 20;
const RETRY_MS = 100;

export interface MarkLoadOptions {
  readonly url: string;
  readonly uid?: string;
  readonly session_id: string;
  readonly students: number;
  /** Begins every op_id and remark, so that two loads on one session can be told apart. */
  readonly name: string;
  /** `some`: of the marks that lost their answer with the connection, every other one is never sent again. */
  readonly repeat?: 'all' | 'some';
}

interface Mark {
  readonly session_id: string;
  readonly student_id: string;
  readonly status: string;
  readonly remarks: string;
  readonly op_id: string;
}

/**
 * Marks at a steady rate by a stock socket, each another change with an op_id of its own. One that lost its answer or
 * was refused for the time being is sent again with the same op_id, until it is acknowledged.
 */
export class MarkLoad {
  /** op_id → the seq of the answer. */
  readonly acknowledged = new Map<string, number>();
  readonly abandoned = new Set<string>();
  /** Codes of retryable refusals, and how many. */
  readonly refusals = new Map<string, number>();
  /** Marks that were found committed when they were sent again. */
  duplicates = 0;
  /** What was answered and may not be. */
  readonly faults: string[] = [];
  /** When a mark was sent first (`performance.now()`), and how long its first answer took, in ms. */
  readonly latencies: Array<{ readonly sent_at: number; readonly ms: number }> = [];
  readonly socket: Socket;
  readonly #options: MarkLoadOptions;
  readonly #open = new Map<string, Mark>();
  readonly #toRepeat = new Map<string, Mark>();
  #made = 0;
  #timer: NodeJS.Timeout | undefined;
  #attempt = 0;

  private constructor(plain: Plain, options: MarkLoadOptions) {
    this.#options = options;
    this.socket = plain.socket;
    this.socket.on('connect', () => {
      for (const mark of this.#toRepeat.values()) this.#send(mark);
    });
    this.socket.on('disconnect', () => this.#sortOut());
  }

  static async start(lab: Lab, options: MarkLoadOptions): Promise<MarkLoad> {
    const plain = await Plain.connect(lab, options.url, options.uid ?? 'ada', {
      reconnectionDelay: 20,
      reconnectionDelayMax: 50,
    });
    const load = new MarkLoad(plain, options);
    lab.defer(() => load.pause());
    return load;
  }

  /** @param perSecond marks a second */
  run(perSecond: number): void {
    this.pause();
    const began = performance.now();
    let due = 0;
    this.#timer = setInterval(() => {
      const total = ((performance.now() - began) * perSecond) / 1_000;
      const now = Math.min(Math.floor(total - due), CATCH_UP_MAX);
      due = total - now > due + 1 ? total : due + now;
      // Socket.IO would keep it and send it later.
      if (this.socket.connected) this.send(now);
    }, TICK_MS);
  }

  /** This many marks at once. */
  send(count: number): void {
    for (let i = 0; i < count; i += 1) this.#send(this.#next());
  }

  pause(): void {
    clearInterval(this.#timer);
  }

  /** Marks without an answer. */
  get waiting(): number {
    return this.#open.size + this.#toRepeat.size;
  }

  /** Stops, and waits until every mark that isn't abandoned has been acknowledged. */
  async finish(lab: Lab, within = 60_000): Promise<void> {
    this.pause();
    await lab.until(() => this.waiting === 0, `every mark of ${this.#options.name} is answered`, { within });
    lab.equal(this.faults, [], 'answers to marks that may not be');
  }

  #next(): Mark {
    const { name, session_id, students } = this.#options;
    const n = ++this.#made;
    return {
      session_id,
      student_id: `student-${(n % students) + 1}`,
      status: n % 2 === 0 ? 'present' : 'late',
      remarks: `${name}-${n}`,
      op_id: `${name}-${n}`,
    };
  }

  #send(mark: Mark): void {
    const { op_id } = mark;
    const attempt = this.#attempt;
    const sent_at = performance.now();
    this.#toRepeat.delete(op_id);
    this.#open.set(op_id, mark);
    this.socket.emit('markStudentAttendance', mark, (answer: Answer) => {
      // Of a connection before this one.
      if (attempt !== this.#attempt || !this.#open.delete(op_id)) return;
      if (answer.ok) {
        this.latencies.push({ sent_at, ms: performance.now() - sent_at });
        this.#acknowledge(op_id, Number(answer['seq']));
        if (answer['duplicate'] === true) this.duplicates += 1;
      } else this.#refused(mark, answer);
    });
  }

  #refused(mark: Mark, { error }: Answer): void {
    const code = error?.code ?? 'no code';
    if (!error?.retryable) {
      this.faults.push(`${mark.op_id}: ${code}`);
      return;
    }
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
    this.#toRepeat.set(mark.op_id, mark);
    setTimeout(() => {
      if (this.socket.connected && this.#toRepeat.has(mark.op_id)) this.#send(mark);
    }, RETRY_MS);
  }

  /** The connection is gone, and with it the answers that were under way. */
  #sortOut(): void {
    this.#attempt += 1;
    let n = 0;
    for (const [opId, mark] of this.#open) {
      if (this.#options.repeat === 'some' && n++ % 2 === 0) this.abandoned.add(opId);
      else this.#toRepeat.set(opId, mark);
    }
    this.#open.clear();
  }

  #acknowledge(opId: string, seq: number): void {
    const before = this.acknowledged.get(opId);
    if (before !== undefined && before !== seq) this.faults.push(`${opId}: answered with ${before} and ${seq}`);
    this.acknowledged.set(opId, seq);
  }
}

/** Every acknowledged mark is in the journal exactly once, where its answer said; nothing is there that nobody sent. */
export function nothingLostOrDoubled(lab: Lab, entries: readonly StoredEntry[], loads: readonly MarkLoad[]): void {
  entries.forEach(({ seq }, index) => {
    lab.must(seq === index + 1, `the journal goes from ${index} to ${seq}`);
  });
  const stored = new Map<string, number[]>();
  for (const { type, op_id = 'none', seq } of entries) {
    if (type === 'marked') stored.set(op_id, [...(stored.get(op_id) ?? []), seq]);
  }
  const doubled = [...stored].filter(([, seqs]) => seqs.length > 1).map(([opId]) => opId);
  const acknowledged = loads.flatMap((load) => [...load.acknowledged]);
  const lost = acknowledged.filter(([opId, seq]) => !stored.get(opId)?.includes(seq)).map(([opId]) => opId);
  lab.count('acknowledged marks', acknowledged.length);
  lab.count('lost', lost.length);
  lab.count('doubled', doubled.length);
  lab.equal(lost, [], 'acknowledged marks that are not where their answer said');
  lab.equal(doubled, [], 'marks that are stored more than once');
  const sent = new Set(loads.flatMap((load) => [...load.acknowledged.keys(), ...load.abandoned]));
  const strange = [...stored.keys()].filter((opId) => !sent.has(opId));
  lab.equal(strange, [], 'marks in the journal that nobody sent');
}
