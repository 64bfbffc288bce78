import type { mongo } from 'mongoose';
import { type AccessEntry, encodeAccess, FIRST_ACCESS_CHAIN, type StoredAccess } from '../../journal/access-entry.js';
import { pageOf } from '../page.js';
import { type AccessQuery, type Page, StorageError } from '../port.js';
import type { AccessRow } from './collections.js';
import { isDuplicateKey } from './connection.js';

/** Others who may come first, one after the other, before an entry is given up. */
const ROUNDS = 100;

export async function indexAccessLog(log: mongo.Collection<AccessRow>): Promise<void> {
  for (const field of ['actor', 'action', 'subject']) await log.createIndex({ [field]: 1, _id: 1 });
}

/** The last entry of this process that is being added, by its collection. */
const adding = new WeakMap<mongo.Collection<AccessRow>, Promise<unknown>>();

/** Those of one process go in turn: all at once, each but the first would read and try again, as often as it lost. */
export function appendAccess(log: mongo.Collection<AccessRow>, entry: AccessEntry): Promise<number> {
  const added = (adding.get(log) ?? Promise.resolve()).then(() => appendNext(log, entry));
  adding.set(
    log,
    added.catch(() => undefined),
  );
  return added;
}

/** The number is the _id: of two who want the same one is first, and the other takes the next. */
async function appendNext(log: mongo.Collection<AccessRow>, entry: AccessEntry): Promise<number> {
  for (let round = 0; round < ROUNDS; round++) {
    const last = await log.findOne({}, { sort: { _id: -1 }, projection: { chain: 1 } });
    const chain = last === null ? FIRST_ACCESS_CHAIN : String(last.chain);
    const { number, ...row } = encodeAccess((last?._id ?? 0) + 1, chain, entry);
    try {
      await log.insertOne({ _id: number, ...row });
      return number;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
  }
  throw new StorageError('mongodb: others keep adding to the access log');
}

export async function listAccess(
  log: mongo.Collection<AccessRow>,
  { after, limit, actor, subject, action }: AccessQuery,
): Promise<Page<StoredAccess, number>> {
  const filter = {
    _id: { $gt: after ?? 0 },
    ...(actor !== null && { actor }),
    ...(subject !== null && { subject }),
    ...(action !== null && { action }),
  };
  const rows = await log
    .find(filter)
    .sort({ _id: 1 })
    .limit(limit + 1)
    .toArray();
  const entries = rows.map(
    ({ _id, actor: by, subject: about = null, ...rest }): StoredAccess => ({
      ...{ number: _id, actor: by, subject: about, action: rest.action, format: rest.format },
      ...{ facts: rest.facts, personal: rest.personal, chain: rest.chain },
    }),
  );
  return pageOf(entries, limit, (entry) => entry.number);
}
