import type { CourseId, SessionId } from '@rollcall/protocol';
import { type Connection, createConnection, type mongo } from 'mongoose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../../testing/mongo-server.js';
import { existingSchool, IDS, seed } from './existing-school.test.support.js';
import { MongoStorage } from './mongo-storage.js';

const uri = (await testMongoUri()) ?? '';

describe.skipIf(!uri)(`values as an application left them${uri ? '' : `: ${MONGO_MISSING}`}`, () => {
  let raw: Connection;
  let storage: MongoStorage;

  const open = async (school = existingSchool()) => {
    await seed(raw, school);
    await storage.open();
  };

  beforeEach(async () => {
    raw = await createConnection(uri).asPromise();
    storage = new MongoStorage({ uri });
  });
  afterEach(async () => {
    await storage.close();
    await raw.destroy();
    await dropTestDatabase(uri);
  });

  test('[STORE-72] an empty text says nothing, except as a remark', async () => {
    const school = existingSchool();
    const user = (uid: string, more: mongo.Document) => ({ _id: `user ${uid}`, uid, ...more });
    const profile = (uid: string, more: mongo.Document) => ({ _id: uid, user_id: `user ${uid}`, ...more });
    const texts = { email: '', profile_picture: '' };
    school['users']?.push(user('e1', { name: '', ...texts }), user('e2', { name: '' }), user('e3', { name: '' }));
    school['students']?.push(
      profile('e1', { name: 'From the profile', roll: '', section: '', email: 'p@school.example' }),
      profile('e2', { name: '', roll: '12' }),
    );
    school['teachers']?.push(profile('e3', { name: '', department: '' }));
    school['enrollments']?.push(
      ...['e1', 'e2'].map((student_id) => ({ course_id: IDS.byUser, student_id, status: 'approved' })),
    );
    school['classsessions']?.push({ _id: 'e', teacher_id: 'e3', topic: '', date: '', start_time: '' });
    school['attendancerecords']?.push({ session_id: 'e', student_id: 'e1', status: 'late', remarks: '', _id: 'r' });
    await open(school);
    expect(await storage.listRoster(IDS.byUser.toHexString() as CourseId)).toMatchObject([
      { student_id: 'e2', name: '12', roll: '12' },
      { student_id: 'e1', name: 'From the profile', roll: null, section: null, email: 'p@school.example' },
    ]);
    expect(await storage.findPersonByUid('e1')).toMatchObject({ name: 'e1', email: null, profile_picture: null });
    expect(await storage.findSession('e' as SessionId)).toMatchObject({
      teacher_name: 'e3',
      topic: null,
      date: null,
      start_time: null,
    });
    expect(await storage.readRecords('e' as SessionId)).toMatchObject([{ remarks: '' }]);
  });
});
