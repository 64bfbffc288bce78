import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StorageError } from '../port.js';

/** What about a file and its folder keeps SQLite from opening it, in words; undefined where nothing is found. */
export async function obstacleTo(path: string): Promise<StorageError | undefined> {
  if (path === ':memory:') return undefined;
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return new StorageError(`${path} is a folder: a database is a file in one`);
  const folder = dirname(path);
  const user = process.getuid === undefined ? 'this user' : `this user (uid ${process.getuid()})`;
  const cure = 'give it to the user that runs Rollcall';
  if (found && !(await may(path, constants.R_OK))) {
    return new StorageError(`${path} may not be read by ${user}: ${cure}`);
  }
  if (found && !(await may(path, constants.W_OK))) {
    return new StorageError(`${path} may not be written by ${user}: ${cure}`);
  }
  if (!(await may(folder, constants.W_OK | constants.X_OK))) {
    return new StorageError(
      `the folder ${folder} may not be written by ${user}, and SQLite keeps its log beside the database: ${cure}`,
    );
  }
  for (const beside of [`${path}-wal`, `${path}-shm`]) {
    const there = await stat(beside).catch(() => undefined);
    if (there && !(await may(beside, constants.R_OK | constants.W_OK))) {
      return new StorageError(`${beside} may not be read and written by ${user}: ${cure}`);
    }
  }
  return undefined;
}

const may = (path: string, mode: number): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false,
  );
