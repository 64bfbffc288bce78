import { type Connection, mongo } from 'mongoose';

/** ObjectIds of an application that was there before, readable in failures: role, then number. */
export const oid = (kind: string, n: number): mongo.ObjectId =>
  new mongo.ObjectId(kind.padEnd(20, '0') + n.toString(16).padStart(4, '0'));

export const IDS = {
  ada: oid('aaaa', 1),
  adaTeacher: oid('bbbb', 1),
  kit: oid('aaaa', 2),
  kitTeacher: oid('bbbb', 2),
  bo: oid('aaaa', 11),
  boStudent: oid('cccc', 11),
  cy: oid('aaaa', 12),
  cyStudent: oid('cccc', 12),
  ghostStudent: oid('cccc', 13),
  course: oid('dddd', 1),
  byUser: oid('dddd', 2),
  scheduled: oid('eeee', 1),
  active: oid('eeee', 2),
  odd: oid('eeee', 3),
} as const;

/** Values of every kind that no schema of ours mentions. */
const foreign = () => ({
  __v: new mongo.Int32(3),
  legacy: { nested: [new mongo.Double(1), new mongo.Int32(1), mongo.Long.fromString('9007199254740993')], none: null },
  blob: new mongo.Binary(Buffer.from([0, 255, 1]), 0),
  'odd key': true,
});

const T = new Date('2026-09-01T08:00:00.123Z');

/** A database as another application left it: its own collections and fields, ids of both kinds, odds and ends. */
export const existingSchool = (): Record<string, mongo.Document[]> => ({
  users: [
    { _id: IDS.ada, uid: 'ada', name: 'Ada Osei', email: 'ada@school.example', role: 'teacher', ...foreign() },
    { _id: IDS.kit, uid: 'kit', name: 'Kit Moro', role: 'admin', profile_picture: 'kit.png', ...foreign() },
    { _id: IDS.bo, uid: 'bo', name: 'Bo Lind', email: 'bo@school.example', role: 'student', ...foreign() },
    { _id: IDS.cy, uid: 'cy', role: 'student', ...foreign() },
  ],
  teachers: [
    { _id: IDS.adaTeacher, user_id: IDS.ada, department: 'CSE', designation: 'Lecturer', ...foreign() },
    { _id: IDS.kitTeacher, user_id: IDS.kit.toHexString(), ...foreign() },
  ],
  students: [
    { _id: IDS.boStudent, user_id: IDS.bo, roll: new mongo.Int32(1907002), section: 'A', ...foreign() },
    { _id: IDS.cyStudent, user_id: IDS.cy.toHexString(), roll: '1907001', ...foreign() },
    { _id: IDS.ghostStudent, user_id: oid('ffff', 1), roll: '1907003', ...foreign() },
  ],
  courses: [
    {
      _id: IDS.course,
      title: 'Databases',
      course_code: 'CSE-301',
      teacher_id: IDS.adaTeacher,
      credit: new mongo.Double(3),
      ...foreign(),
    },
    {
      _id: IDS.byUser,
      title: 'Logic',
      teacher_id: IDS.ada,
      co_teacher_ids: [IDS.kit.toHexString(), oid('ffff', 2), IDS.kitTeacher],
      ...foreign(),
    },
  ],
  enrollments: [
    { course_id: IDS.course, student_id: IDS.boStudent, status: 'approved', ...foreign() },
    { course_id: IDS.course.toHexString(), student_id: IDS.cy, status: 'approved', ...foreign() },
    { course_id: IDS.course, student_id: IDS.ghostStudent.toHexString(), status: 'approved', ...foreign() },
    { course_id: IDS.course, student_id: oid('ffff', 3), status: 'approved', ...foreign() },
    { course_id: IDS.course, status: 'approved', ...foreign() },
    { course_id: IDS.byUser, student_id: IDS.boStudent, ...foreign() },
  ],
  classsessions: [
    {
      _id: IDS.scheduled,
      course_id: IDS.course,
      date: new Date('2026-11-23T00:00:00.000Z'),
      start_time: '09:00',
      end_time: '10:30',
      topic: 'Joins',
      status: 'scheduled',
      meeting_link: 'https://meet.school.example/1',
      ...foreign(),
    },
    {
      _id: IDS.active,
      course_id: IDS.byUser.toHexString(),
      date: '2026-11-24T09:00:00+06:00',
      status: 'active',
      teacher_id: IDS.kit,
      ...foreign(),
    },
    {
      _id: IDS.odd,
      course_id: oid('ffff', 4),
      date: 'some day',
      status: 'postponed',
      topic: { en: 'x' },
      ...foreign(),
    },
  ],
  attendancerecords: [
    {
      _id: oid('9999', 1),
      session_id: IDS.scheduled,
      student_id: IDS.boStudent,
      status: 'excused',
      remarks: 'dentist',
      createdAt: T,
      updatedAt: T,
      ...foreign(),
    },
    {
      _id: oid('9999', 2),
      session_id: IDS.scheduled.toHexString(),
      student_id: IDS.cyStudent,
      status: 'sick',
      ...foreign(),
    },
    {
      _id: oid('9999', 3),
      session_id: IDS.active,
      student_id: IDS.boStudent.toHexString(),
      status: 'late',
      ...foreign(),
    },
    { _id: oid('9999', 4), session_id: IDS.active, status: 'late', ...foreign() },
  ],
  notices: [{ _id: 'n1', text: 'not of Rollcall', ...foreign() }],
});

export async function seed(connection: Connection, school: Record<string, mongo.Document[]>): Promise<void> {
  for (const [name, rows] of Object.entries(school)) {
    if (rows.length > 0) await connection.getClient().db(connection.name).collection(name).insertMany(rows);
  }
}

/** Every document's fields as BSON in hex, by collection and _id: types are told apart, not only values. */
export async function bytesOf(connection: Connection): Promise<Map<string, Map<string, string>>> {
  const db = connection.getClient().db(connection.name);
  const bytes = new Map<string, Map<string, string>>();
  for (const { name } of await db.listCollections({}, { nameOnly: true }).toArray()) {
    if (name.startsWith('rollcall_')) continue;
    for (const row of await db.collection(name).find({}, { promoteValues: false, promoteLongs: false }).toArray()) {
      const fields = Object.entries(row).map(
        ([field, value]) => [field, Buffer.from(mongo.BSON.serialize({ value })).toString('hex')] as const,
      );
      bytes.set(`${name} ${String(row._id)}`, new Map(fields));
    }
  }
  return bytes;
}
