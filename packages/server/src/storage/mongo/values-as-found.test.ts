import type { CourseId, SessionId } from '@rollcall/protocol';
import { type Connection, createConnection, mongo } from 'mongoose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../../testing/mongo-server.js';
import { importAll, schoolOf } from '../contract/samples.js';
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
    expect(await storage.courses.listRoster(IDS.byUser.toHexString() as CourseId)).toMatchObject([
      { student_id: 'e2', name: '12', roll: '12' },
      { student_id: 'e1', name: 'From the profile', roll: null, section: null, email: 'p@school.example' },
    ]);
    expect(await storage.people.findPersonByUid('e1')).toMatchObject({
      name: 'e1',
      email: null,
      profile_picture: null,
    });
    expect(await storage.projection.findSession('e' as SessionId)).toMatchObject({
      teacher_name: 'e3',
      topic: null,
      date: null,
      start_time: null,
    });
    expect(await storage.projection.readRecords('e' as SessionId)).toMatchObject([{ remarks: '' }]);
  });

  test('[STORE-72] a uid that is held as a number is the text of its digits', async () => {
    const school = existingSchool();
    const uids = {
      int: new mongo.Int32(12345),
      double: new mongo.Double(678),
      long: mongo.Long.fromNumber(19070021234),
    };
    for (const [id, uid] of Object.entries(uids)) school['users']?.push({ _id: id, uid, name: `Number ${id}` });
    school['students']?.push({ _id: 'profile', user_id: 'int' });
    await open(school);
    const found = await storage.people.findPeopleByUid([
      '12345',
      '678',
      '19070021234',
      '012345',
      '12345.0',
      '1e3',
      'ada',
    ]);
    expect([...found].map(([uid, person]) => [uid, person.uid, person.user_id]).sort()).toEqual([
      ['12345', '12345', 'int'],
      ['19070021234', '19070021234', 'long'],
      ['678', '678', 'double'],
      ['ada', 'ada', IDS.ada.toHexString()],
    ]);
    expect((await storage.people.findStudents(['12345'])).get('12345')).toMatchObject({
      student_id: 'profile',
      uid: '12345',
    });
    const same = { uid: '12345', email: null };
    expect(await storage.people.provisionPerson({ ...same, name: 'Again', role: 'student' })).toMatchObject({
      user_id: 'int',
    });
    await importAll(storage, schoolOf({ students: [{ id: 'profile', uid: '12345', name: 'Number int' }] }));
    const rows = await raw.collection('users').find({ name: 'Number int' }, { promoteValues: false }).toArray();
    expect(rows).toMatchObject([{ _id: 'int', uid: new mongo.Int32(12345) }]);
  });
});
