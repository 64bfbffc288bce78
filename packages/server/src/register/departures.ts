import type { SessionId, StudentId } from '@rollcall/protocol';
import type { Storage } from '../storage/port.js';

/** How long moves of a session are gathered before they are written, in ms: a hall that leaves is a few writes. */
const GATHER_MS = 250;
/** How soon what couldn't be written is written again, in ms. */
const AGAIN_MS = 2_000;

/** Of a session's students those who left it (true) or came back (false) and aren't written yet. */
type Moves = Map<StudentId, boolean>;

/**
 * Who has left a session on purpose is remembered by the database, so that no restart puts them back. It is written
 * behind the answer and together, and as often as it takes; what a crash loses is the last moment before it.
 */
export class Departures {
  readonly #journal: Pick<Storage['journal'], 'rememberLeft'>;
  readonly #waiting = new Map<SessionId, { moves: Moves; timer: NodeJS.Timeout | undefined }>();
  readonly #writing = new Map<SessionId, Promise<void>>();

  constructor(journal: Pick<Storage['journal'], 'rememberLeft'>) {
    this.#journal = journal;
  }

  note(sessionId: SessionId, studentId: StudentId, left: boolean): void {
    const waiting = this.#waiting.get(sessionId);
    if (waiting) waiting.moves.set(studentId, left);
    else this.#wait(sessionId, new Map([[studentId, left]]), GATHER_MS);
  }

  /** The session is over, or is left alone: its moves are of no use. */
  forget(sessionId: SessionId): void {
    clearTimeout(this.#waiting.get(sessionId)?.timer);
    this.#waiting.delete(sessionId);
  }

  /** Resolves once everything was written or has failed once more. */
  async settle(): Promise<void> {
    await Promise.all(this.#writing.values());
    await Promise.all([...this.#waiting.keys()].map((sessionId) => this.#write(sessionId)));
    for (const sessionId of this.#waiting.keys()) this.forget(sessionId);
  }

  #wait(sessionId: SessionId, moves: Moves, ms: number): void {
    // One write of a session at a time: a later one must not be overtaken.
    const timer = setTimeout(() => void this.#write(sessionId), ms).unref();
    this.#waiting.set(sessionId, { moves, timer });
  }

  async #write(sessionId: SessionId): Promise<void> {
    await this.#writing.get(sessionId);
    const waiting = this.#waiting.get(sessionId);
    if (!waiting) return;
    this.forget(sessionId);
    const { moves } = waiting;
    const written = this.#journal.rememberLeft(sessionId, [...moves]).catch(() => {
      const later = this.#waiting.get(sessionId);
      this.forget(sessionId);
      this.#wait(sessionId, new Map([...moves, ...(later?.moves ?? [])]), AGAIN_MS);
    });
    this.#writing.set(sessionId, written);
    await written;
    if (this.#writing.get(sessionId) === written) this.#writing.delete(sessionId);
  }
}
