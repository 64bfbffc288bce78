import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { appendTo, readEntries } from '../contract/journal-access.js';
import { importAll, run, SCHOOL, session } from '../contract/samples.js';
import { StorageError } from '../port.js';
import { freshFile, freshFolder, OpenableSqlite, opened } from './openable.test.support.js';

test('[STORE-38] a backup is a whole database while appends go on', async () => {
  const path = await freshFile();
  const storage = await opened(path);
  await importAll(storage, SCHOOL);
  const S = session('session-1');
  let end = 0;
  const more = async () => {
    if ((await appendTo(storage, S, end, run('session-1', end, 2))) === 'committed') end += 2;
  };
  for (let i = 0; i < 50; i++) await more();
  const acknowledged = end;
  const copy = join(await freshFolder(), "it's a copy.db");
  let copying = true;
  const beside = new OpenableSqlite({ path });
  const backup = beside.backup(copy).finally(() => {
    copying = false;
  });
  while (copying) await more();
  await backup;
  const restored = await opened(copy);
  const entries = await readEntries(restored, S, 0, 1_000_000);
  expect(entries.length).toBeGreaterThanOrEqual(acknowledged);
  expect(entries).toEqual(run('session-1', 0, entries.length));
  expect(await restored.people.findPersonByUid('ada')).toEqual(await storage.people.findPersonByUid('ada'));
  expect(await restored.sql('SELECT integrity_check FROM pragma_integrity_check')).toBe('ok');
  expect(await appendTo(restored, S, entries.length, run('session-1', entries.length, 1))).toBe('committed');
});

test('[STORE-38] a backup overwrites nothing and leaves nothing half done', async () => {
  const path = await freshFile();
  const storage = await opened(path);
  const target = join(await freshFolder(), 'kept.db');
  await writeFile(target, '');
  await expect(storage.backup(target)).rejects.toThrow(/exists already/);
  await writeFile(target, 'mine');
  await expect(storage.backup(target)).rejects.toBeInstanceOf(StorageError);
  expect(await readFile(target, 'utf8')).toBe('mine');
  expect(await readdir(dirname(target))).toEqual(['kept.db']);
  // A file is no folder either.
  for (const nowhere of [join(dirname(target), 'no', 'such'), target]) {
    const failed = new StorageError(`there is no folder ${nowhere} to copy it to`);
    await expect(storage.backup(join(nowhere, 'copy.db'))).rejects.toEqual(failed);
  }
  await expect(new OpenableSqlite({ path: `${path}.missing` }).backup(`${target}2`)).rejects.toThrow(/no database/);
  await expect((await opened(':memory:')).backup(`${target}2`)).rejects.toThrow(/in-memory/);
  await writeFile(`${path}.text`, 'no database at all, but text that goes on and on '.repeat(50));
  await expect(new OpenableSqlite({ path: `${path}.text` }).backup(`${target}2`)).rejects.toThrow(/not a database/);
  expect(await readdir(dirname(target))).toEqual(['kept.db']);
});

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

test('[STORE-41] a database, its log, its folder and its backups are for their owner alone', async () => {
  const folder = join(await freshFolder(), 'data');
  const path = join(folder, 'school.db');
  const storage = await opened(path);
  await importAll(storage, SCHOOL);
  expect(await modeOf(folder)).toBe(0o700);
  const files = await readdir(folder);
  expect(files).toContain('school.db-wal');
  for (const file of files) expect([file, await modeOf(join(folder, file))]).toEqual([file, 0o600]);
  await storage.backup(`${path}.copy`);
  expect(await modeOf(`${path}.copy`)).toBe(0o600);
});

test('[STORE-41] a file that was there keeps the mode that it was given', async () => {
  const path = await freshFile();
  await writeFile(path, '');
  await chmod(path, 0o640);
  await opened(path);
  expect(await modeOf(path)).toBe(0o640);
});
