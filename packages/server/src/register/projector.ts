import type { StudentId } from '@rollcall/protocol';
import { type Entry, givesStatus } from '../journal/entries.js';
import type { Projection, StoredRecord } from '../storage/port.js';
import type { Line } from './fold.js';
import type { SessionState } from './session-state.js';

/** How long changes are gathered before records are written, in ms: marks come in bursts, and readers of the
 * collections don't see less than a tenth of a second anyway. */
const GATHER_MS = 100;
/**
 * How long what another node wrote is left to that node, in ms: longer than from one look at what is projected to the
 * next. Should it have died before it did so, whoever is left does it then.
 */
const LEAVE_MS = 25_000;
const RETRY_FIRST_MS = 200;
const RETRY_MAX_MS = 10_000;

export const storedRecordOf = (line: Line): StoredRecord => ({
  student_id: line.student.student_id,
  record_id: line.record_id,
  status: line.status,
  remarks: line.remarks,
  checked_in_at: line.checked_in_at,
  marked_at: line.marked_at,
  marked_by: line.marked_by,
  created_at: line.created_at,
  updated_at: line.updated_at,
  seq: line.seq,
});

/** The whole of a session, for a first projection or one that lags behind by an unknown amount. */
export function projectionOf(state: SessionState, changed: Iterable<Line>): Projection {
  return {
    session_id: state.facts.session_id,
    session: {
      ...state.facts,
      status: state.ending ? 'completed' : 'active',
      started_at: state.started_at,
      ended_at: state.ending?.at ?? null,
    },
    seq: state.seq,
    records: Array.from(changed, storedRecordOf),
  };
}

/**
 * Keeps the records of one session up to date behind the journal, off the path of the acknowledgement: the journal
 * is the truth, so whatever is lost here is made good when the session is loaded again. Of several nodes the one that
 * wrote an entry projects it.
 */
export class Projector {
  readonly #state: SessionState;
  readonly #project: (projection: Projection) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  readonly #dirty = new Set<StudentId>();
  #projectedSeq: number;
  /** Something of what is due was written here: it is left to nobody else. */
  #mayBeOurs: boolean;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer is due, by `performance.now()`. */
  #dueAt = 0;
  #stopped = false;
  #retryMs = RETRY_FIRST_MS;

  constructor(options: {
    state: SessionState;
    projectedSeq: number;
    /** False of a session that another node has started. */
    mayBeOurs: boolean;
    project: (projection: Projection) => Promise<void>;
    onError: (error: unknown) => void;
  }) {
    this.#state = options.state;
    this.#projectedSeq = options.projectedSeq;
    this.#mayBeOurs = options.mayBeOurs;
    this.#project = options.project;
    this.#onError = options.onError;
    for (const line of options.state.lines.values()) {
      if (line.seq > options.projectedSeq) this.#dirty.add(line.student.student_id);
    }
    if (options.state.seq > options.projectedSeq) this.#schedule(0);
  }

  /** @param mayBeOurs false where another node wrote it */
  committed(entries: readonly Entry[], mayBeOurs: boolean): void {
    for (const entry of entries) {
      if (givesStatus(entry) || entry.type === 'checked_in') this.#dirty.add(entry.student_id);
      else if (entry.type === 'started' || entry.type === 'adopted') {
        for (const row of entry.roster) this.#dirty.add(row.student.student_id);
      }
    }
    this.#mayBeOurs ||= mayBeOurs;
    this.#schedule(this.#state.ending ? 0 : GATHER_MS);
  }

  /** Some of what is due was left to the node that wrote it, and nobody has said yet that it is done. */
  get isLeft(): boolean {
    return !this.#mayBeOurs && this.isBehind;
  }

  /** Something isn't written yet. */
  get isBehind(): boolean {
    return this.#state.seq > this.#projectedSeq;
  }

  /** The database says that the session is projected up to `seq`. */
  projectedTo(seq: number): void {
    // What is being written here says so itself, once it is.
    if (this.#running || seq <= this.#projectedSeq) return;
    for (const id of this.#dirty) if ((this.#state.line(id)?.seq ?? 0) <= seq) this.#dirty.delete(id);
    this.#projectedSeq = seq;
    if (this.isBehind) return;
    this.#mayBeOurs = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Resolves once everything that was written here is projected. Rejects when the database refuses. */
  async flush(): Promise<void> {
    while (this.#running) await this.#running.catch(() => {});
    if (this.#mayBeOurs && this.isBehind) await this.#run();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** @param ms for what was written here */
  #schedule(ms: number): void {
    if (this.#running || this.#stopped) return;
    const wait = this.#mayBeOurs ? ms : LEAVE_MS;
    const dueAt = performance.now() + wait;
    if (this.#timer && this.#dueAt <= dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#run().catch(() => {});
    }, wait).unref();
  }

  #run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running = this.#write().finally(() => {
      this.#running = undefined;
      if (this.isBehind) this.#schedule(this.#retryMs);
    });
    return this.#running;
  }

  async #write(): Promise<void> {
    const taken = [...this.#dirty];
    this.#dirty.clear();
    this.#mayBeOurs = false;
    const lines = taken.flatMap((id) => this.#state.line(id) ?? []);
    const projection = projectionOf(this.#state, lines);
    try {
      await this.#project(projection);
      this.#projectedSeq = projection.seq;
      this.#retryMs = GATHER_MS;
    } catch (error) {
      for (const id of taken) this.#dirty.add(id);
      this.#mayBeOurs = true;
      this.#retryMs = Math.min(Math.max(this.#retryMs, RETRY_FIRST_MS) * 2, RETRY_MAX_MS);
      this.#onError(error);
      throw error;
    }
  }
}
