import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { appendTo, readEntries } from '../contract/journal-access.js';
import { importAll, projection, record, run, SCHOOL, session } from '../contract/samples.js';
import { StorageError } from '../port.js';
import { freshFile, OpenableSqlite, opened } from './openable.test.support.js';

const S = session('s');

test('[STORE-33] a thread that dies rejects what is under way, and the next call works on a new one', async () => {
  const storage = await opened(await freshFile());
  await appendTo(storage, S, 0, run('s', 0, 2));
  for (let round = 0; round < 5; round++) {
    storage.crash();
    const under = await Promise.allSettled([
      appendTo(storage, session(`r${round}`), 0, run(`r${round}`, 0, 1)),
      storage.people.isEmpty(),
      storage.projection.project(projection('s', 1, [])),
    ]);
    for (const result of under) {
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(StorageError) });
    }
    expect(await readEntries(storage, S, 0, 10)).toEqual(
      run('s', 0, 2).concat(Array.from({ length: round }, (_, i) => run('s', 2 + i, 1)).flat()),
    );
    expect(await appendTo(storage, S, 2 + round, run('s', 2 + round, 1))).toBe('committed');
  }
});

test('[STORE-33] closing while the thread dies ends all the same', async () => {
  const storage = await opened(await freshFile());
  storage.crash();
  const append = appendTo(storage, S, 0, run('s', 0, 1));
  const refused = expect(append).rejects.toBeInstanceOf(StorageError);
  await storage.close();
  await refused;
  await expect(storage.ping()).rejects.toThrow(/closed/);
});

test('[STORE-33] an in-memory database that lost its thread says so for good', async () => {
  const storage = await opened(':memory:');
  await appendTo(storage, S, 0, run('s', 0, 1));
  storage.crash();
  await expect(storage.ping()).rejects.toBeInstanceOf(StorageError);
  await expect(readEntries(storage, S, 0, 1)).rejects.toThrow(/in-memory database is lost/);
  await storage.close();
});

test('[STORE-33] a call that cannot be carried out rejects alone', async () => {
  const storage = await opened(await freshFile());
  const results = await Promise.allSettled([
    appendTo(storage, S, 0, run('s', 0, 1)),
    storage.projection.project(projection('s', 1, [record('a', 1, 1, { remarks: true as never })])),
    storage.projection.project(null as never),
    storage.projection.project(projection('s', 1, [record('a', 1, 1, { updated_at: 1.5 })])),
    storage.projection.project({ ...projection('s', 1, []), records: (() => []) as never }),
    storage.school.importSchool({ ...SCHOOL, admins: null as never }, { dryRun: false }),
    appendTo(storage, session('t'), 0, run('t', 0, 1)),
    storage.projection.project(projection('t', 1, [record('a', 1)])),
    storage.courses.findCourse({ $ne: null } as never),
  ]);
  expect(results.map((result) => result.status)).toEqual([
    'fulfilled',
    'rejected',
    'rejected',
    'rejected',
    'rejected',
    'rejected',
    'fulfilled',
    'fulfilled',
    'rejected',
  ]);
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(StorageError);
  }
  expect(await storage.people.isEmpty()).toBe(true);
  expect(await storage.projection.readRecords(S)).toEqual([]);
  expect(await storage.projection.readRecords(session('t'))).toEqual([record('a', 1)]);
});

test('[STORE-26] a storage that was never opened closes, and one may close while it opens', async () => {
  const path = await freshFile();
  await new OpenableSqlite({ path }).close();
  const storage = new OpenableSqlite({ path });
  const opening = storage.open();
  await opening;
  const accepted = appendTo(storage, S, 0, run('s', 0, 1));
  await storage.close();
  expect(await accepted).toBe('committed');
});

test('[STORE-34] a file that is no database is refused and left as it is', async () => {
  const path = await freshFile();
  await writeFile(path, 'this is a text file, and long enough to be looked at closely '.repeat(100));
  const storage = new OpenableSqlite({ path });
  await expect(storage.open()).rejects.toThrow(/not a database/);
  await storage.close();
});

test('[STORE-34] the folder of a database is made where it is missing', async () => {
  const path = `${await freshFile()}/deep/er/school.db`;
  const storage = await opened(path);
  expect(await storage.people.isEmpty()).toBe(true);
});

test('[STORE-35] a person made here has the uid as user id and, where it is free, as profile id', async () => {
  const storage = await opened(':memory:');
  await importAll(storage, SCHOOL);
  expect(await storage.people.findPersonByUid('ada')).toMatchObject({
    user_id: 'ada',
    teacher: { teacher_id: 'teacher-1' },
  });
  const made = await storage.people.provisionPerson({ uid: 'flo', name: 'Flo', email: null, role: 'student' });
  expect(made).toMatchObject({ user_id: 'flo', student: { student_id: 'flo' } });
});
