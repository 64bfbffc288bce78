import type { UserId } from '@rollcall/protocol';

/** The addresses of people's calendars, each known by a hash alone. A person has one at most. */
export interface Calendars {
  /** Gives a person this address in place of the one that they had. */
  setCalendar(address: StoredCalendar): Promise<void>;
  /** From now on no address leads to this person's calendar. Nothing for one who has none. */
  removeCalendar(userId: UserId): Promise<void>;
  /** Whose calendar is at this address; null for an address that isn't there, or any more. */
  findCalendar(hash: string): Promise<StoredCalendar | null>;
  /** The address of this person's calendar; null when they have none. */
  calendarOf(userId: UserId): Promise<StoredCalendar | null>;
}

export interface StoredCalendar {
  /** SHA-256 of the token in the address, in lower-case hex. */
  readonly hash: string;
  readonly user_id: UserId;
  /** Milliseconds since the epoch. */
  readonly made_at: number;
}
