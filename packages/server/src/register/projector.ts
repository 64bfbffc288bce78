import type { StudentId } from '@rollcall/protocol';
import type { Projection, StoredRecord } from '../storage/port.js';
import type { Entry } from './entries.js';
import type { Line } from './fold.js';
import type { SessionState } from './session-state.js';

/** How long changes are gathered before records are written, in ms: marks come in bursts, and readers of the
 * collections don't see less than a tenth of a second anyway. */
const GATHER_MS = 100;
const RETRY_FIRST_MS = 200;
const RETRY_MAX_MS = 10_000;

export const recordOf = (line: Line): StoredRecord => ({
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
    records: Array.from(changed, recordOf),
  };
}

/**
 * Keeps the records of one session up to date behind the journal, off the path of the acknowledgement: the journal
 * is the truth, so whatever is lost here is made good when the session is loaded again.
 */
export class Projector {
  readonly #state: SessionState;
  readonly #project: (projection: Projection) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  /** Resolves once the end of the session is projected. */
  readonly finished: Promise<void>;
  #finish: () => void = () => {};
  readonly #dirty = new Set<StudentId>();
  #projectedSeq: number;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #retryMs = RETRY_FIRST_MS;

  constructor(options: {
    state: SessionState;
    projectedSeq: number;
    project: (projection: Projection) => Promise<void>;
    onError: (error: unknown) => void;
  }) {
    this.#state = options.state;
    this.#projectedSeq = options.projectedSeq;
    this.#project = options.project;
    this.#onError = options.onError;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    for (const line of options.state.lines.values()) {
      if (line.seq > options.projectedSeq) this.#dirty.add(line.student.student_id);
    }
    if (options.state.seq > options.projectedSeq) this.#schedule(0);
  }

  committed(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.type === 'marked' || entry.type === 'checked_in') this.#dirty.add(entry.student_id);
      else if (entry.type === 'started' || entry.type === 'adopted') {
        for (const row of entry.roster) this.#dirty.add(row.student.student_id);
      }
    }
    this.#schedule(this.#state.ending ? 0 : GATHER_MS);
  }

  /** Resolves once everything committed so far is projected. Rejects when the database refuses. */
  async flush(): Promise<void> {
    while (this.#running) await this.#running.catch(() => {});
    if (this.#state.seq > this.#projectedSeq) await this.#run();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(ms: number): void {
    if (this.#timer || this.#running || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#run().catch(() => {});
    }, ms).unref();
  }

  #run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running = this.#write().finally(() => {
      this.#running = undefined;
      if (this.#state.seq > this.#projectedSeq) this.#schedule(this.#retryMs);
    });
    return this.#running;
  }

  async #write(): Promise<void> {
    const taken = [...this.#dirty];
    this.#dirty.clear();
    const lines = taken.flatMap((id) => this.#state.line(id) ?? []);
    const projection = projectionOf(this.#state, lines);
    try {
      await this.#project(projection);
      this.#projectedSeq = projection.seq;
      if (projection.session.status === 'completed') this.#finish();
      this.#retryMs = GATHER_MS;
    } catch (error) {
      for (const id of taken) this.#dirty.add(id);
      this.#retryMs = Math.min(Math.max(this.#retryMs, RETRY_FIRST_MS) * 2, RETRY_MAX_MS);
      this.#onError(error);
      throw error;
    }
  }
}
