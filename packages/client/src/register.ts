import type { AttendanceRecord, Session, Statistics } from '@rollcall/protocol';
import type { LiveChange } from './live-change.js';
import { SnapshotMap, sameValue } from './snapshots.js';

/** What this client knows of one session: the records as of the changes that were applied to them. */
export class Register {
  readonly records = new SnapshotMap<string, AttendanceRecord>();
  #session: Session | null = null;
  statistics: Statistics | null = null;
  #statisticsSeq = -1;

  get session(): Session | null {
    return this.#session;
  }

  set session(session: Session | null) {
    if (!sameValue(this.#session, session)) this.#session = session;
  }

  /** Forgets everything but these records: what is known was of another journal. */
  replace(records: Iterable<AttendanceRecord>): void {
    this.records.clear();
    this.session = null;
    this.statistics = null;
    this.#statisticsSeq = -1;
    for (const record of records) this.put(record);
  }

  /** Takes a record unless a newer one is here. */
  put(record: AttendanceRecord): void {
    const known = this.records.get(record.student_id);
    if (known && known.seq > record.seq) return;
    const { email } = known?.student ?? {};
    // A broadcast never carries e-mail addresses, which a teacher's answers do.
    const kept = email !== undefined && record.student.email === undefined;
    const taken = kept ? { ...record, student: { ...record.student, email } } : record;
    // One that says the same stays the object that it was, so that whoever compares sees no change.
    if (!sameValue(known, taken)) this.records.set(record.student_id, taken);
  }

  /**
   * Applies a change to its record; returns the change with the record as it now stands. Without one where the
   * student is not known here, because the change put them on the roster.
   */
  apply(change: LiveChange): LiveChange {
    const { student_id } = change;
    const before = student_id === undefined ? undefined : this.records.get(student_id);
    if (change.record) this.put(change.record);
    const known = student_id === undefined ? undefined : this.records.get(student_id);
    if (!known) return change;
    // A snapshot may be ahead of the changes that led to it.
    const record = change.seq > known.seq ? changed(known, change) : known;
    this.records.set(record.student_id, record);
    const { previous_status = before?.status ?? null } = change;
    return { ...change, ...(change.status !== undefined ? { previous_status } : {}), record };
  }

  /** Takes statistics unless newer ones are here. */
  setStatistics(statistics: Statistics, seq: number): boolean {
    if (seq < this.#statisticsSeq) return false;
    if (!sameValue(this.statistics, statistics)) this.statistics = statistics;
    this.#statisticsSeq = seq;
    return true;
  }
}

function changed(record: AttendanceRecord, { type, seq, at, actor, status, remarks }: LiveChange): AttendanceRecord {
  if (type === 'checked_in') return { ...record, checked_in_at: at, updatedAt: at, seq };
  if (status === undefined) return record;
  if (type === 'cleared') {
    return { ...record, status, remarks: null, marked_at: null, marked_by: null, updatedAt: at, seq };
  }
  return {
    ...record,
    status,
    remarks: remarks === undefined ? record.remarks : remarks,
    marked_at: at,
    marked_by: actor.name,
    updatedAt: at,
    seq,
  };
}
