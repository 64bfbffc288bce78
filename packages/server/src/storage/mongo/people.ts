import { createHash } from 'node:crypto';
import type { StudentId, TeacherId, UserId } from '@rollcall/protocol';
import { mongo } from 'mongoose';
import type { RosterStudent } from '../../journal/entries.js';
import { type NewPerson, type Person, StorageError, type StoredProfile, type TeacherProfile } from '../port.js';
import type { Collections } from './collections.js';
import { isDuplicateKey } from './connection.js';
import { anyOf, anyUid, inParts, type Row, readId, readText, withoutNulls } from './stored-values.js';

const USER_FIELDS = { uid: 1, name: 1, email: 1, role: 1, profile_picture: 1, disabled: 1 };

/** A user who may not sign in and is on no roster. */
const isDisabled = (user: Row | undefined): boolean => user?.['disabled'] === true;
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

export async function teacherName(c: Collections, profile: Row): Promise<string | null> {
  const userId = readId(profile['user_id']);
  const user =
    userId === null ? null : await c.users.findOne({ _id: anyOf([userId]) }, { projection: { name: 1, uid: 1 } });
  return readText(user?.['name']) ?? readText(profile['name']) ?? readText(user?.['uid']);
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

async function profilesOfUsers(
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

/**
 * An ObjectId that follows from what it is for. Two servers that make the same person at the same time collide on
 * _id, also in a database that can't have a unique index on uid.
 */
export const derivedId = (purpose: 'user' | 'teacher' | 'student', uid: string): mongo.ObjectId =>
  new mongo.ObjectId(createHash('sha256').update(`${purpose}\n${uid}`).digest().subarray(0, 12));

export async function provisionPerson(c: Collections, person: NewPerson): Promise<Person | null> {
  const existing = await findPersonByUid(c, person.uid);
  if (existing) return existing;
  // Asked for by name: a user who is there now and wasn't a moment ago is another server's making.
  const disabled = { uid: anyUid([person.uid]), disabled: true };
  if (await c.users.findOne(disabled, { projection: { _id: 1 } })) return null;
  await makePerson(c, person, (purpose) => derivedId(purpose, person.uid));
  const made = await findPersonByUid(c, person.uid);
  if (made) return made;
  // The place is held by somebody who had this uid once and was renamed since.
  await makePerson(c, person, () => new mongo.ObjectId());
  const apart = await findPersonByUid(c, person.uid);
  if (!apart) throw new StorageError(`mongodb: the user ${person.uid} is not there after it was made`);
  return apart;
}

async function makePerson(
  c: Collections,
  { uid, name, email, role }: NewPerson,
  idFor: (purpose: 'user' | 'teacher' | 'student') => mongo.ObjectId,
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
