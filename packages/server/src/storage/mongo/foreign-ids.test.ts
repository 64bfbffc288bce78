import type { CourseId, SessionId, StudentId } from '@rollcall/protocol';
import { type Connection, createConnection, mongo } from 'mongoose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../../testing/mongo-server.js';
import { importAll, projection, record, schoolOf } from '../contract/samples.js';
import { seed } from './existing-school.test.support.js';
import { MongoStorage } from './mongo-storage.js';

const uri = (await testMongoUri()) ?? '';

const UUID = '0b2f1c1e-6c1d-4c39-9d0a-3c7c1f0a9b11';
const LONG = '9007199254740993';

/** One school for each kind of _id: users 1–2, a teacher, a student, a course and a session, which refer to each other. */
const KINDS: ReadonlyArray<readonly [string, (n: number) => unknown, (n: number) => string]> = [
  ['numbers', (n) => n, (n) => String(n)],
  ['doubles', (n) => new mongo.Double(n + 0.5), (n) => String(n + 0.5)],
  ['longs', (n) => mongo.Long.fromString(LONG).add(n), (n) => mongo.Long.fromString(LONG).add(n).toString()],
  ['UUIDs', (n) => new mongo.UUID(UUID.slice(0, -1) + n), (n) => UUID.slice(0, -1) + n],
];

describe.skipIf(!uri)(`mongodb with ids of other types${uri ? '' : `: ${MONGO_MISSING}`}`, () => {
  let raw: Connection;
  let storage: MongoStorage;
  let warnings: string[];

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

  test.each(KINDS)(
    '[STORE-228] %s are read as their text, and references to them are written as they are held',
    async (_kind, held, text) => {
      const school = {
        users: [
          { _id: held(1), uid: 'ada', name: 'Ada', role: 'teacher' },
          { _id: held(2), uid: 'bo', name: 'Bo', role: 'student' },
        ],
        teachers: [{ _id: held(3), user_id: held(1) }],
        students: [{ _id: held(4), user_id: held(2), roll: '1' }],
        courses: [{ _id: held(5), title: 'Databases', teacher_id: held(3), co_teacher_ids: [held(3)] }],
        enrollments: [{ course_id: held(5), student_id: held(4), status: 'approved' }],
        classsessions: [{ _id: held(6), course_id: held(5), status: 'scheduled' }],
      };
      await seed(raw, school as unknown as Record<string, mongo.Document[]>);
      await storage.open();
      const [courseId, studentId, sessionId] = [text(5) as CourseId, text(4) as StudentId, text(6) as SessionId];
      expect(await storage.people.findPersonByUid('bo')).toMatchObject({
        user_id: text(2),
        student: { student_id: studentId },
      });
      expect(await storage.courses.findCourse(courseId)).toMatchObject({
        course_id: courseId,
        teacher_id: text(3),
        co_teacher_ids: [text(3)],
      });
      expect(await storage.courses.listRoster(courseId)).toMatchObject([{ student_id: studentId, uid: 'bo' }]);
      expect(await storage.courses.isEnrolled(courseId, studentId)).toBe(true);
      expect(await storage.projection.findSession(sessionId)).toMatchObject({
        course: { _id: courseId },
        teacher_id: text(3),
        teacher_name: 'Ada',
      });

      await storage.projection.project(
        projection(sessionId, 1, [record(studentId, 1)], { course_id: courseId, teacher_id: text(3) as never }),
      );
      await storage.projection.project(
        projection('made-here', 1, [record(studentId, 1, 7)], { course_id: courseId, teacher_id: text(3) as never }),
      );
      await importAll(
        storage,
        schoolOf({
          courses: [{ id: 'new', teacher_id: text(3) }],
          enrollments: [{ course_id: 'new', student_id: studentId }],
          sessions: [{ id: 'later', course_id: courseId, teacher_id: text(3) }],
        }),
      );
      // Found by the application's own queries, in its own types.
      const count = (name: string, filter: object) => raw.collection(name).countDocuments(filter as mongo.Document);
      expect(await count('attendancerecords', { session_id: held(6), student_id: held(4) })).toBe(1);
      expect(await count('attendancerecords', { session_id: 'made-here', student_id: held(4) })).toBe(1);
      expect(await count('classsessions', { course_id: held(5), teacher_id: held(3) })).toBe(2);
      expect(await count('courses', { teacher_id: held(3) })).toBe(2);
      expect(await count('enrollments', { course_id: 'new', student_id: held(4) })).toBe(1);
      expect(await storage.projection.readRecords(sessionId)).toMatchObject([{ student_id: studentId }]);
      expect(await storage.unusableRows()).toEqual([]);
      expect(warnings).toEqual([]);
    },
  );

  test('[STORE-229] rows with an _id that nobody can name are counted, and told of once at the start', async () => {
    const odd = [new Date(0), true, { a: 1 }, new mongo.Binary(Buffer.from([1, 2]), 0), ''];
    await raw
      .collection('students')
      .insertMany([
        ...odd.map((_id) => ({ _id, roll: '1' }) as unknown as mongo.Document),
        { roll: 'fine' },
        { _id: 7, roll: 'fine too' } as unknown as mongo.Document,
      ]);
    await raw.collection('courses').insertOne({ _id: new Date(1) } as unknown as mongo.Document);
    await storage.open();
    const unusable = await storage.unusableRows();
    expect(unusable).toEqual([
      { collection: 'students', count: odd.length, reason: expect.stringContaining('_id') },
      { collection: 'courses', count: 1, reason: expect.stringContaining('_id') },
    ]);
    await expect.poll(() => warnings.length, { timeout: 10_000 }).toBe(2);
    expect(warnings).toEqual([
      expect.stringMatching(/^5 rows of students cannot be used/),
      expect.stringMatching(/^1 row of courses cannot be used/),
    ]);
  });
});
