import { createConnection } from 'mongoose';
import { test } from 'vitest';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../../testing/mongo-server.js';
import { storageContract } from '../contract/contract.js';
import { MongoStorage } from './mongo-storage.js';
import { storedId } from './stored-values.js';

if (await testMongoUri()) {
  storageContract('mongodb', async () => {
    const uri = (await testMongoUri()) ?? '';
    const handles: MongoStorage[] = [];
    const reopen = async () => {
      const storage = new MongoStorage({ uri });
      handles.push(storage);
      await storage.open();
      return storage;
    };
    return {
      storage: await reopen(),
      reopen,
      async putActiveSession(sessionId) {
        const connection = await createConnection(uri).asPromise();
        await connection.collection('classsessions').insertOne({ _id: storedId(sessionId), status: 'active' } as never);
        await connection.destroy();
      },
      async dispose() {
        await Promise.all(handles.map((storage) => storage.close()));
        await dropTestDatabase(uri);
      },
    };
  });
} else {
  test.skip(`storage contract: mongodb ${MONGO_MISSING}`);
}
