import type { Services } from '../commands/command.js';
import { isoOf } from '../commands/present.js';
import { type AccessEntry, decodeAccess, type ReadAccess } from '../journal/access-entry.js';
import type { Page, Person } from '../storage/port.js';
import { checked, type Input } from './inputs.js';
import { requireAdmin } from './rights.js';

/** What is noted: exports, other people's histories and attachments, erasures, changes of rights. */
export type AccessAction = 'export' | 'history' | 'attachment' | 'export_person' | 'erase_person' | 'change_rights';

export type Access = Omit<AccessEntry, 'at' | 'actor' | 'action'> & { readonly action: AccessAction };

/**
 * Notes that somebody is about to see or change what is another person's. To be awaited before a byte of it leaves,
 * or before the change: whatever can't be noted doesn't happen. So an entry may be of a change that was then refused.
 * @returns the number of the entry
 */
export function noteAccess(
  person: Pick<Person, 'user_id' | 'name'>,
  access: Access,
  { storage, now }: Pick<Services, 'storage' | 'now'>,
): Promise<number> {
  const { user_id, name } = person;
  return storage.accessLog.append({ at: now(), actor: { user_id, name }, ...access });
}

export type AccessAnswer = Omit<ReadAccess, 'at'> & { readonly at: string };

/** The log in order of number. For admins. @throws {RollcallError} FORBIDDEN, BAD_REQUEST */
export async function listAccess(
  person: Person,
  input: Input<'access'>,
  { storage }: Pick<Services, 'storage'>,
): Promise<Page<AccessAnswer>> {
  requireAdmin(person);
  const { items, next } = await storage.accessLog.list(checked('access', input));
  const entries = items.map(decodeAccess).map((entry) => ({ ...entry, at: isoOf(entry.at) }));
  return { items: entries, next: next === null ? null : String(next) };
}
