import type { CourseId, SessionId, StudentId } from '@rollcall/protocol';
import { type Connection, createConnection, mongo } from 'mongoose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../../testing/mongo-server.js';
import { appendTo } from '../contract/journal-access.js';
import { importAll, projection, record, schoolOf, started, T0 } from '../contract/samples.js';
import type { StoredRecord } from '../port.js';
import { bytesOf, existingSchool, IDS, oid, seed } from './existing-school.test.support.js';
import { MongoStorage } from './mongo-storage.js';

const hex = (id: mongo.ObjectId) => id.toHexString();
const session = (id: mongo.ObjectId) => hex(id) as SessionId;
const course = (id: mongo.ObjectId) => hex(id) as CourseId;
const student = (id: mongo.ObjectId) => hex(id) as StudentId;

const uri = (await testMongoUri()) ?? '';

describe.skipIf(!uri)(`mongodb beside an existing application${uri ? '' : `: ${MONGO_MISSING}`}`, () => {
  let raw: Connection;
  let storage: MongoStorage;
  let warnings: string[];

  const open = async (school = existingSchool()) => {
    await seed(raw, school);
    await storage.open();
  };
  const rows = (name: string, filter: mongo.Document = {}) => raw.collection(name).find(filter).toArray();

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

  test('[STORE-70] people are found whether references are ObjectIds or their digits', async () => {
    await open();
    expect(await storage.people.findPersonByUid('ada')).toEqual({
      user_id: hex(IDS.ada),
      uid: 'ada',
      name: 'Ada Osei',
      email: 'ada@school.example',
      profile_picture: null,
      is_admin: false,
      teacher: { teacher_id: hex(IDS.adaTeacher), department: 'CSE', designation: 'Lecturer' },
      student: null,
    });
    expect(await storage.people.findPersonByUid('kit')).toMatchObject({
      is_admin: true,
      profile_picture: 'kit.png',
      teacher: { teacher_id: hex(IDS.kitTeacher), department: null, designation: null },
    });
    const found = await storage.people.findStudents([
      hex(IDS.boStudent),
      hex(IDS.cy),
      'cy',
      hex(IDS.ada),
      hex(oid('ffff', 9)),
    ]);
    expect([...found].map(([ref, { student_id }]) => [ref, student_id])).toEqual([
      [hex(IDS.boStudent), hex(IDS.boStudent)],
      [hex(IDS.cy), hex(IDS.cyStudent)],
      ['cy', hex(IDS.cyStudent)],
    ]);
    expect(await storage.people.isEmpty()).toBe(false);
  });

  test('[STORE-70] an id in capitals is another id', async () => {
    await open();
    expect(await storage.projection.findSession(hex(IDS.scheduled).toUpperCase() as SessionId)).toBeNull();
    expect(await storage.courses.findCourse(hex(IDS.course).toUpperCase() as CourseId)).toBeNull();
  });

  test('[STORE-71] courses, sessions and enrolments that name users are answered by profile', async () => {
    await open();
    expect(await storage.courses.findCourse(course(IDS.byUser))).toEqual({
      course_id: hex(IDS.byUser),
      title: 'Logic',
      course_code: null,
      teacher_id: hex(IDS.adaTeacher),
      co_teacher_ids: [hex(IDS.kitTeacher)],
    });
    expect(await storage.projection.findSession(session(IDS.active))).toMatchObject({
      course_id: hex(IDS.byUser),
      teacher_id: hex(IDS.kitTeacher),
      teacher_name: 'Kit Moro',
    });
    expect(await storage.courses.isEnrolled(course(IDS.course), student(IDS.cyStudent))).toBe(true);
    expect(await storage.courses.isEnrolled(course(IDS.byUser), student(IDS.cyStudent))).toBe(false);
    expect((await storage.courses.listRoster(course(IDS.course))).map((row) => [row.student_id, row.user_id])).toEqual([
      [hex(IDS.cyStudent), hex(IDS.cy)],
      [hex(IDS.boStudent), hex(IDS.bo)],
      [hex(IDS.ghostStudent), null],
    ]);
  });

  test('[STORE-72] missing fields are null, numbers are text, unknown statuses absent', async () => {
    await open();
    const [cy, bo] = await storage.courses.listRoster(course(IDS.course));
    expect(bo).toMatchObject({ roll: '1907002', section: 'A', name: 'Bo Lind' });
    expect(cy).toMatchObject({ roll: '1907001', section: null, email: null, uid: 'cy' });
    expect(await storage.courses.isEnrolled(course(IDS.byUser), student(IDS.boStudent))).toBe(false);
    expect(await storage.projection.findSession(session(IDS.scheduled))).toMatchObject({
      date: '2026-11-23',
      teacher_name: 'Ada Osei',
    });
    expect(await storage.projection.findSession(session(IDS.active))).toMatchObject({
      date: '2026-11-24T09:00:00+06:00',
      topic: null,
    });
    const records = await storage.projection.readRecords(session(IDS.scheduled));
    expect(records.map(({ student_id, status, remarks, seq }) => ({ student_id, status, remarks, seq }))).toEqual([
      { student_id: hex(IDS.boStudent), status: 'excused', remarks: 'dentist', seq: 0 },
      { student_id: hex(IDS.cyStudent), status: 'absent', remarks: null, seq: 0 },
    ]);
    expect(await storage.projection.readRecords(session(IDS.active))).toMatchObject([
      { record_id: hex(oid('9999', 3)), student_id: hex(IDS.boStudent), status: 'late' },
    ]);
  });

  test('[STORE-73] what leads nowhere is left out, and a record keeps the id it has', async () => {
    await open();
    const gone = { _id: 'r', session_id: IDS.odd, student_id: oid('ffff', 3), status: 'late' };
    await raw.collection('attendancerecords').insertOne(gone as never);
    expect(await storage.projection.readRecords(session(IDS.odd))).toMatchObject([
      { record_id: 'r', student_id: hex(oid('ffff', 3)), status: 'late' },
    ]);
    expect(await storage.projection.findSession(session(IDS.odd))).toEqual({
      session_id: hex(IDS.odd),
      course_id: hex(oid('ffff', 4)),
      course: null,
      date: 'some day',
      start_time: null,
      end_time: null,
      topic: null,
      description: null,
      teacher_id: null,
      teacher_name: null,
      status: 'scheduled',
      started_at: null,
      ended_at: null,
      projected_seq: 0,
    });
    expect((await storage.courses.listRoster(course(IDS.course))).map((row) => row.student_id)).not.toContain(
      hex(oid('ffff', 3)),
    );
  });

  /** Journal and projection of a session as found: every student of it, the named ones marked present. */
  async function runSession(id: mongo.ObjectId, marked: readonly mongo.ObjectId[], seq: number) {
    const found = await storage.projection.findSession(session(id));
    if (!found) throw new Error('the session is in the database');
    const { status: _, started_at: __, ended_at: ___, projected_seq: ____, ...facts } = found;
    const existing = await storage.projection.readRecords(session(id));
    const changed: StoredRecord[] = existing.map((row) =>
      marked.some((one) => hex(one) === row.student_id)
        ? { ...row, status: 'present', marked_at: T0, marked_by: 'Ada Osei', updated_at: T0, seq }
        : { ...row, seq },
    );
    await storage.projection.project({
      ...projection(hex(id), seq, changed),
      session: { ...facts, status: 'active', started_at: T0, ended_at: null },
    });
  }

  test('[STORE-74] what Rollcall does not know is the same bytes afterwards', async () => {
    await open();
    const before = await bytesOf(raw);
    await appendTo(storage, session(IDS.scheduled), 0, [started(hex(IDS.scheduled))]);
    await runSession(IDS.scheduled, [IDS.boStudent], 2);
    await runSession(IDS.active, [], 2);
    await importAll(
      storage,
      schoolOf({
        teachers: [
          { id: 'ignored', uid: 'ada', name: 'Ada Osei', email: 'ada@school.example', designation: 'Professor' },
        ],
        students: [{ id: hex(IDS.boStudent), uid: 'bo', name: 'Bo Lind', roll: '1907002' }],
        courses: [
          {
            id: hex(IDS.byUser),
            title: 'Logic',
            teacher_id: hex(IDS.adaTeacher),
            co_teacher_ids: [hex(IDS.kitTeacher)],
          },
        ],
        enrollments: [{ course_id: hex(IDS.course), student_id: hex(IDS.cyStudent) }],
        sessions: [{ id: hex(IDS.odd), course_id: hex(IDS.course), date: '2026-11-25' }],
      }),
    );
    const after = await bytesOf(raw);
    const changes = new Map<string, string[]>();
    for (const [row, fields] of before) {
      const now = after.get(row) ?? new Map<string, string>();
      const changed = [...fields.keys(), ...now.keys()].filter((field) => fields.get(field) !== now.get(field));
      if (changed.length > 0) changes.set(row, [...new Set(changed)].sort());
    }
    expect(Object.fromEntries(changes)).toEqual({
      [`teachers ${hex(IDS.adaTeacher)}`]: ['designation', 'updatedAt'],
      [`classsessions ${hex(IDS.scheduled)}`]: ['projected_seq', 'started_at', 'status', 'updatedAt'],
      [`classsessions ${hex(IDS.active)}`]: ['projected_seq', 'started_at', 'updatedAt'],
      [`classsessions ${hex(IDS.odd)}`]: ['course_id', 'date', 'status', 'updatedAt'],
      [`attendancerecords ${hex(oid('9999', 1))}`]: ['marked_at', 'marked_by', 'seq', 'status', 'updatedAt'],
      [`attendancerecords ${hex(oid('9999', 2))}`]: ['seq', 'updatedAt'],
      [`attendancerecords ${hex(oid('9999', 3))}`]: ['seq', 'updatedAt'],
      // One co-teacher named twice and one who is gone: the import says who it is. The teacher's user id means the same.
      [`courses ${hex(IDS.byUser)}`]: ['co_teacher_ids', 'updatedAt'],
    });
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
  });

  test('[STORE-72] a status that is not known gives way to a mark', async () => {
    await open();
    await runSession(IDS.scheduled, [], 1);
    expect(await rows('attendancerecords', { _id: oid('9999', 2) })).toMatchObject([{ status: 'sick', seq: 1 }]);
    await runSession(IDS.scheduled, [IDS.cyStudent], 2);
    expect(await rows('attendancerecords', { _id: oid('9999', 2) })).toMatchObject([{ status: 'present', seq: 2 }]);
  });

  test('[STORE-75] a record that exists keeps its id, whatever id the register had in mind', async () => {
    await open();
    const one = record(hex(IDS.boStudent), 3, 77, { status: 'present' });
    await storage.projection.project(projection(hex(IDS.scheduled), 3, [one]));
    expect(await rows('attendancerecords', { student_id: IDS.boStudent })).toMatchObject([
      { _id: oid('9999', 1), session_id: IDS.scheduled, status: 'present', seq: 3 },
    ]);
  });

  test('[STORE-75] rows of our own hold ids as ObjectIds and times as Dates', async () => {
    await open();
    const id = oid('eeee', 9);
    const facts = { course_id: course(IDS.course), date: '2026-11-26', topic: 'Keys' };
    await storage.projection.project(projection(hex(id), 1, [record(hex(IDS.boStudent), 1, 5)], facts));
    const times = { createdAt: expect.any(Date), updatedAt: expect.any(Date) };
    expect(await rows('classsessions', { _id: id })).toEqual([
      {
        _id: id,
        course_id: IDS.course,
        date: new Date('2026-11-26T00:00:00.000Z'),
        topic: 'Keys',
        status: 'active',
        started_at: new Date(T0),
        projected_seq: 1,
        ...times,
      },
    ]);
    expect(await rows('attendancerecords', { session_id: id })).toEqual([
      {
        _id: expect.any(mongo.ObjectId),
        session_id: id,
        student_id: IDS.boStudent,
        status: 'absent',
        seq: 1,
        ...times,
      },
    ]);
  });

  test('[STORE-75] of doubles the newest counts, and a projection adds none, however often it comes', async () => {
    const school = existingSchool();
    const double = (n: number, status: string, updatedAt: string) => ({
      _id: oid('9999', n),
      session_id: IDS.scheduled,
      student_id: IDS.ghostStudent,
      status,
      updatedAt: new Date(updatedAt),
    });
    school['attendancerecords']?.push(
      double(20, 'late', '2026-09-02'),
      double(21, 'present', '2026-09-03'),
      double(22, 'excused', '2026-09-01'),
    );
    await open(school);
    expect(warnings.join()).toMatch(/unique index.*attendancerecords\(session_id, student_id\)/);
    const read = async () =>
      (await storage.projection.readRecords(session(IDS.scheduled))).filter(
        (row) => row.student_id === hex(IDS.ghostStudent),
      );
    expect(await read()).toMatchObject([{ record_id: hex(oid('9999', 21)), status: 'present' }]);
    const at = (seq: number, status: 'absent' | 'late') =>
      projection(hex(IDS.scheduled), seq, [record(hex(IDS.ghostStudent), seq, 300 + seq, { status })]);
    for (const one of [at(3, 'absent'), at(5, 'late'), at(3, 'absent'), at(5, 'late')])
      await storage.projection.project(one);
    await Promise.all([
      storage.projection.project(at(6, 'absent')),
      storage.projection.project(at(7, 'late')),
      storage.projection.project(at(6, 'absent')),
    ]);
    expect(await read()).toMatchObject([{ record_id: hex(oid('9999', 21)), status: 'late', seq: 7 }]);
    expect(await rows('attendancerecords', { student_id: IDS.ghostStudent })).toHaveLength(3);
    expect(await rows('attendancerecords', { _id: oid('9999', 22) })).toMatchObject([{ status: 'excused' }]);
  });

  test('[STORE-76] indexes that are there are used, under whatever name and direction', async () => {
    await raw.collection('attendancerecords').createIndex({ session_id: 1, student_id: -1 }, { name: 'theirs' });
    await raw.collection('users').createIndex({ uid: 1 }, { name: 'sign-in' });
    await open();
    expect(warnings).toEqual([]);
    const names = async (name: string) => (await raw.collection(name).indexes()).map((index) => index.name);
    expect(await names('attendancerecords')).toEqual(['_id_', 'theirs']);
    expect(await names('users')).toEqual(['_id_', 'sign-in']);
    expect(await names('students')).toEqual(['_id_', 'user_id_1']);
  });

  test('[STORE-76] a database that holds a uid twice starts with a warning and answers one of the two', async () => {
    const school = existingSchool();
    school['users']?.push({ _id: oid('aaab', 1), uid: 'ada', name: 'Ada again' });
    await open(school);
    expect(warnings).toEqual([expect.stringMatching(/unique index.*users\(uid\)/)]);
    expect(await storage.people.findPersonByUid('ada')).toMatchObject({ user_id: hex(IDS.ada), name: 'Ada Osei' });
    const again = new MongoStorage({ uri });
    await again.open();
    await again.close();
  });

  test('[STORE-81] one user is made where uid has no unique index', async () => {
    await raw.collection('users').createIndex({ uid: 1 });
    await storage.open();
    const beside = new MongoStorage({ uri });
    await beside.open();
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        (i % 2 ? beside : storage).people.provisionPerson({ uid: 'new', name: `N${i}`, email: null, role: 'student' }),
      ),
    );
    await beside.close();
    expect(new Set(made.map((person) => person?.user_id)).size).toBe(1);
    expect(await rows('users')).toHaveLength(1);
    expect(await rows('students')).toHaveLength(1);
  });

  test('[STORE-81] a uid whose first owner was renamed can be given to somebody else', async () => {
    await storage.open();
    const first = await storage.people.provisionPerson({ uid: 'old', name: 'First', email: null, role: 'student' });
    await raw.collection('users').updateOne({ uid: 'old' }, { $set: { uid: 'renamed' } });
    const second = await storage.people.provisionPerson({ uid: 'old', name: 'Second', email: null, role: 'student' });
    expect(second?.user_id).not.toBe(first?.user_id);
    expect(second?.student?.student_id).not.toBe(first?.student?.student_id);
    expect(await storage.people.findPersonByUid('renamed')).toMatchObject({
      user_id: first?.user_id,
      student: { uid: 'renamed' },
    });
  });

  test('[STORE-11] an active session of another application is listed until its journal is over', async () => {
    await open();
    const id = session(IDS.active);
    expect(await storage.journal.listActiveSessions()).toEqual([id]);
    await appendTo(storage, id, 0, [started(id)]);
    expect(await storage.journal.listActiveSessions()).toEqual([id]);
    await storage.projection.project(projection(id, 2, [], { status: 'completed', ended_at: T0 }));
    expect(await storage.journal.listActiveSessions()).toEqual([]);
    expect(await storage.journal.listJournals(null, 10)).toEqual([id]);
  });

  test('[STORE-82] an import takes people by uid, renames by profile id and erases nothing', async () => {
    await open();
    const school = schoolOf({
      students: [
        { id: 'bo', uid: 'bo', name: 'Bo Lind-Ray' },
        { id: hex(IDS.cyStudent), uid: 'cy.abel', name: 'Cy Abel' },
      ],
      enrollments: [{ course_id: hex(IDS.byUser), student_id: 'bo' }],
    });
    expect(await importAll(storage, school)).toMatchObject({
      changed: { students: 2, enrollments: 1 },
      unresolved: [],
    });
    expect(await storage.people.findPersonByUid('bo')).toMatchObject({
      user_id: hex(IDS.bo),
      name: 'Bo Lind-Ray',
      email: 'bo@school.example',
      student: { student_id: hex(IDS.boStudent), roll: '1907002', section: 'A' },
    });
    expect(await storage.people.findPersonByUid('cy')).toBeNull();
    expect(await storage.people.findPersonByUid('cy.abel')).toMatchObject({
      user_id: hex(IDS.cy),
      name: 'Cy Abel',
      student: { student_id: hex(IDS.cyStudent) },
    });
    expect(await storage.courses.isEnrolled(course(IDS.byUser), student(IDS.boStudent))).toBe(true);
    expect(await importAll(storage, school)).toMatchObject({ left: { students: 2, enrollments: 1 } });
    expect(await rows('students')).toHaveLength(3);
  });

  test('[STORE-82] two people who swap their sign-in names keep the profiles that the school names', async () => {
    // As strict as an existing application may be: no moment may have two profiles of one user.
    await raw.collection('students').createIndex({ user_id: 1 }, { unique: true, sparse: true });
    await open();
    const school = schoolOf({
      students: [
        { id: hex(IDS.boStudent), uid: 'cy', name: 'Bo Lind' },
        { id: hex(IDS.cyStudent), uid: 'bo', name: 'Cy Abel' },
      ],
    });
    expect(await importAll(storage, school)).toMatchObject({ changed: { students: 2 }, added: { students: 0 } });
    expect(await storage.people.findPersonByUid('cy')).toMatchObject({
      name: 'Bo Lind',
      student: { student_id: hex(IDS.boStudent), roll: '1907002' },
    });
    expect(await storage.people.findPersonByUid('bo')).toMatchObject({
      name: 'Cy Abel',
      student: { student_id: hex(IDS.cyStudent), roll: '1907001' },
    });
    expect(await importAll(storage, school)).toMatchObject({ left: { students: 2 } });
  });
});
