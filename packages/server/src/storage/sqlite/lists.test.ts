import { expect, test } from 'vitest';
import { course, student, teacher } from '../contract/samples.js';
import type { Days } from '../port.js';
import { Connection } from './connection.js';
import { openMigrated } from './migrations.js';
import { freshFile, opened } from './openable.test.support.js';

const [PEOPLE, TEACHERS, COURSES, SESSIONS] = [50_000, 2_000, 1_000, 100_000];
const ALWAYS: Days = { from: null, to: null };
const THE_DAY: Days = {
  from: { day: '2026-11-24', at: Date.parse('2026-11-24T00:00:00Z') },
  to: { day: '2026-11-24', until: Date.parse('2026-11-25T00:00:00Z') },
};
const FIRST = { after: null, limit: 200 };

const numbers = (count: number): string =>
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;

/** A school of 50,000 people and 100,000 sessions. */
function fill(db: Connection): void {
  db.transaction(() =>
    db.exec(`
      ${numbers(PEOPLE)} INSERT INTO users (user_id, uid, name, email, is_admin)
        SELECT printf('p%06d', i), printf('u%06d', i), printf('Given%d Family%d', i, i), printf('m%d@x.example', i), i > 49990
        FROM n;
      ${numbers(TEACHERS)} INSERT INTO teachers (teacher_id, user_id) SELECT printf('t%04d', i), printf('p%06d', i) FROM n;
      ${numbers(PEOPLE - TEACHERS)} INSERT INTO students (student_id, user_id, roll)
        SELECT printf('s%06d', i), printf('p%06d', i + ${TEACHERS}), printf('R%d', i) FROM n;
      ${numbers(COURSES)} INSERT INTO courses (course_id, title, teacher_id)
        SELECT printf('c%04d', i), 'Course', printf('t%04d', i) FROM n;
      ${numbers(COURSES)} INSERT INTO course_teachers SELECT printf('c%04d', i), printf('t%04d', i + 1) FROM n;
      ${numbers(PEOPLE - TEACHERS)} INSERT INTO enrollments (course_id, student_id, status)
        SELECT printf('c%04d', i % ${COURSES} + 1), printf('s%06d', i), 'approved' FROM n;
      ${numbers(SESSIONS)} INSERT INTO class_sessions (session_id, course_id, date, status)
        SELECT printf('x%06d', i), printf('c%04d', i % ${COURSES} + 1), date('2026-09-01', printf('+%d days', i / ${COURSES})),
          'scheduled' FROM n;
      ${numbers(SESSIONS)} INSERT INTO attendance_records
        SELECT printf('x%06d', i), printf('s%06d', i % 40000 + 1), 'r', 'present', NULL, NULL, NULL, NULL, 0, 0, 1 FROM n;
      ${numbers(1_000)} INSERT INTO access_log
        SELECT i, printf('p%06d', i % 10), 'export', printf('p%06d', i), 1, '{}', '[]', 'x' FROM n;`),
  );
}

test('[STORE-155] every list of a school of 50,000 people and 100,000 sessions is answered from an index', async () => {
  const path = await freshFile();
  const db = openMigrated(path);
  fill(db);
  const queries = {
    ...(await import('./accounts.js')),
    ...(await import('./catalogue.js')),
    ...(await import('./timetable.js')),
    ...(await import('./access-log.js')),
  };
  const texts = Object.entries<unknown>(queries).flatMap(([name, sql]) =>
    typeof sql === 'string' && /^\s*SELECT/.test(sql) ? [[name, sql] as const] : [],
  );
  expect(texts.length).toBeGreaterThan(20);
  for (const analysed of [false, true]) {
    // With and without the statistics that somebody's ANALYZE may have left.
    if (analysed) db.exec('ANALYZE');
    const planner = analysed ? new Connection(path) : db;
    for (const [name, sql] of texts) {
      const plan = planner.rows(`EXPLAIN QUERY PLAN ${sql}`, []).map((row) => String(row[3]));
      // Lists in memory (r, page, mine, found) are walked; a table is looked up.
      const scans = plan.filter((step) =>
        /^SCAN (?!r VIRTUAL TABLE|page|mine|found|\(subquery|CONSTANT ROW)/.test(step),
      );
      expect(scans, `${name}: ${plan.join(' | ')}`).toEqual([]);
      expect(
        plan.filter((step) => /AUTOMATIC/.test(step)),
        name,
      ).toEqual([]);
    }
    if (planner !== db) planner.close();
  }
  db.close();

  const storage = await opened(path);
  const { accounts, catalogue, timetable } = storage;
  const page = await accounts.listAccounts({ ...FIRST, after: 'p040000', text: null, role: null });
  expect(page.items[0]).toMatchObject({ user_id: 'p040001', student: { roll: 'R38001' } });
  expect(page.next).toBe('p040200');
  const last = await accounts.listAccounts({ ...FIRST, text: null, role: 'admin' });
  expect(last.items).toHaveLength(10);
  const found = await accounts.listAccounts({ ...FIRST, text: 'FAMILY49999', role: 'student' });
  expect(found.items.map(({ uid }) => uid)).toEqual(['u049999']);
  const part = { teacher_id: teacher('t0007'), student_id: student('s000041') };
  const courses = await catalogue.listCourses(part, FIRST);
  expect(courses.items.map(({ course_id }) => course_id)).toEqual(['c0006', 'c0007', 'c0042']);
  expect((await catalogue.listEnrollments(course('c0042'), FIRST)).items).toHaveLength(48);
  expect((await timetable.listSessions(course('c0042'), ALWAYS, FIRST)).items).toHaveLength(100);
  expect((await timetable.listSessions(course('c0042'), THE_DAY, FIRST)).items).toHaveLength(1);
  expect(await timetable.sessionsOfTeacher(teacher('t0007'), THE_DAY)).toHaveLength(2);
  expect(await timetable.sessionsOfStudent(student('s000041'), THE_DAY)).toHaveLength(1);
  expect((await timetable.listRecords(student('s000041'), null, ALWAYS, FIRST)).items).toHaveLength(3);
}, 120_000);

test('[STORE-155] the indexes of lists are there after a large import has put other tables in place', async () => {
  const path = await freshFile();
  const storage = await opened(path);
  const names = () =>
    storage.sql(`SELECT json_group_array(replace(name, '_next', '') ORDER BY replace(name, '_next', ''))
    FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL`);
  const before = await names();
  const students = Array.from({ length: 700 }, (_, n) => ({
    ...{ id: `s${n}`, uid: `s${n}`, name: `Given Family${n}`, email: null, roll: null, section: null },
    ...{ department: null, semester: null, profile_picture: null },
  }));
  const lists = { teachers: [], admins: [], courses: [], enrollments: [] };
  const sessions = Array.from({ length: 700 }, (_, n) => ({
    ...{ id: `x${n}`, course_id: null, teacher_id: null, date: '2026-11-24', start_time: null, end_time: null },
    ...{ topic: null, description: null, status: 'scheduled' as const },
  }));
  await storage.school.importSchool({ ...lists, students, sessions }, { dryRun: false });
  expect(await names()).toBe(before);
  const { items } = await storage.accounts.listAccounts({ ...FIRST, text: 'family69', role: 'student' });
  expect(items).toHaveLength(11);
  expect((await storage.timetable.listSessions(course('c'), ALWAYS, FIRST)).items).toEqual([]);
  expect(await storage.timetable.sessionsOfTeacher(teacher('t'), THE_DAY)).toEqual([]);
});
