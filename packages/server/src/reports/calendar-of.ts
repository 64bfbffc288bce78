import type { CourseSummary, SessionId } from '@rollcall/protocol';
import type { StoredSession } from '../storage/port.js';
import { withoutControls } from './csv.js';
import { dateOf, instantOf } from './session-days.js';

/** Of a session, what a calendar shows: nobody's name. */
export type CalendarSession = Pick<
  StoredSession,
  'session_id' | 'date' | 'start_time' | 'end_time' | 'topic' | 'status' | 'started_at'
> & { readonly course: CourseSummary | null };

export interface CalendarParts {
  readonly sessions: readonly CalendarSession[];
  /** IANA name of the school's time zone: what `HH:mm` means. */
  readonly zone: string;
  /** Host name under which people reach the server: events of two servers are never taken for one. */
  readonly domain: string;
  /** When it is made, ms since the epoch. */
  readonly now: number;
}

const HOUR_MS = 3_600_000;
/** A line holds so many bytes at most, its end aside. */
const OCTETS = 75;

/**
 * Somebody's sessions as iCalendar (RFC 5545): times in UTC, so that no reader needs to know the zone. A session
 * without a time is an event of the whole day; one without a day is left out.
 */
export function calendarOf({ sessions, zone, domain, now }: CalendarParts): string {
  const stamp = utc(now);
  const events = sessions
    .map((session) => ({ session, date: dateOf(session, zone) }))
    .filter((dated): dated is { session: CalendarSession; date: string } => dated.date !== null)
    .sort((a, b) => plainly(keyOf(a.session, a.date), keyOf(b.session, b.date)))
    .flatMap(({ session, date }) => [
      'BEGIN:VEVENT',
      `UID:${text(uidOf(session.session_id, domain))}`,
      `DTSTAMP:${stamp}`,
      ...timesOf(session, date, zone),
      `SUMMARY:${text(summaryOf(session))}`,
      ...(session.topic === null ? [] : [`DESCRIPTION:${text(session.topic)}`]),
      `STATUS:${session.status === 'cancelled' ? 'CANCELLED' : 'CONFIRMED'}`,
      'END:VEVENT',
    ]);
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Rollcall//Calendar//EN',
    'CALSCALE:GREGORIAN',
    'METHOD:PUBLISH',
    `X-WR-CALNAME:${text('Classes')}`,
    `X-WR-TIMEZONE:${text(zone)}`,
    'REFRESH-INTERVAL;VALUE=DURATION:PT1H',
    'X-PUBLISHED-TTL:PT1H',
    ...events,
    'END:VCALENDAR',
  ]
    .map((line) => `${folded(line)}\r\n`)
    .join('');
}

const plainly = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const keyOf = ({ session_id, start_time }: CalendarSession, date: string): string =>
  [date, start_time ?? '', session_id].join(' ');

/** The same for a session at all times, and another for every other one. */
const uidOf = (sessionId: SessionId, domain: string): string => `${encodeURIComponent(sessionId)}@${domain}`;

function summaryOf({ course, topic, session_id }: CalendarSession): string {
  const name = [course?.course_code, course?.title].filter(Boolean).join(' ');
  return name || topic || session_id;
}

function timesOf({ start_time, end_time, started_at }: CalendarSession, date: string, zone: string): string[] {
  const start = instantOf(date, start_time, zone) ?? started_at;
  if (start === null) return [`DTSTART;VALUE=DATE:${date.replaceAll('-', '')}`];
  const end = instantOf(date, end_time, zone);
  // One that ends before it begins is taken to last an hour: some calendars refuse the whole file otherwise.
  return [`DTSTART:${utc(start)}`, `DTEND:${utc(end !== null && end > start ? end : start + HOUR_MS)}`];
}

/** `20261123T080000Z` */
const utc = (ms: number): string => new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');

/** A value of type TEXT. */
const text = (value: string): string =>
  withoutControls(value.replace(/\r\n?/g, '\n'))
    .replace(/[\\;,]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', ' ');

const BYTES = new TextEncoder();

/** Long lines go on after CRLF and a space; no character is cut in two. */
function folded(line: string): string {
  if (BYTES.encode(line).length <= OCTETS) return line;
  const parts: string[] = [];
  let part = '';
  let octets = 0;
  for (const character of line) {
    const size = BYTES.encode(character).length;
    // The space that a continuation begins with counts.
    if (octets + size > (parts.length === 0 ? OCTETS : OCTETS - 1)) {
      parts.push(part);
      part = '';
      octets = 0;
    }
    part += character;
    octets += size;
  }
  return [...parts, part].join('\r\n ');
}
