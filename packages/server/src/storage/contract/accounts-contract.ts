import { expect, test } from 'vitest';
import type { AccountQuery, NewAccount, Page, Storage } from '../port.js';
import { freshHarness, type MakeHarness } from './harness.js';
import { importAll, SCHOOL, schoolOf } from './samples.js';

const EVERYBODY: AccountQuery = { after: null, limit: 200, text: null, role: null };

const NOBODY: NewAccount = {
  uid: 'nobody',
  name: 'No Body',
  email: null,
  profile_picture: null,
  is_admin: false,
  disabled: false,
  teacher: null,
  student: null,
};
/** A list that goes on for longer has no end. */
const PAGES_MAX = 1_000;

const student = { student_id: null, roll: null, section: null, department: null, semester: null };
const teacher = { teacher_id: null, department: null, designation: null };

/** All items of a list by id, page by page. */
export const walked = <Item>(pageBehind: (after: string | null) => Promise<Page<Item>>): Promise<Item[][]> =>
  walkedBy<Item, string>(pageBehind);

/** All items of a list by keys of any type, page by page. */
export async function walkedBy<Item, Key>(
  pageBehind: (after: Key | null) => Promise<Page<Item, Key>>,
): Promise<Item[][]> {
  const pages: Item[][] = [];
  for (let after: Key | null = null; pages.length < PAGES_MAX; ) {
    const { items, next }: Page<Item, Key> = await pageBehind(after);
    pages.push([...items]);
    if (next === null) return pages;
    after = next;
  }
  throw new Error('the list has no end');
}

const uidsOf = async (storage: Storage, more: Partial<AccountQuery>): Promise<string[]> => {
  const { items } = await storage.accounts.listAccounts({ ...EVERYBODY, ...more });
  return items.map(({ uid }) => uid).sort();
};

export function accountsContract(make: MakeHarness): void {
  const harness = freshHarness(make);

  test('[STORE-141] accounts are listed page by page, each once, disabled ones among them', async () => {
    const { storage } = harness();
    expect(await storage.accounts.listAccounts(EVERYBODY)).toEqual({ items: [], next: null });
    const ids = Array.from({ length: 23 }, (_, n) => `many-${String(n).padStart(2, '0')}`);
    await importAll(storage, SCHOOL);
    await importAll(storage, schoolOf({ students: ids.map((id) => ({ id, uid: id, disabled: id === 'many-03' })) }));
    const pages = await walked((after) => storage.accounts.listAccounts({ ...EVERYBODY, limit: 6, after }));
    expect(pages.map((page) => page.length)).toEqual([6, 6, 6, 6, 6]);
    const all = pages.flat();
    expect(all.map(({ uid }) => uid).sort()).toEqual([...ids, 'ada', 'kit', 'bo', 'cy', 'di', 'el', 'root'].sort());
    expect(all.filter(({ disabled }) => disabled).map(({ uid }) => uid)).toEqual(['many-03']);
    const order = all.map(({ user_id }) => user_id as string);
    expect(order).toEqual(order.toSorted());
  });

  test('[STORE-141] accounts of a role are those with its profile, and admins', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    await importAll(storage, schoolOf({ admins: [{ uid: 'kit', name: 'Kit Moro' }] }));
    expect(await uidsOf(storage, { role: 'teacher' })).toEqual(['ada', 'kit']);
    expect(await uidsOf(storage, { role: 'student' })).toEqual(['bo', 'cy', 'di', 'el']);
    expect(await uidsOf(storage, { role: 'admin' })).toEqual(['kit', 'root']);
    const pages = await walked((after) =>
      storage.accounts.listAccounts({ ...EVERYBODY, role: 'student', limit: 3, after }),
    );
    expect(pages.map((page) => page.length)).toEqual([3, 1]);
    expect((await storage.accounts.listAccounts({ ...EVERYBODY, role: 'student', text: 'c' })).items).toEqual([
      await storage.accounts.findAccount('cy'),
    ]);
    expect(await uidsOf(storage, { role: 'teacher', text: 'ki' })).toEqual(['kit']);
    expect(await uidsOf(storage, { role: 'admin', text: 'k' })).toEqual(['kit']);
    expect(await uidsOf(storage, { role: 'teacher', text: 'bo' })).toEqual([]);
  });

  test('[STORE-142] a search finds the beginning of a name, a uid, an email and a roll, and of a name behind its first word', async () => {
    const { storage } = harness();
    await importAll(storage, SCHOOL);
    await importAll(
      storage,
      schoolOf({
        students: [
          { id: 'e', uid: 'emile', name: 'Émile Zola', roll: 'A-7' },
          { id: 'x', uid: 'percent', name: '100%_*.[x]', email: "o'brien+1@school.example" },
        ],
      }),
    );
    const found = (text: string) => uidsOf(storage, { text });
    for (const text of ['Bo L', 'bo l', 'BO L', 'lind', 'LIND', 'Lind', 'bo@school', 'BO@SCHOOL', '1907002']) {
      expect(await found(text), text).toEqual(['bo']);
    }
    expect(await found('1907002x')).toEqual([]);
    expect(await found('ADA')).toEqual(['ada']);
    expect(await found('émile')).toEqual(['emile']);
    expect(await found('ÉMILE')).toEqual(['emile']);
    expect(await found('zola')).toEqual(['emile']);
    expect(await found('a-7')).toEqual(['emile']);
    expect(await found('ind')).toEqual([]);
    expect(await found('100%')).toEqual(['percent']);
    expect(await found('100._')).toEqual([]);
    expect(await found("o'brien+")).toEqual(['percent']);
    expect(await found('nobody at all')).toEqual([]);
    await importAll(
      storage,
      schoolOf({ students: Array.from({ length: 7 }, (_, n) => ({ id: `many-${n}`, name: `Many ${n}` })) }),
    );
    const pages = await walked((after) =>
      storage.accounts.listAccounts({ ...EVERYBODY, text: 'mAny', limit: 3, after }),
    );
    expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
    expect(new Set(pages.flat().map(({ uid }) => uid)).size).toBe(7);
  });

  test('[STORE-143] an account is made with its profiles, and found by user id and by uid', async () => {
    const { storage } = harness();
    const { accounts, people } = storage;
    const account: NewAccount = {
      uid: 'bo',
      name: 'Bo Lind',
      email: 'bo@school.example',
      profile_picture: 'bo.png',
      is_admin: true,
      disabled: false,
      teacher: { teacher_id: 'teacher-bo', department: 'CSE', designation: 'Tutor' },
      student: { student_id: null, roll: '12', section: 'A', department: 'CSE', semester: '3' },
    };
    const made = await accounts.createAccount(account);
    if (made.outcome !== 'added') throw new Error(made.outcome);
    const found = await accounts.findAccount(made.id);
    expect(found).toEqual({
      ...account,
      user_id: made.id,
      student: { ...account.student, student_id: 'bo' },
    });
    expect(await accounts.findAccount('bo')).toEqual(found);
    expect(await accounts.findAccount('nobody')).toBeNull();
    expect(await people.findPersonByUid('bo')).toMatchObject({
      user_id: made.id,
      is_admin: true,
      teacher: { teacher_id: 'teacher-bo', department: 'CSE' },
      student: { student_id: 'bo', roll: '12', email: 'bo@school.example' },
    });
    await accounts.createAccount({ ...NOBODY, uid: 'off', disabled: true });
    expect(await accounts.findAccount('off')).toMatchObject({ disabled: true, is_admin: false });
    expect(await people.findPersonByUid('off')).toBeNull();
  });

  test('[STORE-143] a uid or profile id that is taken is answered by its field, and nothing is made', async () => {
    const { storage } = harness();
    const { accounts } = storage;
    await importAll(storage, SCHOOL);
    const before = await accounts.listAccounts(EVERYBODY);
    const create = (more: Partial<NewAccount>) => accounts.createAccount({ ...NOBODY, ...more });
    expect(await create({ uid: 'ada' })).toEqual({ outcome: 'taken', field: 'uid' });
    expect(await create({ teacher: { ...teacher, teacher_id: 'teacher-1' } })).toEqual({
      outcome: 'taken',
      field: 'teacher_id',
    });
    // The teacher's profile of a person who can't be made is not there either.
    expect(
      await create({
        teacher: { ...teacher, teacher_id: 'teacher-new' },
        student: { ...student, student_id: 'student-1' },
      }),
    ).toEqual({ outcome: 'taken', field: 'student_id' });
    expect(await accounts.listAccounts(EVERYBODY)).toEqual(before);
    expect(await storage.school.findProfiles(['teacher-new'])).toEqual([]);
    expect(await create({ teacher: { ...teacher, teacher_id: 'teacher-new' } })).toMatchObject({ outcome: 'added' });
    // An id that nobody said is another one where the uid is a profile's already.
    await importAll(storage, schoolOf({ students: [{ id: 'late', uid: 'owner' }] }));
    expect(await create({ uid: 'late', student })).toMatchObject({ outcome: 'added' });
    const late = await accounts.findAccount('late');
    expect(late?.student?.student_id).toEqual(expect.any(String));
    expect(late?.student?.student_id).not.toBe('late');
  });

  test('[STORE-143] of many who make one uid at the same time one does, and the others are told', async () => {
    const { storage, reopen } = harness();
    const handles = [storage, (await reopen?.()) ?? storage];
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        (handles[n % 2] ?? storage).accounts.createAccount({ ...NOBODY, uid: 'one', name: `N${n}`, student }),
      ),
    );
    expect(results.filter(({ outcome }) => outcome === 'added')).toHaveLength(1);
    expect(results.filter(({ outcome }) => outcome === 'taken')).toHaveLength(9);
    expect(await uidsOf(storage, { role: 'student' })).toEqual(['one']);
    expect(await storage.accounts.findAccount('one')).toMatchObject({ student: { student_id: 'one' } });
  });

  test('[STORE-144] a change sets what is said, takes away what is null, and leaves the rest', async () => {
    const { storage } = harness();
    const { accounts } = storage;
    await importAll(storage, SCHOOL);
    const before = await accounts.findAccount('bo');
    const id = before?.user_id ?? '';
    const change = { name: 'Bo Lindqvist', email: null, student: { roll: '7', section: null } };
    expect(await accounts.changeAccount(id, change)).toEqual({ outcome: 'changed', id });
    expect(await accounts.changeAccount(id, change)).toEqual({ outcome: 'left', id });
    expect(await accounts.changeAccount(id, {})).toEqual({ outcome: 'left', id });
    expect(await accounts.findAccount('bo')).toEqual({
      ...before,
      name: 'Bo Lindqvist',
      email: null,
      student: { ...before?.student, roll: '7', section: null },
    });
    expect(await accounts.changeAccount(id, { uid: 'bo2' })).toEqual({ outcome: 'changed', id });
    expect(await storage.people.findPersonByUid('bo')).toBeNull();
    expect(await storage.people.findPersonByUid('bo2')).toMatchObject({ user_id: id, name: 'Bo Lindqvist' });
    expect(await accounts.changeAccount(id, { disabled: true })).toEqual({ outcome: 'changed', id });
    expect(await storage.people.findPersonByUid('bo2')).toBeNull();
    expect(await accounts.findAccount('bo2')).toMatchObject({ user_id: id, disabled: true });
    expect(await accounts.changeAccount('nobody', { name: 'x' })).toEqual({
      outcome: 'missing',
      field: 'user_id',
      value: 'nobody',
    });
  });

  test('[STORE-144] a change to a uid or profile that is taken changes nothing', async () => {
    const { storage } = harness();
    const { accounts } = storage;
    await importAll(storage, SCHOOL);
    const before = await accounts.findAccount('bo');
    const id = before?.user_id ?? '';
    expect(await accounts.changeAccount(id, { uid: 'ada', name: 'x' })).toEqual({ outcome: 'taken', field: 'uid' });
    expect(await accounts.changeAccount(id, { name: 'x', teacher: { teacher_id: 'teacher-1' } })).toEqual({
      outcome: 'taken',
      field: 'teacher_id',
    });
    expect(await accounts.findAccount('bo')).toEqual(before);
    expect(await accounts.findAccount('ada')).toMatchObject({ teacher: { teacher_id: 'teacher-1' } });
  });

  test('[STORE-144] roles are given and taken: a profile without a user keeps its rows, and can be had again', async () => {
    const { storage } = harness();
    const { accounts } = storage;
    await importAll(storage, SCHOOL);
    const before = await accounts.findAccount('bo');
    const id = before?.user_id ?? '';
    await accounts.changeAccount(id, { is_admin: true, teacher: { designation: 'Tutor' } });
    expect(await accounts.findAccount('bo')).toEqual({
      ...before,
      is_admin: true,
      teacher: { teacher_id: 'bo', department: null, designation: 'Tutor' },
    });
    expect(await uidsOf(storage, { role: 'admin' })).toEqual(['bo', 'root']);
    await accounts.changeAccount(id, { is_admin: false, student: null });
    expect(await accounts.findAccount('bo')).toMatchObject({ is_admin: false, student: null });
    expect(await uidsOf(storage, { role: 'admin' })).toEqual(['root']);
    expect(await uidsOf(storage, { role: 'student' })).toEqual(['cy', 'di', 'el']);
    expect((await storage.people.findStudents(['student-1'])).get('student-1')).toMatchObject({ user_id: null });
    await accounts.changeAccount(id, { teacher: null, student: { student_id: 'student-1', roll: '8' } });
    expect(await accounts.findAccount('bo')).toEqual({ ...before, student: { ...before?.student, roll: '8' } });
  });
}
