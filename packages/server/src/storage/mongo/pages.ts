import type { mongo } from 'mongoose';
import type { PageQuery } from '../port.js';
import { anyOf, type Row, type StoredId, storedId } from './stored-values.js';

/** The types of ids in the order in which MongoDB sorts them. It compares values of one of them at a time. */
const TYPES = ['number', 'string', 'binData', 'objectId'] as const;

function typeOf(id: StoredId): (typeof TYPES)[number] {
  if (typeof id === 'number') return 'number';
  if (typeof id === 'string') return 'string';
  const type = '_bsontype' in id ? String(id._bsontype) : '';
  return type === 'ObjectId' ? 'objectId' : type === 'Long' ? 'number' : 'binData';
}

export interface RowsQuery {
  /** What identifies a row: `_id`, or a field that names a user. An index begins with it. */
  readonly field: '_id' | 'user_id';
  readonly filter?: mongo.Filter<Row>;
  readonly projection: mongo.Document;
}

/** Up to `limit + 1` rows behind a key, in the order in which the database sorts ids of several types. */
export async function rowsBehind(
  collection: mongo.Collection<Row>,
  { after, limit }: PageQuery,
  { field, filter = {}, projection }: RowsQuery,
): Promise<Row[]> {
  const held = after === null ? null : await heldAs(collection, field, after);
  const rows: Row[] = [];
  const first = held === null ? 0 : TYPES.indexOf(typeOf(held));
  for (const [i, type] of TYPES.slice(first).entries()) {
    const behind = held !== null && i === 0 ? { $gt: held } : {};
    const condition = { ...filter, [field]: { $type: type, ...behind } } as mongo.Filter<Row>;
    const found = await collection
      .find(condition, { projection })
      .sort({ [field]: 1 })
      .limit(limit + 1 - rows.length)
      .toArray();
    rows.push(...found);
    if (rows.length > limit) break;
  }
  return rows;
}

/** A key as the row that has it holds it; as we would write it where the row is gone. */
async function heldAs(collection: mongo.Collection<Row>, field: '_id' | 'user_id', id: string): Promise<StoredId> {
  const row = await collection.findOne({ [field]: anyOf([id]) } as mongo.Filter<Row>, { projection: { [field]: 1 } });
  return (row?.[field] as StoredId | undefined) ?? storedId(id);
}
