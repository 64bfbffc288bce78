import type { SessionId, SessionStatus, StudentId } from '@rollcall/protocol';
import type { RosterRow, SessionFacts } from '../../journal/entries.js';

/** Class sessions and attendance records as the journal has made them, in the tables that other programs read. */
export interface Projections {
  /** The class session as it stands in the projection; null when there is none. */
  findSession(sessionId: SessionId): Promise<StoredSession | null>;
  /**
   * The records of a session as they stand in the projection, one a student, in no particular order. A student who
   * isn't there any more is named by the id that the record holds.
   */
  readRecords(sessionId: SessionId): Promise<StoredRecord[]>;
  /** How far each of these sessions is projected; those that the projection doesn't know are left out. */
  projectedSeqs(sessionIds: readonly SessionId[]): Promise<Map<SessionId, number>>;
  /**
   * Brings records and the class session up to `projection.seq`. Idempotent, may come late or twice, never goes
   * back: a record whose stored seq is higher, or a session whose projected_seq is higher, is left alone.
   * Fields and rows that Rollcall didn't write stay untouched.
   */
  project(projection: Projection): Promise<void>;
}

export interface StoredSession extends SessionFacts {
  readonly status: SessionStatus;
  /** Milliseconds since the epoch; null where not known. */
  readonly started_at: number | null;
  readonly ended_at: number | null;
  /** seq up to which records and session were projected; 0 without a journal. */
  readonly projected_seq: number;
}

/** A record of the projection. `seq` is 0 for one that Rollcall never wrote. */
export interface StoredRecord extends Omit<RosterRow, 'student'> {
  readonly student_id: StudentId;
  readonly seq: number;
}

/** What changed in a session between two projections. */
export interface Projection {
  readonly session_id: SessionId;
  /** The session as it stands at `seq`. */
  readonly session: SessionFacts & {
    readonly status: 'active' | 'completed';
    readonly started_at: number;
    readonly ended_at: number | null;
  };
  readonly seq: number;
  /** The records that changed since the last projection (all of them at the first), each with the seq of its last change. */
  readonly records: ReadonlyArray<StoredRecord>;
  /** Others follow the journal beside the records: also after its end it stays listed as active, until `cursors.close`. */
  readonly stays_open?: boolean;
}
