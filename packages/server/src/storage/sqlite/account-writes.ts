import { randomBytes } from 'node:crypto';
import type { AccountChange, NewAccount, SchoolChange } from '../port.js';
import type { Connection, SqlValue } from './connection.js';

/*
 * Inside a transaction of the caller. What is taken or missing is found before anything is written.
 */

type Fields = Readonly<Record<string, SqlValue | undefined>>;

/** Sets what is said and differs. Names of columns are this code's own. */
export function setSaid(db: Connection, table: string, key: Fields, said: Fields): boolean {
  const columns = Object.entries(said).filter(([, value]) => value !== undefined);
  if (columns.length === 0) return false;
  const keys = Object.entries(key);
  const values = columns.map(([, value]) => value);
  const changed = db.run(
    `UPDATE ${table} SET ${columns.map(([column]) => `${column} = ?`).join(', ')}
     WHERE ${keys.map(([column]) => `${column} = ?`).join(' AND ')}
     AND (${columns.map(([column]) => `${column} IS NOT ?`).join(' OR ')})`,
    [...values, ...keys.map(([, value]) => value), ...values],
  );
  return changed > 0;
}

const exists = (db: Connection, table: string, column: string, value: string): boolean =>
  db.row(`SELECT 1 FROM ${table} WHERE ${column} = ?`, [value]) !== undefined;

const flag = (value: boolean | undefined): number | undefined => (value === undefined ? undefined : Number(value));
const taken = (field: string): SchoolChange => ({ outcome: 'taken', field });

interface Profile {
  readonly table: 'teachers' | 'students';
  readonly idField: 'teacher_id' | 'student_id';
}
const TEACHERS: Profile = { table: 'teachers', idField: 'teacher_id' };
const STUDENTS: Profile = { table: 'students', idField: 'student_id' };

const freshId = (): string => randomBytes(12).toString('hex');

export function createAccount(db: Connection, account: NewAccount): SchoolChange {
  const { uid, teacher, student } = account;
  if (exists(db, 'users', 'uid', uid)) return taken('uid');
  for (const [profile, id] of [
    [TEACHERS, teacher?.teacher_id],
    [STUDENTS, student?.student_id],
  ] as const) {
    if (id && exists(db, profile.table, profile.idField, id)) return taken(profile.idField);
  }
  const userId = exists(db, 'users', 'user_id', uid) ? freshId() : uid;
  db.run(
    `INSERT INTO users (user_id, uid, name, email, profile_picture, is_admin, disabled) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    [
      userId,
      uid,
      account.name,
      account.email,
      account.profile_picture,
      ...[account.is_admin, account.disabled].map(flag),
    ],
  );
  if (teacher) {
    const { teacher_id, department, designation } = teacher;
    addProfile(db, TEACHERS, teacher_id, { user_id: userId, department, designation }, uid);
  }
  if (student) {
    const { student_id, roll, section, department, semester } = student;
    addProfile(db, STUDENTS, student_id, { user_id: userId, roll, section, department, semester }, uid);
  }
  return { outcome: 'added', id: userId };
}

/** Under the id that is given, else under the uid where no other profile of the table is called so. */
function addProfile(db: Connection, { table, idField }: Profile, id: string | null, said: Fields, uid: string): void {
  const own = id ?? (exists(db, table, idField, uid) ? freshId() : uid);
  const fields: Fields = { [idField]: own, ...said };
  const columns = Object.keys(fields);
  db.run(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    Object.values(fields),
  );
}

export function changeAccount(db: Connection, userId: string, change: AccountChange): SchoolChange {
  const { teacher, student, uid, name, email, profile_picture, is_admin, disabled } = change;
  const row = db.row('SELECT uid FROM users WHERE user_id = ?', [userId]);
  if (!row) return { outcome: 'missing', field: 'user_id', value: userId };
  const before = String(row[0]);
  if (uid !== undefined && uid !== before && exists(db, 'users', 'uid', uid)) return taken('uid');
  const profiles = [
    new ProfileChange(db, TEACHERS, userId, teacher?.teacher_id, teacher && fieldsOf(teacher)),
    new ProfileChange(db, STUDENTS, userId, student?.student_id, student && fieldsOf(student)),
  ];
  const inTheWay = profiles.find((profile) => profile.isTaken);
  if (inTheWay) return taken(inTheWay.idField);
  const user = { uid, name, email, profile_picture, is_admin: flag(is_admin), disabled: flag(disabled) };
  const changed = [
    setSaid(db, 'users', { user_id: userId }, user),
    ...profiles.map((profile) => profile.write(uid ?? before)),
  ];
  return { outcome: changed.includes(true) ? 'changed' : 'left', id: userId };
}

function fieldsOf(said: Readonly<Record<string, string | null | undefined>>): Fields {
  const { teacher_id: _, student_id: __, ...fields } = said;
  return fields;
}

/** What becomes of one profile of a user. */
class ProfileChange {
  readonly #db: Connection;
  readonly #profile: Profile;
  readonly #userId: string;
  readonly #id: string | null;
  readonly #said: Fields | null | undefined;
  readonly #own: string | undefined;
  readonly #isOrphan: boolean = false;
  readonly isTaken: boolean = false;

  constructor(
    db: Connection,
    profile: Profile,
    userId: string,
    id: string | null | undefined,
    said: Fields | null | undefined,
  ) {
    const { table, idField } = profile;
    this.#db = db;
    this.#profile = profile;
    this.#userId = userId;
    this.#id = id ?? null;
    this.#said = said;
    const own = db.row(`SELECT ${idField} FROM ${table} WHERE user_id = ?`, [userId]);
    this.#own = own && String(own[0]);
    if (!said || own || this.#id === null) return;
    const named = db.row(`SELECT user_id FROM ${table} WHERE ${idField} = ?`, [this.#id]);
    this.#isOrphan = named?.[0] === null;
    this.isTaken = named !== undefined && !this.#isOrphan;
  }

  get idField(): string {
    return this.#profile.idField;
  }

  write(uid: string): boolean {
    const { table, idField } = this.#profile;
    if (this.#said === undefined) return false;
    if (this.#said === null) return setSaid(this.#db, table, { user_id: this.#userId }, { user_id: null });
    const said: Fields = { user_id: this.#userId, ...this.#said };
    if (this.#own !== undefined) return setSaid(this.#db, table, { [idField]: this.#own }, said);
    if (this.#isOrphan) return setSaid(this.#db, table, { [idField]: this.#id ?? '' }, said);
    addProfile(this.#db, this.#profile, this.#id, said, uid);
    return true;
  }
}
