/**
 * Days, weeks and times of day in the school's time zone. Everything that is stored is an instant in
 * UTC; a session's date and `HH:mm` are what a clock on the school's wall shows.
 */

const DAY_MS = 86_400_000;

/** Formatters by zone: making one costs about as much as using it a hundred times. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formatters.set(zone, formatter);
  }
  return formatter;
}

/** Whether `zone` is an IANA name that this machine knows (`Europe/Berlin`, `UTC`). */
export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** The clock on the wall at `ms`, written as the instant at which a clock in UTC shows the same. */
function wallClock(ms: number, zone: string): number {
  const parts = new Map(
    formatterOf(zone)
      .formatToParts(ms)
      .map(({ type, value }) => [type, value]),
  );
  const number = (name: Intl.DateTimeFormatPartTypes): number => Number(parts.get(name));
  const year = parts.get('era') === 'BC' || parts.get('era') === 'B' ? 1 - number('year') : number('year');
  const date = new Date(0);
  date.setUTCFullYear(year, number('month') - 1, number('day'));
  date.setUTCHours(number('hour'), number('minute'), number('second'));
  return date.getTime();
}

/** How far the zone's clock is ahead of UTC at `ms`, in milliseconds. */
function offsetAt(ms: number, zone: string): number {
  const whole = Math.floor(ms / 1000) * 1000;
  return wallClock(whole, zone) - whole;
}

/** The day (`YYYY-MM-DD`) that `ms` is in. */
export function dayOf(ms: number, zone: string): string {
  return new Date(wallClock(ms, zone)).toISOString().slice(0, 10);
}

/** The time of day (`HH:mm`) that a clock in the zone shows at `ms`. */
export function timeOf(ms: number, zone: string): string {
  return new Date(wallClock(ms, zone)).toISOString().slice(11, 16);
}

/**
 * The instant at which a clock in the zone shows `time` (`HH:mm`) on `day` (`YYYY-MM-DD`), in
 * milliseconds since 1970. Where clocks went back and the time comes twice, the first. Where clocks
 * went forward and the time is missing, as much later as was left out: 02:30 is then 03:30.
 * @throws RangeError if the day or the time is none.
 */
export function msOf(day: string, time: string, zone: string): number {
  const wall = Date.parse(`${day}T${time}:00Z`);
  if (Number.isNaN(wall)) throw new RangeError(`${day} ${time} is no day and time of the form YYYY-MM-DD and HH:mm`);
  // No clock is more than a day from UTC, so that these two offsets are those before and after any
  // change of the clock that the time could be touched by.
  const before = wall - offsetAt(wall - DAY_MS, zone);
  const after = wall - offsetAt(wall + DAY_MS, zone);
  const shown = [before, after].filter((ms) => wallClock(ms, zone) === wall);
  return shown.length > 0 ? Math.min(...shown) : before;
}

/** The day that is `days` after `day`, or before it if negative. */
export function dayAfter(day: string, days = 1): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** The instants at which a day of the zone begins, and at which the next one does. */
export function boundsOf(day: string, zone: string): { from: number; until: number } {
  return { from: msOf(day, '00:00', zone), until: msOf(dayAfter(day), '00:00', zone) };
}

/** The ISO week of a day: `2026-W48`. Weeks begin on Monday; the first holds the year's first Thursday. */
export function isoWeekOf(day: string): string {
  const ms = Date.parse(`${day}T00:00:00Z`);
  // Monday is 1 and Sunday 7; a week belongs to the year that its Thursday is in.
  const weekday = ((new Date(ms).getUTCDay() + 6) % 7) + 1;
  const thursday = new Date(ms + (4 - weekday) * DAY_MS);
  const first = new Date(0);
  first.setUTCFullYear(thursday.getUTCFullYear(), 0, 1);
  const week = Math.floor((thursday.getTime() - first.getTime()) / (7 * DAY_MS)) + 1;
  return `${String(thursday.getUTCFullYear()).padStart(4, '0')}-W${String(week).padStart(2, '0')}`;
}
