import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../../config/config.js';
import { fileOf, foreignOwner, secretFileOf } from '../owner.js';
import { type Finding, fault, ok } from './check.js';

/** May the database and what lies beside it be read and written, by whoever runs this, and do they have one owner? */
export async function checkFiles(config: Config): Promise<readonly Finding[]> {
  const database = fileOf(config.database);
  const mainFiles = [database, secretFileOf(config)].filter((file) => file !== null);
  if (mainFiles.length === 0) return [ok('no files are used: database and secret are elsewhere')];
  const foreign = (await Promise.all(mainFiles.map(foreignOwner))).find((owner) => owner !== null);
  if (foreign) {
    return [
      fault(
        `${foreign.path} belongs to user ${foreign.uid}, and this was run as root`,
        `Run doctor as the user of the server: sudo -u '#${foreign.uid}' … rollcall doctor`,
      ),
    ];
  }
  const beside = database === null ? [] : ['-wal', '-shm', '.lock'].map((end) => `${database}${end}`);
  const found = await Promise.all([...mainFiles, ...beside].map(lookAt));
  const files = found.filter((file) => file !== null);
  const faults = [...files.flatMap(forbidden), ...otherOwners(files)];
  if (faults.length > 0) return faults;
  const folders = [...new Set(mainFiles.map(dirname))];
  const closed = (await Promise.all(folders.map(closedFolder))).filter((folder) => folder !== null);
  if (closed.length > 0) return closed;
  return [ok(files.length === 0 ? 'none is there yet: the server makes them' : 'may be read and written')];
}

interface FileFacts {
  readonly path: string;
  readonly uid: number;
  readonly usable: boolean;
}

async function lookAt(path: string): Promise<FileFacts | null> {
  const found = await stat(path).catch(() => null);
  if (!found) return null;
  const usable = await access(path, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  return { path, uid: found.uid, usable };
}

const forbidden = ({ path, uid, usable }: FileFacts): Finding[] =>
  usable
    ? []
    : [
        fault(
          `${path} belongs to user ${uid} and can't be read and written by this one`,
          'Run doctor as the user of the server; if this is that user, give it the file with chown',
        ),
      ];

/** A file that root left beside the database of another user. */
function otherOwners([main, ...others]: readonly FileFacts[]): Finding[] {
  if (!main) return [];
  return others
    .filter(({ uid, usable }) => uid !== main.uid && usable)
    .map(({ path, uid }) =>
      fault(
        `${path} belongs to user ${uid}, and ${main.path} to user ${main.uid}`,
        `Give it to the server's user: chown ${main.uid} ${path}`,
      ),
    );
}

/** A folder that is there and takes no new file: SQLite makes its log beside the database. */
async function closedFolder(folder: string): Promise<Finding | null> {
  const found = await stat(folder).catch(() => null);
  if (!found) return null;
  return access(folder, constants.W_OK | constants.X_OK).then(
    () => null,
    () =>
      fault(
        `no file can be made in ${folder}`,
        `Give it to the server's user with chown, or choose another with DATA_DIR`,
      ),
  );
}
