import { randomBytes } from 'node:crypto';
import type { SessionId } from '@rollcall/protocol';
import { type Connection, createConnection, mongo } from 'mongoose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Entry, RosterRow } from '../../journal/entries.js';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../../testing/mongo-server.js';
import { marked, rosterRow, started } from '../contract/samples.js';
import { StorageError } from '../port.js';
import { batchId } from './journal.js';
import { MongoStorage } from './mongo-storage.js';

const uri = (await testMongoUri()) ?? '';
const id = (text: string) => text as SessionId;

/** A line as long as they come: long names, addresses and a picture's URL. */
const longRow = (n: number): RosterRow => {
  const row = rosterRow(new mongo.ObjectId().toHexString(), n);
  return {
    ...row,
    record_id: randomBytes(12).toString('hex'),
    remarks: 'r'.repeat(200),
    student: {
      ...row.student,
      user_id: new mongo.ObjectId().toHexString() as never,
      uid: `student.${n}@mail.school.example`,
      name: `Ünïcødé Näme ${n} ${'x'.repeat(60)}`,
      email: `student.${n}@mail.school.example`,
      roll: String(1_907_000 + n),
      section: 'A',
      profile_picture: `https://cdn.school.example/pictures/${'p'.repeat(200)}/${n}.webp`,
    },
  };
};

test('[STORE-77] places of different sessions never share an _id', () => {
  const sessions = ['a', 'a:1', 'a:1:1', '1', ':', '::', ':1', '1:', 'a:', 'a:11', 'a:1:'];
  const seqs = [1, 2, 11, 111];
  const ids = sessions.flatMap((session) => seqs.map((seq) => batchId(session, seq)));
  expect(new Set(ids).size).toBe(sessions.length * seqs.length);
});

describe.skipIf(!uri)(`the journal in mongodb${uri ? '' : `: ${MONGO_MISSING}`}`, () => {
  let raw: Connection;
  let storage: MongoStorage;
  beforeEach(async () => {
    raw = await createConnection(uri).asPromise();
    storage = new MongoStorage({ uri });
    await storage.open();
  });
  afterEach(async () => {
    await storage.close();
    await raw.destroy();
    await dropTestDatabase(uri);
  });
  const batches = () => raw.collection('rollcall_journal').find({}).sort({ last_seq: 1 }).toArray();

  test('[STORE-77] a commit is one document, open until the end of the session is projected', async () => {
    await storage.journal.append(id('s:1'), 0, [started('s:1'), marked(2)]);
    await storage.journal.append(id('s:1'), 2, [marked(3)]);
    expect(await batches()).toEqual([
      {
        _id: 's:1:1',
        session_id: 's:1',
        first_seq: 1,
        last_seq: 2,
        open: true,
        entries: [started('s:1'), marked(2)],
      },
      { _id: 's:1:3', session_id: 's:1', first_seq: 3, last_seq: 3, entries: [marked(3)] },
    ]);
  });

  test('[STORE-77] entries that do not fit their place are a fault of the caller', async () => {
    for (const entries of [[], [marked(1)], [started('s'), marked(3)]] as Entry[][]) {
      await expect(storage.journal.append(id('s'), entries.length > 1 ? 0 : 1, entries)).rejects.toThrow(
        'not numbered densely',
      );
    }
    expect(await batches()).toEqual([]);
  });

  test('[STORE-78] ten thousand long lines open a journal in one commit and come back as they were', async () => {
    const roster = Array.from({ length: 10_000 }, (_, i) => longRow(i));
    const opening = { ...started('big'), roster };
    expect(await storage.journal.append(id('big'), 0, [opening])).toBe('committed');
    expect(mongo.BSON.calculateObjectSize({ entries: [opening] })).toBeLessThan(16 * 1024 * 1024);
    const beside = new MongoStorage({ uri });
    await beside.open();
    const [read] = await beside.journal.readEntries(id('big'), 0, 1);
    await beside.close();
    expect(read).toEqual(opening);
  });

  test('[STORE-78] a commit that is too large for a document rejects and leaves nothing', async () => {
    const roster = Array.from({ length: 20_000 }, (_, i) => longRow(i));
    await expect(storage.journal.append(id('huge'), 0, [{ ...started('huge'), roster }])).rejects.toBeInstanceOf(
      StorageError,
    );
    expect(await batches()).toEqual([]);
    expect(await storage.journal.append(id('huge'), 0, [started('huge')])).toBe('committed');
  });
});
