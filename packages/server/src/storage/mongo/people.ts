import { createHash } from 'node:crypto';
import type { StudentId, TeacherId, UserId } from '@rollcall/protocol';
import { mongo } from 'mongoose';
import type { RosterStudent } from '../../journal/entries.js';
import { type NewPerson, type Person, StorageError, type StoredProfile, type TeacherProfile } from '../port.js';
import type { Collections } from './collections.js';
import { isDuplicateKey } from './connection.js';
import { anyOf, anyUid, inParts, type Row, readId, readText, withoutNulls } from './stored-values.js';

export const USER_FIELDS = { uid: 1, name: 1, email: 1, role: 1, profile_picture: 1, disabled: 1 };

/** A user who may not sign in and is on no roster. */
export const isDisabled = (user: Row | undefined): boolean => user?.['disabled'] === true;
const STUDENT_FIELDS = { user_id: 1, name: 1, email: 1, roll: 1, section: 1, profile_picture: 1 };
const TEACHER_FIELDS = { user_id: 1, name: 1, department: 1, designation: 1 };

export async function findPersonByUid(c: Collections, uid: string): Promise<Person | null> {
  return (await findPeopleByUid(c, [uid])).get(uid) ?? null;
}

export async function findPeopleByUid(c: Collections, uids: readonly string[]): Promise<Map<string, Person>> {
  const condition = { uid: anyUid(new Set(uids)) };
  // Where a database holds a uid twice, everybody must see the same one: later rows win, so the first made does.
  const rows = await c.users.find(condition, { projection: USER_FIELDS, sort: { _id: -1 } }).toArray();
  const users = new Map(rows.map((user) => [readText(user['uid']) ?? '', user]));
  for (const [userId, user] of await usersWithoutUid(c, uids, users)) users.set(userId, user);
  const userIds = [...users.values()].flatMap((user) => readId(user._id) ?? []);
  const [teachers, students] = await Promise.all([
    profilesOfUsers(c.teachers, userIds, TEACHER_FIELDS),
    profilesOfUsers(c.students, userIds, STUDENT_FIELDS),
  ]);
  const people = new Map<string, Person>();
  for (const [uid, user] of users) {
    const userId = readId(user._id);
    if (userId === null || isDisabled(user)) continue;
    const [teacher, student] = [teachers.get(userId), students.get(userId)];
    people.set(uid, {
      user_id: userId as UserId,
      uid,
      name: readText(user['name']) ?? uid,
      email: readText(user['email']),
      profile_picture: readText(user['profile_picture']),
      is_admin: user['role'] === 'admin',
      teacher: teacher ? teacherProfile(teacher) : null,
      student: student ? rosterStudent(student, user) : null,
    });
  }
  return people;
}

const NO_UID = { uid: { $in: [null, ''] as (string | null)[] } };

/** Users of an app that has no uids, by their ids. */
async function usersWithoutUid(
  c: Collections,
  uids: readonly string[],
  found: ReadonlyMap<string, Row>,
): Promise<Map<string, Row>> {
  const left = uids.filter((uid) => !found.has(uid));
  if (left.length === 0) return new Map();
  const rows = await inParts(new Set(left), (_id) =>
    c.users.find({ _id, ...NO_UID }, { projection: USER_FIELDS }).toArray(),
  );
  return new Map(rows.map((user) => [readId(user._id) ?? '', user]));
}

export async function findUidOfUser(c: Collections, userId: string): Promise<string | null> {
  const user = await c.users.findOne({ _id: anyOf([userId]) }, { projection: { uid: 1 } });
  return user && (readText(user['uid']) ?? readId(user._id));
}

function teacherProfile(row: Row): TeacherProfile | null {
  const id = readId(row._id);
  if (id === null) return null;
  const department = readText(row['department']);
  return { teacher_id: id as TeacherId, department, designation: readText(row['designation']) };
}

/** A profile whose user is gone keeps its place, under whatever name is left. */
function rosterStudent(profile: Row, user: Row | undefined): RosterStudent | null {
  const id = readId(profile._id);
  if (id === null) return null;
  const uid = readText(user?.['uid']);
  const roll = readText(profile['roll']);
  return {
    student_id: id as StudentId,
    user_id: readId(user?._id) as UserId | null,
    uid,
    name: readText(user?.['name']) ?? readText(profile['name']) ?? roll ?? uid ?? id,
    email: readText(user?.['email']) ?? readText(profile['email']),
    roll,
    section: readText(profile['section']),
    profile_picture: readText(user?.['profile_picture']) ?? readText(profile['profile_picture']),
  };
}

/** Students by profile id, else user id, else uid; keys are the references as given. */
export async function findStudents(c: Collections, refs: readonly string[]): Promise<Map<string, RosterStudent>> {
  const profiles = await profilesByReference(c.students, refs, STUDENT_FIELDS);
  const left = [...new Set(refs)].filter((ref) => !profiles.has(ref));
  if (left.length > 0) {
    const users = await c.users.find({ uid: anyUid(left) }, { projection: { uid: 1 }, sort: { _id: -1 } }).toArray();
    // Later rows win, so the first made of a uid held twice does, as in findPersonByUid.
    const uidOf = new Map(users.map((user) => [readId(user._id) ?? '', readText(user['uid']) ?? '']));
    const ofUsers = await profilesOfUsers(c.students, [...uidOf.keys()], STUDENT_FIELDS);
    for (const [userId, uid] of uidOf) {
      const profile = ofUsers.get(userId);
      if (profile) profiles.set(uid, profile);
    }
  }
  return withUsers(c, profiles);
}

/** The students that enrolments name, by profile id or by user id, each once, without those whose user is disabled. */
export async function enabledStudentsOf(c: Collections, refs: readonly string[]): Promise<RosterStudent[]> {
  const students = await withUsers(c, await profilesByReference(c.students, refs, STUDENT_FIELDS), isDisabled);
  return [...new Map([...students.values()].map((student) => [student.student_id, student])).values()];
}

/**
 * Profile ids of the students that records name, by profile id or by user id. Users are asked for only where an id is
 * no profile's; an id that leads nowhere is left out.
 */
export async function studentIdsOf(c: Collections, refs: Iterable<string>): Promise<Map<string, string>> {
  const profiles = await profilesByReference(c.students, [...refs], { user_id: 1 });
  return new Map([...profiles].map(([ref, row]) => [ref, readId(row._id) ?? ref]));
}

async function withUsers(
  c: Collections,
  profiles: ReadonlyMap<string, Row>,
  without: (user: Row | undefined) => boolean = () => false,
): Promise<Map<string, RosterStudent>> {
  const userIds = new Set([...profiles.values()].flatMap((profile) => readId(profile['user_id']) ?? []));
  const users = new Map<string, Row>();
  if (userIds.size > 0) {
    const rows = await inParts(userIds, (_id) => c.users.find({ _id }, { projection: USER_FIELDS }).toArray());
    for (const row of rows) users.set(readId(row._id) ?? '', row);
  }
  const found = new Map<string, RosterStudent>();
  for (const [ref, profile] of profiles) {
    const user = users.get(readId(profile['user_id']) ?? '');
    const student = without(user) ? null : rosterStudent(profile, user);
    if (student) found.set(ref, student);
  }
  return found;
}

/** The users, disabled ones too, of teacher and student profiles that have these ids. */
export async function findProfiles(c: Collections, ids: readonly string[]): Promise<StoredProfile[]> {
  const wanted = new Set(ids);
  const rowsOf = async (list: StoredProfile['list']) => {
    const rows = await inParts(wanted, (_id) => c[list].find({ _id }, { projection: { user_id: 1 } }).toArray());
    return rows.map((row) => ({ list, id: readId(row._id) ?? '', userId: readId(row['user_id']) }));
  };
  const profiles = [...(await rowsOf('teachers')), ...(await rowsOf('students'))];
  const userIds = new Set(profiles.flatMap(({ userId }) => userId ?? []));
  const rows = await inParts(userIds, (_id) => c.users.find({ _id }, { projection: USER_FIELDS }).toArray());
  const users = new Map(rows.map((row) => [readId(row._id), row]));
  return profiles.flatMap(({ list, id, userId }) => {
    const user = userId === null ? undefined : users.get(userId);
    const uid = readText(user?.['uid']);
    return uid === null ? [] : [{ list, id, uid, name: readText(user?.['name']) ?? uid }];
  });
}

/** Teacher profiles by profile id, else user id: applications differ in which of them a course holds. */
export const findTeachers = (c: Collections, refs: readonly string[]): Promise<Map<string, Row>> =>
  profilesByReference(c.teachers, refs, TEACHER_FIELDS);

/** Names of teachers by the id of their profile: the user's, else one of the profile's own, else the uid. */
export async function teacherNames(c: Collections, profiles: readonly Row[]): Promise<Map<string, string>> {
  const userIds = new Set(profiles.flatMap((profile) => readId(profile['user_id']) ?? []));
  const rows = await inParts(userIds, (_id) => c.users.find({ _id }, { projection: { name: 1, uid: 1 } }).toArray());
  const users = new Map(rows.map((row) => [readId(row._id), row]));
  const names = new Map<string, string>();
  for (const profile of profiles) {
    const user = users.get(readId(profile['user_id']));
    const name = readText(user?.['name']) ?? readText(profile['name']) ?? readText(user?.['uid']);
    if (name !== null) names.set(readId(profile._id) ?? '', name);
  }
  return names;
}

async function profilesByReference(
  collection: mongo.Collection<Row>,
  refs: readonly string[],
  projection: mongo.Document,
): Promise<Map<string, Row>> {
  const found = new Map<string, Row>();
  if (refs.length === 0) return found;
  const rows = await inParts(new Set(refs), (_id) => collection.find({ _id }, { projection }).toArray());
  for (const row of rows) found.set(readId(row._id) ?? '', row);
  const left = [...new Set(refs)].filter((ref) => !found.has(ref));
  for (const [userId, row] of await profilesOfUsers(collection, left, projection)) found.set(userId, row);
  return found;
}

export async function profilesOfUsers(
  collection: mongo.Collection<Row>,
  userIds: readonly string[],
  projection: mongo.Document,
): Promise<Map<string, Row>> {
  if (userIds.length === 0) return new Map();
  // Descending, so that of a user's two profiles the first made is the one that stays in the map.
  const rows = await inParts(userIds, (user_id) =>
    collection.find({ user_id }, { projection, sort: { _id: -1 } }).toArray(),
  );
  return new Map(rows.map((row) => [readId(row['user_id']) ?? '', row]));
}

export type Purpose = 'user' | 'teacher' | 'student' | 'enrollment';

/**
 * An ObjectId that follows from what it is for. Two servers that make the same person at the same time collide on
 * _id: no index on another application's collection is needed for it.
 */
export const derivedId = (purpose: Purpose, uid: string): mongo.ObjectId =>
  new mongo.ObjectId(createHash('sha256').update(`${purpose}\n${uid}`).digest().subarray(0, 12));

/** Owners that one uid may have had before; more are a fault of ours. */
const OWNERS_MAX = 100;

/** How long a row in the way may take to be seen, in ms: a majority read comes later than the duplicate key. */
const SEEN_MAX_MS = 5_000;
const SEEN_STEP_MS = 20;

/**
 * Whoever provisions a uid tries the same ids in the same order, so of many at once one makes the person and the
 * others find them.
 */
export async function provisionPerson(c: Collections, person: NewPerson): Promise<Person | null> {
  const { uid } = person;
  const existing = await findPersonByUid(c, uid);
  if (existing) return existing;
  for (let owner = 0; owner < OWNERS_MAX; owner++) {
    // Somebody else has made them meanwhile, or they are there and disabled: then null.
    if (await c.users.findOne({ uid: anyUid([uid]) }, { projection: { _id: 1 } })) return findPersonByUid(c, uid);
    const name = owner === 0 ? uid : JSON.stringify([uid, owner]);
    await makePerson(c, person, (purpose) => derivedId(purpose, name));
    // Else the place is held by somebody who had this uid once and was renamed since.
    if ((await uidHeldBy(c, derivedId('user', name))) === uid) return findPersonByUid(c, uid);
  }
  throw new StorageError(`mongodb: the user ${uid} is not there after it was made`);
}

/** The uid of a user that is there, or about to be seen. */
async function uidHeldBy(c: Collections, _id: mongo.ObjectId): Promise<string | null> {
  const deadline = Date.now() + SEEN_MAX_MS;
  for (;;) {
    const row = await c.users.findOne({ _id }, { projection: { uid: 1 } });
    if (row) return readText(row['uid']);
    if (Date.now() > deadline) throw new StorageError('mongodb: a user that was made is not yet held by a majority');
    await new Promise((resolve) => setTimeout(resolve, SEEN_STEP_MS));
  }
}

async function makePerson(
  c: Collections,
  { uid, name, email, role }: NewPerson,
  idFor: (purpose: Purpose) => mongo.ObjectId,
): Promise<void> {
  const user_id = idFor('user');
  const now = new Date();
  const times = { createdAt: now, updatedAt: now };
  // The profile first: a crash between the two leaves a profile that the next attempt finds, never a user without one.
  if (role !== 'admin') {
    await insertOnce(role === 'teacher' ? c.teachers : c.students, { _id: idFor(role), user_id, ...times });
  }
  await insertOnce(c.users, { _id: user_id, ...withoutNulls({ uid, name, email, role }), ...times });
}

/** Nothing happens where the row is there already; another row in the way is an error. */
async function insertOnce(collection: mongo.Collection<Row>, row: Row): Promise<void> {
  try {
    await collection.insertOne(row);
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    const uid = row['uid'];
    const same = uid === undefined ? { _id: row._id } : { $or: [{ _id: row._id }, { uid }] };
    if (!(await collection.findOne(same, { projection: { _id: 1 } }))) throw error;
  }
}
