import type { Database } from '../config-variables.js';
import { type Warnings, warnOfDatabase } from '../config-warnings.js';
import type { Storage } from './port.js';

/** Opens the adapter of a database; only what is used is loaded. */
export async function openStorage(database: Database, warnings: Warnings): Promise<Storage> {
  warnOfDatabase(database, warnings);
  const storage = await adapterOf(database, warnings);
  try {
    await storage.open();
  } catch (error) {
    await storage.close().catch(() => undefined);
    throw error;
  }
  return storage;
}

/**
 * Claims a SQLite file for the one server that may serve it: two would each not tell their clients what the other
 * writes. Answers how to give it up.
 * @throws {ServedElsewhere} when another server has it
 */
export async function claimForServer(database: Database, warnings: Warnings): Promise<() => void> {
  if (database.kind !== 'sqlite' || database.path === ':memory:') return () => {};
  const { claimFile, ServedElsewhere } = await import('./sqlite/server-lock.js');
  try {
    return claimFile(database.path);
  } catch (error) {
    if (error instanceof ServedElsewhere) throw error;
    // Where nothing can be locked, or the folder can't be written, the opening tells what matters.
    const why = error instanceof Error ? error.message : String(error);
    warnings.warn(`whether another server has the database can't be told: ${why}`);
    return () => {};
  }
}

async function adapterOf(database: Database, warnings: Warnings): Promise<Storage> {
  // Without a default, so that a kind without an adapter doesn't compile.
  switch (database.kind) {
    case 'sqlite': {
      const { SqliteStorage } = await import('./sqlite/storage.js');
      return new SqliteStorage({ path: database.path });
    }
    case 'mongodb': {
      const { MongoStorage } = await import('./mongo/mongo-storage.js');
      return new MongoStorage({ uri: database.uri, onWarning: (message) => warnings.warn(message) });
    }
  }
}
