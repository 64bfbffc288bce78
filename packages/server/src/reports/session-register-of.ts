import type { SessionRegister } from '@rollcall/protocol';
import type { RosterStudent } from '../journal/entries.js';
import { byRoll } from '../journal/roster-order.js';
import type { SessionRecord } from '../storage/port.js';
import { lateMinutesOf, Tally } from './figures.js';
import { type Amendment, type RegisterSettings, reportedAmendments, reportedSession } from './register-of.js';
import { coded } from './report-codes.js';
import type { DatedSession } from './session-days.js';

export interface SessionParts extends RegisterSettings {
  readonly dated: DatedSession;
  /** Whoever has a record or is expected in it. */
  readonly students: readonly RosterStudent[];
  readonly records: readonly SessionRecord[];
  readonly amendments: readonly Amendment[];
  readonly isReadable: boolean;
}

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** The register of one session, a row a student: pure. */
export function sessionRegisterOf(parts: SessionParts): SessionRegister {
  const { dated, zone, codes, students } = parts;
  const { session } = dated;
  const records = new Map(parts.records.map((record) => [record.student_id, record]));
  const tally = new Tally();
  const rows = students.toSorted(byRoll).map(({ student_id, roll, name }) => {
    const record = records.get(student_id);
    const late_minutes = record ? lateMinutesOf(record, dated.start) : null;
    if (record) tally.add(record.status, late_minutes);
    return {
      student_id,
      roll,
      name,
      status: record ? coded(record.status, codes) : null,
      checked_in_at: isoOrNull(record?.checked_in_at ?? null),
      marked_at: isoOrNull(record?.marked_at ?? null),
      marked_by: record?.marked_by ?? null,
      late_minutes,
      remarks: record?.remarks ?? null,
    };
  });
  const amendments = reportedAmendments(parts.amendments, [dated], students, codes);
  const unreadable = new Set(parts.isReadable ? [] : [session.session_id]);
  return {
    course: session.course,
    time_zone: zone,
    codes,
    session: reportedSession(dated, tally, amendments, unreadable),
    rows,
    amendments,
  };
}
