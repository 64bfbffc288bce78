import { setTimeout } from 'node:timers/promises';
import type { SessionId } from '@rollcall/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CommitEncoder } from '../../journal/encode.js';
import { dropTestDatabase, MONGO_MISSING, testMongoUri, throughProxy } from '../../testing/mongo-server.js';
import { TcpProxy } from '../../testing/tcp-proxy.js';
import { appendTo, readEntries } from '../contract/journal-access.js';
import { marked, projection, record, run, started } from '../contract/samples.js';
import { StorageError } from '../port.js';
import { MongoStorage } from './mongo-storage.js';

const uri = (await testMongoUri()) ?? '';
const S = 's' as SessionId;
// Long enough for a busy machine: a slow answer must not pass for a lost one.
const SELECTION_MS = 1_500;
const SOCKET_MS = 4_000;
/** What a busy machine may add. */
const SLACK_MS = 5_000;

const behind = throughProxy(uri);

describe.skipIf(!uri)(`mongodb that fails${uri ? '' : `: ${MONGO_MISSING}`}`, () => {
  let proxy: TcpProxy;
  let storage: MongoStorage;
  let direct: MongoStorage;

  beforeEach(async () => {
    proxy = await TcpProxy.start(behind.target);
    storage = new MongoStorage({ uri: behind.uri(proxy.port, { selectionMs: SELECTION_MS, socketMs: SOCKET_MS }) });
    direct = new MongoStorage({ uri });
    await Promise.all([storage.open(), direct.open()]);
    await appendTo(storage, S, 0, [started('s')]);
  });
  afterEach(async () => {
    await storage.close();
    await direct.close();
    await proxy.cut();
    await dropTestDatabase(uri);
  });

  const rejection = async (verb: Promise<unknown>) => {
    const since = performance.now();
    const error: unknown = await verb.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return { error, ms: performance.now() - since };
  };

  test('[STORE-79] every verb rejects in time while the database is gone, and works once it is back', async () => {
    await proxy.cut();
    const verbs = [
      () => storage.ping(),
      () => appendTo(storage, S, 1, [marked(2)]),
      () => readEntries(storage, S, 0, 10),
      () => storage.people.findPersonByUid('ada'),
      () => storage.projection.findSession(S),
      () => storage.journal.listActiveSessions(),
      () => storage.projection.project(projection('s', 1, [record('a', 1)])),
    ];
    for (const { error, ms } of await Promise.all(verbs.map((verb) => rejection(verb())))) {
      expect(error).toBeInstanceOf(StorageError);
      expect(ms).toBeLessThan(SELECTION_MS + SLACK_MS);
    }
    await proxy.restore();
    await vi.waitFor(() => storage.ping(), { timeout: 20_000, interval: 50 });
    expect(await readEntries(storage, S, 0, 10)).toEqual([started('s')]);
    expect(await appendTo(storage, S, 1, [marked(2)])).toBe('committed');
    await storage.projection.project(projection('s', 2, [record('a', 2)]));
    expect(await direct.projection.readRecords(S)).toEqual([record('a', 2)]);
  });

  test('[STORE-79] a database that accepts and never answers rejects after the socket timeout', async () => {
    proxy.line = 'silent';
    const { error, ms } = await rejection(appendTo(storage, S, 1, [marked(2)]));
    expect(error).toBeInstanceOf(StorageError);
    expect(ms).toBeGreaterThan(SOCKET_MS / 2);
    expect(ms).toBeLessThan(SOCKET_MS + SELECTION_MS + SLACK_MS);
    await proxy.cut();
    await proxy.restore();
    await vi.waitFor(() => storage.ping(), { timeout: 20_000, interval: 50 });
    expect(await readEntries(direct, S, 1, 10)).toEqual([]);
    expect(await appendTo(storage, S, 1, [marked(2)])).toBe('committed');
  });

  test('[STORE-80] an append whose answer is lost rejects and is found by reading again', async () => {
    const [before] = await storage.journal.readCommits(S, 0, 1);
    proxy.line = 'answers lost';
    const commit = new CommitEncoder(S).encode(String(before?.chain), 1, run('s', 1, 3));
    const lost = rejection(storage.journal.append(S, commit));
    await vi.waitFor(async () => expect(await readEntries(direct, S, 1, 10)).toHaveLength(3), {
      timeout: 15_000,
    });
    expect((await lost).error).toBeInstanceOf(StorageError);
    await proxy.cut();
    await proxy.restore();
    await vi.waitFor(() => storage.ping(), { timeout: 20_000, interval: 50 });
    expect(await appendTo(storage, S, 1, [marked(2, 'other')])).toBe('conflict');
    expect(await readEntries(storage, S, 1, 10)).toEqual(run('s', 1, 3));
    expect(await appendTo(storage, S, 4, [marked(5)])).toBe('committed');
  });

  test('[STORE-79] connections that die in the middle of a class lose nothing that was acknowledged', async () => {
    let seq = 1;
    let over = false;
    const acked: number[] = [];
    const write = async () => {
      seq = (await readEntries(storage, S, seq, 1_000)).at(-1)?.seq ?? seq;
      if ((await appendTo(storage, S, seq, [marked(seq + 1)])) === 'committed') acked.push(++seq);
    };
    const writer = async () => {
      while (!over && seq < 200) await write().catch(() => setTimeout(10));
    };
    const writing = writer();
    try {
      for (const at of [30, 80, 140]) {
        await vi.waitFor(() => expect(seq).toBeGreaterThan(at), { timeout: 60_000, interval: 5 });
        await proxy.cut();
        await proxy.restore();
      }
      await vi.waitFor(() => expect(seq).toBe(200), { timeout: 60_000 });
    } finally {
      over = true;
      await writing;
    }
    const stored = (await readEntries(direct, S, 0, 1_000)).map((entry) => entry.seq);
    expect(stored).toEqual(Array.from({ length: stored.length }, (_, i) => i + 1));
    expect(acked.length).toBeGreaterThan(100);
    expect(stored).toEqual(expect.arrayContaining(acked));
  });

  test('[STORE-79] opening a database that is not there rejects in time', async () => {
    const { port } = proxy;
    await proxy.cut();
    const { error, ms } = await rejection(
      new MongoStorage({ uri: behind.uri(port, { selectionMs: SELECTION_MS, socketMs: SOCKET_MS }) }).open(),
    );
    expect(error).toBeInstanceOf(StorageError);
    expect(ms).toBeLessThan(SELECTION_MS + SLACK_MS);
  });

  test('[STORE-26] closing ends in time while the database is gone or silent', async () => {
    proxy.line = 'silent';
    const under = rejection(appendTo(storage, S, 1, [marked(2)]));
    const { ms } = await rejection(storage.close());
    expect(ms).toBeLessThan(SOCKET_MS + SELECTION_MS + SLACK_MS);
    expect((await under).error).toBeInstanceOf(StorageError);
    await vi.waitFor(() => expect(proxy.connections).toBe(0), { timeout: 10_000 });
  });
});
