import { setTimeout } from 'node:timers/promises';
import type { SessionId } from '@rollcall/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../../testing/mongo-server.js';
import { TcpProxy } from '../../testing/tcp-proxy.js';
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

/** First host of the URI, and the same URI leading to `port` here instead. */
const hostOf = () => {
  const [, name = '', port = '27017'] = /^mongodb:\/\/(?:[^@/]*@)?([^:,/?]+)(?::(\d+))?/.exec(uri) ?? [];
  return { host: name, port: Number(port) };
};
const uriThrough = (port: number) => {
  const [address = '', query = ''] = uri.replace(/\/\/((?:[^@/]*@)?)[^/?]+/, `//$1127.0.0.1:${port}`).split('?');
  const options = new URLSearchParams(query);
  options.delete('replicaSet');
  options.set('directConnection', 'true');
  options.set('serverSelectionTimeoutMS', String(SELECTION_MS));
  options.set('socketTimeoutMS', String(SOCKET_MS));
  return `${address}?${options}`;
};

describe.skipIf(!uri)(`mongodb that fails${uri ? '' : `: ${MONGO_MISSING}`}`, () => {
  let proxy: TcpProxy;
  let storage: MongoStorage;
  let direct: MongoStorage;

  beforeEach(async () => {
    proxy = await TcpProxy.start(hostOf());
    storage = new MongoStorage({ uri: uriThrough(proxy.port) });
    direct = new MongoStorage({ uri });
    await Promise.all([storage.open(), direct.open()]);
    await storage.journal.append(S, 0, [started('s')]);
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
      () => storage.journal.append(S, 1, [marked(2)]),
      () => storage.journal.readEntries(S, 0, 10),
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
    expect(await storage.journal.readEntries(S, 0, 10)).toEqual([started('s')]);
    expect(await storage.journal.append(S, 1, [marked(2)])).toBe('committed');
    await storage.projection.project(projection('s', 2, [record('a', 2)]));
    expect(await direct.projection.readRecords(S)).toEqual([record('a', 2)]);
  });

  test('[STORE-79] a database that accepts and never answers rejects after the socket timeout', async () => {
    proxy.line = 'silent';
    const { error, ms } = await rejection(storage.journal.append(S, 1, [marked(2)]));
    expect(error).toBeInstanceOf(StorageError);
    expect(ms).toBeGreaterThan(SOCKET_MS / 2);
    expect(ms).toBeLessThan(SOCKET_MS + SELECTION_MS + SLACK_MS);
    await proxy.cut();
    await proxy.restore();
    await vi.waitFor(() => storage.ping(), { timeout: 20_000, interval: 50 });
    expect(await direct.journal.readEntries(S, 1, 10)).toEqual([]);
    expect(await storage.journal.append(S, 1, [marked(2)])).toBe('committed');
  });

  test('[STORE-80] an append whose answer is lost rejects and is found by reading again', async () => {
    proxy.line = 'answers lost';
    const lost = rejection(storage.journal.append(S, 1, run('s', 1, 3)));
    await vi.waitFor(async () => expect(await direct.journal.readEntries(S, 1, 10)).toHaveLength(3), {
      timeout: 15_000,
    });
    expect((await lost).error).toBeInstanceOf(StorageError);
    await proxy.cut();
    await proxy.restore();
    await vi.waitFor(() => storage.ping(), { timeout: 20_000, interval: 50 });
    expect(await storage.journal.append(S, 1, [marked(2, 'other')])).toBe('conflict');
    expect(await storage.journal.readEntries(S, 1, 10)).toEqual(run('s', 1, 3));
    expect(await storage.journal.append(S, 4, [marked(5)])).toBe('committed');
  });

  test('[STORE-79] connections that die in the middle of a class lose nothing that was acknowledged', async () => {
    let seq = 1;
    let over = false;
    const acked: number[] = [];
    const write = async () => {
      seq = (await storage.journal.readEntries(S, seq, 1_000)).at(-1)?.seq ?? seq;
      if ((await storage.journal.append(S, seq, [marked(seq + 1)])) === 'committed') acked.push(++seq);
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
    const stored = (await direct.journal.readEntries(S, 0, 1_000)).map((entry) => entry.seq);
    expect(stored).toEqual(Array.from({ length: stored.length }, (_, i) => i + 1));
    expect(acked.length).toBeGreaterThan(100);
    expect(stored).toEqual(expect.arrayContaining(acked));
  });

  test('[STORE-79] opening a database that is not there rejects in time', async () => {
    const { port } = proxy;
    await proxy.cut();
    const { error, ms } = await rejection(new MongoStorage({ uri: uriThrough(port) }).open());
    expect(error).toBeInstanceOf(StorageError);
    expect(ms).toBeLessThan(SELECTION_MS + SLACK_MS);
  });

  test('[STORE-26] closing ends in time while the database is gone or silent', async () => {
    proxy.line = 'silent';
    const under = rejection(storage.journal.append(S, 1, [marked(2)]));
    const { ms } = await rejection(storage.close());
    expect(ms).toBeLessThan(SOCKET_MS + SELECTION_MS + SLACK_MS);
    expect((await under).error).toBeInstanceOf(StorageError);
    await vi.waitFor(() => expect(proxy.connections).toBe(0), { timeout: 10_000 });
  });
});
