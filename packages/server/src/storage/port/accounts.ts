import type { StudentId, TeacherId, UserId } from '@rollcall/protocol';
import type { Page, PageQuery, SchoolChange } from './pages.js';

/** Users with their profiles, as an admin sees and changes them. */
export interface Accounts {
  /**
   * Users, disabled ones among them, in order of user id; with a role in the order of what the role's profiles name.
   * `text` is the beginning of a name, of a name without its first word, of a uid, an email or a roll, in letters of
   * either case.
   */
  listAccounts(query: AccountQuery): Promise<Page<Account>>;
  /** By user id, else by uid; null when there is none. */
  findAccount(ref: string): Promise<Account | null>;
  /** A profile id that isn't given is the uid, where no other profile has that. */
  createAccount(account: NewAccount): Promise<SchoolChange>;
  /**
   * Changes what is said. All or nothing where the database can (SQLite), else profiles before the user, so that a
   * repeat completes what was cut off.
   */
  changeAccount(userId: string, change: AccountChange): Promise<SchoolChange>;
}

export type Role = 'teacher' | 'student' | 'admin';

export interface AccountQuery extends PageQuery {
  readonly text: string | null;
  readonly role: Role | null;
}

export interface Account {
  readonly user_id: UserId;
  readonly uid: string;
  readonly name: string;
  readonly email: string | null;
  readonly profile_picture: string | null;
  readonly is_admin: boolean;
  readonly disabled: boolean;
  readonly teacher: {
    readonly teacher_id: TeacherId;
    readonly department: string | null;
    readonly designation: string | null;
  } | null;
  readonly student: {
    readonly student_id: StudentId;
    readonly roll: string | null;
    readonly section: string | null;
    readonly department: string | null;
    readonly semester: string | null;
  } | null;
}

export interface NewAccount {
  readonly uid: string;
  readonly name: string;
  readonly email: string | null;
  readonly profile_picture: string | null;
  readonly is_admin: boolean;
  readonly disabled: boolean;
  readonly teacher: {
    readonly teacher_id: string | null;
    readonly department: string | null;
    readonly designation: string | null;
  } | null;
  readonly student: {
    readonly student_id: string | null;
    readonly roll: string | null;
    readonly section: string | null;
    readonly department: string | null;
    readonly semester: string | null;
  } | null;
}

type Said<Fields> = { readonly [Field in keyof Fields]?: Fields[Field] | undefined };

/**
 * What is absent stays, and null takes a value away. A profile that is said and isn't there is made, or is the one of
 * its id that has no user; a profile that is null loses its user and keeps its rows. The id of a profile that is
 * there stays as it is.
 */
export type AccountChange = Said<
  Pick<NewAccount, 'uid' | 'name' | 'email' | 'profile_picture' | 'is_admin' | 'disabled'>
> & {
  readonly teacher?: Said<NonNullable<NewAccount['teacher']>> | null | undefined;
  readonly student?: Said<NonNullable<NewAccount['student']>> | null | undefined;
};
