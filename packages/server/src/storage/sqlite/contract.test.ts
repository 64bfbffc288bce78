import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SessionId } from '@rollcall/protocol';
import { storageContract } from '../contract/contract.js';
import type { Harness } from '../contract/harness.js';
import { OpenableSqlite } from './openable.test.support.js';

storageContract('SQLite file', async (): Promise<Harness> => {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-sqlite-'));
  const opened: OpenableSqlite[] = [];
  const open = async () => {
    const storage = new OpenableSqlite({ path: join(folder, 'school.db') });
    opened.push(storage);
    await storage.open();
    return storage;
  };
  const storage = await open();
  return {
    storage,
    reopen: open,
    putActiveSession: (sessionId: SessionId) => storage.putActiveSession(sessionId),
    dispose: async () => {
      await Promise.all(opened.map((one) => one.close()));
      await rm(folder, { recursive: true });
    },
  };
});

storageContract('SQLite in memory', async (): Promise<Harness> => {
  const storage = new OpenableSqlite({ path: ':memory:' });
  await storage.open();
  return {
    storage,
    putActiveSession: (sessionId: SessionId) => storage.putActiveSession(sessionId),
    dispose: () => storage.close(),
  };
});
