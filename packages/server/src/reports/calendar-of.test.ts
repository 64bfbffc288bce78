import type { SessionId } from '@rollcall/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CalendarSession, calendarOf } from './calendar-of.js';
import { storedSession } from './plain-register.test.support.js';

const now = Date.parse('2026-11-23T12:00:00.500Z');
const parts = { zone: 'Europe/Berlin', domain: 'school.example', now };
const session = (id: string, more: Partial<CalendarSession> = {}): CalendarSession => ({
  ...storedSession(id),
  ...more,
});
const linesOf = (sessions: readonly CalendarSession[]) => calendarOf({ ...parts, sessions }).split('\r\n');
/** As a reader sees it, before the escapes of text. */
const unfolded = (calendar: string) => calendar.replace(/\r\n /g, '').split('\r\n');

test('[CALENDAR-4] a session is an event in UTC by the clock of the school, before and after it changes', () => {
  const lines = linesOf([
    session('winter', { date: '2026-10-26' }),
    session('summer', { date: '2026-10-23', end_time: null }),
    session('night', { date: '2026-10-25', start_time: '02:30', end_time: '02:10' }),
    session('whole', { date: '2026-10-27', start_time: null }),
    session('never', { date: null }),
  ]);
  expect(lines.filter((line) => /^DT(START|END)/.test(line))).toEqual([
    'DTSTART:20261023T070000Z',
    'DTEND:20261023T080000Z',
    'DTSTART:20261025T003000Z',
    'DTEND:20261025T013000Z',
    'DTSTART:20261026T080000Z',
    'DTEND:20261026T093000Z',
    'DTSTART;VALUE=DATE:20261027',
  ]);
  expect(lines.filter((line) => line.startsWith('DTSTAMP'))).toEqual(Array(4).fill('DTSTAMP:20261123T120000Z'));
});

test('[CALENDAR-5] the id of an event stays the same, and a cancelled session is a cancelled event', () => {
  const uids = (sessions: readonly CalendarSession[]) => linesOf(sessions).filter((line) => line.startsWith('UID'));
  const before = uids([session('s/1'), session('t')]);
  const after = uids([session('s/1', { date: '2026-12-01', topic: 'Moved', status: 'cancelled' }), session('t')]);
  expect(before).toEqual(['UID:s%2F1@school.example', 'UID:t@school.example']);
  expect(after.toSorted()).toEqual(before);
  const statuses = linesOf([session('a'), session('b', { status: 'cancelled' })]);
  expect(statuses.filter((line) => line.startsWith('STATUS'))).toEqual(['STATUS:CONFIRMED', 'STATUS:CANCELLED']);
});

test('[CALENDAR-6] lines end with CRLF, hold 75 bytes at most, and give back any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (topic) => {
      const calendar = calendarOf({ ...parts, sessions: [session('s', { topic })] });
      expect(calendar.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
      for (const line of calendar.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
      const written = unfolded(calendar).find((line) => line.startsWith('DESCRIPTION:')) ?? '';
      const read = written
        .slice('DESCRIPTION:'.length)
        .replace(/\\([\\;,nN])/g, (_, escaped: string) => (escaped.toLowerCase() === 'n' ? '\n' : escaped));
      expect(read).toBe(topic);
    }),
  );
  const awkward = session('s', { topic: 'a;b,c\\d\r\ne\tf\u0000' });
  expect(linesOf([awkward])).toContain('DESCRIPTION:a\\;b\\,c\\\\d\\ne f');
});

test('[CALENDAR-7] an event names the course and the topic, and nobody', () => {
  const course = { _id: 'c' as never, title: 'Databases', course_code: 'CSE-301' };
  const calendar = calendarOf({ ...parts, sessions: [session('s' as SessionId, { course, topic: 'Joins' })] });
  expect(calendar).toContain('SUMMARY:CSE-301 Databases\r\nDESCRIPTION:Joins\r\n');
  expect(calendar).not.toContain('Ada Osei');
});
