import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StudentId } from '@rollcall/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { lockWrites } from '../../testing/database-file.js';
import { appendTo } from '../contract/journal-access.js';
import { course, importAll, projection, run, SCHOOL, schoolOf, session } from '../contract/samples.js';
import type { School } from '../port.js';
import { LEFTOVERS } from './import-staging.js';
import { freshFolder, type OpenableSqlite, opened } from './openable.test.support.js';

const STUDENTS = 3_000;
const SESSIONS = 600;
const COURSES = 4;

/** Enough rows of every kind to be staged in many slices. `mark` is part of what each row says. */
function largeSchool(mark: string): School {
  const students = Array.from({ length: STUDENTS }, (_, i) => ({ id: `s${i}`, uid: `u${i}`, name: `${mark} ${i}` }));
  const courses = Array.from({ length: COURSES }, (_, i) => ({ id: `c${i}`, teacher_id: 't', title: mark }));
  const sessions = Array.from({ length: SESSIONS }, (_, i) => ({ id: `session${i}`, course_id: 'c0', topic: mark }));
  return schoolOf({
    teachers: [{ id: 't' }],
    students,
    courses,
    enrollments: students.map(({ id }, i) => ({ course_id: `c${i % COURSES}`, student_id: id })),
    sessions,
  });
}

/** What a reader sees of the school: one word where all of it says the same. */
async function seen(storage: OpenableSqlite): Promise<string> {
  const tables = ['(SELECT count(*) FROM students)', '(SELECT count(*) FROM enrollments)'];
  const marks = `(SELECT group_concat(DISTINCT substr(name, 1, 1)) FROM users WHERE uid LIKE 'u%'),
    (SELECT group_concat(DISTINCT topic) FROM class_sessions)`;
  return storage.sqlOfReader(`SELECT json_array(${tables.join(', ')}, ${marks})`);
}

const staging = async (storage: OpenableSqlite): Promise<boolean> => (await storage.sqlOfReader(LEFTOVERS)) !== '[]';

const untilStaging = (storage: OpenableSqlite) =>
  expect.poll(() => staging(storage), { interval: 1, timeout: 30_000 }).toBe(true);

const whole = (mark: string) => JSON.stringify([STUDENTS, STUDENTS, mark, mark]);
const NOTHING = JSON.stringify([0, 0, null, null]);

test('[STORE-221] a dry run and an import that changes nothing work beside a writer that keeps the lock', async () => {
  const path = join(await freshFolder(), 'school.db');
  const storage = await opened(path);
  const school = largeSchool('A');
  await importAll(storage, school);
  const lock = lockWrites(path);
  expect((await importAll(storage, school)).left).toMatchObject({ students: STUDENTS, enrollments: STUDENTS });
  const dry = await storage.school.importSchool(largeSchool('B'), { dryRun: true });
  expect(dry.changed).toMatchObject({ students: STUDENTS, courses: COURSES, sessions: SESSIONS });
  lock.release();
  expect(await seen(storage)).toBe(whole('A'));
});

test('[STORE-222] readers see nothing of a large import and then all of it, and appends go on meanwhile', async () => {
  const storage = await opened(join(await freshFolder(), 'school.db'));
  for (const [mark, before] of [
    ['A', NOTHING],
    ['B', whole('A')],
  ] as const) {
    const pictures: string[] = [];
    let appendsWhileStaging = 0;
    let done = false;
    const imported = importAll(storage, largeSchool(mark)).finally(() => {
      done = true;
    });
    for (let at = 0; !done; at++) {
      const [picture, stages] = [await seen(storage), await staging(storage)];
      if (pictures.at(-1) !== picture) pictures.push(picture);
      await appendTo(storage, session(`live-${mark}`), at, run(`live-${mark}`, at, 1));
      if (stages && (await staging(storage))) appendsWhileStaging++;
    }
    expect((await imported)[mark === 'A' ? 'added' : 'changed']).toMatchObject({
      students: STUDENTS,
      sessions: SESSIONS,
    });
    expect(await seen(storage)).toBe(whole(mark));
    expect([before, ...pictures, whole(mark)].filter((one, i, all) => one !== all[i - 1])).toEqual([
      before,
      whole(mark),
    ]);
    expect(appendsWhileStaging).toBeGreaterThan(1);
    expect(await staging(storage)).toBe(false);
  }
  expect(await storage.sql('SELECT integrity_check FROM pragma_integrity_check')).toBe('ok');
});

/** An import in a process of its own. */
function importProcess(file: string, path: string): ChildProcess {
  const bin = fileURLToPath(new URL('../../../bin/rollcall.js', import.meta.url));
  const env = { ...process.env, DATABASE_URL: `sqlite:${path}`, LOG_LEVEL: 'warn' };
  const child = spawn(process.execPath, [bin, 'import', file], { env, stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

test('[STORE-223] an import that is killed has changed nothing, leaves nothing behind for long, and can be repeated', async () => {
  const folder = await freshFolder();
  const [path, file] = [join(folder, 'school.db'), join(folder, 'school.json')];
  const storage = await opened(path);
  await importAll(storage, largeSchool('A'));
  const later = largeSchool('B');
  await writeFile(file, JSON.stringify({ ...later, sessions: later.sessions.map(({ teacher_id: _, ...row }) => row) }));
  for (const wait of [1, 5, 25]) {
    const child = importProcess(file, path);
    await untilStaging(storage);
    // Some appends further on each time: somewhere else in the staging.
    for (let i = 0; i < wait; i++) await storage.ping();
    const exited = once(child, 'close');
    child.kill('SIGKILL');
    await exited;
    if (child.signalCode === 'SIGKILL') expect([whole('A'), whole('B')]).toContain(await seen(storage));
    const next = await opened(path);
    await expect.poll(() => staging(next), { timeout: 30_000 }).toBe(false);
    await next.close();
  }
  const child = importProcess(file, path);
  const [status] = await once(child, 'close');
  expect(status).toBe(0);
  expect(await seen(storage)).toBe(whole('B'));
  expect(await staging(storage)).toBe(false);
});

test('[STORE-224] people who come while an import is staged are kept, also where it was about to make them', async () => {
  const storage = await opened(join(await freshFolder(), 'school.db'));
  await importAll(storage, SCHOOL);
  const imported = importAll(storage, largeSchool('A'));
  await untilStaging(storage);
  const outside = await storage.people.provisionPerson({ uid: 'late', name: 'Late', email: null, role: 'student' });
  const inside = await storage.people.provisionPerson({ uid: 'u5', name: 'early', email: null, role: 'student' });
  await appendTo(storage, session('session-1'), 0, run('session-1', 0, 1));
  expect((await imported).unresolved).toEqual([]);
  expect(await storage.people.findPersonByUid('late')).toEqual(outside);
  expect(await storage.people.findPersonByUid('u5')).toMatchObject({
    user_id: inside?.user_id ?? 'gone',
    student: { student_id: inside?.student?.student_id },
  });
  const roster = await storage.courses.listRoster(course('c1'));
  expect(roster).toHaveLength(STUDENTS / COURSES);
  expect(await storage.courses.areEnrolled(course('c1'), ['s1' as StudentId])).toEqual(new Set(['s1']));
  // What was prepared for the tables of before works on those that have come in their place.
  const after = await storage.people.provisionPerson({ uid: 'after', name: 'After', email: null, role: 'student' });
  expect(await storage.people.findPersonByUid('after')).toEqual(after);
  await storage.projection.project(projection('session9', 1, [], { topic: 'live' }));
  expect(await storage.projection.findSession(session('session9'))).toMatchObject({ topic: 'live', status: 'active' });
  expect(await storage.journal.listActiveSessions()).toContain('session9');
});

test('[STORE-224] a session that begins while an import is staged that would change it stays as it began', async () => {
  const storage = await opened(join(await freshFolder(), 'school.db'));
  await importAll(storage, largeSchool('A'));
  const imported = importAll(storage, largeSchool('B'));
  await untilStaging(storage);
  await appendTo(storage, session('session3'), 0, run('session3', 0, 1));
  expect((await imported).left).toMatchObject({ sessions: 1 });
  expect(await storage.projection.findSession(session('session3'))).toMatchObject({ topic: 'A' });
  expect(await storage.projection.findSession(session('session4'))).toMatchObject({ topic: 'B' });
});
