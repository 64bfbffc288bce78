import type { AttendanceStatus } from '@rollcall/protocol';
import { Emitter } from './emitter.js';
import type { Answer, Caller, CommandOptions, Payload } from './events.js';

export interface MarkExtra {
  /** Up to 1,000 characters; left out keeps what is there, empty clears it. */
  readonly remarks?: string;
  /** Adds a known student who isn't on the roster. */
  readonly walk_in?: boolean;
  /** The record's seq as it was shown: where the record was changed since, the mark is refused with CONFLICT. */
  readonly expected_seq?: number;
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

  /** Takes a mark back: the record is as before anybody marked the student. */
  clearMark(
    studentId: string,
    extra: { readonly expected_seq?: number } = {},
    options?: CommandOptions,
  ): Promise<Answer<'clearStudentMark'>> {
    return this.caller.request('clearStudentMark', { ...this.#named(studentId), ...extra }, options);
  }

  /**
   * Changes a record once the session is over.
   *
   * @param reason why, in 1 to 1,000 characters; it is kept in the session's history
   * @throws {RollcallClientError} SESSION_ACTIVE while the session runs
   */
  amend(
    studentId: string,
    status: AttendanceStatus,
    reason: string,
    extra: { readonly remarks?: string; readonly expected_seq?: number } = {},
    options?: CommandOptions,
  ): Promise<Answer<'amendAttendance'>> {
    return this.caller.request('amendAttendance', { ...this.#named(studentId), ...extra, status, reason }, options);
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
