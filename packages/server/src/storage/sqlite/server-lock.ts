import { closeSync, openSync } from 'node:fs';
import Database from 'libsql';
import { isBusy } from './connection.js';

/** How long to wait for a server that is stopping, in ms. */
const WAIT_MS = 2_000;

/** Another server has this database; `message` names the process where that is known. */
export class ServedElsewhere extends Error {
  override readonly name = 'ServedElsewhere';
}

/**
 * Claims a database file for the one server that may serve it, in a file beside it (`PATH.lock`). Commands that work
 * beside a server ask for no claim. It is a lock of the operating system: it ends with the process that holds it,
 * however that ends, so that no claim outlives its server. Answers how to give it up.
 * @throws {ServedElsewhere} when another server has it
 * @throws {Error} where the file system can't lock, or the file can't be made
 */
export function claimFile(path: string): () => void {
  const file = `${path}.lock`;
  closeSync(openSync(file, 'a', 0o600));
  const lock = new Database(file);
  try {
    lock.exec(`PRAGMA busy_timeout = ${WAIT_MS}`);
    // Readable while the lock is held, unlike anything that is written under it.
    lock.exec(`PRAGMA user_version = ${process.pid}`);
    lock.exec('BEGIN IMMEDIATE');
  } catch (error) {
    const holder = isBusy(error) ? holderOf(lock) : '';
    lock.close();
    if (!isBusy(error)) throw error;
    throw new ServedElsewhere(
      `another server${holder} serves ${path}: stop it, or take another database with DATABASE_URL or DATA_DIR`,
    );
  }
  return () => lock.close();
}

function holderOf(lock: InstanceType<typeof Database>): string {
  try {
    const { user_version: pid } = lock.prepare('PRAGMA user_version').get() as { user_version: number };
    // Where two started at the same moment, the number may be that of the one that came too late.
    return pid > 0 && pid !== process.pid ? ` (process ${pid})` : '';
  } catch {
    return '';
  }
}
