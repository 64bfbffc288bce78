import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openMigrated } from './migrations.js';
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
