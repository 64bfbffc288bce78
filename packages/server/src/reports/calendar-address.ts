import { createHash, randomBytes } from 'node:crypto';
import { RollcallError, type UserId } from '@rollcall/protocol';
import type { Person, Storage } from '../storage/port.js';
import { type CalendarParts, calendarOf } from './calendar-of.js';

/** What a token is made of: nobody can guess it. */
const TOKEN_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
const DAY_MS = 86_400_000;
/** How far back a calendar goes, in days. */
const DAYS_BACK = 400;

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

type Store = Pick<Storage, 'calendars' | 'people' | 'reports'>;

/** Makes an address for a person's calendar, in place of the one that they had. Only the caller ever has the token. */
export async function makeCalendarAddress(store: Store, userId: UserId, now: number): Promise<string> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  await store.calendars.setCalendar({ user_id: userId, hash: hashOf(token), made_at: now });
  return token;
}

/**
 * The calendar at an address.
 * @throws {RollcallError} NOT_FOUND for an address that isn't there, that was revoked, or whose person is gone or
 *   disabled
 */
export async function calendarAt(
  store: Store,
  token: string,
  { zone, domain, now }: Pick<CalendarParts, 'zone' | 'domain' | 'now'>,
): Promise<string> {
  const person = await personAt(store, token);
  if (!person) throw new RollcallError('NOT_FOUND');
  const ids = { teacher_id: person.teacher?.teacher_id ?? null, student_id: person.student?.student_id ?? null };
  const sessions = await store.reports.sessionsOfPerson(ids);
  const oldest = new Date(now - DAYS_BACK * DAY_MS).toISOString().slice(0, 10);
  return calendarOf({ sessions: sessions.filter(({ date }) => date === null || date >= oldest), zone, domain, now });
}

async function personAt(store: Store, token: string): Promise<Person | null> {
  if (!TOKEN.test(token)) return null;
  const address = await store.calendars.findCalendar(hashOf(token));
  if (!address) return null;
  const uid = await store.people.findUidOfUser(address.user_id);
  return uid === null ? null : store.people.findPersonByUid(uid);
}
