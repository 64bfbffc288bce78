import type { CourseId, SessionId, StudentId } from '@rollcall/protocol';
import { LRUCache } from 'lru-cache';
import type { LiveSession } from '../../register/live-session.js';

/** Remembers names: all sockets of a session then hold one string, and not one each. */
function remembered<Id extends string>(nameOf: (id: Id) => string): (id: Id) => string {
  const names = new LRUCache<Id, string>({ max: 1_000 });
  return (id) => {
    let name = names.get(id);
    if (name === undefined) {
      name = nameOf(id);
      names.set(id, name);
    }
    return name;
  };
}

/**
 * Names of rooms. The first two are the protocol's; ours begin with another word and a colon, so that no id that a
 * client chooses can turn one into another.
 */
export const attendanceRoom = remembered((sessionId: SessionId) => `attendance_${sessionId}`);
export const courseRoom = remembered((courseId: CourseId) => `course_${courseId}`);
export const teacherRoom = remembered((sessionId: SessionId) => `rollcall:teachers:${sessionId}`);
/**
 * Who gets changes one by one, as the seed has it, and who gets a commit's changes in one frame: each socket of
 * `attendanceRoom` is in one of the first two, each of `teacherRoom` in one of the others.
 */
export const eachRoom = remembered((sessionId: SessionId) => `rollcall:each:${sessionId}`);
export const batchedRoom = remembered((sessionId: SessionId) => `rollcall:batched:${sessionId}`);
export const teachersEachRoom = remembered((sessionId: SessionId) => `rollcall:teachers-each:${sessionId}`);
export const teachersBatchedRoom = remembered((sessionId: SessionId) => `rollcall:teachers-batched:${sessionId}`);
/** Screens that show the check-in code and the statistics, and no name. */
export const displayRoom = remembered((sessionId: SessionId) => `rollcall:displays:${sessionId}`);
/** Teachers who have read a session that is over. */
export const amendmentsRoom = remembered((sessionId: SessionId) => `rollcall:amendments:${sessionId}`);
/**
 * The sockets of one student in one session. A socket's id is the name of a room that it alone is in: a room for each
 * student would cost every connection several hundred bytes.
 */
export const ownRooms = ({ presence }: LiveSession, studentId: StudentId): readonly string[] =>
  presence.socketsOf(studentId);

/** All rooms of a session. */
export const roomsOfSession = (sessionId: SessionId): string[] => [
  attendanceRoom(sessionId),
  eachRoom(sessionId),
  batchedRoom(sessionId),
  teacherRoom(sessionId),
  teachersEachRoom(sessionId),
  teachersBatchedRoom(sessionId),
  displayRoom(sessionId),
];

/** True for a name of a room that is Rollcall's. */
export const isRollcalls = (room: string): boolean => /^(attendance_|course_|rollcall:)/.test(room);
