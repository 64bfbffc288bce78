import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readOneRoster } from './oneroster.js';
import { openFolder, openZip } from './oneroster-bundle.js';
import { readSchoolFile } from './school-file.js';
import { SchoolReading } from './school-reading.js';

/**
 * Reads what an import is given: a school file (JSON), or a OneRoster CSV folder or zip.
 * @throws {Error} when there is no such file, or it can't be read at all; faults of its rows are `problems` instead
 */
export async function readSchool(path: string): Promise<SchoolReading> {
  const reading = new SchoolReading();
  if ((await stat(path)).isDirectory()) await readOneRoster(await openFolder(path), reading);
  else {
    const bytes = await readFile(path);
    if (/\.csv$/i.test(path)) {
      throw new Error(`${path} is one file of a CSV bundle; name its folder: rollcall import ${dirname(path)}`);
    }
    // By content, since a file may be called anything: every zip begins with these four bytes.
    if (bytes.subarray(0, 4).equals(Buffer.from('PK\x03\x04'))) await readOneRoster(openZip(bytes, path), reading);
    else readSchoolFile(bytes, path, reading);
  }
  return reading;
}
