import { mongo, Mongoose as OwnMongoose } from 'mongoose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type AttachOptions, attachRollcall } from './attach.js';
import { chatApp, PATIENCE } from './attach.test.support.js';
import { existingSchool, IDS } from './storage/mongo/existing-school.test.support.js';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from './testing/mongo-server.js';
import { connectTo, SECRET } from './testing/server.js';

// Under another name its types are no module; they are those of a version that is near enough.
const other: string = 'mongoose-8';
const { Mongoose: OtherMongoose } = (await import(other)) as typeof import('mongoose');

const missing = (await testMongoUri()) ? '' : `: ${MONGO_MISSING}`;

/** The school of an app, on its own connection. */
async function schoolOn(mongoose: OwnMongoose) {
  const uri = (await testMongoUri()) ?? '';
  const seed = await new mongo.MongoClient(uri).connect();
  for (const [name, rows] of Object.entries(existingSchool())) await seed.db().collection(name).insertMany(rows);
  await seed.close();
  await mongoose.connect(uri);
  onTestFinished(async () => {
    await mongoose.disconnect();
    await dropTestDatabase(uri);
  });
  return mongoose.connection;
}

describe.skipIf(missing)(`an app’s own Mongoose${missing}`, () => {
  test.each([
    ['the same', 'mongoose', () => new OwnMongoose()],
    ['the same', 'connection', () => new OwnMongoose()],
    ['another major', 'mongoose', () => new OtherMongoose()],
    ['another major', 'connection', () => new OtherMongoose()],
  ] as const)(
    '[EMBED-184] on a Mongoose of %s version, by the option %s, a class is served and nothing is closed',
    async (_version, option, make) => {
      const mongoose = make();
      const connection = await schoolOn(mongoose);
      const app = await chatApp();
      const given = option === 'mongoose' ? { mongoose } : { connection };
      const attached = await attachRollcall(app.io, { ...given, secret: SECRET } as AttachOptions);
      const session_id = IDS.scheduled.toHexString();
      const student_id = IDS.boStudent.toHexString();
      const teacher = await connectTo(app.url, 'ada');
      const student = await connectTo(app.url, 'bo');
      expect(await teacher.send('startAttendanceSession', { session_id })).toMatchObject({ ok: true });
      expect(await student.send('joinAttendanceSession', { session_id })).toMatchObject({ ok: true });
      const marked = await teacher.send('markStudentPresent', { session_id, student_id });
      expect(marked).toMatchObject({ ok: true, attendanceRecord: { student_id, status: 'present' } });
      expect(await teacher.send('endAttendanceSession', { session_id })).toMatchObject({ ok: true });
      await attached.close();

      // The app's connection is as it was, and the records have ids of the kind that the app's have.
      expect(connection.readyState).toBe(1);
      const records = connection.getClient().db(connection.name).collection('attendancerecords');
      const record = () =>
        records.findOne({ student_id: new mongoose.mongo.ObjectId(student_id), marked_by: { $type: 'string' } });
      await expect.poll(record, PATIENCE).toMatchObject({ status: 'present' });
      const { _id, session_id: session, student_id: who } = ((await record()) ?? {}) as mongo.Document;
      expect([_id, session, who].map((id) => id instanceof mongoose.mongo.ObjectId)).toEqual([true, true, true]);
      expect(String(who)).toBe(student_id);
      const journal = connection.getClient().db(connection.name).collection('rollcall_journal');
      const [batch] = await journal.find({ session_id }).toArray();
      expect(batch).toMatchObject({ session_id, first_seq: 1 });
      // What isn't there in an entry stays so, also where the app's connection writes it as null.
      expect(JSON.stringify(batch)).not.toContain('"op_id":null');
    },
  );

  test('[EMBED-184] a connection that isn’t open, or two databases, are refused before anything is used', async () => {
    const app = await chatApp();
    const mongoose = new OwnMongoose();
    await expect(attachRollcall(app.io, { mongoose, secret: SECRET })).rejects.toThrow(/not open/);
    const two = { database: app.database, mongoose, secret: SECRET };
    await expect(attachRollcall(app.io, two)).rejects.toThrow(
      /is one of the options database, mongoose and connection/,
    );
    for (const odd of [{ connection: {} }, { mongoose: {} }, { authenticate: 'ada' }]) {
      const given = { database: app.database, secret: SECRET, ...odd } as unknown as AttachOptions;
      await expect(attachRollcall(app.io, given)).rejects.toThrow(Object.keys(odd)[0]);
    }
  });

  test('[EMBED-184] [AUTH-184] users who have no uid are named by their user id', async () => {
    const connection = await schoolOn(new OwnMongoose());
    const users = connection.getClient().db(connection.name).collection('users');
    await users.updateOne({ _id: IDS.ada }, { $unset: { uid: '' } });
    const app = await chatApp();
    const attached = await attachRollcall(app.io, { connection, authenticate: () => IDS.ada.toHexString() });
    const teacher = await connectTo(app.url, 'whoever');
    const session_id = IDS.scheduled.toHexString();
    expect(await teacher.send('startAttendanceSession', { session_id })).toMatchObject({ ok: true });
    await attached.close();
  });
});
