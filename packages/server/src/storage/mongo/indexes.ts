import type { mongo } from 'mongoose';
import type { Collections, StoredRow } from './collections.js';
import { errorCode, NAMESPACE_NOT_FOUND } from './connection.js';
import type { Row } from './stored-values.js';

export type OnWarning = (message: string) => void;

type Keys = Readonly<Record<string, 1>>;
interface Wanted {
  readonly of: mongo.Collection<Row>;
  readonly keys: Keys;
  /** What a database that already holds doubles goes without; nothing here relies on it. */
  readonly unique?: true;
  readonly sparse?: true;
}

/** Indexes of our own collection, without which the server doesn't start. */
export async function indexJournal(journal: mongo.Collection<StoredRow>): Promise<void> {
  // last_seq first: reading on from a seq is then one range of the index; first_seq answers which batches open a
  // journal from the index alone.
  await journal.createIndex({ session_id: 1, last_seq: 1, first_seq: 1 });
  await journal.createIndex({ open: 1 }, { sparse: true });
}

/**
 * Indexes that make our look-ups quick on collections that may belong to an existing application. What is there
 * already is used; what can't be made is a warning and never stops the start.
 */
export async function indexExisting(c: Collections, onWarning: OnWarning): Promise<void> {
  const wanted: readonly Wanted[] = [
    { of: c.users, keys: { uid: 1 }, unique: true, sparse: true },
    { of: c.teachers, keys: { user_id: 1 } },
    { of: c.students, keys: { user_id: 1 } },
    { of: c.enrollments, keys: { course_id: 1, student_id: 1 } },
    { of: c.sessions, keys: { status: 1 } },
    { of: c.records, keys: { session_id: 1, student_id: 1 }, unique: true },
  ];
  await Promise.all(wanted.map((index) => ensure(index, onWarning)));
}

async function ensure({ of, keys, unique, sparse }: Wanted, onWarning: OnWarning): Promise<void> {
  const name = `${of.collectionName}(${Object.keys(keys).join(', ')})`;
  if ((await existingIndexes(of)).some((index) => serves(index, keys))) return;
  const attempts = unique ? [{ unique: true, ...(sparse && { sparse }) }, {}] : [{}];
  for (const options of attempts) {
    try {
      await of.createIndex({ ...keys }, options);
      return;
    } catch (error) {
      const kind = 'unique' in options ? 'unique index' : 'index';
      onWarning(`no ${kind} on ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

async function existingIndexes(collection: mongo.Collection<Row>): Promise<readonly mongo.IndexDescriptionInfo[]> {
  try {
    return await collection.indexes();
  } catch (error) {
    if (errorCode(error) === NAMESPACE_NOT_FOUND) return [];
    throw error;
  }
}

/** An index serves when it begins with the keys looked up and covers every document. */
function serves(index: mongo.IndexDescriptionInfo, keys: Keys): boolean {
  if (index['partialFilterExpression'] !== undefined) return false;
  const has = Object.entries(index.key);
  return Object.keys(keys).every((key, i) => has[i]?.[0] === key && (has[i]?.[1] === 1 || has[i]?.[1] === -1));
}
