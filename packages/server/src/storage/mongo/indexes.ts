import type { mongo } from 'mongoose';
import type { Collections, StoredRow } from './collections.js';
import { errorCode, NAMESPACE_NOT_FOUND } from './connection.js';
import type { Row } from './stored-values.js';

export type OnWarning = (message: string) => void;

interface Wanted {
  readonly of: mongo.Collection<Row>;
  readonly keys: readonly string[];
}

/** Indexes of our own collection, without which the server doesn't start. */
export async function indexJournal(journal: mongo.Collection<StoredRow>): Promise<void> {
  // last_seq first: reading on from a seq is then one range of the index; first_seq answers which batches open a
  // journal from the index alone.
  await journal.createIndex({ session_id: 1, last_seq: 1, first_seq: 1 });
  await journal.createIndex({ open: 1 }, { sparse: true });
}

/**
 * Indexes that make our look-ups quick on collections that may belong to an existing application: they constrain
 * nothing, and their names and keys are of our own, so that none of the application's own indexes, whatever its
 * options, collides with one. What is there already is used; what can't be made is a warning and never stops the start.
 */
export async function indexExisting(c: Collections, onWarning: OnWarning): Promise<void> {
  const wanted: readonly Wanted[] = [
    { of: c.users, keys: ['uid'] },
    { of: c.users, keys: ['name'] },
    { of: c.users, keys: ['email'] },
    { of: c.users, keys: ['role'] },
    { of: c.teachers, keys: ['user_id'] },
    { of: c.students, keys: ['user_id'] },
    { of: c.students, keys: ['roll'] },
    { of: c.courses, keys: ['teacher_id'] },
    { of: c.courses, keys: ['co_teacher_ids'] },
    { of: c.enrollments, keys: ['course_id', 'student_id'] },
    { of: c.enrollments, keys: ['student_id'] },
    { of: c.sessions, keys: ['status'] },
    { of: c.sessions, keys: ['course_id', 'date'] },
    { of: c.sessions, keys: ['teacher_id', 'date'] },
    { of: c.records, keys: ['session_id', 'student_id'] },
    { of: c.records, keys: ['student_id'] },
  ];
  const collections = [...new Set(wanted.map((index) => index.of))];
  await Promise.all(
    collections.map(async (of) => {
      // One after the other in one collection: each looks at those that are there.
      for (const index of await existingIndexes(of)) warnOfEarlier(of, index, onWarning);
      for (const index of wanted.filter((one) => one.of === of)) await ensure(index, onWarning);
    }),
  );
}

/** For those who ask for a link by their email address. Made when the first of them does. */
export const indexEmails = (c: Collections, onWarning: OnWarning): Promise<void> =>
  ensure({ of: c.users, keys: ['email'] }, onWarning);

async function ensure({ of, keys }: Wanted, onWarning: OnWarning): Promise<void> {
  const existing = await existingIndexes(of);
  if (existing.some((index) => serves(index, keys))) return;
  try {
    // An application has no reason for an index that ends with _id, and MongoDB tells indexes apart by their keys.
    const spec = Object.fromEntries([...keys, '_id'].map((key) => [key, 1 as const]));
    await of.createIndex(spec, { name: `rollcall_${keys.join('_')}` });
  } catch (error) {
    const name = `${of.collectionName}(${keys.join(', ')})`;
    onWarning(`no index on ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Unique indexes that earlier versions of Rollcall made. An application may have made one that is just the same. */
const EARLIER: Readonly<Record<string, { readonly name: string; readonly sparse: boolean }>> = {
  users: { name: 'uid_1', sparse: true },
  attendancerecords: { name: 'session_id_1_student_id_1', sparse: false },
};

function warnOfEarlier(of: mongo.Collection<Row>, index: mongo.IndexDescriptionInfo, onWarning: OnWarning): void {
  const earlier = EARLIER[of.collectionName];
  if (!earlier || index['name'] !== earlier.name || index['unique'] !== true) return;
  if ((index['sparse'] === true) !== earlier.sparse || index['partialFilterExpression'] !== undefined) return;
  onWarning(
    `${of.collectionName} has a unique index ${earlier.name}, as earlier versions of Rollcall made one; Rollcall no ` +
      `longer needs it. If it is not your application's own, drop it: ` +
      `db.${of.collectionName}.dropIndex("${earlier.name}")`,
  );
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
function serves(index: mongo.IndexDescriptionInfo, keys: readonly string[]): boolean {
  // A sparse index of several keys holds what has any of them, and a look-up by all of them finds what it asks for.
  if (index['partialFilterExpression'] !== undefined || index['collation'] !== undefined) return false;
  const has = Object.entries(index.key);
  return keys.every((key, i) => has[i]?.[0] === key && (has[i]?.[1] === 1 || has[i]?.[1] === -1));
}
