import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Database } from '../config/readers.js';
import { type Warnings, warnOfDatabase } from '../config/warnings.js';
import { makeFolder } from '../make-folder.js';
import type { AppConnection } from './mongo/app-connection.js';
import { type Storage, StorageError } from './port.js';

export type { AppConnection } from './mongo/app-connection.js';

export interface Opening {
  /** The variable or option that chose the database, for the message of a failure. Default: DATABASE_URL. */
  readonly setting?: string;
  /** Gives the opening up: it then rejects at once with the signal's reason, and the database is let go. */
  readonly stopped?: AbortSignal;
}

/**
 * Opens the adapter of a database; only what is used is loaded.
 * @throws {StorageError} when the database can't be used; the message names the setting
 */
export async function openStorage(
  database: Database,
  warnings: Warnings,
  { setting = 'DATABASE_URL', stopped }: Opening = {},
): Promise<Storage> {
  warnOfDatabase(database, warnings);
  const storage = await adapterOf(database, warnings);
  let giveUp = (): void => {};
  const givenUp = new Promise<never>((_resolve, reject) => {
    giveUp = () => {
      reject(stopped?.reason);
      void storage.close();
    };
    if (stopped?.aborted) giveUp();
    stopped?.addEventListener('abort', giveUp);
  });
  try {
    await Promise.race([storage.open(), givenUp]);
  } catch (error) {
    if (stopped?.aborted) throw error;
    await storage.close().catch(() => undefined);
    if (!(error instanceof StorageError)) throw error;
    throw new StorageError(`${error.message} (set by ${setting})`, { cause: error });
  } finally {
    stopped?.removeEventListener('abort', giveUp);
  }
  return storage;
}

/** Opens MongoDB on a connection that an app has open: it is used, and not closed. */
export async function openOnConnection(connection: AppConnection, warnings: Warnings): Promise<Storage> {
  const { MongoStorage } = await import('./mongo/mongo-storage.js');
  const storage = new MongoStorage({ connection, onWarning: (message) => warnings.warn(message) });
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
  const { obstacleTo } = await import('./sqlite/obstacle.js');
  try {
    makeFolder(dirname(database.path));
  } catch {
    // The opening says why.
    return () => {};
  }
  try {
    return claimFile(database.path);
  } catch (error) {
    if (error instanceof ServedElsewhere) throw error;
    // The opening says what keeps it from the database.
    if (await obstacleTo(database.path)) return () => {};
    const why = error instanceof Error ? error.message : String(error);
    warnings.warn(`whether another server has the database can't be told: ${why}`);
    return () => {};
  }
}

/**
 * To be asked by who opens a database beside a server: opening a file of an older version upgrades it, and where a
 * server of that version has it, its tables would be changed under it. Until it is open, no server may have it.
 * Answers how to give that up.
 * @throws {StorageError} where a server of an older version has the file
 */
export async function claimToUpgrade(database: Database): Promise<() => void> {
  if (database.kind !== 'sqlite' || !existsSync(database.path)) return () => {};
  const { path } = database;
  const { schemaOf } = await import('./sqlite/inspect.js');
  const { SCHEMA_VERSION } = await import('./sqlite/migrations.js');
  const schema = schemaOf(path);
  if (schema === undefined || schema >= SCHEMA_VERSION) return () => {};
  const { claimFile, ServedElsewhere } = await import('./sqlite/server-lock.js');
  try {
    return claimFile(path);
  } catch (error) {
    if (!(error instanceof ServedElsewhere)) throw error;
    throw new StorageError(
      `a server of an older version has ${path}, and to open it would upgrade it under that server (schema ${schema}, ` +
        `this version's is ${SCHEMA_VERSION}): use the rollcall of that version, or stop the server. Nothing was changed`,
    );
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
