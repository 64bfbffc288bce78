import type { CourseId, SessionId, StudentId, TeacherId } from '@rollcall/protocol';
import { type Connection, createConnection, mongo } from 'mongoose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../../testing/mongo-server.js';
import { walked } from '../contract/accounts-contract.js';
import type { AccountQuery, Days } from '../port.js';
import { errorCode } from './connection.js';
import { bytesOf, existingSchool, IDS, seed } from './existing-school.test.support.js';
import { MongoStorage } from './mongo-storage.js';

const uri = (await testMongoUri()) ?? '';

const ALWAYS: Days = { from: null, to: null };
const FIRST = { after: null, limit: 50 };
const EVERYBODY: AccountQuery = { ...FIRST, text: null, role: null };
const [PEOPLE, TEACHERS, COURSES, SESSIONS] = [3_000, 100, 50, 4_000];
/** More than any page or any one course, teacher or student has here, and far less than there are. */
const READ_MAX = 400;

interface Find {
  readonly collection: string;
  readonly filter: mongo.Document;
  readonly sort: mongo.Document;
}

/** Whether a condition is a range of an index: some field of it is the first of one; of an `$or` every part. */
function isServed(filter: mongo.Document, leading: ReadonlySet<string>): boolean {
  const { $or, ...fields } = filter;
  if (Object.keys(fields).some((field) => leading.has(field))) return true;
  return Array.isArray($or) && $or.every((part: mongo.Document) => isServed(part, leading));
}

describe.skipIf(!uri)(`mongodb lists${uri ? '' : `: ${MONGO_MISSING}`}`, () => {
  let raw: Connection;
  let storage: MongoStorage;

  beforeEach(async () => {
    raw = await createConnection(uri, { monitorCommands: true }).asPromise();
    storage = new MongoStorage({ connection: raw });
  });
  afterEach(async () => {
    await storage.close();
    await raw.destroy();
    await dropTestDatabase(uri);
  });

  /** A school in the shapes of an application, with ObjectIds throughout. */
  async function fill(): Promise<void> {
    const oid = (kind: string, n: number) => new mongo.ObjectId(kind.repeat(16) + n.toString(16).padStart(8, '0'));
    const rows = <Row>(count: number, row: (n: number) => Row) => Array.from({ length: count }, (_, n) => row(n));
    await seed(raw, {
      users: rows(PEOPLE, (n) => ({
        ...{ _id: oid('a', n), uid: `u${n}`, name: `Given${n} Family${n}`, email: `m${n}@x.example` },
        role: n < TEACHERS ? 'teacher' : n > PEOPLE - 10 ? 'admin' : 'student',
      })),
      teachers: rows(TEACHERS, (n) => ({ _id: oid('b', n), user_id: oid('a', n) })),
      students: rows(PEOPLE - TEACHERS, (n) => ({ _id: oid('c', n), user_id: oid('a', n + TEACHERS), roll: `R${n}` })),
      courses: rows(COURSES, (n) => ({
        ...{ _id: oid('d', n), title: `Course ${n}`, teacher_id: oid('b', n), co_teacher_ids: [oid('b', n + 1)] },
      })),
      enrollments: rows(PEOPLE - TEACHERS, (n) => ({
        ...{ course_id: oid('d', n % COURSES), student_id: oid('c', n), status: 'approved' },
      })),
      classsessions: rows(SESSIONS, (n) => ({
        ...{ _id: oid('e', n), course_id: oid('d', n % COURSES), status: 'scheduled' },
        date: new Date(Date.UTC(2026, 8, 1 + Math.floor(n / COURSES))),
      })),
      attendancerecords: rows(SESSIONS, (n) => ({
        ...{ _id: oid('f', n), session_id: oid('e', n), student_id: oid('c', n % 1_000), status: 'present' },
      })),
    });
  }

  test('[STORE-155] every list is a look-up by an index, and reads no more than one page or one person has', async () => {
    await fill();
    await storage.open();
    const finds: Find[] = [];
    const read: Array<readonly [string, number]> = [];
    const client = raw.getClient();
    client.on('commandStarted', ({ commandName, command }) => {
      if (commandName === 'find') {
        finds.push({ collection: command['find'], filter: command['filter'] ?? {}, sort: command['sort'] ?? {} });
      }
    });
    client.on('commandSucceeded', ({ commandName, reply }) => {
      const cursor = (reply as { cursor?: { firstBatch?: unknown[]; nextBatch?: unknown[] } }).cursor;
      const rows = cursor?.firstBatch ?? cursor?.nextBatch;
      if (rows) read.push([commandName, rows.length]);
    });
    const { accounts, catalogue, timetable } = storage;
    const courseId = `${'d'.repeat(16)}00000007` as CourseId;
    const teacherId = `${'b'.repeat(16)}00000007` as TeacherId;
    const studentId = `${'c'.repeat(16)}00000007` as StudentId;
    const at = Date.UTC(2026, 10, 10);
    const day: Days = { from: { day: '2026-11-10', at }, to: { day: '2026-11-10', until: at + 86_400_000 } };

    const { items, next } = await accounts.listAccounts({
      ...EVERYBODY,
      limit: 200,
      after: `${'a'.repeat(16)}00000100`,
    });
    expect([items.length, items[0]?.uid, next]).toEqual([200, 'u257', items.at(-1)?.user_id]);
    expect((await accounts.listAccounts({ ...EVERYBODY, role: 'admin' })).items).toHaveLength(9);
    expect((await accounts.listAccounts({ ...EVERYBODY, role: 'teacher' })).items).toHaveLength(50);
    expect((await accounts.listAccounts({ ...EVERYBODY, role: 'student' })).items).toHaveLength(50);
    expect((await accounts.listAccounts({ ...EVERYBODY, text: 'family2999' })).items).toHaveLength(1);
    expect((await accounts.listAccounts({ ...EVERYBODY, text: 'r2500', role: 'student' })).items).toHaveLength(1);
    expect((await catalogue.listCourses(null, FIRST)).items).toHaveLength(50);
    expect((await catalogue.listCourses({ teacher_id: teacherId, student_id: studentId }, FIRST)).items).toHaveLength(
      2,
    );
    expect((await catalogue.listEnrollments(courseId, FIRST)).items).toHaveLength(50);
    expect((await timetable.listSessions(courseId, ALWAYS, FIRST)).items).toHaveLength(50);
    expect((await timetable.listSessions(courseId, day, FIRST)).items).toHaveLength(1);
    expect(await timetable.sessionsOfTeacher(teacherId, day)).toHaveLength(2);
    expect(await timetable.sessionsOfStudent(studentId, day)).toHaveLength(1);
    expect((await timetable.listRecords(studentId, null, ALWAYS, FIRST)).items).toHaveLength(4);
    await storage.accessLog.list({ ...FIRST, actor: 'root', subject: null, action: null });

    expect(finds.length).toBeGreaterThan(30);
    for (const { collection, filter, sort } of finds) {
      const indexes = await raw.collection(collection).indexes();
      const leading = new Set(indexes.flatMap(({ key }) => Object.keys(key)[0] ?? []));
      // The end of a log is the end of the index of _id.
      const isEnd = Object.keys(filter).length === 0 && Object.keys(sort)[0] === '_id';
      expect(isEnd || isServed(filter, leading), `${collection} ${JSON.stringify(filter)}`).toBe(true);
    }
    expect(Math.max(...read.map(([, rows]) => rows))).toBeLessThan(READ_MAX);
    // A server that explains says itself that nothing is scanned.
    for (const { collection, filter, sort } of finds) {
      const plan = await raw
        .collection(collection)
        .find(filter as mongo.Filter<mongo.Document>)
        .sort(sort as mongo.Sort)
        .explain('queryPlanner')
        .catch((error: unknown) => (errorCode(error) === 59 ? null : Promise.reject(error)));
      if (plan !== null) expect(JSON.stringify(plan), collection).not.toContain('COLLSCAN');
    }
  }, 120_000);

  test('[STORE-156] ids of every type are listed once each, page by page', async () => {
    const ids = [
      ...[3, 20, new mongo.Double(2.5), mongo.Long.fromString('9007199254740993')],
      ...['text', 'Text', '0', 'ünïcødé', '$where'],
      ...['0b2f1c1e-6c1d-4c39-9d0a-3c7c1f0a9b11', '0b2f1c1e-6c1d-4c39-9d0a-3c7c1f0a9b12'].map(
        (id) => new mongo.UUID(id),
      ),
      ...[1, 2, 3].map((n) => new mongo.ObjectId(n.toString(16).padStart(24, '0'))),
    ];
    await seed(raw, {
      users: ids.map((_id, n) => ({ _id, uid: `u${n}` })),
      students: ids.map((user_id, n) => ({ _id: `s${n}`, user_id })),
      courses: ids.map((_id) => ({ _id, title: 'x' })),
      classsessions: ids.map((_id) => ({ _id, course_id: 'c', status: 'scheduled' })),
    });
    await storage.open();
    const all = ids.map(String).sort();
    for (const limit of [1, 3, 50]) {
      for (const role of [null, 'student'] as const) {
        const pages = await walked((after) => storage.accounts.listAccounts({ ...EVERYBODY, role, after, limit }));
        expect(
          pages
            .flat()
            .map((one) => one.user_id as string)
            .sort(),
          `${role} ${limit}`,
        ).toEqual(all);
      }
      const courses = await walked((after) => storage.catalogue.listCourses(null, { after, limit }));
      expect(
        courses
          .flat()
          .map((one) => one.course_id as string)
          .sort(),
      ).toEqual(all);
      const sessions = await walked((after) =>
        storage.timetable.listSessions('c' as CourseId, ALWAYS, { after, limit }),
      );
      expect(
        sessions
          .flat()
          .map((one) => one.session_id as string)
          .sort(),
      ).toEqual(all);
    }
  });

  test('[STORE-156] an application’s rows are read as it left them, and what is written has its types', async () => {
    await seed(raw, existingSchool());
    await storage.open();
    const before = await bytesOf(raw);
    const [courseId, byUser] = [IDS.course.toHexString(), IDS.byUser.toHexString()] as CourseId[];
    if (!courseId || !byUser) throw new Error('the school has no courses');
    const { items: people } = await storage.accounts.listAccounts(EVERYBODY);
    expect(people.map(({ uid }) => uid).sort()).toEqual(['ada', 'bo', 'cy', 'kit']);
    expect(people.find(({ uid }) => uid === 'bo')?.student).toMatchObject({ roll: '1907002', section: 'A' });
    // Held as a number, a roll is found by all of its digits.
    expect((await storage.accounts.listAccounts({ ...EVERYBODY, text: '1907002' })).items).toMatchObject([
      { uid: 'bo' },
    ]);
    const { items: courses } = await storage.catalogue.listCourses(null, FIRST);
    expect(courses).toMatchObject([
      { course_id: courseId, credit: 3, teacher_id: IDS.adaTeacher.toHexString(), teacher_name: 'Ada Osei' },
      { course_id: byUser, teacher_id: IDS.adaTeacher.toHexString(), co_teacher_ids: [IDS.kitTeacher.toHexString()] },
    ]);
    const part = { teacher_id: IDS.kitTeacher.toHexString() as TeacherId, student_id: null };
    expect((await storage.catalogue.listCourses(part, FIRST)).items).toMatchObject([{ course_id: byUser }]);
    const enrolled = await storage.catalogue.listEnrollments(courseId, FIRST);
    expect(enrolled.items.map(({ student }) => student.student_id as string)).toEqual(
      [IDS.boStudent, IDS.cyStudent, IDS.ghostStudent].map((id) => id.toHexString()),
    );
    const sessions = await storage.timetable.listSessions(byUser, ALWAYS, FIRST);
    expect(sessions.items).toEqual([await storage.projection.findSession(IDS.active.toHexString() as SessionId)]);
    const own = await storage.timetable.listRecords(IDS.boStudent.toHexString() as StudentId, null, ALWAYS, FIRST);
    expect(own.items.map(({ record }) => record.status)).toEqual(['excused', 'late']);
    expect(await bytesOf(raw)).toEqual(before);

    // A change of what was there, and nothing else.
    await storage.accounts.changeAccount(IDS.bo.toHexString(), { name: 'Bo Lindqvist', student: { section: 'A' } });
    await storage.catalogue.changeCourse(byUser, { teacher_id: IDS.adaTeacher.toHexString() });
    await storage.timetable.changeScheduled(IDS.scheduled.toHexString() as SessionId, { topic: 'Trees' });
    const changed = [...(await bytesOf(raw))].flatMap(([row, fields]) =>
      [...fields].flatMap(([field, bytes]) => (before.get(row)?.get(field) === bytes ? [] : [`${row} ${field}`])),
    );
    expect(changed.sort()).toEqual(
      [
        ...['name', 'updatedAt'].map((field) => `users ${IDS.bo} ${field}`),
        ...['topic', 'updatedAt'].map((field) => `classsessions ${IDS.scheduled} ${field}`),
      ].sort(),
    );

    // What is made is what the application itself would have made.
    await storage.timetable.scheduleSession({
      ...{ session_id: '65f0a1b2c3d4e5f601234567', course_id: courseId, date: '2026-11-30' },
      ...{ start_time: '09:00', end_time: null, topic: null, description: null },
    });
    expect(
      await raw.collection('classsessions').findOne({ _id: new mongo.ObjectId('65f0a1b2c3d4e5f601234567') }),
    ).toEqual({
      _id: new mongo.ObjectId('65f0a1b2c3d4e5f601234567'),
      ...{
        course_id: IDS.course,
        date: new Date('2026-11-30T00:00:00.000Z'),
        start_time: '09:00',
        status: 'scheduled',
      },
      ...{ createdAt: expect.any(Date), updatedAt: expect.any(Date) },
    });
    await storage.catalogue.putEnrollment({
      ...{ course_id: byUser, student_id: IDS.cyStudent.toHexString(), status: 'approved', begins: null, ends: null },
    });
    expect(
      await raw.collection('enrollments').findOne({ course_id: IDS.byUser, student_id: IDS.cyStudent }),
    ).toMatchObject({ status: 'approved' });
    // An enrolment that names the user is the student's, and is not made twice.
    expect(await storage.catalogue.withdraw(courseId, IDS.cyStudent.toHexString() as StudentId)).toMatchObject({
      outcome: 'changed',
    });
    expect(await raw.collection('enrollments').countDocuments({ student_id: IDS.cy, status: 'rejected' })).toBe(1);
  });
});
