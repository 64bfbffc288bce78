import { randomBytes } from 'node:crypto';
import type { AttendanceStatus } from '@rollcall/protocol';
import Database from 'libsql';
import type { DirectDatabase, Stored, Teacher, User } from './direct-database.js';
import type { SessionRow, Student } from './payloads.js';

interface Statement<Row> {
  get(...params: unknown[]): Row | undefined;
  all(...params: unknown[]): Row[];
  run(...params: unknown[]): unknown;
}

const STUDENT = 'st.student_id, st.user_id, us.name, us.email, st.roll, st.section, us.profile_picture';

type RecordRow = Student & Stored['row'];

const RECORDS = `
  SELECT r.record_id AS _id, r.status, r.remarks, r.marked_at, r.marked_by, r.created_at, r.updated_at, ${STUDENT}
  FROM attendance_records AS r JOIN students AS st ON st.student_id = r.student_id
  JOIN users AS us ON us.user_id = st.user_id
  WHERE r.session_id = ?`;

const SESSION = `
  SELECT s.session_id, s.course_id, c.title, c.course_code, s.teacher_id, s.teacher_name, s.status, s.started_at
  FROM class_sessions AS s JOIN courses AS c ON c.course_id = s.course_id WHERE s.session_id = ?`;

const storedOf = (row: RecordRow): Stored => ({ student: row, row });

/** As one writes it with a synchronous driver: prepared statements, every write a commit of its own, fsync included. */
export function openSqlite(path: string): DirectDatabase {
  const db = new Database(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  const prepare = <Row = unknown>(sql: string) => db.prepare(sql) as unknown as Statement<Row>;

  const findUser = prepare<User>('SELECT user_id, uid, name FROM users WHERE uid = ?');
  const findTeacher = prepare<Teacher>(
    'SELECT t.teacher_id, u.name FROM teachers AS t JOIN users AS u ON u.user_id = t.user_id WHERE t.user_id = ?',
  );
  const findStudent = prepare<Student>(
    `SELECT ${STUDENT} FROM students AS st JOIN users AS us ON us.user_id = st.user_id WHERE st.user_id = ?`,
  );
  const findSession = prepare<SessionRow>(SESSION);
  const findEnrolment = prepare<{ student_id: string }>(
    `SELECT student_id FROM enrollments WHERE course_id = ? AND student_id = ? AND status = 'approved'`,
  );
  const listEnrolled = prepare<{ student_id: string }>(
    `SELECT student_id FROM enrollments WHERE course_id = ? AND status = 'approved'`,
  );
  const addSession = prepare(
    `INSERT INTO class_sessions (session_id, course_id, teacher_id, teacher_name, status, started_at)
     VALUES (?, ?, ?, ?, 'active', ?)`,
  );
  const addRecord = prepare(
    `INSERT INTO attendance_records (session_id, student_id, record_id, status, created_at, updated_at, seq)
     VALUES (?, ?, ?, 'absent', ?, ?, 0)`,
  );
  const statusOf = prepare<{ status: AttendanceStatus }>(
    'SELECT status FROM attendance_records WHERE session_id = ? AND student_id = ?',
  );
  const updateRecord = prepare(
    `UPDATE attendance_records SET status = ?, marked_at = ?, marked_by = ?, updated_at = ?
     WHERE session_id = ? AND student_id = ?`,
  );
  const readRecord = prepare<RecordRow>(`${RECORDS} AND r.student_id = ?`);
  const readRecords = prepare<RecordRow>(RECORDS);
  const endSession = prepare(`UPDATE class_sessions SET status = 'completed', ended_at = ? WHERE session_id = ?`);

  const sessionOf = (session_id: string): SessionRow => {
    const session = findSession.get(session_id);
    if (!session) throw new Error('Session not found');
    return session;
  };

  return {
    getUserByUID: (uid) => findUser.get(uid) ?? null,
    getTeacherByUserId: (user_id) => findTeacher.get(user_id) ?? null,
    getStudentByUserId: (user_id) => findStudent.get(user_id) ?? null,
    startAttendanceSession(session_id, course_id, teacher) {
      const at = Date.now();
      addSession.run(session_id, course_id, teacher.teacher_id, teacher.name, at);
      for (const { student_id } of listEnrolled.all(course_id)) {
        addRecord.run(session_id, student_id, randomBytes(12).toString('hex'), at, at);
      }
    },
    markStudent(session_id, student_id, status, teacher) {
      const session = sessionOf(session_id);
      if (session.teacher_id !== teacher.teacher_id) throw new Error('Only the session teacher can mark attendance');
      if (!findEnrolment.get(session.course_id, student_id)) throw new Error('Student is not enrolled');
      const previous_status = statusOf.get(session_id, student_id)?.status ?? 'absent';
      const at = Date.now();
      updateRecord.run(status, at, teacher.name, at, session_id, student_id);
      const row = readRecord.get(session_id, student_id);
      if (!row) throw new Error('Record not found');
      return { ...storedOf(row), previous_status };
    },
    getAttendanceSessionData: (session_id) => ({
      session: sessionOf(session_id),
      records: readRecords.all(session_id).map(storedOf),
    }),
    endAttendanceSession(session_id) {
      endSession.run(Date.now(), session_id);
    },
  };
}
