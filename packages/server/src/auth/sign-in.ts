import { RollcallError } from '@rollcall/protocol';
import type { Directory } from '../commands/directory.js';
import type { Person, Storage } from '../storage/port.js';
import type { Identity } from './verify-token.js';

const ROLES = ['teacher', 'student', 'admin'] as const;
const roleOf = (claim: string | null) => ROLES.find((role) => role === claim);

/** Finds the person of a verified token, or makes them where that is switched on. @throws {RollcallError} `User not found` */
export async function personOf(
  identity: Identity,
  { directory, storage, provision }: { directory: Directory; storage: Storage; provision: boolean },
): Promise<Person> {
  const known = directory.personNow(identity.uid) ?? (await directory.person(identity.uid));
  if (known) return known;
  const role = provision ? roleOf(identity.claims.role) : undefined;
  if (!role) throw new RollcallError('UNAUTHENTICATED', { message: 'User not found' });
  const { uid, claims } = identity;
  const person = await storage.people.provisionPerson({ uid, name: claims.name ?? uid, email: claims.email, role });
  directory.remember(person);
  return person;
}
