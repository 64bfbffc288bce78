import { expect, test } from 'vitest';
import { appendTo } from '../contract/journal-access.js';
import { projection, run, session, T0 } from '../contract/samples.js';
import { freshFile, opened } from './openable.test.support.js';

test('[STORE-90] an end takes what was remembered out of the file, and a late touch puts nothing back', async () => {
  const storage = await opened(await freshFile());
  const S = session('s');
  const held = 'SELECT json_group_array(json_array(session_id, active_at)) FROM journals';
  await storage.journal.touchSession(S, T0);
  expect(JSON.parse(await storage.sql(held))).toEqual([]);
  await appendTo(storage, S, 0, run('s', 0, 2));
  await storage.journal.touchSession(S, T0);
  expect(JSON.parse(await storage.sql(held))).toEqual([['s', T0]]);
  const over = projection('s', 2, [], { status: 'completed', ended_at: T0 + 1 });
  await Promise.all([
    storage.projection.project(over),
    storage.journal.touchSession(S, T0 + 2),
    storage.journal.touchSession(S, T0 + 3),
  ]);
  await storage.journal.touchSession(S, T0 + 4);
  expect(JSON.parse(await storage.sql(held))).toEqual([['s', null]]);
});
