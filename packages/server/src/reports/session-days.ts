import { dayOf, isoWeekOf, msOf, timeOf } from '../school-time.js';
import type { StoredSession } from '../storage/port.js';

/** Days that a report is about; both are inside, and null is no bound. */
export interface Range {
  readonly from: string | null;
  readonly to: string | null;
}

export const EVERYTHING: Range = { from: null, to: null };

/** A session with its place in time, on the clock of the school. */
export interface DatedSession {
  readonly session: StoredSession;
  readonly date: string | null;
  readonly week: string | null;
  /** From when a check-in may be late, ms since the epoch: its start, else the time that it was scheduled for. */
  readonly start: number | null;
  /** What it is called: unique in a list that `inOrder` answers. */
  readonly column: string;
}

const DAY = /^\d{4}-\d\d-\d\d$/;
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;

/** A session's day. A database of another application may hold an instant where Rollcall writes a day. */
export function dateOf({ date, started_at }: Pick<StoredSession, 'date' | 'started_at'>, zone: string): string | null {
  if (date !== null) {
    if (DAY.test(date) && !Number.isNaN(Date.parse(date))) return date;
    const instant = Date.parse(date);
    if (!Number.isNaN(instant)) return dayOf(instant, zone);
  }
  return started_at === null ? null : dayOf(started_at, zone);
}

/** The instant of `HH:mm` on a session's day; null where the text is no time. */
export function instantOf(date: string | null, time: string | null, zone: string): number | null {
  return date !== null && time !== null && TIME.test(time) ? msOf(date, time, zone) : null;
}

/** The sessions of a range, the earliest first. One without a day comes last, and is in no range that has a bound. */
export function inOrder(sessions: readonly StoredSession[], zone: string, { from, to }: Range): DatedSession[] {
  const dated = sessions
    .map((session) => {
      const date = dateOf(session, zone);
      const start = session.started_at ?? instantOf(date, session.start_time, zone);
      return { session, date, start, key: keyOf(session, date, zone) };
    })
    .filter(({ date }) =>
      date === null ? from === null && to === null : (from ?? date) <= date && date <= (to ?? date),
    )
    .sort((a, b) => plainly(a.key, b.key));
  const taken = new Set<string>();
  return dated.map(({ session, date, start }) => {
    const column = unique(labelOf(session, date), taken);
    return { session, date, week: date === null ? null : isoWeekOf(date), start, column };
  });
}

const plainly = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function keyOf({ session_id, start_time, started_at }: StoredSession, date: string | null, zone: string): string {
  const time = start_time ?? (started_at === null ? '' : timeOf(started_at, zone));
  return [date ?? '~', time, String(started_at ?? 0).padStart(16, '0'), session_id].join(' ');
}

/** `2026-11-23 09:00–10:30`, or as much of it as is known. */
function labelOf({ session_id, start_time, end_time }: StoredSession, date: string | null): string {
  const hours = start_time === null ? null : end_time === null ? start_time : `${start_time}–${end_time}`;
  return date === null ? session_id : hours === null ? date : `${date} ${hours}`;
}

function unique(label: string, taken: Set<string>): string {
  let free = label;
  for (let n = 2; taken.has(free); n++) free = `${label} (${n})`;
  taken.add(free);
  return free;
}
