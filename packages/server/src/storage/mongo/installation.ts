import type { mongo } from 'mongoose';
import { channelKeyOf, FORGOTTEN_AFTER_MS, newInstallationKey, signingKeyOf } from '../channel-key.js';
import type { SeenServer, ServerNote } from '../port.js';
import { COMMAND_NOT_FOUND, errorCode, isDuplicateKey } from './connection.js';

const INSTALLATION = 'rollcall_installation';
const SERVERS = 'rollcall_servers';

interface StoredInstallation {
  readonly _id: 'installation';
  readonly key: string;
}

interface StoredServer extends Omit<ServerNote, 'node'> {
  readonly _id: string;
  readonly beat_at: Date;
}

export async function channelKey(db: mongo.Db): Promise<string> {
  return channelKeyOf(await installationKey(db), ['mongodb', db.databaseName, ...(await placeOf(db))]);
}

export const signingKey = async (db: mongo.Db): Promise<string> => signingKeyOf(await installationKey(db));

async function installationKey(db: mongo.Db): Promise<string> {
  const collection = db.collection<StoredInstallation>(INSTALLATION);
  const known = await collection.findOne({ _id: 'installation' });
  if (known) return known.key;
  try {
    await collection.updateOne(
      { _id: 'installation' },
      { $setOnInsert: { key: newInstallationKey() } },
      { upsert: true },
    );
  } catch (error) {
    // Another server made it in the same moment.
    if (!isDuplicateKey(error)) throw error;
  }
  return installationKey(db);
}

/**
 * What differs between two databases of one name, one of them a copy of the other, and is the same for all that use
 * one of them, by whatever address: the id that the server gave the collection, and the replica set's name. A server
 * that gives no ids leaves the name.
 */
async function placeOf(db: mongo.Db): Promise<string[]> {
  const hello: mongo.Document = await db.command({ hello: 1 }).catch((error: unknown) => {
    if (errorCode(error) === COMMAND_NOT_FOUND) return db.command({ isMaster: 1 });
    throw error;
  });
  const [collection] = await db.listCollections({ name: INSTALLATION }).toArray();
  const uuid = collection && 'info' in collection ? collection.info?.uuid : undefined;
  return [String(hello['setName'] ?? ''), uuid?.toString('hex') ?? ''];
}

interface StoredChanges {
  readonly _id: 'school';
  readonly changes: number;
}

export async function schoolChanges(db: mongo.Db): Promise<number> {
  return (await db.collection<StoredChanges>(INSTALLATION).findOne({ _id: 'school' }))?.changes ?? 0;
}

/** For running servers, which look for it: once what an import has changed can be read. */
export async function noteSchoolChange(db: mongo.Db): Promise<void> {
  await db
    .collection<StoredChanges>(INSTALLATION)
    .updateOne({ _id: 'school' }, { $inc: { changes: 1 } }, { upsert: true });
}

/** `$currentDate` is by the database's clock, so that times of all servers compare whatever their own say. */
export async function beat(db: mongo.Db, { node, ...note }: ServerNote): Promise<SeenServer[]> {
  const servers = db.collection<StoredServer>(SERVERS);
  await servers.updateOne({ _id: node }, { $set: note, $currentDate: { beat_at: true } }, { upsert: true });
  const all = await notedServers(db);
  const now = all.find((server) => server.node === node)?.beat_at ?? Number.NEGATIVE_INFINITY;
  const old = all.filter(({ beat_at }) => beat_at < now - FORGOTTEN_AFTER_MS).map((server) => server.node);
  if (old.length > 0) await servers.deleteMany({ _id: { $in: old } });
  return all.filter((server) => !old.includes(server.node));
}

export async function notedServers(db: mongo.Db): Promise<SeenServer[]> {
  const rows = await db.collection<StoredServer>(SERVERS).find().toArray();
  return rows.map(({ _id, beat_at, ...rest }) => ({ ...rest, node: _id, beat_at: beat_at.getTime() }));
}

export async function leave(db: mongo.Db, node: string): Promise<void> {
  await db.collection<StoredServer>(SERVERS).deleteOne({ _id: node });
}
