import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type UnzipFileInfo, unzipSync } from 'fflate';

/** Most bytes that the files of one import may have, unpacked: far above any real school, far below what hurts. */
export const SCHOOL_MAX_BYTES = 256 * 1024 * 1024;

/** The CSV files of a OneRoster folder or zip, wherever they are kept. */
export interface Bundle {
  /** How a file of it is called in problems. */
  nameOf(file: string): string;
  read(file: string): Promise<Uint8Array | null>;
}

const tooLarge = (path: string, maxBytes: number) =>
  new Error(
    `${path}: unpacks to more than ${Math.floor(maxBytes / 1024 / 1024)} MB: split the school into several imports`,
  );

/** A name as programs of any system mean it: `.\OneRoster\Users.csv` is `oneroster/users.csv`. */
const plainName = (name: string): string =>
  name
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')
    .toLowerCase();
const fileOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

/** Where each file is, by its plain name. Of names that mean the same the one that is written so comes first. */
function byPlainName(names: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of names) {
    const plain = plainName(name);
    if (!found.has(plain) || plain === name) found.set(plain, name);
  }
  return found;
}

/** @throws {Error} when the folder can't be read, and when reading what is no file */
export async function openFolder(path: string, maxBytes = SCHOOL_MAX_BYTES): Promise<Bundle> {
  // Unpacked by a program that doesn't know them, the folders of a Windows zip are part of the files' names.
  const names = await readdir(path);
  const files = new Map([...byPlainName(names)].map(([plain, name]) => [fileOf(plain), name]));
  let total = 0;
  return {
    nameOf: (file) => join(path, files.get(file) ?? file),
    read: async (file) => {
      const name = files.get(file);
      if (name === undefined) return null;
      const at = join(path, name);
      const { size } = await checkedFile(at);
      total += size;
      if (total > maxBytes) throw tooLarge(path, maxBytes);
      return readFile(at);
    },
  };
}

/**
 * What a path leads to, without opening it: reading a pipe would wait for ever, and a device may have no end.
 * @throws {Error} for what is neither a file nor, where that is allowed, a folder
 */
export async function checkedFile(path: string, folderToo = false): Promise<{ size: number; isFolder: boolean }> {
  const found = await stat(path);
  if (found.isFile()) return { size: found.size, isFolder: false };
  if (found.isDirectory() && folderToo) return { size: 0, isFolder: true };
  const kind = found.isDirectory()
    ? 'a folder'
    : found.isFIFO()
      ? 'a pipe'
      : found.isSocket()
        ? 'a socket'
        : 'a device';
  throw new Error(`${path} is ${kind}, not a file${folderToo ? ' or a folder' : ''}`);
}

/**
 * A zip, with its files at the top or all in one folder. Nothing is written to disk.
 * @throws {Error} when it is no zip, is empty, holds nothing of OneRoster, or unpacks to more than `maxBytes`
 */
export function openZip(bytes: Uint8Array, path: string, maxBytes = SCHOOL_MAX_BYTES): Bundle {
  let total = 0;
  const held: string[] = [];
  let unpacked: Record<string, Uint8Array>;
  const wanted = ({ name, originalSize }: UnzipFileInfo): boolean => {
    const plain = plainName(name);
    // Folders, and what macOS adds of its own.
    if (/[\\/]$/.test(name) || plain.startsWith('__macosx/') || fileOf(plain).startsWith('._')) return false;
    held.push(name);
    if (!plain.endsWith('.csv')) return false;
    total += originalSize;
    if (total > maxBytes) throw tooLarge(path, maxBytes);
    return true;
  };
  try {
    // Each file is unpacked into a buffer of the size it declares, so one that lies about it gains nothing.
    unpacked = unzipSync(bytes, { filter: wanted });
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw what.startsWith(path) ? error : new Error(`${path}: ${what}`, { cause: error });
  }
  if (held.length === 0) throw new Error(`${path}: the zip is empty`);
  const files = byPlainName(Object.keys(unpacked));
  if (files.size === 0) throw new Error(`${path}: is no OneRoster bundle: it has no CSV file, but ${some(held)}`);
  const manifest = [...files.keys()]
    .filter((name) => fileOf(name) === 'manifest.csv')
    .sort((a, b) => a.split('/').length - b.split('/').length)[0];
  const folder = manifest?.slice(0, -'manifest.csv'.length) ?? '';
  return {
    nameOf: (file) => `${path}/${(files.get(folder + file) ?? folder + file).replaceAll('\\', '/')}`,
    read: async (file) => unpacked[files.get(folder + file) ?? ''] ?? null,
  };
}

const some = (names: readonly string[]): string =>
  `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`;
