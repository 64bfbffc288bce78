import { createConnection } from 'mongoose';
import { expect, onTestFinished, test } from 'vitest';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../../testing/mongo-server.js';
import { appendTo } from '../contract/journal-access.js';
import { projection, run, session, T0 } from '../contract/samples.js';
import { MongoStorage } from './mongo-storage.js';

const uri = await testMongoUri();

test.skipIf(!uri)(
  `[STORE-90] an end takes what was remembered out of the journal, and a late touch puts nothing back${uri ? '' : `: ${MONGO_MISSING}`}`,
  async () => {
    const storage = new MongoStorage({ uri: uri ?? '' });
    await storage.open();
    const raw = await createConnection(uri ?? '').asPromise();
    onTestFinished(async () => {
      await storage.close();
      await raw.destroy();
      await dropTestDatabase(uri ?? '');
    });
    const S = session('s');
    const held = () => raw.collection('rollcall_journal').find({}).sort({ first_seq: 1 }).toArray();
    await storage.journal.touchSession(S, T0);
    expect(await held()).toEqual([]);
    await appendTo(storage, S, 0, run('s', 0, 1));
    await appendTo(storage, S, 1, run('s', 1, 1));
    await storage.journal.touchSession(S, T0);
    const text = expect.any(String);
    const form = { format: 2, facts: text, personal: text, chain: text };
    const opening = { _id: 's:1' as never, session_id: 's', first_seq: 1, last_seq: 1, ...form };
    const next = { _id: 's:2' as never, session_id: 's', first_seq: 2, last_seq: 2, ...form };
    expect(await held()).toEqual([{ ...opening, open: true, active_at: T0 }, next]);
    const over = projection('s', 2, [], { status: 'completed', ended_at: T0 + 1 });
    await Promise.all([
      storage.projection.project(over),
      storage.journal.touchSession(S, T0 + 2),
      storage.journal.touchSession(S, T0 + 3),
    ]);
    await storage.journal.touchSession(S, T0 + 4);
    expect(await held()).toEqual([opening, next]);
  },
);
