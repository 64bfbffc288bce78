import type { StudentId } from '@rollcall/protocol';
import { type Entry, givesStatus } from '../journal/entries.js';
import type { Projection, StoredRecord } from '../storage/port.js';
import type { Line } from './fold.js';
import { Following } from './following.js';
import type { SessionState } from './session-state.js';

/** How long changes are gathered before records are written, in ms: marks come in bursts, and readers of the
 * collections don't see less than a tenth of a second anyway. */
const GATHER_MS = 100;

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
 * Keeps the records of one session up to date: the first of those who follow its journal. It writes lines of the state,
 * and so reads no entries again after a restart. The journal is the truth, so whatever is lost here is made good when
 * the session is loaded again.
 */
export class Projector {
  readonly #state: SessionState;
  readonly #project: (projection: Projection) => Promise<void>;
  readonly #dirty = new Set<StudentId>();
  readonly #following: Following;

  constructor(options: {
    state: SessionState;
    projectedSeq: number;
    /** False of a session that another node has started. */
    mayBeOurs: boolean;
    project: (projection: Projection) => Promise<void>;
    onError: (error: unknown) => void;
  }) {
    const { state, projectedSeq, mayBeOurs, project, onError } = options;
    this.#state = state;
    this.#project = project;
    for (const line of state.lines.values()) {
      if (line.seq > projectedSeq) this.#dirty.add(line.student.student_id);
    }
    const advance = () => this.#write();
    this.#following = new Following({ state, cursor: projectedSeq, mayBeOurs, gatherMs: GATHER_MS, advance, onError });
  }

  /** @param mayBeOurs false where another node wrote it */
  committed(entries: readonly Entry[], mayBeOurs: boolean): void {
    for (const entry of entries) {
      if (givesStatus(entry) || entry.type === 'checked_in') this.#dirty.add(entry.student_id);
      else if (entry.type === 'started' || entry.type === 'adopted') {
        for (const row of entry.roster) this.#dirty.add(row.student.student_id);
      }
    }
    this.#following.committed(mayBeOurs);
  }

  /** Some of what is due was left to the node that wrote it, and nobody has said yet that it is done. */
  get isLeft(): boolean {
    return this.#following.isLeft;
  }

  /** Something isn't written yet. */
  get isBehind(): boolean {
    return this.#following.isBehind;
  }

  /** The database says that the session is projected up to `seq`. */
  projectedTo(seq: number): void {
    if (!this.#following.reached(seq)) return;
    for (const id of this.#dirty) if ((this.#state.line(id)?.seq ?? 0) <= seq) this.#dirty.delete(id);
  }

  /** Resolves once everything that was written here is projected. Rejects when the database refuses. */
  flush(): Promise<void> {
    return this.#following.flush();
  }

  stop(): void {
    this.#following.stop();
  }

  async #write(): Promise<number> {
    const taken = [...this.#dirty];
    this.#dirty.clear();
    const lines = taken.flatMap((id) => this.#state.line(id) ?? []);
    const projection = projectionOf(this.#state, lines);
    try {
      await this.#project(projection);
      return projection.seq;
    } catch (error) {
      for (const id of taken) this.#dirty.add(id);
      throw error;
    }
  }
}
