import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CourseId, SessionId, StudentId } from '@rollcall/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { readEntries } from '../storage/contract/journal-access.js';
import { SqliteStorage } from '../storage/sqlite/storage.js';
import { DEMO_SESSION_ID, DEMO_STUDENT_ID, demoSchool, pastSessions, seedDemo } from './demo.js';

const NOW = new Date(2026, 10, 23, 10, 30);

async function emptyDatabase(): Promise<SqliteStorage> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-demo-'));
  const storage = new SqliteStorage({ path: join(folder, 'demo.db') });
  onTestFinished(async () => {
    await storage.close();
    await rm(folder, { recursive: true, force: true });
  });
  await storage.open();
  return storage;
}

async function journals(storage: SqliteStorage) {
  const ids = await storage.journal.listJournals(null, 1_000);
  return Promise.all(ids.map(async (id) => ({ id, entries: await readEntries(storage, id, 0, 10_000) })));
}

test('[DEV-3] an empty database gets 2 teachers, 3 courses, 40 students and a session scheduled now', async () => {
  const storage = await emptyDatabase();
  expect(await seedDemo(storage, NOW)).toBe(true);
  const school = demoSchool(NOW);
  expect([school.teachers.length, school.courses.length, school.students.length]).toEqual([2, 3, 40]);
  expect(await storage.projection.findSession(DEMO_SESSION_ID as SessionId)).toMatchObject({
    status: 'scheduled',
    course_id: 'course-1',
    date: '2026-11-23',
    start_time: '10:30',
    end_time: '12:00',
  });
  expect(await storage.courses.isEnrolled('course-1' as CourseId, DEMO_STUDENT_ID as StudentId)).toBe(true);
  expect(await storage.people.findPersonByUid(DEMO_STUDENT_ID)).toMatchObject({
    student: { student_id: DEMO_STUDENT_ID },
  });
  // Late in the evening the session still ends on the day it begins.
  expect(demoSchool(new Date(2026, 10, 23, 23, 45)).sessions[0]).toMatchObject({
    start_time: '23:45',
    end_time: '23:59',
  });
});

test('[DEV-3] sessions of past weeks went through the journal and have marks', async () => {
  const storage = await emptyDatabase();
  await seedDemo(storage, NOW);
  const all = await journals(storage);
  expect(all).toHaveLength(pastSessions(NOW).length);
  expect(all.length).toBeGreaterThanOrEqual(15);
  for (const { id, entries } of all) {
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
    const times = entries.map(({ at }) => at);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(entries.at(-1)).toMatchObject({ type: 'ended', reason: 'teacher' });
    const session = await storage.projection.findSession(id);
    expect(session).toMatchObject({ status: 'completed', projected_seq: entries.length });
    expect(session?.ended_at).toBeLessThan(NOW.getTime());
    expect(session?.started_at).toBeGreaterThan(NOW.getTime() - 22 * 24 * 3_600_000);
    const statuses = (await storage.projection.readRecords(id)).map((record) => record.status);
    expect(statuses.filter((status) => status === 'present').length).toBeGreaterThan(statuses.length / 2);
  }
  const everything = await Promise.all(all.map(({ id }) => storage.projection.readRecords(id)));
  expect(new Set(everything.flat().map((record) => record.status))).toEqual(
    new Set(['present', 'absent', 'late', 'excused']),
  );
  const recordIds = everything.flat().map((record) => record.record_id);
  expect(new Set(recordIds).size).toBe(recordIds.length);
});

test('[DEV-3] the demo school is the same each time', async () => {
  const [one, other] = [await emptyDatabase(), await emptyDatabase()];
  await seedDemo(one, NOW);
  await seedDemo(other, NOW);
  const withoutUsers = (value: unknown) =>
    JSON.stringify(value, (key, part: unknown) => (key === 'user_id' ? undefined : part));
  expect(withoutUsers(await journals(one))).toBe(withoutUsers(await journals(other)));
});

test('[DEV-4] a database with a single user gets nothing', async () => {
  const storage = await emptyDatabase();
  await storage.people.provisionPerson({ uid: 'root', name: 'Office', email: null, role: 'admin' });
  expect(await seedDemo(storage, NOW)).toBe(false);
  expect(await storage.journal.listJournals(null, 10)).toEqual([]);
  expect(await storage.courses.findCourse('course-1' as CourseId)).toBeNull();
});
