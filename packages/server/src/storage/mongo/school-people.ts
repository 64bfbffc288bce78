import type { mongo } from 'mongoose';
import type { School } from '../port.js';
import type { Collections } from './collections.js';
import type { ImportPlan } from './import-plan.js';
import type { Known } from './school-references.js';
import { anyOf, anyUid, type Row, readId, readText, type StoredId, storedId, withoutNulls } from './stored-values.js';

type ProfileRow = School['teachers'][number] | School['students'][number];

/**
 * Plans users and their profiles. A person is who has their uid: their user and the profile it has stay, whatever
 * id the school gives the profile. Only where nobody has the uid is the profile looked up by its id, and its user
 * takes the new uid: a sign-in name that changed.
 */
export async function planPeople(c: Collections, school: School, known: Known, plan: ImportPlan): Promise<void> {
  const uids = new Set([...school.teachers, ...school.students, ...school.admins].map((row) => row.uid));
  const users = new Users(
    await c.users
      .find({ uid: anyUid(uids) })
      .sort({ _id: -1 })
      .toArray(),
    uids,
  );
  const teachers = await Profiles.load(c, c.teachers, school.teachers, users);
  const students = await Profiles.load(c, c.students, school.students, users);

  for (const row of school.teachers) users.say(row.uid, said(row), 'teacher', teachers.userOf(row.id));
  for (const row of school.students) users.say(row.uid, said(row), 'student', students.userOf(row.id));
  for (const row of school.admins) {
    users.say(row.uid, { name: row.name, email: row.email, disabled: row.disabled ?? null }, 'admin', undefined);
  }
  const outcomes = users.plan(c, plan);

  for (const row of school.teachers) {
    const fields = { department: row.department, designation: row.designation };
    const { profileId, outcome } = teachers.plan(plan, row, fields, users);
    known.teachers.set(row.id, profileId);
    plan.count('teachers', outcome === 'left' && outcomes.get(row.uid) ? 'changed' : outcome);
  }
  for (const row of school.students) {
    const { roll, section, department, semester } = row;
    const { profileId, outcome } = students.plan(plan, row, { roll, section, department, semester }, users);
    known.students.set(row.id, { student_id: profileId, user_id: users.idOf(row.uid) });
    plan.count('students', outcome === 'left' && outcomes.get(row.uid) ? 'changed' : outcome);
  }
  for (const row of school.admins) {
    plan.count('admins', users.wasAdmin(row.uid) ? (outcomes.get(row.uid) ? 'changed' : 'left') : 'added');
  }
}

const said = ({ name, email, profile_picture, disabled = null }: ProfileRow) => ({
  name,
  email,
  profile_picture,
  disabled,
});

/** The users of a school by uid: as the database has them, and as the school wants them. */
class Users {
  readonly #found: Map<string, Row>;
  readonly #uids: ReadonlySet<string>;
  readonly #wanted = new Map<string, Record<string, unknown>>();
  readonly #roles = new Map<string, string>();
  readonly #ids = new Map<string, StoredId>();

  constructor(rows: readonly Row[], uids: ReadonlySet<string>) {
    this.#found = new Map(rows.map((row) => [readText(row['uid']) ?? '', row]));
    this.#uids = uids;
  }

  get foundIds(): string[] {
    return [...this.#found.values()].flatMap((row) => readId(row._id) ?? []);
  }

  /** Adds what one row says of a person; where rows differ the first counts. */
  say(uid: string, fields: Record<string, unknown>, role: string, ofProfile: Row | undefined): void {
    this.#wanted.set(uid, { ...withoutNulls(fields), ...this.#wanted.get(uid) });
    if (role === 'admin' || !this.#roles.has(uid)) this.#roles.set(uid, role);
    const renamed = ofProfile && !this.#uids.has(readText(ofProfile['uid']) ?? '');
    if (renamed && !this.#found.has(uid)) this.#found.set(uid, ofProfile);
  }

  /** Answers by uid whether a user that was there changes. */
  plan(c: Collections, plan: ImportPlan): Map<string, boolean> {
    const changed = new Map<string, boolean>();
    for (const [uid, wanted] of this.#wanted) {
      const row = this.#found.get(uid);
      const role = this.#roles.get(uid);
      if (row) {
        // The role of an existing user is their application's affair, except that an admin is made one.
        const fields = { ...wanted, uid, ...(role === 'admin' && { role }) };
        this.#ids.set(uid, row._id);
        changed.set(uid, plan.update(c.users, row, fields));
      } else {
        const disabled = wanted['disabled'] === true ? { disabled: true } : { disabled: null };
        this.#ids.set(uid, plan.insert(c.users, plan.newId('user', uid), { ...wanted, uid, role, ...disabled })._id);
      }
    }
    return changed;
  }

  wasAdmin(uid: string): boolean {
    return this.#found.get(uid)?.['role'] === 'admin';
  }

  /** As the user's _id is held; known once the users are planned. */
  storedIdOf(uid: string): StoredId | undefined {
    return this.#ids.get(uid);
  }

  idOf(uid: string): string | null {
    return readId(this.#ids.get(uid));
  }
}

/** The teacher or student profiles that a school may mean. */
class Profiles {
  readonly #collection: mongo.Collection<Row>;
  readonly #byId = new Map<string, Row>();
  readonly #byUser = new Map<string, Row>();
  readonly #users = new Map<string, Row>();
  readonly #listed: ReadonlySet<string>;

  private constructor(collection: mongo.Collection<Row>, rows: readonly ProfileRow[]) {
    this.#collection = collection;
    this.#listed = new Set(rows.map((row) => row.id));
  }

  static async load(
    c: Collections,
    collection: mongo.Collection<Row>,
    rows: readonly ProfileRow[],
    users: Users,
  ): Promise<Profiles> {
    const profiles = new Profiles(collection, rows);
    if (rows.length === 0) return profiles;
    const [byId, byUser] = await Promise.all([
      collection.find({ _id: anyOf(rows.map((row) => row.id)) }).toArray(),
      collection
        .find({ user_id: anyOf(users.foundIds) })
        .sort({ _id: -1 })
        .toArray(),
    ]);
    for (const row of byId) profiles.#byId.set(readId(row._id) ?? '', row);
    for (const row of byUser) profiles.#byUser.set(readId(row['user_id']) ?? '', row);
    const owners = byId.flatMap((row) => readId(row['user_id']) ?? []);
    for (const row of await c.users.find({ _id: anyOf(owners) }).toArray()) {
      profiles.#users.set(readId(row._id) ?? '', row);
    }
    return profiles;
  }

  /** The user that the profile of this id has now. */
  userOf(profileId: string): Row | undefined {
    return this.#users.get(readId(this.#byId.get(profileId)?.['user_id']) ?? '');
  }

  plan(
    plan: ImportPlan,
    row: ProfileRow,
    fields: Record<string, unknown>,
    users: Users,
  ): { profileId: string; outcome: 'added' | 'changed' | 'left' } {
    const user_id = users.storedIdOf(row.uid);
    const existing = this.#profileOf(plan, row, users.idOf(row.uid) ?? '');
    if (!existing) {
      const made = plan.insert(this.#collection, storedId(row.id), { user_id, ...fields });
      return { profileId: readId(made._id) ?? row.id, outcome: 'added' };
    }
    const changed = plan.update(this.#collection, existing, { user_id, ...fields });
    return { profileId: readId(existing._id) ?? row.id, outcome: changed ? 'changed' : 'left' };
  }

  /**
   * The profile that the person has, whatever its id, unless the school speaks of that id and of another one as two
   * people: then each id stays with its profile, and the person moves.
   */
  #profileOf(plan: ImportPlan, { id }: ProfileRow, userId: string): Row | undefined {
    const own = this.#byUser.get(userId);
    const ownId = readId(own?._id);
    const named = this.#byId.get(id);
    if (!own || ownId === null || ownId === id) return this.#assign(named, userId);
    if (!named && !this.#listed.has(ownId)) return own;
    plan.clear(this.#collection, own, 'user_id');
    return this.#assign(named, userId);
  }

  #assign(profile: Row | undefined, userId: string): Row | undefined {
    const before = readId(profile?.['user_id']);
    if (before !== null && before !== userId) this.#byUser.delete(before);
    if (profile) this.#byUser.set(userId, profile);
    return profile;
  }
}
