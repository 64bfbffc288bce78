import type { mongo } from 'mongoose';
import type { UnusableRows } from '../port.js';
import type { Collections } from './collections.js';
import { readId } from './stored-values.js';

/** Rows counted in a collection: whoever has more knows enough. */
const COUNTED_MAX = 1_000;
/** How long the database may look in a collection, in ms. */
const LIMIT_MS = 5_000;

/** Types that an _id may have and that no id can be read from. Each is a range of the index of _id. */
const UNREADABLE = ['object', 'bool', 'date', 'regex', 'timestamp', 'null', 'minKey', 'maxKey', 'decimal'] as const;

/** Rows that Rollcall can't use since nobody could name them; bounded, so that it may be asked at every start. */
export async function unusableRows(c: Collections): Promise<UnusableRows[]> {
  const collections = [c.users, c.teachers, c.students, c.courses, c.sessions, c.records];
  const found = await Promise.all(
    collections.map(async (collection) => {
      // UUIDs are readable, other binary data isn't; and so is text, unless it is empty.
      const either: mongo.Document = { $or: [{ _id: { $type: [...UNREADABLE, 'binData'] } }, { _id: '' }] };
      const options = { projection: { _id: 1 }, limit: COUNTED_MAX, maxTimeMS: LIMIT_MS } as const;
      const rows = await collection.find({ ...either }, options).toArray();
      const count = rows.filter((row) => readId(row._id) === null).length;
      return { collection: collection.collectionName, count, reason: REASON };
    }),
  );
  return found.filter(({ count }) => count > 0);
}

const REASON = 'the _id is neither an ObjectId nor text, a number or a UUID';
