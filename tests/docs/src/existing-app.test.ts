import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection } from 'mongoose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../../../packages/server/dist/testing/mongo-server.js';
import { schoolOf } from '../../../packages/server/dist/testing/school.js';
import { connectTo, startServer, tokenOf } from '../../../packages/server/dist/testing/server.js';
import { ROOT } from './transcript.js';

const uri = await testMongoUri();
const page = readFileSync(join(ROOT, 'docs/guides/existing-app.md'), 'utf8');

/** What a database has: `collection.field`, and `collection(key, key)` for each index. */
async function contentsOf(database: string): Promise<Set<string>> {
  const connection = await createConnection(database).asPromise();
  onTestFinished(() => connection.destroy());
  const contents = new Set<string>();
  for (const { name } of (await connection.db?.listCollections().toArray()) ?? []) {
    const collection = connection.collection(name);
    for (const index of await collection.indexes()) contents.add(`${name} (${Object.keys(index.key).join(', ')})`);
    for await (const row of collection.find()) for (const field of Object.keys(row)) contents.add(`${name}.${field}`);
  }
  return contents;
}

/** Fields that the guide says are added, by collection. */
function fieldsAdded(): Map<string, Set<string>> {
  const section = /^## What is added\n([\s\S]*?)^## /m.exec(page)?.[1] ?? '';
  const added = new Map<string, Set<string>>();
  for (const [, where = '', what = ''] of section.matchAll(/^\| ([^|]+) \| ([^|]+) \|/gm)) {
    for (const [, collection = ''] of where.matchAll(/`(\w+)`/g)) {
      const fields = added.get(collection) ?? new Set();
      for (const [, field = ''] of what.matchAll(/`(\w+)`/g)) fields.add(field);
      added.set(collection, fields);
    }
  }
  return added;
}

describe.skipIf(!uri)(`an existing database${uri ? '' : ` (${MONGO_MISSING})`}`, () => {
  test('[DOCS-5] a class, a provisioned user and a made session add what the guide names and no more', async () => {
    const database = (await testMongoUri()) ?? '';
    onTestFinished(() => dropTestDatabase(database));
    const variables = { DATABASE_URL: database, PROVISION_FROM_TOKEN: 'true' };
    let before = new Set<string>();
    const server = await startServer(variables, schoolOf(3), {
      prepare: async () => {
        before = new Set([...(await contentsOf(database))].filter((each) => !each.includes('(')));
      },
    });
    const teacher = await server.connect('ada');
    const session_id = 'session-1';
    await teacher.send('startAttendanceSession', { session_id, topic: 'Indexes' });
    const student = await server.connect('s-1');
    await student.send('joinAttendanceSession', { session_id });
    await teacher.send('markStudentPresent', { session_id, student_id: 'student-1', remarks: 'early' });
    const walkIn = { session_id, student_id: 'student-outsider', status: 'late', walk_in: true };
    expect(await teacher.send('markStudentAttendance', walkIn)).toMatchObject({ ok: true });
    await teacher.send('keepAttendanceSessionAlive', { session_id });
    await teacher.send('startAttendanceSession', { session_id: 'made', course_id: 'course-1', topic: 'Anew' });
    for (const role of ['teacher', 'student']) {
      const uid = `new-${role}`;
      const token = await tokenOf(uid, { role, name: uid, email: `${uid}@school.example` });
      await connectTo(server.url, uid, { token });
    }
    const open = [...(await contentsOf(database))];
    await teacher.send('endAttendanceSession', { session_id });
    await server.close();
    const contents = new Set([...open, ...(await contentsOf(database))]);

    const added = fieldsAdded();
    expect(added.get('rollcall_journal')).toContain('entries');
    const news = [...contents].filter((each) => !before.has(each));
    expect(news).toEqual(expect.arrayContaining(['attendancerecords.seq', 'classsessions.projected_seq']));
    const unnamed = news.filter((each) => {
      const [collection = '', field = ''] = each.split(/[. ]/);
      if (field === '_id' || each.endsWith('(_id)')) return false;
      if (!each.includes('(')) return !added.get(collection)?.has(field);
      const keys = each.slice(each.indexOf('('));
      return !page.includes(`\`${each}\``) && !(collection === 'rollcall_journal' && page.includes(`\`${keys}\``));
    });
    expect(unnamed).toEqual([]);
    expect([...contents].filter((each) => each.startsWith('rollcall_')).length).toBeGreaterThan(5);
  });
});
