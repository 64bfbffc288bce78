import { existsSync } from 'node:fs';
import type { Config } from '../config/config.js';
import type { Storage } from '../storage/port.js';
import { CommandFailure } from './failure.js';
import { fileOf, refuseRootOnForeign } from './owner.js';
import { onStandardError } from './standard-error.js';

/**
 * The configured database, open, for a command that works beside the server.
 * @param command what it is for, in messages
 * @param mustExist true for a command that only reads: then a database that isn't there is not made
 * @throws {StorageError} where a server of an older version has the file
 * @throws {CommandFailure} for a database that lives in the server's memory, for one that must exist and doesn't, and
 *   where root would work on another user's
 */
export async function openStorage(
  { database, databaseFrom }: Pick<Config, 'database' | 'databaseFrom'>,
  command: string,
  mustExist = false,
): Promise<Storage> {
  if (database.kind === 'sqlite') {
    if (database.path === ':memory:') {
      throw new CommandFailure(
        `DATABASE_URL names a database in memory, of which ${command} finds nothing: set it to a file or to MongoDB`,
      );
    }
    await refuseRootOnForeign(fileOf(database), command);
    if (mustExist && !existsSync(database.path)) {
      throw new CommandFailure(
        `there is no database at ${database.path}: set DATABASE_URL or DATA_DIR as the server has them, ` +
          'or make one with `rollcall import`',
      );
    }
  }
  const { openStorage: open, claimToUpgrade } = await import('../storage/open.js');
  const giveUp = await claimToUpgrade(database);
  try {
    return await open(database, onStandardError, { setting: databaseFrom });
  } finally {
    giveUp();
  }
}
