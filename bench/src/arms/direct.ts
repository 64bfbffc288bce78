import { createSecretKey } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jwtVerify } from 'jose';
import { Server, type Socket } from 'socket.io';
import type { DirectDatabase, Updated } from './direct-database.js';
import * as say from './payloads.js';

/*
 * Arm C: the application that the seed document describes, written directly and well: activeAttendanceSessions is a
 * Map, every event looks up its user and teacher, every row is updated by a statement of its own and read back for
 * the broadcast. It acknowledges with nothing but `ok` and the number of the update.
 */

interface ActiveSession {
  readonly teacher_id: string;
  readonly teacher_socket: string;
  readonly students: Set<string>;
  readonly started_at: Date;
  /** Ours, so that lost and doubled updates can be seen. */
  seq: number;
}

type Ack = ((answer: object) => void) | undefined;
interface Input {
  readonly session_id: string;
  readonly course_id: string;
  readonly student_id: string;
  readonly attendanceUpdates: ReadonlyArray<{ readonly student_id: string; readonly status: 'present' | 'absent' }>;
}

const activeAttendanceSessions = new Map<string, ActiveSession>();
const secret = createSecretKey(Buffer.from(process.env['ACCESS_TOKEN_SECRET'] ?? '', 'utf8'));
const httpServer = createServer();
const io = new Server(httpServer, { serveClient: false, maxHttpBufferSize: 6 * 1024 * 1024 });

const url = process.env['DATABASE_URL'] ?? '';
const database: DirectDatabase = url.startsWith('mongodb')
  ? await (await import('./direct-mongo.js')).openMongo(url)
  : (await import('./direct-sqlite.js')).openSqlite(url.slice('sqlite:'.length));

io.use(async (socket, next) => {
  try {
    const { payload } = await jwtVerify(String(socket.handshake.auth['token']), secret, { algorithms: ['HS256'] });
    const user = await database.getUserByUID(String(payload['uid']));
    if (!user) throw new Error('User not found');
    socket.data.uid = user.uid;
    next();
  } catch (error) {
    next(error instanceof Error ? error : new Error('Authentication error'));
  }
});

async function teacherOf(socket: Socket) {
  const user = await database.getUserByUID(socket.data.uid);
  if (!user) throw new Error('User not found');
  const teacher = await database.getTeacherByUserId(user.user_id);
  if (!teacher) throw new Error('Teacher profile not found');
  return teacher;
}

function activeSession(session_id: string): ActiveSession {
  const session = activeAttendanceSessions.get(session_id);
  if (!session) throw new Error('Attendance session not active');
  return session;
}

const recordOf = (session_id: string, { student, row }: Updated, seq: number) =>
  say.recordPayload(session_id, student, row, seq);

async function sessionDataOf(session_id: string, online: number) {
  const { session, records } = await database.getAttendanceSessionData(session_id);
  const attendanceRecords = records.map(({ student, row }) => say.teacherRecordPayload(session_id, student, row, 0));
  const statistics = say.statisticsOf(attendanceRecords, online);
  return { session_id, session: say.sessionPayload(session), attendanceRecords, statistics };
}

const handlers: Readonly<Record<string, (socket: Socket, input: Input) => Promise<number>>> = {
  async startAttendanceSession(socket, { session_id, course_id }) {
    const teacher = await teacherOf(socket);
    await database.startAttendanceSession(session_id, course_id, teacher);
    const started_at = new Date();
    const active = { teacher_id: teacher.teacher_id, teacher_socket: socket.id, students: new Set<string>() };
    activeAttendanceSessions.set(session_id, { ...active, started_at, seq: 1 });
    void socket.join(say.attendanceRoom(session_id));
    const data = await sessionDataOf(session_id, 0);
    socket.emit('attendanceSessionStarted', { ...data, totalStudents: data.attendanceRecords.length });
    return 1;
  },

  async joinAttendanceSession(socket, { session_id }) {
    const active = activeSession(session_id);
    const user = await database.getUserByUID(socket.data.uid);
    const student = user && (await database.getStudentByUserId(user.user_id));
    if (!student) throw new Error('Student profile not found');
    active.students.add(student.student_id);
    void socket.join(say.attendanceRoom(session_id));
    active.seq += 1;
    io.to(active.teacher_socket).emit(
      'studentJoinedAttendance',
      say.joinedNotice(session_id, student, Date.now(), active.seq),
    );
    socket.emit('attendanceSessionJoined', { session_id, message: 'Joined attendance session' });
    return active.seq;
  },

  markStudentPresent: (socket, input) => mark(socket, input, 'markStudentPresent'),
  markStudentAbsent: (socket, input) => mark(socket, input, 'markStudentAbsent'),

  async bulkUpdateAttendance(socket, { session_id, attendanceUpdates }) {
    const teacher = await teacherOf(socket);
    const active = activeSession(session_id);
    const updatedRecords: say.RecordPayload[] = [];
    for (const { student_id, status } of attendanceUpdates) {
      const updated = await database.markStudent(session_id, student_id, status, teacher);
      active.seq += 1;
      updatedRecords.push(recordOf(session_id, updated, active.seq));
    }
    const { seq } = active;
    const updated = { session_id, updatedRecords, updated_by: teacher.name, updated_at: new Date(), seq };
    io.to(say.attendanceRoom(session_id)).emit('attendanceBulkUpdated', updated);
    const totalUpdated = updatedRecords.length;
    socket.emit('attendanceBulkUpdateComplete', { session_id, updatedRecords, totalUpdated });
    return seq;
  },

  async endAttendanceSession(socket, { session_id }) {
    const { students } = activeSession(session_id);
    const teacher = await teacherOf(socket);
    await database.endAttendanceSession(session_id);
    const finalData = await sessionDataOf(session_id, students.size);
    const ended = { session_id, finalData, ended_by: teacher.name, ended_at: new Date() };
    io.to(say.attendanceRoom(session_id)).emit('attendanceSessionEnded', ended);
    activeAttendanceSessions.delete(session_id);
    socket.emit('attendanceSessionEndedConfirm', { session_id, finalData });
    io.socketsLeave(say.attendanceRoom(session_id));
    return 0;
  },
};

async function mark(socket: Socket, { session_id, student_id }: Input, event: keyof typeof say.MARK_EVENTS) {
  const { status, answer } = say.MARK_EVENTS[event];
  const teacher = await teacherOf(socket);
  const active = activeSession(session_id);
  const updated = await database.markStudent(session_id, student_id, status, teacher);
  active.seq += 1;
  const record = recordOf(session_id, updated, active.seq);
  const { seq } = record;
  const payload = say.updatedPayload(record, updated.previous_status, teacher.name);
  io.to(say.attendanceRoom(session_id)).emit('attendanceUpdated', payload);
  socket.emit(answer, say.markedPayload(record, record));
  return seq;
}

io.on('connection', (socket) => {
  for (const [event, handle] of Object.entries(handlers)) {
    socket.on(event, async (input: Input, ack: Ack) => {
      try {
        const seq = await handle(socket, input);
        ack?.({ ok: true, seq });
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        socket.emit('attendanceError', { message });
        ack?.({ ok: false, error: { message } });
      }
    });
  }
});

httpServer.listen(0, '127.0.0.1', () => say.announce((httpServer.address() as AddressInfo).port));
process.once('SIGTERM', () => process.exit(0));
