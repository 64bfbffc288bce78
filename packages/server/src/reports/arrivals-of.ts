import type { Arrivals, SessionId } from '@rollcall/protocol';
import type { SessionRecord } from '../storage/port.js';

const MINUTE_MS = 60_000;

const isoOrNull = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());

/**
 * Check-ins of a session by the minute since its start: pure.
 * @param start ms since the epoch; null where the session hasn't begun, and minutes then count from the first check-in
 */
export function arrivalsOf(
  session_id: SessionId,
  start: number | null,
  records: ReadonlyArray<Pick<SessionRecord, 'checked_in_at'>>,
): Arrivals {
  const times = records.flatMap(({ checked_in_at }) => checked_in_at ?? []).sort((a, b) => a - b);
  const origin = start ?? times[0] ?? 0;
  const minutes: Arrivals['minutes'] = [];
  for (const [index, time] of times.entries()) {
    const minute = Math.floor((time - origin) / MINUTE_MS);
    const last = minutes.at(-1);
    if (last?.minute === minute) Object.assign(last, { check_ins: last.check_ins + 1, total: index + 1 });
    else minutes.push({ minute, check_ins: 1, total: index + 1 });
  }
  const median = times[Math.ceil(times.length / 2) - 1];
  return {
    session_id,
    started_at: isoOrNull(start ?? undefined),
    students: records.length,
    checked_in: times.length,
    first_at: isoOrNull(times[0]),
    last_at: isoOrNull(times.at(-1)),
    median_minute: median === undefined ? null : Math.round(((median - origin) / MINUTE_MS) * 10) / 10,
    minutes,
  };
}
