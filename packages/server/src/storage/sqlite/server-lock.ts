import { closeSync, openSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
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
 * however that ends, so that no claim outlives its server. The file is the same by whatever symbolic or hard link it
 * is named. Answers how to give the claim up.
 * @throws {ServedElsewhere} when another server has it
 * @throws {Error} where the file system can't lock, or the file can't be made
 */
export function claimFile(path: string): () => void {
  const real = realPath(path);
  const file = `${real}.lock`;
  makeFile(file);
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
  if (isOpenByAnotherName(real)) {
    lock.close();
    throw new ServedElsewhere(
      `another process has ${path} open by another of its names (hard links): stop it, and remove the other names, ` +
        'since SQLite keeps a log for each of them',
    );
  }
  return () => lock.close();
}

/**
 * Makes a file for its owner alone where there is none. One that is there isn't opened: closing it again would take
 * this process's own locks from it.
 */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/** Where symbolic links lead, also for a file that isn't there yet. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // A link to a file that isn't there yet would be followed when that is made.
    const target = readLink(path);
    if (target !== undefined) return realPath(resolve(dirname(path), target));
    return join(realpathSync(dirname(path)), basename(path));
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/**
 * Each name of a file has a `.lock` of its own, but the locks that SQLite itself has on the file are the file's: to
 * leave the write-ahead log it must be the only one that has the file open.
 */
function isOpenByAnotherName(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.nlink < 2 || found.size === 0) return false;
  const db = new Database(path);
  try {
    db.exec(`PRAGMA busy_timeout = ${WAIT_MS}`);
    db.exec('PRAGMA journal_mode = DELETE');
    const { journal_mode: mode } = db.prepare('PRAGMA journal_mode').get() as { journal_mode: string };
    return mode === 'wal';
  } catch (error) {
    if (isBusy(error)) return true;
    // The opening says what is wrong with it.
    return false;
  } finally {
    db.close();
  }
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
