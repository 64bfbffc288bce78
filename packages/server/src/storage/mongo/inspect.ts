import type { mongo } from 'mongoose';
import type { MongoFacts } from '../database-facts.js';
import type { SeenServer } from '../port.js';
import { collectionsOf } from './collections.js';
import { asStorageError, COMMAND_NOT_FOUND, connect, databaseOf, errorCode } from './connection.js';
import { notedServers } from './installation.js';
import { unusableRows } from './unusable-rows.js';

/** A server notes itself every two seconds. */
const LIVES_MS = 10_000;

/** Looks into a database and changes nothing: no collection and no index is made. @throws {StorageError} */
export const inspectMongo = (uri: string): Promise<MongoFacts> =>
  withDatabase(uri, async (db) => {
    const hello = await helloOf(db);
    const there = new Set((await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name));
    const all = collectionsOf(db, false);
    const collections = Object.values(all).map(async (collection) => {
      const { collectionName: name } = collection;
      const own = name.startsWith('rollcall_');
      return { name, rows: there.has(name) ? await collection.estimatedDocumentCount() : null, own };
    });
    return {
      database: db.databaseName,
      replicaSet: hello['msg'] === 'isdbgrid' ? 'sharded' : (hello['setName'] ?? null),
      collections: await Promise.all(collections),
      unusable: await unusableRows(all),
      servers: await liveServers(db, hello['localTime']),
    };
  });

/** @param now the database's clock, where it tells it */
async function liveServers(db: mongo.Db, now: unknown): Promise<SeenServer[]> {
  const from = (now instanceof Date ? now.getTime() : Date.now()) - LIVES_MS;
  return (await notedServers(db)).filter(({ beat_at }) => beat_at >= from);
}

/** How far the database server's clock is ahead of this machine's, in ms; null where the server doesn't tell its time. */
export const mongoClockAhead = (uri: string): Promise<number | null> =>
  withDatabase(uri, async (db) => {
    const asked = Date.now();
    const { localTime } = await helloOf(db);
    const answered = Date.now();
    return localTime instanceof Date ? localTime.getTime() - (asked + answered) / 2 : null;
  });

/** How the server introduces itself; one that is too old for `hello` does it by the former name. */
function helloOf(db: mongo.Db): Promise<mongo.Document> {
  const admin = db.admin();
  return admin.command({ hello: 1 }).catch((error: unknown) => {
    if (errorCode(error) === COMMAND_NOT_FOUND) return admin.command({ isMaster: 1 });
    throw error;
  });
}

async function withDatabase<Answer>(uri: string, ask: (db: mongo.Db) => Promise<Answer>): Promise<Answer> {
  try {
    const connection = await connect(uri);
    try {
      return await ask(databaseOf(connection));
    } finally {
      await connection.destroy().catch(() => {});
    }
  } catch (error) {
    throw asStorageError(error);
  }
}
