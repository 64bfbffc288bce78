import { constants } from 'node:fs';
import { access, copyFile, link, open, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { StorageError } from '../port.js';

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** Copies the database at `path` to the new file `file`; what is there under that name is always a whole copy. */
export async function backUp(path: string, file: string): Promise<void> {
  if (path === ':memory:') throw new StorageError('an in-memory database cannot be backed up');
  if (!(await exists(path))) throw new StorageError(`there is no database at ${path}`);
  if (await isFolder(path)) throw new StorageError(`${path} is a folder: a database is a file in one`);
  if (await exists(file)) throw new StorageError(`${file} exists already and is not overwritten`);
  if (!(await isFolder(dirname(file))))
    throw new StorageError(`there is no folder ${dirname(file)} to copy it to: make it first`);
  const part = `${file}.${process.pid}.part`;
  try {
    await rm(part, { force: true });
    // For its owner alone from the first byte; SQLite fills an empty file as it would a new one.
    await open(part, 'wx', 0o600).then((empty) => empty.close());
    await vacuumInto(path, part);
    const copy = await open(part, 'r+');
    await copy.sync().finally(() => copy.close());
    // Unlike a rename, neither overwrites a file that has come up meanwhile. Some file systems have no links.
    await link(part, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw error;
      return copyFile(part, file, constants.COPYFILE_EXCL);
    });
  } catch (error) {
    throw new StorageError(`the backup failed: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  } finally {
    await rm(part, { force: true });
  }
}

/** In a thread of its own, since it takes seconds for a large database. */
async function vacuumInto(path: string, part: string): Promise<void> {
  const options = { workerData: { path, part }, execArgv: [] };
  const worker = new Worker(new URL('./backup-worker.js', import.meta.url), options);
  let failure: string | null = 'the thread that copies has died';
  worker.on('message', (message: string | null) => {
    failure = message;
  });
  await new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject));
  if (failure !== null) throw new Error(failure);
}
