// The usage example of the protocol in plain JavaScript, as an app without our SDK would write it.
//   npm start                        in one terminal
//   node examples/usage.mjs [URL]    in another
// Tokens of other people: TEACHER_TOKEN, STUDENT_TOKEN and STUDENT_ID in the environment.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { io } from 'socket.io-client';

const url = process.argv[2] ?? `http://localhost:${process.env.CHAT_PORT ?? 4002}`;
const rollcall = fileURLToPath(new URL('../packages/server/bin/rollcall.js', import.meta.url));
const signed = (uid) => execFileSync(process.execPath, [rollcall, 'token', '--uid', uid], { encoding: 'utf8' }).trim();
const teacherToken = process.env.TEACHER_TOKEN ?? signed('ada');
const studentToken = process.env.STUDENT_TOKEN ?? signed('student123');
const student_id = process.env.STUDENT_ID ?? 'student123';
// An id of its own each time: a session that has ended stays ended.
const session_id = `usage-${Date.now()}`;

const teacher = io(url, { auth: { token: teacherToken } });
const student = io(url, { auth: { token: studentToken } });

for (const socket of [teacher, student]) {
  for (const event of ['connect_error', 'attendanceError']) {
    socket.on(event, ({ message }) => {
      console.error(`${event}: ${message}`);
      process.exit(1);
    });
  }
}

teacher.emit('startAttendanceSession', { session_id });
teacher.on('attendanceSessionStarted', (data) => {
  console.log('Session started:', data);
  student.emit('joinAttendanceSession', { session_id });
});

student.on('attendanceSessionJoined', (data) => {
  console.log('Joined session:', data);
  teacher.emit('markStudentPresent', { session_id, student_id });
});

student.on('attendanceUpdated', (data) => {
  console.log('The student sees:', data.status, 'by', data.updated_by);
});

teacher.on('studentMarkedPresent', (data) => {
  console.log('Student marked present:', data);
  teacher.emit('endAttendanceSession', { session_id });
});

teacher.on('attendanceSessionEndedConfirm', (data) => {
  console.log('Session ended:', data.finalData.statistics);
  teacher.close();
  student.close();
});
