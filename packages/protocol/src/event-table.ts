import type { ClientEventName } from './client-events.js';
import type { ServerEventName } from './server-events.js';

interface ClientEventNote {
  /** What it does, in a sentence. */
  readonly summary: string;
  /** Who may send it. */
  readonly who: string;
}

interface ServerEventNote {
  /** What it says, in a sentence. */
  readonly summary: string;
  /** Who gets it. */
  readonly to: string;
}

const sessionTeacher = 'A teacher of the session, or an admin.';
const courseMember = "The course's teachers and approved students, or an admin.";

/** What the reference says of each event of a client. */
export const clientEventTable: Readonly<Record<ClientEventName, ClientEventNote>> = {
  startAttendanceSession: {
    summary:
      'Starts a scheduled session, makes a session of a new id, or attaches a teacher to a session that is active already.',
    who: "The teacher of the session's course, a co-teacher of it, or an admin; for a new session without a course any teacher.",
  },
  joinAttendanceSession: {
    summary: 'Checks the student in, once per session, and puts the socket into the room of the session.',
    who: 'A student with an approved enrolment in the course; any student where the session has no course.',
  },
  leaveAttendanceSession: {
    summary: 'Takes the socket out of the room of the session. A late or needless leave is no error.',
    who: 'A student.',
  },
  markStudentPresent: { summary: 'Marks one student present.', who: sessionTeacher },
  markStudentAbsent: { summary: 'Marks one student absent.', who: sessionTeacher },
  markStudentAttendance: { summary: 'Gives one student any of the four statuses.', who: sessionTeacher },
  clearStudentMark: {
    summary: 'Takes a mark back: the record is as before anybody marked the student.',
    who: sessionTeacher,
  },
  bulkUpdateAttendance: {
    summary: 'Marks up to 5,000 students in one commit: all of them or, unless `partial` is true, none.',
    who: sessionTeacher,
  },
  getAttendanceSessionData: {
    summary: 'Reads a session, whole or as the changes after `since_seq`, and attaches the teacher to it.',
    who: sessionTeacher,
  },
  watchAttendanceSession: { summary: 'Attaches the teacher to a session and reads it.', who: sessionTeacher },
  getOnlineStudents: { summary: 'Lists the students who are connected to the session now.', who: sessionTeacher },
  endAttendanceSession: { summary: 'Ends an active session.', who: sessionTeacher },
  amendAttendance: {
    summary: 'Changes a record of a session that is over, and says why.',
    who: sessionTeacher,
  },
  keepAttendanceSessionAlive: {
    summary: 'Puts off the end of a session that nobody uses; any other command of a teacher does so too.',
    who: sessionTeacher,
  },
  subscribeToCourse: {
    summary: 'Puts the socket into the room of the course, where starts and ends of its sessions are told.',
    who: courseMember,
  },
  unsubscribeFromCourse: {
    summary: 'Takes the socket out of the room of the course. A needless one is no error.',
    who: 'Whoever is connected.',
  },
  checkActiveSessions: {
    summary: "Lists the active sessions of a course or, without one, of the user's own courses and rosters.",
    who: courseMember,
  },
  getActiveSessions: { summary: '`checkActiveSessions` under another name.', who: courseMember },
  refreshToken: {
    summary: 'Replaces the token of the connection by a newer one of the same user.',
    who: 'Whoever is connected.',
  },
};

const caller = 'The calling socket.';
const teacherRoom = 'The teachers attached to the session.';
const participants = 'Participants and the teachers attached to the session.';
const courseRoom = 'Sockets subscribed to the course.';
const activeSessionsTo = 'The calling socket; at a start and an end, sockets subscribed to the course.';

/** What the reference says of each event of the server. */
export const serverEventTable: Readonly<Record<ServerEventName, ServerEventNote>> = {
  attendanceSessionStarted: { summary: 'The session is active: here it is, with every record.', to: caller },
  attendanceSessionJoined: { summary: 'The student is checked in.', to: caller },
  attendanceSessionLeft: { summary: 'The socket is out of the room of the session.', to: caller },
  studentJoinedAttendance: { summary: 'A student came online, once whatever the number of sockets.', to: teacherRoom },
  studentLeftAttendance: {
    summary: 'A student left or lost the connection and was not back within 5 s.',
    to: teacherRoom,
  },
  studentLeft: { summary: '`studentLeftAttendance` under another name.', to: teacherRoom },
  attendanceUpdated: {
    summary: 'One record changed. Under visibility `private` students get changes of their own record only.',
    to: participants,
  },
  studentMarkedPresent: { summary: 'The mark `present` is stored.', to: caller },
  studentMarkedAbsent: { summary: 'The mark `absent` is stored.', to: caller },
  studentMarkedLate: { summary: 'The mark `late` is stored.', to: caller },
  studentMarkedExcused: { summary: 'The mark `excused` is stored.', to: caller },
  studentMarkCleared: { summary: 'The mark is taken back.', to: caller },
  attendanceSessionData: {
    summary: 'A session with every record or, where `since_seq` was sent, with every change after it.',
    to: caller,
  },
  attendanceBulkUpdated: {
    summary:
      'Several records changed at once. Under visibility `private` students get their own record only, and nothing where it did not change.',
    to: participants,
  },
  attendanceChanges: {
    summary: 'The marks of one commit in one frame, instead of an attendanceUpdated each and of attendanceBulkUpdated.',
    to: 'Sockets that announced `auth.client.batched: true`: teachers, and participants unless visibility is `private`.',
  },
  attendanceBulkUpdateComplete: { summary: 'The bulk update is stored.', to: caller },
  attendanceSessionEnded: {
    summary:
      "The session is over. In a large session, and under visibility `private`, students' finalData holds their own record only.",
    to: participants,
  },
  attendanceSessionEndedConfirm: { summary: 'The session is ended: here it is, with every record.', to: caller },
  attendanceAmended: {
    summary: 'A record of a session that is over was amended. What the session’s end told stays as it was.',
    to: 'The calling socket; teachers who have read the session after its end.',
  },
  attendanceCode: {
    summary: 'The check-in code of this moment, under policy check_in `code`.',
    to: 'The teachers attached to the session, at each change of the code; a teacher’s socket whenever it attaches.',
  },
  attendanceSessionExpiring: {
    summary: 'The session will end by itself unless something happens, or because it has lasted as long as it may.',
    to: 'The teachers attached to the session, 2 minutes before.',
  },
  attendanceStatistics: {
    summary: 'How the session stands, at most 4 times a second.',
    to: 'The teachers attached to the session; after marks participants too, unless visibility is `private`.',
  },
  courseSessionStarted: { summary: 'A session of the course has started.', to: courseRoom },
  courseSessionEnded: { summary: 'A session of the course has ended.', to: courseRoom },
  activeSessionsData: {
    summary: 'The active sessions, when asked for and whenever one of the course starts or ends.',
    to: activeSessionsTo,
  },
  currentActiveSessions: { summary: '`activeSessionsData` under another name, in answers.', to: caller },
  activeSessionsError: { summary: 'A command on a course was refused.', to: caller },
  onlineStudentsData: { summary: 'The students who are connected to the session now.', to: caller },
  attendanceError: { summary: 'A command was refused for good.', to: caller },
  sessionExpired: {
    summary: 'The token has expired; the connection is closed within 5 s unless `refreshToken` comes first.',
    to: 'The socket whose token expired.',
  },
};
