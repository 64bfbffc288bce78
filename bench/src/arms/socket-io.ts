import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import type { SchoolSize } from '../school.js';
import { teacherName } from '../school.js';
import * as say from './payloads.js';
import { numberOf, RememberedSchool, uidOf } from './remembered-school.js';

/*
 * Arm B: Socket.IO as one uses it when nothing has to be kept. Same events, same frames to the same people; no
 * storage, no checks, not even of the token.
 */

type Ack = ((answer: object) => void) | undefined;
interface Named {
  readonly session_id: string;
}

const school = new RememberedSchool(JSON.parse(process.argv[2] ?? '') as SchoolSize);
const sessions = new Map<string, { readonly course: number; seq: number }>();
const httpServer = createServer();
const io = new Server(httpServer, { serveClient: false, maxHttpBufferSize: 6 * 1024 * 1024 });

const sessionOf = (session_id: string) => {
  const session = sessions.get(session_id);
  if (!session) throw new Error(`${session_id} was not started`);
  return session;
};

io.on('connection', (socket) => {
  const n = numberOf(uidOf(socket.handshake.auth['token']));
  const answer = (ack: Ack, event: string, payload: object, seq: number) => {
    ack?.({ ok: true, ...payload, seq });
    socket.emit(event, payload);
  };

  socket.on('startAttendanceSession', ({ session_id, course_id }: Named & { course_id: string }, ack: Ack) => {
    const course = numberOf(course_id);
    sessions.set(session_id, { course, seq: 1 });
    void socket.join([say.attendanceRoom(session_id), say.teacherRoom(session_id)]);
    const row = school.row('absent', null);
    const attendanceRecords = school
      .studentsOf(course)
      .map((student) => say.teacherRecordPayload(session_id, student, row, 1));
    const payload = {
      session_id,
      session: say.sessionPayload(school.session(session_id, course, Date.now())),
      totalStudents: attendanceRecords.length,
      attendanceRecords,
      policy: say.policyPayload,
      statistics: say.statisticsOf(attendanceRecords, 0),
      seq: 1,
    };
    answer(ack, 'attendanceSessionStarted', payload, 1);
  });

  socket.on('joinAttendanceSession', ({ session_id }: Named, ack: Ack) => {
    const session = sessionOf(session_id);
    const at = Date.now();
    const student = school.student(n);
    void socket.join(say.attendanceRoom(session_id));
    session.seq += 1;
    const { seq } = session;
    const record = say.recordPayload(session_id, student, school.row('absent', null), seq);
    answer(ack, 'attendanceSessionJoined', say.joinedPayload(record, at, seq), seq);
    io.to(say.teacherRoom(session_id)).emit('studentJoinedAttendance', say.joinedNotice(session_id, student, at, seq));
  });

  for (const [event, { status, answer: answered }] of Object.entries(say.MARK_EVENTS)) {
    socket.on(event, ({ session_id, student_id }: Named & { student_id: string }, ack: Ack) => {
      const session = sessionOf(session_id);
      session.seq += 1;
      const by = teacherName(session.course);
      const row = school.row(status, { at: Date.now(), by });
      const record = say.recordPayload(session_id, school.student(numberOf(student_id)), row, session.seq);
      answer(ack, answered, say.markedPayload(record, record), session.seq);
      const payload = say.updatedPayload(record, status === 'present' ? 'absent' : 'present', by);
      io.to(say.attendanceRoom(session_id)).emit('attendanceUpdated', payload);
    });
  }

  type Update = { readonly student_id: string; readonly status: 'present' | 'absent' };
  socket.on('bulkUpdateAttendance', (input: Named & { readonly attendanceUpdates: readonly Update[] }, ack: Ack) => {
    const { session_id, attendanceUpdates } = input;
    const session = sessionOf(session_id);
    const at = Date.now();
    const by = teacherName(session.course);
    const updatedRecords = attendanceUpdates.map(({ student_id, status }) => {
      session.seq += 1;
      const row = school.row(status, { at, by });
      return say.recordPayload(session_id, school.student(numberOf(student_id)), row, session.seq);
    });
    const { seq } = session;
    const complete = { session_id, updatedRecords, totalUpdated: updatedRecords.length, failed: [] };
    answer(ack, 'attendanceBulkUpdateComplete', complete, seq);
    const updated = { session_id, updatedRecords, updated_by: by, updated_at: new Date(at).toISOString(), seq };
    io.to(say.attendanceRoom(session_id)).emit('attendanceBulkUpdated', updated);
  });

  socket.on('endAttendanceSession', ({ session_id }: Named, ack: Ack) => {
    sessions.delete(session_id);
    const finalData = { session_id };
    answer(ack, 'attendanceSessionEndedConfirm', { session_id, finalData }, 0);
    io.to(say.attendanceRoom(session_id)).emit('attendanceSessionEnded', { session_id, finalData });
    io.socketsLeave([say.attendanceRoom(session_id), say.teacherRoom(session_id)]);
  });
});

httpServer.listen(0, '127.0.0.1', () => say.announce((httpServer.address() as AddressInfo).port));
process.once('SIGTERM', () => process.exit(0));
