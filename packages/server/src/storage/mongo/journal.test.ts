import { randomBytes } from 'node:crypto';
import type { SessionId } from '@rollcall/protocol';
import { type Connection, createConnection, mongo } from 'mongoose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inspect } from '../../cli/verify-session.js';
import type { RosterRow } from '../../journal/entries.js';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../../testing/mongo-server.js';
import { appendTo, readEntries } from '../contract/journal-access.js';
import { marked, rosterRow, started } from '../contract/samples.js';
import { StorageError } from '../port.js';
import { commitId } from './journal.js';
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
  const ids = sessions.flatMap((session) => seqs.map((seq) => commitId(session, seq)));
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
    await appendTo(storage, id('s:1'), 0, [started('s:1'), marked(2)]);
    await appendTo(storage, id('s:1'), 2, [marked(3)]);
    const text = expect.any(String);
    const form = { session_id: 's:1', format: 2, facts: text, personal: text, chain: text };
    expect(await batches()).toEqual([
      { ...form, _id: 's:1:1', first_seq: 1, last_seq: 2, open: true },
      { ...form, _id: 's:1:3', first_seq: 3, last_seq: 3 },
    ]);
  });

  test('[STORE-77] [VERIFY-5] commits of the form before stay as they are, and the chain begins behind them', async () => {
    const old = raw.collection('rollcall_journal');
    await old.insertMany([
      {
        _id: 'o:1' as never,
        session_id: 'o',
        first_seq: 1,
        last_seq: 2,
        entries: [started('o'), marked(2)],
        open: true,
      },
      { _id: 'o:3' as never, session_id: 'o', first_seq: 3, last_seq: 3, entries: [marked(3)] },
    ]);
    const before = await batches();
    expect(await readEntries(storage, id('o'), 0, 10)).toEqual([started('o'), marked(2), marked(3)]);
    expect(await readEntries(storage, id('o'), 1, 1)).toEqual([marked(2)]);
    expect(await appendTo(storage, id('o'), 3, [marked(4), marked(5)])).toBe('committed');
    expect(await readEntries(storage, id('o'), 2, 10)).toEqual([marked(3), marked(4), marked(5)]);
    const after = await batches();
    expect(after.slice(0, 2)).toEqual(before);
    const inspection = await inspect(storage, id('o'));
    expect(inspection).toMatchObject({ findings: [], unchainedUpTo: 3, isReadable: true, seq: 5 });
    const facts = String(after[2]?.['facts']).replace('present', 'absent');
    await old.updateOne({ last_seq: 5 }, { $set: { facts } });
    expect((await inspect(storage, id('o'))).findings).toMatchObject([{ seq: 4, field: 'facts or chain' }]);
  });

  test('[STORE-78] ten thousand long lines open a journal in one commit and come back as they were', async () => {
    const roster = Array.from({ length: 10_000 }, (_, i) => longRow(i));
    const opening = { ...started('big'), roster };
    expect(await appendTo(storage, id('big'), 0, [opening])).toBe('committed');
    expect(mongo.BSON.calculateObjectSize({ entries: [opening] })).toBeLessThan(16 * 1024 * 1024);
    const beside = new MongoStorage({ uri });
    await beside.open();
    const [read] = await readEntries(beside, id('big'), 0, 1);
    await beside.close();
    expect(read).toEqual(opening);
  });

  test('[STORE-78] a commit that is too large for a document rejects and leaves nothing', async () => {
    const roster = Array.from({ length: 20_000 }, (_, i) => longRow(i));
    await expect(appendTo(storage, id('huge'), 0, [{ ...started('huge'), roster }])).rejects.toBeInstanceOf(
      StorageError,
    );
    expect(await batches()).toEqual([]);
    expect(await appendTo(storage, id('huge'), 0, [started('huge')])).toBe('committed');
  });
});
