import type { StudentId, TeacherId, UserId } from '@rollcall/protocol';
import type { mongo } from 'mongoose';
import { casesOf, pageIn } from '../page.js';
import type { Account, AccountQuery, Page } from '../port.js';
import type { Collections } from './collections.js';
import { rowsBehind } from './pages.js';
import { isDisabled, profilesOfUsers, USER_FIELDS } from './people.js';
import { anyOf, anyUid, inParts, type Row, readId, readText } from './stored-values.js';

const TEACHER_FIELDS = { user_id: 1, department: 1, designation: 1 };
const STUDENT_FIELDS = { user_id: 1, roll: 1, section: 1, department: 1, semester: 1 };
const ID = { _id: 1 };

export async function listAccounts(c: Collections, query: AccountQuery): Promise<Page<Account>> {
  if (query.text !== null) return search(c, query.text, query);
  const { role, limit } = query;
  const profiles = role === 'teacher' ? c.teachers : role === 'student' ? c.students : null;
  const rows = profiles
    ? await rowsBehind(profiles, query, { field: 'user_id', projection: { user_id: 1 } })
    : await rowsBehind(c.users, query, {
        field: '_id',
        projection: ID,
        ...(role === 'admin' && { filter: { role } }),
      });
  const ids = rows.map((row) => readId(profiles ? row['user_id'] : row._id) ?? '');
  const shown = ids.slice(0, limit);
  const accounts = await accountsOfIds(c, shown);
  // A user of two profiles is listed once, and a profile whose user is gone not at all.
  const items = [...new Set(shown)].flatMap((id) => accounts.get(id) ?? []);
  return { items, next: ids.length > limit ? (shown.at(-1) ?? null) : null };
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/**
 * The beginning of a uid, name or email is a range of an index in each of the cases in which it may be written; for
 * the rest of a name the index of names is walked.
 */
async function search(c: Collections, text: string, query: AccountQuery): Promise<Page<Account>> {
  const cases = casesOf(text);
  const beginnings = cases.map((one) => new RegExp(`^${escaped(one)}`));
  const conditions: mongo.Filter<Row>[] = ['uid', 'name', 'email'].flatMap((field) =>
    beginnings.map((pattern) => ({ [field]: pattern }) as mongo.Filter<Row>),
  );
  const rest = { name: new RegExp(`^[^ ]* ${escaped(text)}`, 'i') } as mongo.Filter<Row>;
  // A uid or a roll that is held as a number is found by all of its digits.
  const numbers = anyUid([text]).$in.filter((form) => typeof form === 'number');
  const [users, students] = await Promise.all([
    c.users.find({ $or: [...conditions, rest, { uid: { $in: numbers } }] }, { projection: ID }).toArray(),
    c.students
      .find({ $or: [...beginnings.map((roll) => ({ roll })), { roll: { $in: numbers } }] } as mongo.Filter<Row>, {
        projection: { user_id: 1 },
      })
      .toArray(),
  ]);
  const ids = new Set([
    ...users.flatMap((row) => readId(row._id) ?? []),
    ...students.flatMap((row) => readId(row['user_id']) ?? []),
  ]);
  const found = [...(await ofRole(c, ids, query.role))];
  const page = pageIn(found, query, (id) => id);
  const accounts = await accountsOfIds(c, page.items);
  return { items: page.items.flatMap((id) => accounts.get(id) ?? []), next: page.next };
}

async function ofRole(c: Collections, ids: ReadonlySet<string>, role: AccountQuery['role']): Promise<Iterable<string>> {
  if (role === null) return ids;
  if (role !== 'admin') {
    const profiles = await profilesOfUsers(role === 'teacher' ? c.teachers : c.students, [...ids], { user_id: 1 });
    return profiles.keys();
  }
  const rows = await inParts(ids, (_id) => c.users.find({ _id, role }, { projection: ID }).toArray());
  return rows.flatMap((row) => readId(row._id) ?? []);
}

export async function accountsOfIds(c: Collections, ids: readonly string[]): Promise<Map<string, Account>> {
  if (ids.length === 0) return new Map();
  const [users, teachers, students] = await Promise.all([
    inParts(new Set(ids), (_id) => c.users.find({ _id }, { projection: USER_FIELDS }).toArray()),
    profilesOfUsers(c.teachers, ids, TEACHER_FIELDS),
    profilesOfUsers(c.students, ids, STUDENT_FIELDS),
  ]);
  return new Map(
    users.map((user) => {
      const id = readId(user._id) ?? '';
      return [id, toAccount(id, user, teachers.get(id), students.get(id))];
    }),
  );
}

function toAccount(id: string, user: Row, teacher: Row | undefined, student: Row | undefined): Account {
  const uid = readText(user['uid']) ?? id;
  const [teacherId, studentId] = [readId(teacher?._id), readId(student?._id)];
  return {
    user_id: id as UserId,
    uid,
    name: readText(user['name']) ?? uid,
    email: readText(user['email']),
    profile_picture: readText(user['profile_picture']),
    is_admin: user['role'] === 'admin',
    disabled: isDisabled(user),
    teacher:
      teacherId === null
        ? null
        : {
            teacher_id: teacherId as TeacherId,
            department: readText(teacher?.['department']),
            designation: readText(teacher?.['designation']),
          },
    student:
      studentId === null
        ? null
        : {
            student_id: studentId as StudentId,
            roll: readText(student?.['roll']),
            section: readText(student?.['section']),
            department: readText(student?.['department']),
            semester: readText(student?.['semester']),
          },
  };
}

export async function findAccount(c: Collections, ref: string): Promise<Account | null> {
  const byId = (await accountsOfIds(c, [ref])).get(ref);
  if (byId) return byId;
  // Of a uid that is held twice the first made counts, as in findPeopleByUid.
  const user = await c.users.findOne({ uid: anyUid([ref]) }, { projection: ID, sort: { _id: 1 } });
  const id = readId(user?._id);
  return id === null ? null : ((await accountsOfIds(c, [id])).get(id) ?? null);
}

/** The row of a user of this id. */
export const userRow = (c: Collections, userId: string): Promise<Row | null> =>
  c.users.findOne({ _id: anyOf([userId]) });
