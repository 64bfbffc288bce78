import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Config } from '../../config/config.js';
import { fileOf } from '../owner.js';
import { type Finding, fault, ok, warning } from './check.js';

const MB = 1024 * 1024;
/** Below these, in MB: a year of a school of a thousand takes some hundred. */
const LITTLE_MB = 1_000;
const TOO_LITTLE_MB = 100;
/** Types of file systems (statfs, Linux) that are another machine's disk. */
const NETWORK: Readonly<Record<number, string>> = { 26985: 'NFS', 4283649346: 'CIFS', 4266872130: 'SMB' };

/** Is there room for the database, on a disk of this machine? */
export async function checkDisk({ database }: Config): Promise<readonly Finding[]> {
  const file = fileOf(database);
  if (file === null) return [ok('none is used: the database is elsewhere')];
  const folder = nearest(dirname(resolve(file)));
  const { bavail, bsize, files, ffree, type } = await statfs(folder);
  const free = Math.floor((bavail * bsize) / MB);
  const room = `${free.toLocaleString('en')} MB are free in ${folder}`;
  const network = NETWORK[type];
  return [
    free < TOO_LITTLE_MB
      ? fault(room, 'Make room: without any, no mark can be stored')
      : free < LITTLE_MB
        ? warning(room, 'Make room before it runs out')
        : ok(room),
    ...(files > 0 && ffree === 0
      ? [fault(`no file can be made in ${folder}: it has no inodes left`, 'Remove files')]
      : []),
    ...(network === undefined
      ? []
      : [
          fault(
            `${folder} is on another machine's disk (${network}), where SQLite's locks can't be relied on`,
            'Set DATA_DIR to a disk of this machine, or use MongoDB',
          ),
        ]),
  ];
}

/** The folder, or where it isn't there yet, the one in which it would be made. */
const nearest = (folder: string): string => (existsSync(folder) ? folder : nearest(dirname(folder)));
