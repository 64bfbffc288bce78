import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readOneRoster } from './oneroster.js';
import { checkedFile, openFolder, openZip, SCHOOL_MAX_BYTES } from './oneroster-bundle.js';
import { readSchoolFile } from './school-file.js';
import { SchoolReading } from './school-reading.js';

/** Every zip begins with the first of these, an empty one with the second. A file may be called anything. */
const ZIPS = ['PK\u0003\u0004', 'PK\u0005\u0006'];

/** Of a school file, which is in memory as a whole: a million enrolments and more. */
const FILE_MAX_BYTES = 128 * 1024 * 1024;

function refuseAbove(most: number, size: number, path: string): void {
  if (size <= most) return;
  throw new Error(`${path}: has more than ${most / 1024 / 1024} MB: split the school into several imports`);
}

/**
 * Reads what an import is given: a school file (JSON), or a OneRoster CSV folder or zip.
 * @param day the day for which enrolments count, as `2026-11-23`
 * @throws {Error} when there is no such file, or it can't be read at all; faults of its rows are `problems` instead
 */
export async function readSchool(path: string, day: string): Promise<SchoolReading> {
  const reading = new SchoolReading();
  const { isFolder, size } = await checkedFile(path, true);
  if (isFolder) {
    await readOneRoster(await openFolder(path), reading, day);
    return reading;
  }
  if (/\.csv$/i.test(path)) {
    throw new Error(`${path} is one file of a CSV bundle; name its folder: rollcall import ${dirname(path)}`);
  }
  refuseAbove(SCHOOL_MAX_BYTES, size, path);
  const bytes = await readFile(path);
  if (ZIPS.includes(bytes.subarray(0, 4).toString('latin1'))) await readOneRoster(openZip(bytes, path), reading, day);
  else {
    refuseAbove(FILE_MAX_BYTES, size, path);
    readSchoolFile(bytes, path, reading);
  }
  return reading;
}
