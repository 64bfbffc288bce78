import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'libsql';
import { expect, onTestFinished, test } from 'vitest';
import { SCHEMA_VERSION } from '../storage/sqlite/migrations.js';
import { claimFile } from '../storage/sqlite/server-lock.js';
import { freshFolder, rollcall } from './rollcall.test.support.js';

test('[CLI-200] a file that a server of an older version has is upgraded by no command', {
  timeout: 60_000,
}, async () => {
  const folder = await freshFolder();
  const school = join(folder, 'school.json');
  await writeFile(school, JSON.stringify({ admins: [{ uid: 'root', name: 'Office' }] }));
  expect(await rollcall(folder, ['import', school])).toMatchObject({ code: 0 });
  const path = join(folder, 'data', 'rollcall.db');
  const all = () => {
    const db = new Database(path, { readonly: true });
    const rows = db.prepare('SELECT version FROM schema_migrations ORDER BY version').all() as { version: number }[];
    db.close();
    return rows.map(({ version }) => version);
  };
  const change = new Database(path);
  change.exec(`DELETE FROM schema_migrations WHERE version = ${SCHEMA_VERSION}; DROP TABLE follower_cursors`);
  change.close();
  const before = all();
  const giveUp = claimFile(path);
  onTestFinished(giveUp);
  const secret = { ACCESS_TOKEN_SECRET: 'a secret of thirty-two characters' };
  for (const command of [
    ['verify'],
    ['show', 'any'],
    ['export', 'session', 'any', '--format', 'journal'],
    ['import', school],
  ]) {
    const { code, stderr } = await rollcall(folder, command, secret);
    expect({ command, code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('of an older version'),
    });
  }
  // A token is good whatever the database holds.
  expect(await rollcall(folder, ['token', '--uid', 'root'], secret)).toMatchObject({ code: 0 });
  expect(all()).toEqual(before);
  giveUp();
  expect(await rollcall(folder, ['verify'])).toMatchObject({ code: 0 });
  expect(all()).toEqual([...before, SCHEMA_VERSION]);
});
