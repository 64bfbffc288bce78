import { type Connection, createConnection } from 'mongoose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seedDemo } from '../../school/demo.js';
import { demoSchool } from '../../school/demo-school.js';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../../testing/mongo-server.js';
import { importAll, SCHOOL, schoolOf } from '../contract/samples.js';
import { bytesOf } from './existing-school.test.support.js';
import { MongoStorage } from './mongo-storage.js';

const uri = (await testMongoUri()) ?? '';

describe.skipIf(!uri)(`mongodb, imported by several at once${uri ? '' : `: ${MONGO_MISSING}`}`, () => {
  let raw: Connection;
  let storages: MongoStorage[];

  beforeEach(async () => {
    raw = await createConnection(uri).asPromise();
    storages = [1, 2, 3].map(() => new MongoStorage({ uri }));
    await Promise.all(storages.map((storage) => storage.open()));
  });
  afterEach(async () => {
    await Promise.all(storages.map((storage) => storage.close()));
    await raw.destroy();
    await dropTestDatabase(uri);
  });

  const count = (name: string) => raw.collection(name).countDocuments();

  test('[STORE-230] imports of one school at the same time make each row once', async () => {
    const students = Array.from({ length: 1_200 }, (_, i) => ({ id: `s${i}`, uid: `u${i}` }));
    const school = schoolOf({
      students,
      courses: [{ id: 'c' }],
      enrollments: students.map(({ id }) => ({ course_id: 'c', student_id: id })),
    });
    await Promise.all(storages.map((storage) => importAll(storage, school)));
    expect([await count('users'), await count('students'), await count('enrollments')]).toEqual([1_200, 1_200, 1_200]);
  });

  test('[STORE-231] a dry run and a repeat leave every byte as it is', async () => {
    const [storage] = storages;
    if (!storage) throw new Error('there is no storage');
    await storage.school.importSchool(SCHOOL, { dryRun: true });
    expect((await bytesOf(raw)).size).toBe(0);
    await importAll(storage, SCHOOL);
    const before = await bytesOf(raw);
    await importAll(storage, SCHOOL);
    expect(await bytesOf(raw)).toEqual(before);
  });

  test('[DEV-220] development servers that start at once on an empty database share one demo school', async () => {
    const now = new Date(2026, 10, 23, 10, 30);
    await Promise.all(storages.map((storage) => seedDemo(storage, now)));
    const school = demoSchool(now);
    expect(await count('users')).toBe(school.students.length + school.teachers.length + school.admins.length);
    expect(await count('students')).toBe(school.students.length);
    expect(await count('enrollments')).toBe(school.enrollments.length);
  });
});
