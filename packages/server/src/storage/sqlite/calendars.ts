import type { UserId } from '@rollcall/protocol';
import type { Calendars, StoredCalendar } from '../port.js';
import type { Connection } from './connection.js';
import type { Queries } from './queries.js';

const CALENDAR = 'SELECT json_group_array(json_array(hash, user_id, made_at)) FROM calendar_tokens';
export const FIND_CALENDAR = `${CALENDAR} WHERE hash = ?`;
export const CALENDAR_OF = `${CALENDAR} WHERE user_id = ?`;

function toCalendar(row: readonly unknown[]): StoredCalendar {
  const [hash, user_id, made_at] = row as [string, UserId, number];
  return { hash, user_id, made_at };
}

export const calendarsOf = (queries: Queries): Calendars => ({
  setCalendar: (address) => queries.call('setCalendar', address),
  removeCalendar: (userId) => queries.call('removeCalendar', userId),
  findCalendar: (hash) => queries.first(FIND_CALENDAR, [hash], toCalendar),
  calendarOf: (userId) => queries.first(CALENDAR_OF, [userId], toCalendar),
});

export function setCalendar(db: Connection, { hash, user_id, made_at }: StoredCalendar): void {
  db.run('INSERT OR REPLACE INTO calendar_tokens (user_id, hash, made_at) VALUES (?, ?, ?)', [user_id, hash, made_at]);
}

export function removeCalendar(db: Connection, userId: string): void {
  db.run('DELETE FROM calendar_tokens WHERE user_id = ?', [userId]);
}
