import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boundsOf, dayAfter, dayOf, isoWeekOf, isTimeZone, msOf, timeOf } from './school-time.js';

const iso = (ms: number): string => new Date(ms).toISOString();

test('[CALENDAR-1] a day and HH:mm are those of the school’s clock, in summer as in winter', () => {
  expect(iso(msOf('2026-11-23', '09:00', 'Europe/Berlin'))).toBe('2026-11-23T08:00:00.000Z');
  expect(iso(msOf('2026-06-23', '09:00', 'Europe/Berlin'))).toBe('2026-06-23T07:00:00.000Z');
  expect(iso(msOf('2026-11-23', '09:00', 'Asia/Kathmandu'))).toBe('2026-11-23T03:15:00.000Z');
  expect(dayOf(Date.parse('2026-11-23T23:30:00Z'), 'Asia/Dhaka')).toBe('2026-11-24');
  expect(dayOf(Date.parse('2026-11-23T03:30:00Z'), 'America/New_York')).toBe('2026-11-22');
  expect(timeOf(Date.parse('2026-11-23T23:30:00Z'), 'Asia/Dhaka')).toBe('05:30');
});

test('[CALENDAR-2] a time that the change of the clock leaves out is as much later, one that comes twice is the first', () => {
  expect(iso(msOf('2026-03-29', '02:30', 'Europe/Berlin'))).toBe('2026-03-29T01:30:00.000Z');
  expect(timeOf(msOf('2026-03-29', '02:30', 'Europe/Berlin'), 'Europe/Berlin')).toBe('03:30');
  expect(iso(msOf('2026-10-25', '02:30', 'Europe/Berlin'))).toBe('2026-10-25T00:30:00.000Z');
  expect(iso(msOf('2026-10-25', '03:00', 'Europe/Berlin'))).toBe('2026-10-25T02:00:00.000Z');
  // Clocks of Beirut go forward at midnight, so that the day begins at 01:00.
  expect(timeOf(boundsOf('2026-03-29', 'Asia/Beirut').from, 'Asia/Beirut')).toBe('01:00');
  const long = boundsOf('2026-10-25', 'Europe/Berlin');
  expect(long.until - long.from).toBe(25 * 3_600_000);
  // Samoa left out a whole day.
  expect(dayOf(msOf('2011-12-31', '09:00', 'Pacific/Apia'), 'Pacific/Apia')).toBe('2011-12-31');
});

test('[CALENDAR-3] weeks are ISO weeks: from Monday, and the first holds the year’s first Thursday', () => {
  expect(isoWeekOf('2026-11-23')).toBe('2026-W48');
  expect(isoWeekOf('2026-11-29')).toBe('2026-W48');
  expect(isoWeekOf('2026-11-30')).toBe('2026-W49');
  expect(isoWeekOf('2027-01-03')).toBe('2026-W53');
  expect(isoWeekOf('2027-01-04')).toBe('2027-W01');
  expect(isoWeekOf('2024-12-30')).toBe('2025-W01');
});

test('any instant is found again from the day and time that it shows, or an hour away where the clock shows it twice', () => {
  const zones = ['Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kolkata', 'Pacific/Chatham', 'UTC'];
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: Date.parse('1990-01-01'), max: Date.parse('2040-01-01') }),
      (zone, at) => {
        const minute = Math.floor(at / 60_000) * 60_000;
        const found = msOf(dayOf(minute, zone), timeOf(minute, zone), zone);
        expect(found === minute || (minute - found > 0 && minute - found <= 3_600_000)).toBe(true);
        const { from, until } = boundsOf(dayOf(minute, zone), zone);
        expect(from <= minute && minute < until).toBe(true);
        expect(dayOf(until, zone)).toBe(dayAfter(dayOf(minute, zone)));
      },
    ),
    { numRuns: 300 },
  );
});

test('a zone is known by its IANA name, and no other text is one', () => {
  expect(['Europe/Berlin', 'UTC', 'Mars/Olympus', '', 'x'.repeat(100)].map(isTimeZone)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(() => msOf('2026-13-01', '09:00', 'UTC')).toThrow(RangeError);
  expect(() => msOf('2026-11-23', 'nine', 'UTC')).toThrow(RangeError);
});
