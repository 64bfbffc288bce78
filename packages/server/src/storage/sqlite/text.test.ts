import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { course, importAll, SCHOOL } from '../contract/samples.js';
import { openMigrated } from './migrations.js';
import { freshFile, opened } from './openable.test.support.js';
import { decodeText, encodeText, parseRows } from './text.js';

const anyText = fc.string({
  unit: fc.oneof(fc.constantFrom('\0', '\u001a', '\ud800', '\udc00', '0', '💚'), fc.string()),
});

test('[STORE-3] any text is stored as text that the driver keeps, each as one of its own', () => {
  const db = openMigrated(':memory:');
  db.exec('CREATE TABLE t (a TEXT NOT NULL PRIMARY KEY) STRICT');
  fc.assert(
    fc.property(fc.uniqueArray(anyText, { maxLength: 20 }), (texts) => {
      for (const text of texts) {
        expect(decodeText(encodeText(text))).toBe(text);
        expect(db.run('INSERT INTO t VALUES (?)', [text])).toBe(1);
      }
      for (const text of texts) expect(db.row('SELECT a FROM t WHERE a = ?', [text])).toEqual([text]);
      const listed = parseRows(db.text('SELECT json_group_array(json_array(a)) FROM t', [])).map(([a]) => a);
      expect(listed.sort()).toEqual([...texts].sort());
      expect(db.run('DELETE FROM t', [])).toBe(texts.length);
    }),
    { numRuns: 200 },
  );
  db.close();
});

test('[STORE-280] text in the file that is no UTF-8 is read with U+FFFD in its place, and the process lives', async () => {
  const storage = await opened(await freshFile());
  onTestFinished(() => storage.close());
  await importAll(storage, SCHOOL);
  const broken = async (table: string, column: string, where: string): Promise<void> => {
    await storage.sql(`UPDATE ${table} SET ${column} = CAST(x'41FF42' AS TEXT) WHERE ${where} RETURNING '[]'`);
  };
  await broken('users', 'name', "uid = 'ada'");
  expect(await storage.people.findPersonByUid('ada')).toMatchObject({ name: 'A\ufffdB' });
  await broken('courses', 'title', "course_id = 'course-1'");
  expect(await storage.courses.findCourse(course('course-1'))).toMatchObject({ title: 'A\ufffdB' });
});
