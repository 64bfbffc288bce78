import type { AttendanceStatus } from '@rollcall/protocol';

/** What some records come to. */
export interface Figures {
  readonly present: number;
  readonly late: number;
  readonly excused: number;
  readonly absent: number;
  readonly records: number;
  /** In per cent with two decimals, as in live statistics; null where there is no record. */
  readonly rate: number | null;
  readonly late_minutes: number;
}

/** Figures that are still being counted. */
export class Tally {
  readonly #counts: Record<AttendanceStatus, number> = { present: 0, absent: 0, late: 0, excused: 0 };
  #lateMinutes = 0;

  add(status: AttendanceStatus, lateMinutes: number | null): void {
    this.#counts[status] += 1;
    this.#lateMinutes += lateMinutes ?? 0;
  }

  get figures(): Figures {
    const { present, late, excused, absent } = this.#counts;
    const records = present + late + excused + absent;
    const rate = records === 0 ? null : Math.round(((present + late) / records) * 100 * 100) / 100;
    return { present, late, excused, absent, records, rate, late_minutes: this.#lateMinutes };
  }
}

const MINUTE_MS = 60_000;

/** Whole minutes from a session's start to a late check-in; null for a record that isn't late, or has no check-in. */
export function lateMinutesOf(
  { status, checked_in_at }: { readonly status: AttendanceStatus; readonly checked_in_at: number | null },
  start: number | null,
): number | null {
  if (status !== 'late' || checked_in_at === null || start === null) return null;
  return Math.max(0, Math.floor((checked_in_at - start) / MINUTE_MS));
}

/** Absences in a row, from statuses in the order of their sessions; null where the student has no record. */
export function runsOf(statuses: Iterable<AttendanceStatus | null>): {
  longest_absence: number;
  current_absence: number;
} {
  let longest_absence = 0;
  let current_absence = 0;
  for (const status of statuses) {
    if (status === null) continue;
    current_absence = status === 'absent' ? current_absence + 1 : 0;
    longest_absence = Math.max(longest_absence, current_absence);
  }
  return { longest_absence, current_absence };
}
