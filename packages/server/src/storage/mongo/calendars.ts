import type { UserId } from '@rollcall/protocol';
import type { mongo } from 'mongoose';
import type { StoredCalendar } from '../port.js';
import { COLLECTION_OPTIONS } from './connection.js';

interface CalendarRow extends Omit<StoredCalendar, 'user_id'> {
  /** The user, who has one address at most. */
  readonly _id: string;
}

const collectionOf = (db: mongo.Db): mongo.Collection<CalendarRow> =>
  db.collection<CalendarRow>('rollcall_calendars', COLLECTION_OPTIONS);

const toCalendar = (row: CalendarRow | null): StoredCalendar | null =>
  row && { hash: row.hash, user_id: row._id as UserId, made_at: row.made_at };

export async function setCalendar(db: mongo.Db, { user_id, hash, made_at }: StoredCalendar): Promise<void> {
  const calendars = collectionOf(db);
  // Made with the first address: a database of which nobody has one stays without the collection.
  await calendars.createIndex({ hash: 1 });
  await calendars.replaceOne({ _id: user_id }, { hash, made_at }, { upsert: true });
}

export async function removeCalendar(db: mongo.Db, userId: UserId): Promise<void> {
  await collectionOf(db).deleteOne({ _id: userId });
}

export const findCalendar = async (db: mongo.Db, hash: string): Promise<StoredCalendar | null> =>
  toCalendar(await collectionOf(db).findOne({ hash }));

export const calendarOf = async (db: mongo.Db, userId: UserId): Promise<StoredCalendar | null> =>
  toCalendar(await collectionOf(db).findOne({ _id: userId }));
