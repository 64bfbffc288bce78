import type { TeacherId, UserId } from '@rollcall/protocol';
import type { RosterStudent } from '../../journal/entries.js';

/** Users and their profiles. */
export interface People {
  /** The user of a token's uid, with their profiles; null when there is none. */
  findPersonByUid(uid: string): Promise<Person | null>;
  /** The same for many at once, by uid; unknown ones are left out. */
  findPeopleByUid(uids: readonly string[]): Promise<Map<string, Person>>;
  /**
   * Resolves what clients call students: a profile id, else a user id, else a uid (in that order of preference).
   * Keys of the answer are the references as given; unknown ones are left out.
   */
  findStudents(refs: readonly string[]): Promise<Map<string, RosterStudent>>;
  /** Makes a user with the profile of their role. When the uid exists already, answers the existing person unchanged. */
  provisionPerson(person: NewPerson): Promise<Person>;
  /** True while there is not one user: decides whether a development server may add its demo school. */
  isEmpty(): Promise<boolean>;
}

export interface Person {
  readonly user_id: UserId;
  readonly uid: string;
  readonly name: string;
  readonly email: string | null;
  readonly profile_picture: string | null;
  readonly is_admin: boolean;
  readonly teacher: TeacherProfile | null;
  readonly student: RosterStudent | null;
}

export interface TeacherProfile {
  readonly teacher_id: TeacherId;
  readonly department: string | null;
  readonly designation: string | null;
}

export interface NewPerson {
  readonly uid: string;
  readonly name: string;
  readonly email: string | null;
  readonly role: 'teacher' | 'student' | 'admin';
}
