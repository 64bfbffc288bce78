import type { mongo } from 'mongoose';
import { type AccountChange, type NewAccount, type SchoolChange, StorageError } from '../port.js';
import { userRow } from './accounts.js';
import type { Collections } from './collections.js';
import { isDuplicateKey } from './connection.js';
import { derivedId, profilesOfUsers } from './people.js';
import {
  anyOf,
  anyUid,
  changedFields,
  type Row,
  readId,
  readText,
  type StoredId,
  storedId,
  withoutNulls,
} from './stored-values.js';

/*
 * A database without transactions: what is taken or missing is looked for before anything is written. A change
 * writes profiles before their user, so that a repeat completes one that was cut off.
 */

type Fields = Readonly<Record<string, unknown>>;
type Kind = 'teacher' | 'student';

const ID_FIELDS = { teacher: 'teacher_id', student: 'student_id' } as const;
const KINDS = ['teacher', 'student'] as const;
/** Owners that one uid may have had before; more are a fault of ours. */
const OWNERS_MAX = 100;

const collectionOf = (c: Collections, kind: Kind): mongo.Collection<Row> =>
  kind === 'teacher' ? c.teachers : c.students;
const taken = (field: string): SchoolChange => ({ outcome: 'taken', field });
const rowById = (collection: mongo.Collection<Row>, id: string): Promise<Row | null> =>
  collection.findOne({ _id: anyOf([id]) });

const uidIsTaken = async (c: Collections, uid: string): Promise<boolean> =>
  (await c.users.findOne({ uid: anyUid([uid]) }, { projection: { _id: 1 } })) !== null;

function profileFields({ teacher_id: _, student_id: __, ...fields }: Fields): Fields {
  return fields;
}

/** The role by which an application knows a user. */
const roleOf = (isAdmin: boolean, hasTeacher: boolean, hasStudent: boolean): string | null =>
  isAdmin ? 'admin' : hasTeacher ? 'teacher' : hasStudent ? 'student' : null;

/** False where a row of the same id is there already. */
async function inserted(collection: mongo.Collection<Row>, _id: StoredId, fields: Fields): Promise<boolean> {
  const now = new Date();
  try {
    await collection.insertOne({ _id, ...withoutNulls(fields), createdAt: now, updatedAt: now });
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

/** Sets what differs; what is to be null is taken out. */
export async function setChanged(collection: mongo.Collection<Row>, row: Row, fields: Fields): Promise<boolean> {
  const said = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const changes = Object.entries(changedFields(row, said));
  if (changes.length === 0) return false;
  const set = Object.fromEntries(changes.filter(([, value]) => value !== null));
  const unset = Object.fromEntries(changes.flatMap(([field, value]) => (value === null ? [[field, '' as const]] : [])));
  const { matchedCount } = await collection.updateOne(
    { _id: row._id },
    {
      $set: { ...set, updatedAt: new Date() },
      ...(Object.keys(unset).length > 0 && { $unset: unset }),
    },
  );
  return matchedCount === 1;
}

export async function createAccount(c: Collections, account: NewAccount): Promise<SchoolChange> {
  const { uid } = account;
  if (await uidIsTaken(c, uid)) return taken('uid');
  for (let owner = 0; owner < OWNERS_MAX; owner++) {
    // Whoever makes this uid at the same time tries the same ids in the same order, so that one of them is first.
    const userId = derivedId('user', owner === 0 ? uid : JSON.stringify([uid, owner]));
    const holder = await c.users.findOne({ _id: userId }, { projection: { uid: 1 } });
    if (!holder) return makeAccount(c, userId, account);
    if (readText(holder['uid']) === uid) return taken('uid');
  }
  throw new StorageError(`mongodb: the user ${uid} can't be made: every id for them is taken`);
}

/** The user first: of two who make one at the same time, whoever has its id makes the profiles too. */
async function makeAccount(c: Collections, userId: mongo.ObjectId, account: NewAccount): Promise<SchoolChange> {
  const { uid, name, email, profile_picture, is_admin, disabled } = account;
  for (const kind of KINDS) {
    const id = (account[kind] as Fields | null)?.[ID_FIELDS[kind]];
    if (typeof id === 'string' && (await rowById(collectionOf(c, kind), id))) return taken(ID_FIELDS[kind]);
  }
  const role = roleOf(is_admin, account.teacher !== null, account.student !== null);
  const fields = { uid, name, email, profile_picture, role, disabled: disabled || null };
  if (!(await inserted(c.users, userId, fields))) return taken('uid');
  for (const kind of KINDS) {
    const said = account[kind];
    if (!said || (await addProfile(collectionOf(c, kind), kind, said, userId, uid)) !== null) continue;
    // Somebody else has taken the id since it was looked at.
    for (const made of KINDS) await collectionOf(c, made).deleteMany({ user_id: userId });
    await c.users.deleteOne({ _id: userId });
    return taken(ID_FIELDS[kind]);
  }
  return { outcome: 'added', id: userId.toHexString() };
}

/** Null where the id that is said is another one's. */
async function addProfile(
  collection: mongo.Collection<Row>,
  kind: Kind,
  said: Fields,
  user_id: StoredId,
  uid: string,
): Promise<StoredId | null> {
  const given = said[ID_FIELDS[kind]];
  const fields = { user_id, ...profileFields(said) };
  const ids =
    typeof given === 'string'
      ? [storedId(given)]
      : [storedId(uid), derivedId(kind, JSON.stringify([uid, String(user_id)]))];
  for (const id of ids) {
    // As text or as an ObjectId: an id is one id, however a row holds it.
    const isFree = (await rowById(collection, readId(id) ?? '')) === null;
    if (isFree && (await inserted(collection, id, fields))) return id;
  }
  return null;
}

export async function changeAccount(c: Collections, userId: string, change: AccountChange): Promise<SchoolChange> {
  const user = await userRow(c, userId);
  if (!user) return { outcome: 'missing', field: 'user_id', value: userId };
  const before = readText(user['uid']) ?? userId;
  const uid = change.uid === before ? undefined : change.uid;
  if (uid !== undefined && (await uidIsTaken(c, uid))) return taken('uid');

  const profiles: Record<Kind, Row | undefined> = { teacher: undefined, student: undefined };
  const orphans: Record<Kind, Row | undefined> = { teacher: undefined, student: undefined };
  for (const kind of KINDS) {
    const collection = collectionOf(c, kind);
    const own = (await profilesOfUsers(collection, [userId], {})).get(userId);
    profiles[kind] = own && ((await collection.findOne({ _id: own._id })) ?? undefined);
    const id = (change[kind] as Fields | null | undefined)?.[ID_FIELDS[kind]];
    if (own || typeof id !== 'string') continue;
    const named = await rowById(collection, id);
    if (named && readId(named['user_id']) !== null) return taken(ID_FIELDS[kind]);
    orphans[kind] = named ?? undefined;
  }

  let changed = false;
  const has: Record<Kind, boolean> = { teacher: false, student: false };
  for (const kind of KINDS) {
    const said = change[kind] as Fields | null | undefined;
    const [own, orphan] = [profiles[kind], orphans[kind]];
    has[kind] = said === undefined ? own !== undefined : said !== null;
    const collection = collectionOf(c, kind);
    if (said === null && own) changed = (await setChanged(collection, own, { user_id: null })) || changed;
    if (!said) continue;
    const row = own ?? orphan;
    if (row) {
      const fields = { ...profileFields(said), ...(!own && { user_id: user._id }) };
      changed = (await setChanged(collection, row, fields)) || changed;
    } else {
      if ((await addProfile(collection, kind, said, user._id, uid ?? before)) === null) return taken(ID_FIELDS[kind]);
      changed = true;
    }
  }
  const { name, email, profile_picture, disabled, is_admin } = change;
  const isAdmin = is_admin ?? user['role'] === 'admin';
  // The role of a user is their application's affair as long as nobody says otherwise.
  const saysRole = is_admin !== undefined || change.teacher !== undefined || change.student !== undefined;
  const role = saysRole ? roleAfter(user['role'], isAdmin, has) : undefined;
  const fields = { uid, name, email, profile_picture, disabled, role };
  changed = (await setChanged(c.users, user, fields)) || changed;
  if (uid !== undefined && (await isSecond(c, user, uid))) {
    await setChanged(c.users, { ...user, uid }, { uid: user['uid'] ?? null });
    return taken('uid');
  }
  return { outcome: changed ? 'changed' : 'left', id: userId };
}

/** A role that still holds stays: a user with both profiles keeps the one that the application chose. */
function roleAfter(before: unknown, isAdmin: boolean, has: Readonly<Record<Kind, boolean>>): unknown {
  if (!isAdmin && (before === 'teacher' || before === 'student') && has[before]) return before;
  return roleOf(isAdmin, has.teacher, has.student);
}

/** No index keeps two users from taking one uid at once: of two the one with the lower id has it. */
async function isSecond(c: Collections, user: Row, uid: string): Promise<boolean> {
  const first = await c.users.findOne({ uid: anyUid([uid]) }, { projection: { _id: 1 }, sort: { _id: 1 } });
  return first !== null && readId(first._id) !== readId(user._id);
}
