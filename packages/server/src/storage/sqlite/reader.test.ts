import { expect, test } from 'vitest';
import { lockWrites } from '../../testing/database-file.js';
import { appendTo, readEntries } from '../contract/journal-access.js';
import { course, importAll, run, SCHOOL, session } from '../contract/samples.js';
import { freshFile, opened } from './openable.test.support.js';

test('[STORE-220] reads are answered while another process keeps the write lock', async () => {
  const path = await freshFile();
  const storage = await opened(path);
  await importAll(storage, SCHOOL);
  const lock = lockWrites(path);
  let appended = false;
  const append = appendTo(storage, session('s'), 0, run('s', 0, 1)).then((result) => {
    appended = true;
    return result;
  });
  expect(await storage.people.findPersonByUid('ada')).toMatchObject({ name: 'Ada Osei' });
  expect(await storage.courses.listRoster(course('course-1'))).toHaveLength(2);
  expect(await readEntries(storage, session('s'), 0, 10)).toEqual([]);
  expect(appended).toBe(false);
  lock.release();
  expect(await append).toBe('committed');
  expect(await readEntries(storage, session('s'), 0, 10)).toEqual(run('s', 0, 1));
});

test('[STORE-220] a read that is asked for after an append was acknowledged sees it, each time', async () => {
  const storage = await opened(await freshFile());
  for (let at = 0; at < 200; at++) {
    await appendTo(storage, session('s'), at, run('s', at, 1));
    expect((await storage.journal.lastSeqs([session('s')])).get(session('s'))).toBe(at + 1);
  }
});
