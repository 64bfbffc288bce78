import { RollcallError } from '@rollcall/protocol';
import type { Directory } from '../commands/directory.js';
import type { Person, Storage } from '../storage/port.js';
import type { Identity } from './verify-token.js';

const ROLES = ['teacher', 'student', 'admin'] as const;
const roleOf = (claim: string | null) => ROLES.find((role) => role === claim);

export interface SignInOptions {
  readonly directory: Directory;
  readonly storage: Storage;
  /** Makes unknown users from the claims of their token. */
  readonly provision: boolean;
  /** What names a user may be their user id as well as their uid, which goes first. */
  readonly byUserId: boolean;
}

/** Finds the person of a verified token, or makes them where that is switched on. @throws {RollcallError} `User not found` */
export async function personOf(identity: Identity, options: SignInOptions): Promise<Person> {
  const { directory, storage, provision, byUserId } = options;
  const known = directory.personNow(identity.uid) ?? (await directory.person(identity.uid));
  if (known) return known;
  const uidOfUser = byUserId ? await storage.people.findUidOfUser(identity.uid) : null;
  const named = uidOfUser === null ? undefined : await directory.person(uidOfUser);
  if (named) return named;
  const role = provision ? roleOf(identity.claims.role) : undefined;
  if (!role) throw new RollcallError('UNAUTHENTICATED', { message: 'User not found' });
  const { uid, claims } = identity;
  const person = await storage.people.provisionPerson({ uid, name: claims.name ?? uid, email: claims.email, role });
  // The uid is a disabled user's.
  if (person === null) throw new RollcallError('UNAUTHENTICATED', { message: 'User not found' });
  directory.remember(person);
  return person;
}
