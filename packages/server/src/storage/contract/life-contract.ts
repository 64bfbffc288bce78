import { expect, test } from 'vitest';
import { StorageError } from '../port.js';
import { freshHarness, type MakeHarness } from './harness.js';
import { appendTo, readEntries } from './journal-access.js';
import { course, importAll, projection, record, run, SCHOOL, session, student } from './samples.js';

export function lifeContract(make: MakeHarness): void {
  const harness = freshHarness(make);

  test('[STORE-26] closing finishes what was accepted, and closing again does nothing', async () => {
    const { storage, reopen } = harness();
    const ids = Array.from({ length: 30 }, (_, i) => `s${i}`);
    const accepted = [
      ...ids.map((id) => appendTo(storage, session(id), 0, run(id, 0, 2))),
      storage.projection.project(projection('s0', 1, [record('a', 1)])),
    ];
    await Promise.all([storage.close(), storage.close()]);
    await storage.close();
    expect((await Promise.all(accepted)).filter((result) => result === 'committed')).toHaveLength(30);
    const again = await reopen?.();
    if (!again) return; // An in-memory database is gone.
    for (const id of ids) expect(await readEntries(again, session(id), 0, 10)).toEqual(run(id, 0, 2));
    expect(await again.projection.readRecords(session('s0'))).toEqual([record('a', 1)]);
  });

  test('[STORE-28] a ping of a working database changes nothing, and after closing every verb rejects', async () => {
    const { storage } = harness();
    await storage.ping();
    expect(await storage.people.isEmpty()).toBe(true);
    expect(await storage.journal.listJournals(null, 10)).toEqual([]);
    await storage.close();
    const S = session('s');
    const person = { uid: 'u', name: 'U', email: null, role: 'admin' } as const;
    const verbs = [
      () => storage.ping(),
      () => storage.people.findPersonByUid('u'),
      () => storage.people.findStudents(['u']),
      () => storage.people.provisionPerson(person),
      () => storage.people.isEmpty(),
      () => storage.courses.findCourse(course('c')),
      () => storage.courses.isEnrolled(course('c'), student('s')),
      () => storage.courses.listRoster(course('c')),
      () => storage.projection.findSession(S),
      () => storage.projection.readRecords(S),
      () => storage.journal.listActiveSessions(),
      () => storage.journal.touchSession(S, 1),
      () => storage.journal.readActivity(S),
      () => storage.journal.rememberLeft(S, [[student('s'), true]]),
      () => storage.journal.readLeft(S),
      () => appendTo(storage, S, 0, run('s', 0, 1)),
      () => readEntries(storage, S, 0, 1),
      () => storage.journal.listJournals(null, 1),
      () => storage.projection.project(projection('s', 1, [])),
      () => importAll(storage, SCHOOL),
    ];
    for (const verb of verbs) await expect(verb(), String(verb)).rejects.toBeInstanceOf(StorageError);
  });

  test('[STORE-27] another handle sees at once everything that was acknowledged', async () => {
    const { storage, reopen } = harness();
    const beside = await reopen?.();
    await importAll(storage, SCHOOL);
    await appendTo(storage, session('session-1'), 0, run('session-1', 0, 3));
    await storage.projection.project(projection('session-1', 3, [record('student-1', 3)]));
    const made = await storage.people.provisionPerson({ uid: 'p', name: 'P', email: null, role: 'teacher' });
    const see = async (handle: typeof storage) => ({
      ada: await handle.people.findPersonByUid('ada'),
      made: await handle.people.findPersonByUid('p'),
      roster: await handle.courses.listRoster(course('course-1')),
      session: await handle.projection.findSession(session('session-1')),
      records: await handle.projection.readRecords(session('session-1')),
      entries: await readEntries(handle, session('session-1'), 0, 10),
      active: await handle.journal.listActiveSessions(),
      journals: await handle.journal.listJournals(null, 10),
    });
    const seen = await see(storage);
    expect(seen).toMatchObject({ made, active: ['session-1'], journals: ['session-1'] });
    expect(seen.entries).toHaveLength(3);
    if (!beside || !reopen) return; // An in-memory database: one handle is all there is.
    expect(await see(beside)).toEqual(seen);
    await storage.close();
    expect(await see(await reopen())).toEqual(seen);
  });
}
