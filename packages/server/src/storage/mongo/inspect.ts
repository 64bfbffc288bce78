import type { mongo } from 'mongoose';
import type { MongoFacts } from '../database-facts.js';
import { collectionsOf } from './collections.js';
import { asStorageError, COMMAND_NOT_FOUND, connect, databaseOf, errorCode } from './connection.js';

/** Looks into a database and changes nothing: no collection and no index is made. @throws {StorageError} */
export const inspectMongo = (uri: string): Promise<MongoFacts> =>
  withDatabase(uri, async (db) => {
    const hello = await helloOf(db);
    const there = new Set((await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name));
    const collections = Object.values(collectionsOf(db, false)).map(async (collection) => {
      const { collectionName: name } = collection;
      const own = name.startsWith('rollcall_');
      if (!there.has(name)) return { name, rows: null, oddIds: 0, own };
      const rows = await collection.estimatedDocumentCount();
      const oddIds = own ? 0 : await collection.countDocuments({ _id: { $not: { $type: ['string', 'objectId'] } } });
      return { name, rows, oddIds, own };
    });
    return {
      database: db.databaseName,
      replicaSet: hello['msg'] === 'isdbgrid' ? 'sharded' : (hello['setName'] ?? null),
      collections: await Promise.all(collections),
    };
  });

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
