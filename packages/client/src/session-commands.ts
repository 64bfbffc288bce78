import type { AttendanceStatus } from '@rollcall/protocol';
import { Emitter } from './emitter.js';
import type { Answer, Caller, CommandOptions, Payload } from './events.js';

export interface MarkExtra {
  /** Up to 1,000 characters; left out keeps what is there, empty clears it. */
  readonly remarks?: string;
  /** Adds a known student who isn't on the roster. */
  readonly walk_in?: boolean;
}

/** The commands of one session. */
export class SessionCommands<Events extends object> extends Emitter<Events> {
  readonly session_id: string;
  protected readonly caller: Caller;

  constructor(caller: Caller, sessionId: string) {
    super();
    this.caller = caller;
    this.session_id = sessionId;
  }

  /** `mark` with the status `present`. */
  markPresent(
    studentId: string,
    extra: MarkExtra = {},
    options?: CommandOptions,
  ): Promise<Answer<'markStudentPresent'>> {
    return this.caller.request('markStudentPresent', { ...this.#named(studentId), ...extra }, options);
  }

  /** `mark` with the status `absent`. */
  markAbsent(studentId: string, extra: MarkExtra = {}, options?: CommandOptions): Promise<Answer<'markStudentAbsent'>> {
    return this.caller.request('markStudentAbsent', { ...this.#named(studentId), ...extra }, options);
  }

  /**
   * Gives a student one of the four statuses. Resolves with the record once the mark is stored; a `change` tells of it
   * too.
   *
   * @param studentId the student's profile id, user id or uid
   * @throws {RollcallClientError} STUDENT_NOT_FOUND, SESSION_ENDED, NOT_SESSION_TEACHER and others
   */
  mark(
    studentId: string,
    status: AttendanceStatus,
    extra: MarkExtra = {},
    options?: CommandOptions,
  ): Promise<Answer<'markStudentAttendance'>> {
    return this.caller.request('markStudentAttendance', { ...this.#named(studentId), ...extra, status }, options);
  }

  /**
   * Marks 1 to 5,000 students in one commit: all of them or, with `partial: true`, those whose rows are good.
   *
   * @throws {RollcallClientError} with the bad rows in `details`, where the whole was refused
   */
  bulkUpdate(
    attendanceUpdates: Payload<'bulkUpdateAttendance'>['attendanceUpdates'],
    extra: { partial?: boolean; walk_in?: boolean } = {},
    options?: CommandOptions,
  ): Promise<Answer<'bulkUpdateAttendance'>> {
    const payload = { session_id: this.session_id, attendanceUpdates, ...extra };
    return this.caller.request('bulkUpdateAttendance', payload, options);
  }

  /**
   * Puts off the end of a session that nobody uses. Resolves with `ends_at`, a time in ISO 8601, null where the session
   * doesn't end by itself.
   */
  keepAlive(options?: CommandOptions): Promise<Answer<'keepAttendanceSessionAlive'>> {
    return this.caller.request('keepAttendanceSessionAlive', { session_id: this.session_id }, options);
  }

  /** Ends the session for everybody, for good. Resolves with its final records and statistics. */
  end(options?: CommandOptions): Promise<Answer<'endAttendanceSession'>> {
    return this.caller.request('endAttendanceSession', { session_id: this.session_id }, options);
  }

  #named(studentId: string): { session_id: string; student_id: string } {
    return { session_id: this.session_id, student_id: studentId };
  }
}
