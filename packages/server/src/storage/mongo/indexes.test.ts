import { type Connection, createConnection } from 'mongoose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../../testing/mongo-server.js';
import { existingSchool, IDS, oid, seed } from './existing-school.test.support.js';
import { MongoStorage } from './mongo-storage.js';

const uri = (await testMongoUri()) ?? '';

describe.skipIf(!uri)(`mongodb, indexes beside an existing application${uri ? '' : `: ${MONGO_MISSING}`}`, () => {
  let raw: Connection;
  let storage: MongoStorage;
  let warnings: string[];

  const open = async (school = existingSchool()) => {
    await seed(raw, school);
    await storage.open();
  };

  beforeEach(async () => {
    raw = await createConnection(uri).asPromise();
    warnings = [];
    storage = new MongoStorage({ uri, onWarning: (message) => warnings.push(message) });
  });
  afterEach(async () => {
    await storage.close();
    await raw.destroy();
    await dropTestDatabase(uri);
  });

  test('[STORE-76] indexes that are there are used, under whatever name and direction', async () => {
    await raw.collection('attendancerecords').createIndex({ session_id: 1, student_id: -1 }, { name: 'theirs' });
    await raw.collection('users').createIndex({ uid: 1 }, { name: 'sign-in' });
    await open();
    expect(warnings).toEqual([]);
    const names = async (name: string) => (await raw.collection(name).indexes()).map((index) => index.name);
    expect(await names('attendancerecords')).toEqual(['_id_', 'theirs', 'rollcall_student_id']);
    expect(await names('users')).toEqual(['_id_', 'sign-in', 'rollcall_name', 'rollcall_email', 'rollcall_role']);
    expect(await names('students')).toEqual(['_id_', 'rollcall_user_id', 'rollcall_roll']);
  });

  test('[STORE-76] a database that holds a uid twice starts and answers one of the two', async () => {
    const school = existingSchool();
    school['users']?.push({ _id: oid('aaab', 1), uid: 'ada', name: 'Ada again' });
    await open(school);
    expect(warnings).toEqual([]);
    expect(await storage.people.findPersonByUid('ada')).toMatchObject({
      user_id: IDS.ada.toHexString(),
      name: 'Ada Osei',
    });
    const again = new MongoStorage({ uri });
    await again.open();
    await again.close();
  });

  test('[STORE-226] an application keeps the freedom and the indexes that it had, whatever Rollcall has indexed', async () => {
    await open();
    const [users, records] = [raw.collection('users'), raw.collection('attendancerecords')];
    // Rows that are none of Rollcall's business, twice each.
    await users.insertMany([{ name: 'No uid' }, { uid: null }, { uid: null }, { uid: 'ada' }]);
    await records.insertMany([{ session_id: 'x' }, { session_id: 'x' }, { note: 1 }, { note: 2 }]);
    // The application's own indexes of every kind, made after Rollcall's, under the names that MongoDB gives them.
    await users.deleteMany({ $or: [{ uid: null }, { name: { $exists: false } }] });
    await records.deleteMany({ student_id: null });
    await users.createIndex({ uid: 1 }, { unique: true });
    await records.createIndex({ session_id: 1, student_id: 1 }, { unique: true });
    await raw.collection('students').createIndex({ user_id: 1 }, { unique: true, sparse: true });
    await raw.collection('classsessions').createIndex({ status: 1 }, { sparse: true });
    await raw.collection('enrollments').createIndex({ course_id: 1, student_id: 1 });
    for (const name of ['users', 'teachers', 'students', 'enrollments', 'classsessions', 'attendancerecords']) {
      const ours = (await raw.collection(name).indexes()).filter((index) => index.name?.startsWith('rollcall_'));
      expect(ours.length, name).toBeGreaterThan(0);
      for (const index of ours) {
        expect(index).not.toHaveProperty('unique');
        expect(Object.keys(index.key).at(-1)).toBe('_id');
      }
    }
    expect(warnings).toEqual([]);
  });

  test('[STORE-227] a unique index that an earlier version may have made is named with how to drop it, and works', async () => {
    await raw.collection('users').createIndex({ uid: 1 }, { unique: true, sparse: true });
    await raw.collection('attendancerecords').createIndex({ session_id: 1, student_id: 1 }, { unique: true });
    await raw.collection('teachers').createIndex({ user_id: 1 }, { unique: true });
    await open();
    expect(warnings.toSorted()).toEqual([
      expect.stringMatching(/db\.attendancerecords\.dropIndex\("session_id_1_student_id_1"\)/),
      expect.stringMatching(/db\.users\.dropIndex\("uid_1"\)/),
    ]);
    const names = async (name: string) => (await raw.collection(name).indexes()).map((index) => index.name);
    expect(await names('users')).toEqual(['_id_', 'uid_1', 'rollcall_name', 'rollcall_email', 'rollcall_role']);
    expect(await names('teachers')).toEqual(['_id_', 'user_id_1']);
  });
});
