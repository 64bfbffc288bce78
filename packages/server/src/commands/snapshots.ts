import type { SessionId, Statistics } from '@rollcall/protocol';
import { LRUCache } from 'lru-cache';
import { EncodedPayload } from '../encoded-payload.js';
import type { SessionState } from '../register/session-state.js';
import { type Audience, positionOf, recordsOf, sessionHeadOf } from './present.js';

/** Characters of JSON that are kept: the records of two halls of 15,000, or of a hundred classes of 300. */
const KEPT_CHARACTERS = 16 * 1024 * 1024;

interface Snapshot {
  readonly seq: number;
  readonly records: EncodedPayload;
}

/**
 * The records of sessions as they are sent: made and written once for all who ask at the same seq. A hall whose
 * teachers' screens come back at once, or a client that asks again and again, costs no more than one of them.
 */
export class Snapshots {
  readonly #kept = new LRUCache<string, Snapshot>({
    maxSize: KEPT_CHARACTERS,
    sizeCalculation: ({ records }) => records.json.length,
  });

  /** `attendanceRecords`. */
  records(state: SessionState, audience: Audience): EncodedPayload {
    const key = keyOf(state.facts.session_id, audience);
    const kept = this.#kept.get(key);
    if (kept?.seq === state.seq) return kept.records;
    const records = EncodedPayload.of(recordsOf(state, audience)).write();
    this.#kept.set(key, { seq: state.seq, records });
    return records;
  }

  /** The whole picture of a session with a journal. */
  data(state: SessionState, statistics: Statistics, audience: Audience): EncodedPayload {
    return EncodedPayload.with(sessionHeadOf(state, statistics), 'attendanceRecords', this.records(state, audience));
  }

  /** The same for a teacher's screen, with where it stands in the journal. */
  picture(state: SessionState, statistics: Statistics, extra: object): EncodedPayload {
    const head = { ...sessionHeadOf(state, statistics), ...positionOf(state), ...extra };
    return EncodedPayload.with(head, 'attendanceRecords', this.records(state, 'teacher'));
  }
}

/** A student's email is for teachers alone, so each of the two audiences has records of its own. */
const keyOf = (sessionId: SessionId, audience: Audience): string => `${audience} ${sessionId}`;
