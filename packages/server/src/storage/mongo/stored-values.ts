import { mongo } from 'mongoose';

/**
 * How an id is held. Rollcall itself writes 24 lower-case hex digits as an ObjectId and any other text as it is; the
 * rows of another application may have numbers and UUIDs, whose text form is then the id.
 */
export type StoredId = mongo.ObjectId | string | number | mongo.Long | mongo.UUID;

/** A document of a collection that other applications write too: nothing is known of a field before it is read. */
export interface Row {
  readonly _id: StoredId;
  readonly [field: string]: unknown;
}

// Lower case only: an ObjectId forgets the case of its digits, and ids are opaque.
const OBJECT_ID = /^[0-9a-f]{24}$/;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const WHOLE_NUMBER = /^-?[1-9]\d{0,18}$/;

/** As Rollcall writes an id that no row holds yet. */
export const storedId = (id: string): StoredId => (OBJECT_ID.test(id) ? new mongo.ObjectId(id) : id);

/** The number or the UUID whose text an id is; undefined for any other id. MongoDB compares numbers of all types. */
function otherForm(id: string): StoredId | undefined {
  const number = Number(id);
  if (Number.isFinite(number) && String(number) === id) return number;
  if (UUID.test(id)) return new mongo.UUID(id);
  if (!WHOLE_NUMBER.test(id)) return undefined;
  // Beyond what a number can tell apart.
  const long = mongo.Long.fromString(id);
  return long.toString() === id ? long : undefined;
}

/**
 * Matches a field that names any of `ids`. References in databases that other applications filled may hold an
 * ObjectId as text, or a number; an `$in` over all forms serves them from one index.
 */
export const anyOf = (ids: Iterable<string>): { $in: StoredId[] } => {
  const forms: StoredId[] = [];
  for (const id of ids) {
    const other = OBJECT_ID.test(id) ? new mongo.ObjectId(id) : otherForm(id);
    if (other !== undefined) forms.push(other);
    forms.push(id);
  }
  return { $in: forms };
};

/**
 * How to write references to these ids: as the rows that they name hold them. Rows are asked for only where an id's
 * text doesn't tell, which is that of a number or a UUID.
 */
export async function asHeld(
  collection: mongo.Collection<Row>,
  ids: Iterable<string | null>,
): Promise<(id: string) => StoredId> {
  const unclear = new Set([...ids].filter((id): id is string => id !== null && otherForm(id) !== undefined));
  if (unclear.size === 0) return storedId;
  const rows = await inParts(unclear, (_id) => collection.find({ _id }, { projection: { _id: 1 } }).toArray());
  const held = new Map(rows.map((row) => [readId(row._id), row._id]));
  return (id) => held.get(id) ?? storedId(id);
}

/** Matches any of these uids, also where it is held as a number (a roll by which people sign in). */
export const anyUid = (uids: Iterable<string>): { $in: (string | number)[] } => {
  const forms: (string | number)[] = [];
  for (const uid of uids) {
    forms.push(uid);
    const number = Number(uid);
    if (Number.isSafeInteger(number) && String(number) === uid) forms.push(number);
  }
  return { $in: forms };
};

/** Ids asked for in one query. */
const IDS_AT_ONCE = 200;

/**
 * Rows of thousands of ids, in several queries at once: that spreads over the connections, and one query of them all
 * takes longer than its parts together (1,000 ids 55 ms, five times 200 at once 18 ms, on the server the tests use).
 */
export async function inParts<Found>(
  ids: Iterable<string>,
  find: (condition: { $in: StoredId[] }) => Promise<Found[]>,
): Promise<Found[]> {
  const all = [...ids];
  const parts: Promise<Found[]>[] = [];
  for (let from = 0; from < all.length; from += IDS_AT_ONCE) {
    parts.push(find(anyOf(all.slice(from, from + IDS_AT_ONCE))));
  }
  return (await Promise.all(parts)).flat();
}

/** Null where the field holds nothing that can be an id. */
export const readId = (value: unknown): string | null => {
  if (value instanceof mongo.ObjectId) return value.toHexString();
  if (typeof value === 'string') return value === '' ? null : value;
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : null;
  if (value instanceof mongo.Long) return value.toString();
  const isUuid = value instanceof mongo.Binary && value.sub_type === mongo.Binary.SUBTYPE_UUID && value.length() === 16;
  return isUuid ? value.toUUID().toHexString(true) : null;
};

export const readIds = (value: unknown): string[] =>
  Array.isArray(value) ? value.flatMap((item: unknown) => readId(item) ?? []) : [];

/** Text that says something: an app that clears a field may leave '' there. */
export const readText = (value: unknown): string | null => readWritten(value) || null;

/** Text, also where the database holds a number (a roll, a semester), and as Rollcall wrote it: a remark may be ''. */
export const readWritten = (value: unknown): string | null => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return value instanceof mongo.Decimal128 || value instanceof mongo.Long ? value.toString() : null;
};

/** Milliseconds since the epoch, from a Date, a number of milliseconds or a date in text. */
export const readTime = (value: unknown): number | null => {
  const time =
    value instanceof Date
      ? value.getTime()
      : typeof value === 'number'
        ? value
        : typeof value === 'string'
          ? Date.parse(value)
          : Number.NaN;
  return Number.isFinite(time) ? time : null;
};

export const readSeq = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0);

const DAY_MS = 86_400_000;

/** ISO 8601: the date alone for midnight UTC, which is how a date without time is held; text as it is. */
export const readDate = (value: unknown): string | null => {
  if (typeof value === 'string') return value || null;
  const time = readTime(value);
  if (time === null) return null;
  const iso = new Date(time).toISOString();
  return time % DAY_MS === 0 ? iso.slice(0, 10) : iso;
};

/** A Date, as existing databases have it; text that is no date stays text. */
export const storedDate = (date: string): Date | string => {
  const time = Date.parse(date);
  return Number.isNaN(time) ? date : new Date(time);
};

export const storedTime = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));

/** Drops what is null: a document of ours then looks like one of an application that never set the field. */
export const withoutNulls = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));

/** Text by which values are compared whatever type holds them ('7' and 7, an ObjectId and its digits); null for what
 * we can't read, and for an empty list. */
const canonical = (value: unknown): string | null => {
  if (Array.isArray(value)) return value.length === 0 ? null : JSON.stringify(value.map(canonical));
  return readId(value) ?? readWritten(value) ?? readDate(value);
};

function means(held: unknown, value: unknown): boolean {
  if (value instanceof Date) return readTime(held) === value.getTime();
  // A flag that isn't there is one that isn't set.
  if (typeof value === 'boolean') return (held === true) === value;
  return canonical(held) === canonical(value);
}

/**
 * Those of our fields whose value isn't in the row yet. Only they are ever set: a value that means the same in
 * another type stays as its owner wrote it.
 */
export const changedFields = (row: Row, fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([name, value]) => !means(row[name], value)));
