import type { StudentId, TeacherId, UserId } from '@rollcall/protocol';
import { casesOf, pageOf } from '../page.js';
import type { Account, Accounts, Role } from '../port.js';
import { jsonOf, type Queries } from './queries.js';

const ACCOUNT = `u.user_id, u.uid, u.name, u.email, u.profile_picture, u.is_admin, u.disabled,
  t.teacher_id, t.department, t.designation, s.student_id, s.roll, s.section, s.department, s.semester`;

const PROFILES = `
  LEFT JOIN teachers AS t ON t.user_id = u.user_id
  LEFT JOIN students AS s ON s.user_id = u.user_id`;

/** The accounts of a query for user ids, in order of id. */
const accountsOfIds = (ids: string): string => `
  SELECT json_group_array(json_array(${ACCOUNT}) ORDER BY u.user_id)
  FROM (${ids}) AS page JOIN users AS u ON u.user_id = page.user_id ${PROFILES}`;

/** ?1: the id before the page, ?2: how many. Each walks an index from there on. */
const EVERYBODY: Readonly<Record<Role | 'anybody', string>> = {
  anybody: 'SELECT user_id FROM users WHERE user_id > ?1 ORDER BY user_id LIMIT ?2',
  admin: 'SELECT user_id FROM users WHERE is_admin = 1 AND user_id > ?1 ORDER BY user_id LIMIT ?2',
  teacher: 'SELECT user_id FROM teachers WHERE user_id > ?1 ORDER BY user_id LIMIT ?2',
  student: 'SELECT user_id FROM students WHERE user_id > ?1 ORDER BY user_id LIMIT ?2',
};

/** What follows the first space of a name, and all of a name without one: as the index of migrations.ts has it. */
const REST_OF_NAME = `substr(u.name, instr(u.name, ' ') + 1)`;

/** Behind the last letter of Unicode. */
const END = 'char(1114111)';
const begins = (column: string): string =>
  `${column} COLLATE NOCASE >= r.value AND ${column} COLLATE NOCASE < r.value || ${END}`;
const usersWhere = (column: string): string =>
  `SELECT u.user_id FROM json_each(?3) AS r CROSS JOIN users AS u ON ${begins(column)}`;

/** ?3: the text that something begins with, in several cases, as a JSON array. */
const FOUND = `
  ${['u.name', REST_OF_NAME, 'u.uid', 'u.email'].map(usersWhere).join(' UNION ')}
  UNION SELECT s.user_id FROM json_each(?3) AS r CROSS JOIN students AS s ON ${begins('s.roll')}`;

const HAS_ROLE: Readonly<Record<Role | 'anybody', string>> = {
  anybody: 'TRUE',
  admin: 'EXISTS (SELECT 1 FROM users AS a WHERE a.user_id = found.user_id AND a.is_admin = 1)',
  teacher: 'EXISTS (SELECT 1 FROM teachers AS a WHERE a.user_id = found.user_id)',
  student: 'EXISTS (SELECT 1 FROM students AS a WHERE a.user_id = found.user_id)',
};

const found = (role: Role | 'anybody'): string =>
  `SELECT user_id FROM (${FOUND}) AS found WHERE user_id > ?1 AND ${HAS_ROLE[role]} ORDER BY user_id LIMIT ?2`;

export const LIST_ACCOUNTS = accountsOfIds(EVERYBODY.anybody);
export const LIST_ADMINS = accountsOfIds(EVERYBODY.admin);
export const LIST_TEACHERS = accountsOfIds(EVERYBODY.teacher);
export const LIST_STUDENTS = accountsOfIds(EVERYBODY.student);
export const SEARCH_ACCOUNTS = accountsOfIds(found('anybody'));
export const SEARCH_ADMINS = accountsOfIds(found('admin'));
export const SEARCH_TEACHERS = accountsOfIds(found('teacher'));
export const SEARCH_STUDENTS = accountsOfIds(found('student'));

const LISTS = { anybody: LIST_ACCOUNTS, admin: LIST_ADMINS, teacher: LIST_TEACHERS, student: LIST_STUDENTS };
const SEARCHES = { anybody: SEARCH_ACCOUNTS, admin: SEARCH_ADMINS, teacher: SEARCH_TEACHERS, student: SEARCH_STUDENTS };

/** ?1: a user id, or the uid of a user where no id is so. */
export const FIND_ACCOUNT = `
  SELECT json_group_array(json_array(${ACCOUNT}))
  FROM users AS u ${PROFILES}
  WHERE u.user_id = coalesce(
    (SELECT user_id FROM users WHERE user_id = ?1), (SELECT user_id FROM users WHERE uid = ?1))`;

type Text = string | null;
type AccountRow = [
  ...[UserId, string, string, Text, Text, number, number],
  ...[TeacherId | null, Text, Text],
  ...[StudentId | null, Text, Text, Text, Text],
];

export function toAccount(row: readonly unknown[]): Account {
  const [user_id, uid, name, email, profile_picture, admin, disabled, ...profiles] = row as AccountRow;
  const [teacher_id, taught, designation, student_id, roll, section, department, semester] = profiles;
  return {
    user_id,
    uid,
    name,
    email,
    profile_picture,
    is_admin: admin === 1,
    disabled: disabled === 1,
    teacher: teacher_id === null ? null : { teacher_id, department: taught, designation },
    student: student_id === null ? null : { student_id, roll, section, department, semester },
  };
}

export const accountsOf = (queries: Queries): Accounts => ({
  async listAccounts({ after, limit, text, role }) {
    const kind = role ?? 'anybody';
    const page = [after ?? '', limit + 1] as const;
    const rows =
      text === null
        ? await queries.rows(LISTS[kind], page)
        : await queries.rows(SEARCHES[kind], [...page, jsonOf(casesOf(text))]);
    return pageOf(rows.map(toAccount), limit, (account) => account.user_id as string);
  },

  findAccount(ref) {
    return queries.first(FIND_ACCOUNT, [ref], toAccount);
  },

  createAccount(account) {
    return queries.call('createAccount', account);
  },

  changeAccount(userId, change) {
    return queries.call('changeAccount', userId, change);
  },
});
