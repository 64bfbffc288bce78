import { expect, test } from 'vitest';
import { type AccessEntry, decodeAccess, type StoredAccess } from '../../journal/access-entry.js';
import { AccessInspection } from '../../journal/inspect-access.js';
import type { AccessQuery, Storage } from '../port.js';
import { walkedBy } from './accounts-contract.js';
import { freshHarness, type MakeHarness } from './harness.js';
import { HOSTILE_IDS, T0 } from './samples.js';

export const accessEntry = (n: number, more: Partial<AccessEntry> = {}): AccessEntry => ({
  at: T0 + n,
  actor: { user_id: 'root', name: 'Office' },
  action: 'export',
  subject: null,
  scope: { course_id: 'course-1', format: 'csv' },
  purpose: null,
  request_id: null,
  ...more,
});

const ALL: AccessQuery = { after: null, limit: 200, actor: null, subject: null, action: null };

async function inspected(storage: Storage): Promise<AccessInspection> {
  const inspection = new AccessInspection();
  for (const page of await walkedBy<StoredAccess, number>((after) =>
    storage.accessLog.list({ ...ALL, limit: 7, after }),
  )) {
    for (const entry of page) inspection.add(entry);
  }
  inspection.finish();
  return inspection;
}

export function accessContract(make: MakeHarness): void {
  const harness = freshHarness(make);

  test('[ACCESS-1] entries are numbered from 1 without gaps and read back as they were written', async () => {
    const { storage } = harness();
    expect(await storage.accessLog.list(ALL)).toEqual({ items: [], next: null });
    const entries = [
      accessEntry(1, { purpose: 'inspection by the ministry', request_id: 'req-1' }),
      accessEntry(2, { subject: 'student-1', scope: {} }),
      ...HOSTILE_IDS.map((id, n) =>
        accessEntry(3 + n, {
          subject: id,
          actor: { user_id: id, name: id },
          purpose: id,
          scope: { id, n, gone: null },
        }),
      ),
    ];
    for (const [n, entry] of entries.entries()) expect(await storage.accessLog.append(entry)).toBe(n + 1);
    const { items } = await storage.accessLog.list(ALL);
    expect(items.map(decodeAccess)).toEqual(entries.map((entry, n) => ({ number: n + 1, ...entry })));
    expect(await inspected(storage)).toMatchObject({ findings: [], entries: entries.length, removed: 0 });
  });

  test('[ACCESS-1] entries that are added at the same time, by two servers, each have a number of their own on one chain', async () => {
    const { storage, reopen } = harness();
    const handles = [storage, (await reopen?.()) ?? storage];
    const numbers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (handles[n % 2] ?? storage).accessLog.append(accessEntry(n))),
    );
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    expect(await inspected(storage)).toMatchObject({ findings: [], entries: 20 });
  });

  test('[ACCESS-2] entries are listed page by page, by actor, subject and action', async () => {
    const { storage } = harness();
    for (let n = 0; n < 12; n++) {
      await storage.accessLog.append(
        accessEntry(n, {
          actor: { user_id: n % 2 === 0 ? 'root' : 'ada', name: 'x' },
          subject: n % 3 === 0 ? 'student-1' : null,
          action: n < 6 ? 'export' : 'history',
        }),
      );
    }
    const numbers = async (more: Partial<AccessQuery>) => {
      const pages = await walkedBy<StoredAccess, number>((after) =>
        storage.accessLog.list({ ...ALL, limit: 2, ...more, after }),
      );
      return pages.flat().map(({ number }) => number);
    };
    expect(await numbers({})).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(await numbers({ actor: 'ada' })).toEqual([2, 4, 6, 8, 10, 12]);
    expect(await numbers({ subject: 'student-1' })).toEqual([1, 4, 7, 10]);
    expect(await numbers({ action: 'history' })).toEqual([7, 8, 9, 10, 11, 12]);
    expect(await numbers({ actor: 'root', subject: 'student-1', action: 'history' })).toEqual([7]);
    expect(await numbers({ actor: 'ada', action: 'export' })).toEqual([2, 4, 6]);
    expect(await numbers({ actor: 'nobody' })).toEqual([]);
  });
}
