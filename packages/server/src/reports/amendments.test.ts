import type { SessionId } from '@rollcall/protocol';
import { expect, onTestFinished, test } from 'vitest';
import type { AmendedEntry, Entry } from '../journal/entries.js';
import { appendTo } from '../storage/contract/journal-access.js';
import { ended, marked, run, session, student, T0, user } from '../storage/contract/samples.js';
import { SqliteStorage } from '../storage/sqlite/storage.js';
import { amendmentsOf } from './amendments.js';

async function freshStorage(): Promise<SqliteStorage> {
  const storage = new SqliteStorage({ path: ':memory:' });
  await storage.open();
  onTestFinished(() => storage.close());
  return storage;
}

const amended = (seq: number, more: Partial<AmendedEntry> = {}): AmendedEntry => ({
  seq,
  at: T0 + seq,
  actor: { user_id: user('ada'), name: 'Ada Osei' },
  type: 'amended',
  student_id: student('student-1'),
  status: 'excused',
  remarks: null,
  previous_status: 'absent',
  reason: 'a letter',
  ...more,
});

/** A journal of so many entries, each a commit, and what comes after them. */
async function journalOf(storage: SqliteStorage, id: SessionId, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) expect(await appendTo(storage, id, entry.seq - 1, [entry])).toBe('committed');
}

test('[REPORT-7] amendments are found behind the end, however many there are, and none elsewhere', async () => {
  const storage = await freshStorage();
  const many = Array.from({ length: 40 }, (_, i) => amended(9 + i, { reason: i === 0 ? '' : `reason ${i}` }));
  await journalOf(storage, session('many'), [...run('many', 0, 7), ended(8), ...many]);
  await journalOf(storage, session('none'), [...run('none', 0, 30), ended(31)]);
  await journalOf(storage, session('runs'), [...run('runs', 0, 30), marked(31)]);
  const asked = ['many', 'none', 'runs', 'without a journal'].map(session);
  const { amendments, unreadable } = await amendmentsOf(storage.reports, asked);
  expect(unreadable.size).toBe(0);
  expect(amendments).toHaveLength(40);
  expect(amendments[0]).toEqual({
    session_id: 'many',
    student_id: 'student-1',
    previous_status: 'absent',
    status: 'excused',
    by: 'Ada Osei',
    at: T0 + 9,
    reason: null,
  });
  expect(amendments.map(({ at }) => at)).toEqual(many.map(({ at }) => at));
});

test('[REPORT-7] a journal that can’t be read is told of, and the others are read', async () => {
  const storage = await freshStorage();
  await journalOf(storage, session('good'), [...run('good', 0, 2), ended(3), amended(4)]);
  const teleported = { ...marked(2), type: 'teleported' } as unknown as Entry;
  await journalOf(storage, session('newer'), run('newer', 0, 1));
  expect(await storage.journal.append(session('newer'), commitOf(teleported))).toBe('committed');
  const { amendments, unreadable } = await amendmentsOf(storage.reports, [session('newer'), session('good')]);
  expect([...unreadable]).toEqual(['newer']);
  expect(amendments).toMatchObject([{ session_id: 'good', reason: 'a letter' }]);
});

/** As a newer version would have written it. */
const commitOf = ({ seq, type }: Entry) => ({
  first_seq: seq,
  last_seq: seq,
  format: 2 as const,
  facts: JSON.stringify({ entries: [{ seq, type }] }),
  personal: '[]',
  chain: 'a'.repeat(64),
});
