import { join } from 'node:path';
import type { UserId } from '@rollcall/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';
import { appendTo } from '../storage/contract/journal-access.js';
import { importAll, marked, POLICY, rosterRow, SCHOOL, started } from '../storage/contract/samples.js';
import { SqliteStorage } from '../storage/sqlite/storage.js';
import { sessionId } from '../testing/class.js';
import { temporaryFolder } from '../testing/server.js';
import type { LiveSession, Publisher } from './live-session.js';
import { LiveSessions, type Opening } from './live-sessions.js';
import type { Publication } from './publication.js';
import { newRecordId } from './record-id.js';

const ID = sessionId('s');
const PATIENCE = { timeout: 30_000, interval: 20 };

/** Sessions on a real file, told to a publisher and to followers of the test's. */
async function sessionsWith(publisher: Partial<Publisher>, faults: string[]) {
  const storage = new SqliteStorage({ path: join(await temporaryFolder(), 'rollcall.db') });
  await storage.open();
  const sessions = new LiveSessions({
    storage,
    publisher: {
      opening: () => {},
      committed: (_live, { answer }) => answer?.(),
      flush: () => {},
      left: () => {},
      ...publisher,
    },
    now: Date.now,
    newRecordId,
    presenceGraceMs: 10,
    shared: () => false,
    policy: POLICY,
    codeWindowMs: 15_000,
    onWrongCode: () => {},
    followers: [],
    onFollowerBehind: (_id, follower, error) => faults.push(`${follower}: ${String(error)}`),
    onProjectionError: (_id, error) => faults.push(`projection: ${String(error)}`),
    onRestoreError: (_id, error) => faults.push(`restore: ${String(error)}`),
    onUnreadable: (error) => faults.push(`unreadable: ${error.message}`),
    onFollowerError: (_id, error) => faults.push(String(error)),
  });
  onTestFinished(async () => {
    await sessions.close();
    await storage.close();
  });
  const opening: Opening = {
    entry: async () => ({ ...started(ID, [rosterRow('student-1')]), at: Date.now() }),
    caller: { actor: { user_id: null, name: 'system' }, answer: () => {} },
  };
  await sessions.open(ID, opening);
  const live = sessions.active(ID);
  if (!live) throw new Error('the session is not active');
  return { storage, sessions, live };
}

/** Marks the one student; answers what the caller heard. */
const markBy = (live: LiveSession, status: 'present' | 'late') =>
  new Promise<string>((resolve, reject) => {
    const row = { index: 0, ref: 'student-1', status, remarks: undefined };
    const actor = { user_id: 'ada' as UserId, name: 'Ada' };
    live
      .submit(
        { type: 'mark', row, walk_in: false, offRoster: new Map() },
        { actor, answer: (outcome) => resolve(outcome.kind) },
      )
      .catch(reject);
  });

test('[REG-20] a follower that throws keeps no committed change from being acknowledged, and others are told', async () => {
  const faults: string[] = [];
  const { live, sessions } = await sessionsWith({}, faults);
  const told: number[] = [];
  const nothing = { activated: () => {}, ended: () => {} };
  sessions.follow({
    ...nothing,
    changed: () => {
      throw new Error('a follower of no use');
    },
  });
  sessions.follow({ ...nothing, changed: ({ state }) => told.push(state.seq) });
  expect(await markBy(live, 'present')).toBe('mark');
  expect(await markBy(live, 'late')).toBe('mark');
  expect(told).toEqual([2, 3]);
  expect(faults).toEqual(['Error: a follower of no use', 'Error: a follower of no use']);
  expect(live.state.seq).toBe(3);
});

test('[REG-20] what another writer committed is told on, also where telling of one change fails', async () => {
  const faults: string[] = [];
  const told: number[] = [];
  const committed = (_live: LiveSession, { entries, answer }: Publication) => {
    const [first] = entries;
    if (first?.seq === 2) throw new Error('not told');
    told.push(...entries.map(({ seq }) => seq));
    answer?.();
  };
  const { live, storage } = await sessionsWith({ committed }, faults);
  for (const seq of [2, 3]) await appendTo(storage, ID, seq - 1, [marked(seq)]);
  live.journalReaches(3);
  await expect.poll(() => told, PATIENCE).toEqual([1, 3]);
  expect(faults).toEqual(['Error: not told']);
  expect(live.state.seq).toBe(3);
});

test('[REG-21] those who ask for a session at once share one reading of it, also where it is only scheduled', async () => {
  const { storage, sessions } = await sessionsWith({}, []);
  await importAll(storage, SCHOOL);
  const read = vi.spyOn(storage.journal, 'readCommits');
  const found = await Promise.all(Array.from({ length: 60 }, () => sessions.find(sessionId('session-1'))));
  expect(new Set(found.map((each) => each?.kind))).toEqual(new Set(['stored']));
  expect(read).toHaveBeenCalledTimes(1);
});
