import { RollcallError } from '@rollcall/protocol';
import type { Services } from '../commands/command.js';
import type { Account, AccountChange, Page, Person } from '../storage/port.js';
import { noteAccess } from './access-log.js';
import { checked, type Input, saidOf } from './inputs.js';
import { requireAdmin, requireDone } from './rights.js';

type PeopleServices = Pick<Services, 'storage' | 'directory' | 'now'>;

/** For admins. @throws {RollcallError} FORBIDDEN, BAD_REQUEST */
export async function listPeople(
  person: Person,
  input: Input<'people'>,
  { storage }: PeopleServices,
): Promise<Page<Account>> {
  requireAdmin(person);
  const { query, ...rest } = checked('people', input);
  return storage.accounts.listAccounts({ ...rest, text: query });
}

/** By user id or uid: anybody for admins, oneself for others. @throws {RollcallError} USER_NOT_FOUND, BAD_REQUEST */
export async function readPerson(person: Person, input: Input<'user'>, { storage }: PeopleServices): Promise<Account> {
  const { user } = checked('user', input);
  const isOwn = user === person.user_id || user === person.uid;
  const account = person.is_admin || isOwn ? await storage.accounts.findAccount(isOwn ? person.user_id : user) : null;
  if (!account) throw new RollcallError('USER_NOT_FOUND');
  return account;
}

/** For admins. @throws {RollcallError} FORBIDDEN, BAD_REQUEST, ALREADY_EXISTS */
export async function createPerson(
  person: Person,
  input: Input<'newPerson'>,
  services: PeopleServices,
): Promise<Account> {
  requireAdmin(person);
  const { purpose, request_id, ...account } = checked('newPerson', input);
  const scope = { uid_is_new: true, is_admin: account.is_admin, ...rolesOf(account) };
  await noteAccess(person, { action: 'change_rights', subject: null, scope, purpose, request_id }, services);
  const id = requireDone(await services.storage.accounts.createAccount(account));
  services.directory.personChanged(account.uid);
  return readPerson(person, { user: id }, services);
}

/**
 * Changes what is said of a user, named by user id or uid. For admins, who may not lock themselves out.
 * @throws {RollcallError} FORBIDDEN, BAD_REQUEST, USER_NOT_FOUND, ALREADY_EXISTS
 */
export async function changePerson(
  person: Person,
  input: Input<'changedPerson'>,
  services: PeopleServices,
): Promise<Account> {
  requireAdmin(person);
  const { user, purpose, request_id, ...fields } = checked('changedPerson', input);
  const before = await readPerson(person, { user }, services);
  const change = saidOf(fields, input) as AccountChange;
  refuseOtherId(before, change);
  if (before.user_id === person.user_id && (change.disabled === true || change.is_admin === false)) {
    throw new RollcallError('FORBIDDEN', { message: 'You may not take your own right to do this' });
  }
  if (changesRights(before, change)) {
    const { is_admin = before.is_admin, disabled = before.disabled } = change;
    const scope = { is_admin, disabled, uid_is_new: change.uid !== undefined, ...rolesOf({ ...before, ...change }) };
    const subject = before.user_id;
    await noteAccess(person, { action: 'change_rights', subject, scope, purpose, request_id }, services);
  }
  const result = await services.storage.accounts.changeAccount(before.user_id, change);
  // Also where it was refused: on MongoDB a part of it may have been written and is completed by a repeat.
  for (const uid of [before.uid, change.uid]) if (uid !== undefined) services.directory.personChanged(uid);
  return readPerson(person, { user: requireDone(result) }, services);
}

const rolesOf = (account: { readonly teacher?: unknown; readonly student?: unknown }) => ({
  teacher: account.teacher !== null && account.teacher !== undefined,
  student: account.student !== null && account.student !== undefined,
});

function changesRights(before: Account, { uid, is_admin, disabled, teacher, student }: AccountChange): boolean {
  const changesRole = [
    [before.teacher, teacher],
    [before.student, student],
  ].some(([is, said]) => said !== undefined && (said === null) !== (is === null));
  return changesRole || [uid, is_admin, disabled].some((said) => said !== undefined);
}

/** Records and enrolments name a profile by its id. @throws {RollcallError} BAD_REQUEST */
function refuseOtherId(before: Account, { teacher, student }: AccountChange): void {
  const said = [
    ['teacher.teacher_id', before.teacher?.teacher_id, teacher?.teacher_id],
    ['student.student_id', before.student?.student_id, student?.student_id],
  ] as const;
  for (const [field, is, wanted] of said) {
    if (is === undefined || !wanted || wanted === is) continue;
    const details = { field, issues: [{ field, message: 'cannot be changed' }] };
    throw new RollcallError('BAD_REQUEST', { message: `${field}: cannot be changed`, details });
  }
}
