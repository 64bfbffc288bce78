import { type Connection, createConnection, mongo, Schema, Types } from 'mongoose';
import { onTestFinished } from 'vitest';

const { ObjectId, Mixed } = Schema.Types;
const timestamps = { timestamps: true };
const reference = { type: ObjectId, required: true };

/** The schemas of an app that had this database first. Of Rollcall it knows nothing, and Rollcall nothing of half its fields. */
const SCHEMAS = {
  users: new Schema(
    {
      uid: { type: String, unique: true },
      name: String,
      email: String,
      role: { type: String, enum: ['teacher', 'student', 'admin'] },
      profile_picture: String,
      fcm_tokens: [String],
      settings: Mixed,
    },
    timestamps,
  ),
  teachers: new Schema({ user_id: reference, department: String, designation: String, office: String }, timestamps),
  students: new Schema(
    { user_id: reference, roll: Number, section: String, department: String, semester: Number, guardian: Mixed },
    timestamps,
  ),
  courses: new Schema(
    { teacher_id: reference, title: String, course_code: String, credit: Number, syllabus: [Mixed] },
    timestamps,
  ),
  enrollments: new Schema(
    {
      course_id: reference,
      student_id: reference,
      status: { type: String, enum: ['pending', 'approved', 'rejected'] },
      asked_at: Date,
    },
    timestamps,
  ),
  classsessions: new Schema(
    {
      course_id: reference,
      date: Date,
      start_time: String,
      end_time: String,
      topic: String,
      description: String,
      status: { type: String, enum: ['scheduled', 'active', 'completed', 'cancelled'] },
      meeting_link: String,
      teacher_id: ObjectId,
      recording: Mixed,
    },
    timestamps,
  ),
  attendancerecords: new Schema(
    {
      session_id: reference,
      student_id: reference,
      status: { type: String, enum: ['present', 'absent', 'late', 'excused'], default: 'absent' },
      remarks: String,
      device: Mixed,
    },
    timestamps,
  ).index({ session_id: 1, student_id: 1 }, { unique: true }),
  assignments: new Schema({ course_id: reference, title: String, due: Date, points: [Number] }, timestamps),
};

type CollectionName = keyof typeof SCHEMAS;
type Document = mongo.Document & { readonly _id: Types.ObjectId };

/** How many students have an approved enrolment; two more have none. */
export const ENROLLED = 6;

/** The app and its school: `ada` teaches a course of students `s-1`… by uid; `s-7` is pending, `s-8` rejected. */
export class ExistingApp {
  readonly connection: Connection;
  readonly course = new Types.ObjectId();
  readonly teacher = new Types.ObjectId();
  /** Profile ids, by number from 1. */
  readonly students: readonly Types.ObjectId[] = Array.from({ length: ENROLLED + 3 }, () => new Types.ObjectId());

  private constructor(connection: Connection) {
    this.connection = connection;
  }

  static async on(uri: string): Promise<ExistingApp> {
    const connection = await createConnection(uri).asPromise();
    onTestFinished(() => connection.destroy());
    const app = new ExistingApp(connection);
    for (const [name, schema] of Object.entries(SCHEMAS)) await connection.model(name, schema, name).init();
    await app.#makeSchool();
    return app;
  }

  student(n: number): Types.ObjectId {
    const id = this.students[n];
    if (!id) throw new Error(`there is no student ${n}`);
    return id;
  }

  /** Stores through the app's own model: ObjectIds, Dates, timestamps and `__v`, as Mongoose makes them. */
  async create(name: CollectionName, fields: Record<string, unknown>): Promise<Types.ObjectId> {
    const made = await this.connection.model(name).create(fields);
    return made._id as Types.ObjectId;
  }

  /** Reads through the app's own model; what the app couldn't store again rejects. */
  async read(name: CollectionName, filter: mongo.Document): Promise<Document[]> {
    const found = await this.connection.model(name).find(filter);
    for (const one of found) await one.validate();
    return found.map((one) => one.toObject() as Document);
  }

  session(status: string, more: Record<string, unknown> = {}): Promise<Types.ObjectId> {
    return this.create('classsessions', {
      course_id: this.course,
      date: new Date('2026-11-23T00:00:00.000Z'),
      start_time: '09:00',
      end_time: '10:30',
      topic: 'Joins',
      status,
      meeting_link: 'https://meet.school.example/1',
      recording: { minutes: 90, parts: [1, 2.5, 'three'], url: null },
      ...more,
    });
  }

  record(session_id: Types.ObjectId, n: number, fields: Record<string, unknown>): Promise<Types.ObjectId> {
    const device = { os: 'old', battery: 0.5 };
    return this.create('attendancerecords', { session_id, student_id: this.student(n), device, ...fields });
  }

  async #makeSchool(): Promise<void> {
    const settings = { theme: 'dark', quiet: { from: 22, to: 7.5 }, since: new Date('2025-01-02T03:04:05.678Z') };
    const user = (uid: string, name: string, role: string) =>
      this.create('users', { uid, name, role, email: `${uid}@school.example`, fcm_tokens: ['t1', 't2'], settings });
    const ada = await user('ada', 'Ada Osei', 'teacher');
    await this.create('teachers', { _id: this.teacher, user_id: ada, department: 'CSE', office: 'B-12' });
    const course = { title: 'Databases', course_code: 'CSE-301', credit: 3, syllabus: [{ week: 1 }, 'exam'] };
    await this.create('courses', { _id: this.course, teacher_id: this.teacher, ...course });
    for (const [n, student_id] of this.students.entries()) {
      if (n === 0) continue;
      const user_id = await user(`s-${n}`, `Student ${n}`, 'student');
      const guardian = { name: `Guardian ${n}`, phone: null };
      await this.create('students', {
        _id: student_id,
        user_id,
        roll: 1907000 + n,
        section: 'A',
        semester: 3,
        guardian,
      });
      const status = n <= ENROLLED ? 'approved' : n === ENROLLED + 1 ? 'pending' : 'rejected';
      await this.create('enrollments', { course_id: this.course, student_id, status, asked_at: new Date() });
    }
    await this.create('assignments', { course_id: this.course, title: 'Normal forms', points: [1, 2, 3.5] });
    const past = await this.session('completed', { topic: 'Keys' });
    for (let n = 1; n <= ENROLLED; n++) await this.record(past, n, { status: n % 2 ? 'present' : 'late' });
    await this.session('scheduled', { topic: 'Views' });
    await this.session('cancelled', { topic: 'Triggers', description: 'ill' });
  }
}

/** A document as the database holds it: all of it in hex, and each field in hex, so that types count as well as values. */
export interface StoredBytes {
  readonly whole: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** Every document outside Rollcall's own collections, by collection and _id. */
export async function bytesIn(connection: Connection): Promise<Map<string, StoredBytes>> {
  const db = connection.getClient().db(connection.name);
  const bytes = new Map<string, StoredBytes>();
  for (const { name } of await db.listCollections({}, { nameOnly: true }).toArray()) {
    if (name.startsWith('rollcall_')) continue;
    const rows: unknown[] = await db.collection(name).find({}, { raw: true }).toArray();
    for (const row of rows) {
      if (!(row instanceof Uint8Array)) throw new Error('the driver was asked for bytes');
      const read = mongo.BSON.deserialize(row, { promoteValues: false });
      const fields = Object.entries(read).map(
        ([field, value]) => [field, Buffer.from(mongo.BSON.serialize({ value })).toString('hex')] as const,
      );
      bytes.set(`${name} ${String(read['_id'])}`, { whole: Buffer.from(row).toString('hex'), fields: new Map(fields) });
    }
  }
  return bytes;
}

/** True for a field of the app's own. */
const isOfApp = (row: string, field: string): boolean =>
  SCHEMAS[row.split(' ', 1)[0] as CollectionName]?.path(field) !== undefined;

/**
 * What became of documents: those that are new or gone, and of those that changed the fields that the app knows or
 * that were there before. Fields that Rollcall added for itself aren't named.
 */
export function changesBetween(before: Map<string, StoredBytes>, after: Map<string, StoredBytes>) {
  const changed: Record<string, string[]> = {};
  for (const [row, was] of before) {
    const is = after.get(row);
    if (!is || is.whole === was.whole) continue;
    const fields = new Set([...was.fields.keys(), ...is.fields.keys()]);
    const touched = [...fields]
      .filter((field) => was.fields.get(field) !== is.fields.get(field))
      .filter((field) => was.fields.has(field) || isOfApp(row, field));
    changed[row] = touched.sort();
  }
  return {
    added: [...after.keys()].filter((row) => !before.has(row)),
    gone: [...before.keys()].filter((row) => !after.has(row)),
    changed,
  };
}
