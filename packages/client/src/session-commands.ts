import type { AttendanceStatus } from '@rollcall/protocol';
import { Emitter } from './emitter.js';
import type { Answer, Caller, CommandOptions, Payload } from './events.js';

export interface MarkExtra {
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

  markPresent(
    studentId: string,
    extra: MarkExtra = {},
    options?: CommandOptions,
  ): Promise<Answer<'markStudentPresent'>> {
    return this.caller.request('markStudentPresent', { ...this.#named(studentId), ...extra }, options);
  }

  markAbsent(studentId: string, extra: MarkExtra = {}, options?: CommandOptions): Promise<Answer<'markStudentAbsent'>> {
    return this.caller.request('markStudentAbsent', { ...this.#named(studentId), ...extra }, options);
  }

  mark(
    studentId: string,
    status: AttendanceStatus,
    extra: MarkExtra = {},
    options?: CommandOptions,
  ): Promise<Answer<'markStudentAttendance'>> {
    return this.caller.request('markStudentAttendance', { ...this.#named(studentId), ...extra, status }, options);
  }

  bulkUpdate(
    attendanceUpdates: Payload<'bulkUpdateAttendance'>['attendanceUpdates'],
    extra: { partial?: boolean; walk_in?: boolean } = {},
    options?: CommandOptions,
  ): Promise<Answer<'bulkUpdateAttendance'>> {
    const payload = { session_id: this.session_id, attendanceUpdates, ...extra };
    return this.caller.request('bulkUpdateAttendance', payload, options);
  }

  /** Puts off the end of a session that nobody uses; resolves with `ends_at`, null where it doesn't end by itself. */
  keepAlive(options?: CommandOptions): Promise<Answer<'keepAttendanceSessionAlive'>> {
    return this.caller.request('keepAttendanceSessionAlive', { session_id: this.session_id }, options);
  }

  /** Ends the session for everybody. */
  end(options?: CommandOptions): Promise<Answer<'endAttendanceSession'>> {
    return this.caller.request('endAttendanceSession', { session_id: this.session_id }, options);
  }

  #named(studentId: string): { session_id: string; student_id: string } {
    return { session_id: this.session_id, student_id: studentId };
  }
}
