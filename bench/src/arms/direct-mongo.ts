import type { AttendanceStatus } from '@rollcall/protocol';
import mongoose, { Schema, type Types } from 'mongoose';
import type { DirectDatabase, Stored } from './direct-database.js';

interface UserDocument {
  readonly _id: Types.ObjectId;
  readonly uid: string;
  readonly name: string;
  readonly email: string;
}
interface StudentDocument {
  readonly _id: string;
  readonly user_id: UserDocument;
  readonly roll: string;
  readonly section: string;
}
interface RecordDocument {
  readonly _id: Types.ObjectId;
  readonly session_id: string;
  readonly student_id: StudentDocument;
  readonly status: AttendanceStatus;
  readonly remarks?: string;
  readonly marked_at?: Date;
  readonly marked_by?: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
interface CourseDocument {
  readonly _id: string;
  readonly title: string;
  readonly course_code: string;
}

const studentOf = ({ _id, user_id, roll, section }: StudentDocument): Stored['student'] => ({
  student_id: _id,
  user_id: user_id._id.toHexString(),
  name: user_id.name,
  email: user_id.email,
  roll,
  section,
  profile_picture: null,
});

const storedOf = (record: RecordDocument): Stored => ({
  student: studentOf(record.student_id),
  row: {
    _id: record._id.toHexString(),
    status: record.status,
    remarks: record.remarks ?? null,
    marked_at: record.marked_at?.getTime() ?? null,
    marked_by: record.marked_by ?? null,
    created_at: record.createdAt.getTime(),
    updated_at: record.updatedAt.getTime(),
  },
});

const WITH_STUDENT = { path: 'student_id', populate: { path: 'user_id' } };

/** As one writes it with Mongoose: models, populate, findOneAndUpdate, and lean where nothing is saved. */
export async function openMongo(uri: string): Promise<DirectDatabase> {
  const connection = await mongoose
    .createConnection(uri, { autoIndex: false, writeConcern: { w: 'majority', journal: true } })
    .asPromise();
  const model = (name: string, collection: string, fields: Record<string, unknown>, timestamps = false) =>
    connection.model(name, new Schema<Record<string, unknown>>(fields, { collection, timestamps }));
  const idIn = (ref: string, type: unknown = String) => ({ type, ref });

  const User = model('User', 'users', { uid: String, name: String, email: String });
  const Teacher = model('Teacher', 'teachers', { _id: String, user_id: idIn('User', Schema.Types.ObjectId) });
  const Student = model('Student', 'students', {
    _id: String,
    user_id: idIn('User', Schema.Types.ObjectId),
    roll: String,
    section: String,
  });
  model('Course', 'courses', { _id: String, title: String, course_code: String, teacher_id: String });
  const Enrollment = model('Enrollment', 'enrollments', { course_id: String, student_id: String, status: String });
  const ClassSession = model('ClassSession', 'classsessions', {
    _id: String,
    course_id: idIn('Course'),
    teacher_id: String,
    teacher_name: String,
    status: String,
    started_at: Date,
    ended_at: Date,
  });
  const AttendanceRecord = model(
    'AttendanceRecord',
    'attendancerecords',
    {
      session_id: String,
      student_id: idIn('Student'),
      status: String,
      remarks: String,
      marked_at: Date,
      marked_by: String,
    },
    true,
  );

  const sessionOf = async (session_id: string) => {
    const found = await ClassSession.findById(session_id).populate('course_id').lean();
    if (!found) throw new Error('Session not found');
    const session = found as unknown as { course_id: CourseDocument; teacher_id: string; teacher_name: string } & {
      status: string;
      started_at: Date;
    };
    const { _id: course_id, title, course_code } = session.course_id;
    const { teacher_id, teacher_name, status, started_at } = session;
    return { session_id, course_id, title, course_code, teacher_id, teacher_name, status, started_at: +started_at };
  };

  return {
    async getUserByUID(uid) {
      const user = (await User.findOne({ uid }).lean()) as UserDocument | null;
      return user && { user_id: user._id.toHexString(), uid };
    },
    async getTeacherByUserId(user_id) {
      const found = await Teacher.findOne({ user_id }).populate('user_id').lean();
      const teacher = found as unknown as { _id: string; user_id: UserDocument } | null;
      return teacher && { teacher_id: teacher._id, name: teacher.user_id.name };
    },
    async getStudentByUserId(user_id) {
      const student = (await Student.findOne({ user_id }).populate('user_id').lean()) as StudentDocument | null;
      return student && studentOf(student);
    },
    async startAttendanceSession(session_id, course_id, { teacher_id, name }) {
      const session = { _id: session_id, course_id, teacher_id, teacher_name: name, status: 'active' };
      await ClassSession.create({ ...session, started_at: new Date() });
      for (const { student_id } of await Enrollment.find({ course_id, status: 'approved' }).lean()) {
        await AttendanceRecord.create({ session_id, student_id, status: 'absent' });
      }
    },
    async markStudent(session_id, student_id, status, teacher) {
      const session = await sessionOf(session_id);
      if (session.teacher_id !== teacher.teacher_id) throw new Error('Only the session teacher can mark attendance');
      const enrolment = { course_id: session.course_id, student_id, status: 'approved' };
      if (!(await Enrollment.findOne(enrolment).lean())) throw new Error('Student is not enrolled');
      const changes = { status, marked_at: new Date(), marked_by: teacher.name };
      const before = (await AttendanceRecord.findOneAndUpdate({ session_id, student_id }, changes).lean()) as unknown;
      const record = await AttendanceRecord.findOne({ session_id, student_id }).populate(WITH_STUDENT).lean();
      if (!before || !record) throw new Error('Record not found');
      const previous_status = (before as RecordDocument).status;
      return { ...storedOf(record as unknown as RecordDocument), previous_status };
    },
    async getAttendanceSessionData(session_id) {
      const session = await sessionOf(session_id);
      const records = await AttendanceRecord.find({ session_id }).populate(WITH_STUDENT).lean();
      return { session, records: (records as unknown as RecordDocument[]).map(storedOf) };
    },
    async endAttendanceSession(session_id) {
      await ClassSession.updateOne({ _id: session_id }, { status: 'completed', ended_at: new Date() });
    },
  };
}
