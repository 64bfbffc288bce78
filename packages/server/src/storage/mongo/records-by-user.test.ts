import type { SessionId } from '@rollcall/protocol';
import { type Connection, createConnection, type mongo } from 'mongoose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../../testing/mongo-server.js';
import { projection, record } from '../contract/samples.js';
import { existingSchool, IDS, oid, seed } from './existing-school.test.support.js';
import { MongoStorage } from './mongo-storage.js';

const uri = (await testMongoUri()) ?? '';
const S = IDS.odd.toHexString() as SessionId;
const bo = IDS.boStudent.toHexString();
const cy = IDS.cyStudent.toHexString();

describe.skipIf(!uri)(`records that name the user${uri ? '' : `: ${MONGO_MISSING}`}`, () => {
  let raw: Connection;
  let storage: MongoStorage;

  beforeEach(async () => {
    raw = await createConnection(uri).asPromise();
    storage = new MongoStorage({ uri });
  });
  afterEach(async () => {
    await storage.close();
    await raw.destroy();
    await dropTestDatabase(uri);
  });

  /** The rows of the session beside a school. */
  async function open(rows: readonly mongo.Document[]): Promise<void> {
    const school = existingSchool();
    school['attendancerecords'] = rows.map((row) => ({ session_id: IDS.odd, ...row }));
    await seed(raw, school);
    await storage.open();
  }
  const rows = () => raw.collection('attendancerecords').find({ session_id: IDS.odd }).sort({ _id: 1 }).toArray();
  const read = async () =>
    (await storage.projection.readRecords(S)).map(({ record_id, student_id, status }) => [
      record_id,
      student_id,
      status,
    ]);
  const n = (i: number) => oid('9999', i).toHexString();

  test('[STORE-71] a record that names the user, in either form, is read under the profile’s id', async () => {
    await open([
      { _id: oid('9999', 1), student_id: IDS.bo, status: 'present' },
      { _id: oid('9999', 2), student_id: IDS.cy.toHexString(), status: 'late' },
      { _id: oid('9999', 3), student_id: IDS.ghostStudent, status: 'excused' },
      // The user of this profile is gone, and the profile still names them.
      { _id: oid('9999', 4), student_id: oid('ffff', 1), status: 'present', updatedAt: new Date(1) },
    ]);
    expect(await read()).toEqual([
      [n(1), bo, 'present'],
      [n(2), cy, 'late'],
      [n(4), IDS.ghostStudent.toHexString(), 'present'],
    ]);
  });

  test('[STORE-75] a change is written to the row that names the user, which goes on naming it', async () => {
    await open([
      { _id: oid('9999', 1), student_id: IDS.bo, status: 'present', remarks: 'early' },
      { _id: oid('9999', 2), student_id: IDS.cy.toHexString(), status: 'late' },
      { _id: 'text', student_id: IDS.ghostStudent, status: 'late' },
    ]);
    const found = await storage.projection.readRecords(S);
    await storage.projection.project(
      projection(S, 1, [...found.map((row) => ({ ...row, seq: 1 })), record('new', 1, 9)]),
    );
    const changed = found.map((row, i) => ({ ...row, seq: 2 + i, status: 'excused' as const }));
    await storage.projection.project(projection(S, 4, changed));
    await storage.projection.project(projection(S, 4, changed));
    const expected = [
      { _id: 'text', student_id: IDS.ghostStudent, status: 'excused' },
      { student_id: 'new', status: 'absent', seq: 1 },
      { _id: oid('9999', 1), student_id: IDS.bo, status: 'excused', remarks: 'early', seq: 2 },
      { _id: oid('9999', 2), student_id: IDS.cy.toHexString(), status: 'excused', seq: 3 },
    ];
    expect(await rows()).toHaveLength(expected.length);
    expect(await rows()).toEqual(expect.arrayContaining(expected.map((row) => expect.objectContaining(row))));
  });

  test('[STORE-75] the same holds where the whole session is written at once', async () => {
    await open([{ _id: oid('9999', 1), student_id: IDS.bo, status: 'present' }]);
    const found = await storage.projection.readRecords(S);
    const others = Array.from({ length: 300 }, (_, i) => record(`student-${i}`, 1, 1000 + i));
    await storage.projection.project(projection(S, 1, [...found.map((row) => ({ ...row, seq: 1 })), ...others]));
    expect(await rows()).toHaveLength(301);
    expect(await raw.collection('attendancerecords').findOne({ _id: oid('9999', 1) })).toMatchObject({
      student_id: IDS.bo,
      seq: 1,
    });
  });

  test('[STORE-75] of a row under the profile and one under the user the one that counts is written', async () => {
    const at = (day: string) => new Date(`2026-09-${day}`);
    await open([
      { _id: oid('9999', 1), student_id: IDS.boStudent, status: 'absent', updatedAt: at('01') },
      { _id: oid('9999', 2), student_id: IDS.bo, status: 'present', updatedAt: at('02') },
      { _id: oid('9999', 3), student_id: IDS.cyStudent, status: 'late', updatedAt: at('01'), seq: 1 },
      { _id: oid('9999', 4), student_id: IDS.cy, status: 'present', updatedAt: at('02') },
    ]);
    expect(await read()).toEqual([
      [n(2), bo, 'present'],
      [n(3), cy, 'late'],
    ]);
    for (const seq of [2, 3]) {
      const found = await storage.projection.readRecords(S);
      const changed = found.map((row) => ({ ...row, status: 'excused' as const, remarks: `at ${seq}`, seq }));
      await storage.projection.project(projection(S, seq, changed));
    }
    expect(await rows()).toMatchObject([
      { _id: oid('9999', 1), student_id: IDS.boStudent, status: 'absent', updatedAt: at('01') },
      { _id: oid('9999', 2), student_id: IDS.bo, status: 'excused', remarks: 'at 3', seq: 3 },
      { _id: oid('9999', 3), student_id: IDS.cyStudent, status: 'excused', remarks: 'at 3', seq: 3 },
      { _id: oid('9999', 4), student_id: IDS.cy, status: 'present', updatedAt: at('02') },
    ]);
    expect(await read()).toEqual([
      [n(2), bo, 'excused'],
      [n(3), cy, 'excused'],
    ]);
  });
});
