import type { LiveSession } from '@rollcall/client';
import { io, type Socket } from 'socket.io-client';
import { onTestFinished } from 'vitest';
import type { Answer } from '../testing/server.js';

/** Before a mark that was refused for now is sent again. */
const AGAIN_MS = 50;
const TICK_MS = 10;
/** Marks sent at most in one go, where the machine didn't come round to it for a while. */
const CATCH_UP_MAX = 20;
/** One mark in five is the SDK's. */
const SDK_EVERY = 5;
/** Marks that the SDK may be given while it waits for a server. */
const SDK_WAITING_MAX = 64;
/** Of the marks that lost their answer, every other one is never sent again. */
const ABANDON_EVERY = 2;

interface Mark {
  readonly session_id: string;
  readonly student_id: string;
  readonly status: 'present' | 'absent';
  readonly remarks: string;
  readonly op_id: string;
}

/**
 * Marks at a steady rate, each another change with an op_id of its own, by a plain socket that repeats nothing of
 * itself and by an SDK session that repeats until there is an answer. Remembers which of them were acknowledged.
 */
export class MarkLoad {
  /** Acknowledged marks: op_id → the seq of the answer. */
  readonly acknowledged = new Map<string, number>();
  /** Marks without an answer that were never sent again. */
  readonly abandoned = new Set<string>();
  /** Marks whose answer was lost, and which were found committed when they were sent again with the same op_id. */
  duplicates = 0;
  /** Answers that were thrown away since {@link loseAnswers}. */
  lostAnswers = 0;
  /** Refusals: there must be none. */
  readonly refusals: string[] = [];
  #losesAnswers = false;
  #made = 0;
  readonly #session: LiveSession;
  readonly #socket: Socket;
  readonly #students: number;
  readonly #open = new Map<string, Mark>();
  readonly #toRepeat = new Map<string, Mark>();
  readonly #bySdk = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { url: string; token: string; session: LiveSession; students: number }) {
    this.#session = options.session;
    this.#students = options.students;
    this.#socket = io(options.url, {
      auth: { token: options.token },
      transports: ['websocket'],
      forceNew: true,
      // At once, so that its first repeat is among the first things that a restarted server hears.
      reconnectionDelay: 20,
      reconnectionDelayMax: 20,
    });
    this.#socket.on('connect', () => {
      for (const mark of this.#toRepeat.values()) this.#emit(mark, true);
    });
    this.#socket.on('disconnect', () => this.#sortOut());
    onTestFinished(() => {
      this.pause();
      this.#socket.disconnect();
    });
  }

  /** @param rate marks a second */
  run(rate: number): void {
    const began = performance.now();
    let due = 0;
    this.#timer = setInterval(() => {
      const total = ((performance.now() - began) * rate) / 1_000;
      const now = Math.min(Math.floor(total - due), CATCH_UP_MAX);
      due = total - now > due + 1 ? total : due + now;
      for (let i = 0; i < now; i++) this.#mark();
    }, TICK_MS);
  }

  pause(): void {
    clearInterval(this.#timer);
  }

  /**
   * From now until the connection is gone, answers to the plain socket are thrown away. To the server that is a network
   * that lost them: it has committed marks of which their sender knows nothing, however fast both of them are.
   */
  loseAnswers(): void {
    this.#losesAnswers = true;
    this.lostAnswers = 0;
  }

  /** Resolves when every mark that is repeated has been answered. */
  async settled(): Promise<void> {
    await Promise.all(this.#bySdk);
  }

  get waiting(): number {
    return this.#toRepeat.size + this.#open.size;
  }

  #mark(): void {
    const n = ++this.#made;
    const mark: Mark = {
      session_id: this.#session.session_id,
      student_id: `student-${(n % this.#students) + 1}`,
      status: n % 2 === 0 ? 'present' : 'absent',
      remarks: `mark ${n}`,
      op_id: `op-${n}`,
    };
    if (n % SDK_EVERY === 0 && this.#bySdk.size < SDK_WAITING_MAX) this.#markBySdk(mark);
    // Socket.IO would keep it and send it later.
    else if (this.#socket.connected) this.#emit(mark, false);
  }

  #markBySdk({ student_id, status, remarks, op_id }: Mark): void {
    const done = this.#session
      .mark(student_id, status, { remarks }, { op_id, deadline: Number.POSITIVE_INFINITY })
      .then(
        ({ seq }) => this.#acknowledge(op_id, seq),
        (error: unknown) => {
          this.refusals.push(`${op_id}: ${String(error)}`);
        },
      );
    this.#bySdk.add(done);
    void done.finally(() => this.#bySdk.delete(done));
  }

  #emit(mark: Mark, again: boolean): void {
    if (!again) this.#open.set(mark.op_id, mark);
    this.#socket.emit('markStudentAttendance', mark, (answer: Answer) => {
      if (this.#losesAnswers) {
        this.lostAnswers += 1;
        return;
      }
      this.#open.delete(mark.op_id);
      if (answer.error?.retryable === true) {
        // A database that is too busy: nothing is lost, the same mark goes again until it is in.
        this.#toRepeat.set(mark.op_id, mark);
        setTimeout(() => this.#socket.connected && this.#emit(mark, true), AGAIN_MS);
        return;
      }
      if (!answer.ok) {
        this.refusals.push(`${mark.op_id}: ${JSON.stringify(answer.error)}`);
        return;
      }
      this.#acknowledge(mark.op_id, Number(answer['seq']));
      this.#toRepeat.delete(mark.op_id);
      if (answer['duplicate'] === true) this.duplicates += 1;
    });
  }

  /** The server is gone, and with it the answers that were under way. */
  #sortOut(): void {
    this.#losesAnswers = false;
    let n = 0;
    for (const [opId, mark] of this.#open) {
      if (n++ % ABANDON_EVERY === 0) this.abandoned.add(opId);
      else this.#toRepeat.set(opId, mark);
    }
    this.#open.clear();
  }

  #acknowledge(opId: string, seq: number): void {
    const before = this.acknowledged.get(opId);
    if (before !== undefined && before !== seq) this.refusals.push(`${opId}: answered with ${before} and ${seq}`);
    this.acknowledged.set(opId, seq);
  }
}
