import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { accessEntry } from '../storage/contract/access-contract.js';
import { OpenableSqlite } from '../storage/sqlite/openable.test.support.js';
import { freshFolder, rollcall } from './rollcall.test.support.js';

/** A database with an access log of five entries; what else a test wants done to it is done last. */
async function databaseOf(folder: string, change?: string): Promise<void> {
  const storage = new OpenableSqlite({ path: join(folder, 'data', 'rollcall.db') });
  onTestFinished(() => storage.close());
  await storage.open();
  for (let n = 1; n <= 5; n++) {
    await storage.accessLog.append(accessEntry(n, { subject: `student-${n}`, purpose: `purpose ${n}` }));
  }
  if (change !== undefined) await storage.sql(`${change} RETURNING '[]'`);
  await storage.close();
}

test('[ACCESS-4] rollcall verify recomputes the access log and tells how many entries it has', async () => {
  const folder = await freshFolder();
  await databaseOf(folder);
  const { code, stdout } = await rollcall(folder, ['verify']);
  expect({ code, stdout }).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('access log: 5 entries, as they were written'),
  });
  const json = JSON.parse((await rollcall(folder, ['verify', '--json'])).stdout);
  expect(json.access).toEqual({ entries: 5, removed: 0, differences: [] });
});

const CHANGES: ReadonlyArray<readonly [string, string]> = [
  [`facts = replace(facts, 'csv', 'pdf')`, 'access log, entry 2, facts: '],
  [`personal = replace(personal, 'purpose 2', 'purpose 7')`, 'access log, entry 2, purpose: '],
  [`personal = replace(personal, 'Office', 'office')`, 'access log, entry 2, actor.name: '],
  [`chain = replace(chain, substr(chain, 9, 8), 'aaaaaaaa')`, 'access log, entry 2, chain: '],
  [`subject = 'student-9'`, 'access log, entry 2, subject: '],
  [`personal = CAST(x'ff5b22' AS TEXT)`, 'access log, entry 2, personal: '],
  [`number = 9`, 'access log, entry 2, number: entry 2 is missing'],
];

test.each(CHANGES)('[ACCESS-4] a changed byte is named by number and field: %s', async (set, told) => {
  const folder = await freshFolder();
  await databaseOf(folder, `UPDATE access_log SET ${set} WHERE number = 2`);
  const { code, stdout, stderr } = await rollcall(folder, ['verify']);
  expect(code).toBe(1);
  expect(stdout).toContain(told);
  expect(stderr).toContain('the access log was changed in');
});
