import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../config/config.js';
import { CommandFailure } from './failure.js';

const ROOT = 0;

/**
 * Root may open every database, and each of its files that root makes anew (the log beside it, its index, a lock) the
 * server of another user then can't open: the server fails long after the command that did it. So a command that runs
 * as root leaves a database of another user alone.
 *
 * Refusing is safer than becoming that user half-way: what root was given to read or to write (a school file, the
 * folder of a backup) the other user often may not.
 * @param file what the command opens or makes; null for none
 * @throws {CommandFailure} with the command that runs as the owner
 */
export async function refuseRootOnForeign(file: string | null, command: string): Promise<void> {
  const owner = await foreignOwner(file);
  if (owner === null) return;
  throw new CommandFailure(
    `${owner.path} belongs to user ${owner.uid}, and files that root makes there are closed to that user’s server. ` +
      `Run the command as that user: sudo -u '#${owner.uid}' … rollcall ${command}`,
  );
}

/** Whom a file belongs to, where this process is root and the owner isn't; else null. */
export async function foreignOwner(file: string | null): Promise<{ path: string; uid: number } | null> {
  if (file === null || process.getuid?.() !== ROOT) return null;
  // Of a file that isn't there yet, the folder in which it would be made; where that is missing too, nobody's.
  for (const path of [file, dirname(file)]) {
    const found = await stat(path).catch(() => null);
    if (found) return found.uid === ROOT ? null : { path, uid: found.uid };
  }
  return null;
}

/** The file of a database that has one. */
export const fileOf = (database: Config['database']): string | null =>
  database.kind === 'sqlite' && database.path !== ':memory:' ? database.path : null;

/** The file with the key of tokens that a development server makes. */
export const secretFileOf = ({ development, secret, dataDir }: Config): string | null =>
  development && secret === null ? join(dataDir, 'access-token-secret') : null;
