import { existsSync } from 'node:fs';
import type { Config } from '../config.js';
import type { Storage } from '../storage/port.js';
import { CommandFailure } from './failure.js';
import { onStandardError } from './standard-error.js';

/**
 * The configured database, open, for a command that works beside the server.
 * @param command what it is for, in messages
 * @param mustExist true for a command that only reads: then a database that isn't there is not made
 * @throws {CommandFailure} for a database that lives in the server's memory, and for one that must exist and doesn't
 */
export async function openStorage(
  { database, databaseFrom }: Pick<Config, 'database' | 'databaseFrom'>,
  command: string,
  mustExist = false,
): Promise<Storage> {
  if (database.kind === 'sqlite') {
    if (database.path === ':memory:') {
      throw new CommandFailure(
        `${command} works on a database that outlives the command: set DATABASE_URL to a file or to MongoDB`,
      );
    }
    if (mustExist && !existsSync(database.path)) throw new CommandFailure(`there is no database at ${database.path}`);
  }
  const { openStorage: open } = await import('../storage/open.js');
  return open(database, onStandardError, { setting: databaseFrom });
}
