import type { ClientEventName } from '@rollcall/protocol';
import { createApi, type RollcallApi } from './api.js';
import { Connection } from './connection.js';
import { Emitter } from './emitter.js';
import { RollcallClientError } from './errors.js';
import type {
  Answer,
  Caller,
  ClientEvents,
  CommandOptions,
  ConnectionState,
  Payload,
  SessionChanges,
  SessionSnapshot,
} from './events.js';
import type { Lane } from './lanes.js';
import { LiveSession } from './live-session.js';
import { newOpId } from './op-id.js';
import { assertCommand, type ConnectOptions, settingsOf } from './options.js';
import { type Link, Outbox } from './outbox.js';

/** Commands that change something, and how much of a session. */
const CHANGES: Partial<Record<string, 'session' | 'student'>> = {
  startAttendanceSession: 'session',
  joinAttendanceSession: 'session',
  leaveAttendanceSession: 'session',
  bulkUpdateAttendance: 'session',
  endAttendanceSession: 'session',
  markStudentPresent: 'student',
  markStudentAbsent: 'student',
  markStudentAttendance: 'student',
  clearStudentMark: 'student',
  amendAttendance: 'student',
};

/**
 * One user's connection to a Rollcall server. Every method sends one command and resolves with its answer; what is
 * called without a connection waits for one. Rejects with RollcallClientError.
 */
export class RollcallClient extends Emitter<ClientEvents> implements Caller {
  /** The HTTP API, with the same token. It needs no connection. */
  readonly api: RollcallApi;
  readonly #deadline: number;
  readonly #outbox: Outbox;
  readonly #connection: Connection;
  readonly #courses = new Set<string>();
  readonly #unsubscriptions = new Map<string, number>();
  readonly #watched = new Set<string>();
  readonly #restoring = new Set<string>();
  #state: ConnectionState = 'connecting';
  #error: RollcallClientError | undefined;

  constructor(options: ConnectOptions) {
    super();
    const { timeout, deadline, apiPath, ...connection } = settingsOf(options);
    const { url, token } = connection;
    this.api = createApi({ url, token, path: apiPath, timeout, deadline });
    this.#deadline = deadline;
    this.#outbox = new Outbox({ timeout });
    this.#connection = new Connection(
      { ...connection, connectTimeout: timeout },
      {
        up: (link) => this.#up(link),
        down: (reason) => this.#down(reason),
        over: (error) => this.#over(error),
        event: (name, payload) => this.#take(name, payload),
      },
    );
    void this.#connection.run();
  }

  /** Whether there is a connection; `on('state', …)` tells of changes. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** Number of requests that have no answer yet. */
  get pending(): number {
    return this.#outbox.size;
  }

  /**
   * Resolves once there is a connection, at once where there is one.
   *
   * @throws {RollcallClientError} UNAUTHENTICATED where the token was refused for good, CLOSED after `close`
   * @throws the signal's reason, once it fires
   */
  async ready({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    while (this.#state !== 'connected') {
      if (this.#error) throw this.#error;
      await this.once('state', signal ? { signal } : {});
    }
  }

  /** Ends the connection for good. Commands without an answer are rejected with CLOSED. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#over(new RollcallClientError('CLOSED', 'The client was closed'));
    this.#connection.close();
  }

  /**
   * Starts a session, or comes back to one that is active already, as its teacher. Without a session of this id one is
   * made, of `course_id` where that is given. Resolves with the session, every record and the statistics.
   *
   * @throws {RollcallClientError} NOT_SESSION_TEACHER, SESSION_ENDED, COURSE_NOT_FOUND and others of the server's
   */
  start(
    payload: Payload<'startAttendanceSession'>,
    options?: CommandOptions,
  ): Promise<Answer<'startAttendanceSession'>> {
    return this.request('startAttendanceSession', payload, options);
  }

  /**
   * Checks a student in, once for each session; later calls come back to it. `joinSession` does more. Resolves with the
   * student's own record once the check-in is stored.
   *
   * @param payload with `code` where check-ins need one: its digits, its words or its whole link
   * @throws {RollcallClientError} CODE_REQUIRED, CODE_INVALID, CODE_EXPIRED, SESSION_NOT_ACTIVE and others
   */
  join(payload: Payload<'joinAttendanceSession'>, options?: CommandOptions): Promise<Answer<'joinAttendanceSession'>> {
    return this.request('joinAttendanceSession', payload, options);
  }

  /** Tells the teachers that a student has gone. The check-in stays, and one that was never made is no error. */
  leave(
    payload: Payload<'leaveAttendanceSession'>,
    options?: CommandOptions,
  ): Promise<Answer<'leaveAttendanceSession'>> {
    return this.request('leaveAttendanceSession', payload, options);
  }

  /**
   * Gives a student one of the four statuses. Resolves with the record once the mark is stored.
   *
   * @param payload `remarks`: up to 1,000 characters; left out keeps what is there, empty clears it. `walk_in: true` adds
   *   a known student who isn't on the roster
   * @throws {RollcallClientError} STUDENT_NOT_FOUND, SESSION_NOT_ACTIVE, SESSION_ENDED, NOT_SESSION_TEACHER and others
   */
  mark(payload: Payload<'markStudentAttendance'>, options?: CommandOptions): Promise<Answer<'markStudentAttendance'>> {
    return this.request('markStudentAttendance', payload, options);
  }

  /** Takes a mark back: the record is as before anybody marked the student. */
  clearMark(payload: Payload<'clearStudentMark'>, options?: CommandOptions): Promise<Answer<'clearStudentMark'>> {
    return this.request('clearStudentMark', payload, options);
  }

  /** Changes a record of a session that is over. @throws {RollcallClientError} SESSION_ACTIVE while it runs */
  amend(payload: Payload<'amendAttendance'>, options?: CommandOptions): Promise<Answer<'amendAttendance'>> {
    return this.request('amendAttendance', payload, options);
  }

  /** `mark` with the status `present`. */
  markPresent(payload: Payload<'markStudentPresent'>, options?: CommandOptions): Promise<Answer<'markStudentPresent'>> {
    return this.request('markStudentPresent', payload, options);
  }

  /** `mark` with the status `absent`. */
  markAbsent(payload: Payload<'markStudentAbsent'>, options?: CommandOptions): Promise<Answer<'markStudentAbsent'>> {
    return this.request('markStudentAbsent', payload, options);
  }

  /**
   * Marks 1 to 5,000 students in one commit: all of them or, with `partial: true`, those whose rows are good. Resolves
   * with the records of all who were named and, under `failed`, the rows that weren't.
   *
   * @throws {RollcallClientError} with the bad rows in `details`, where the whole was refused
   */
  bulkUpdate(
    payload: Payload<'bulkUpdateAttendance'>,
    options?: CommandOptions,
  ): Promise<Answer<'bulkUpdateAttendance'>> {
    return this.request('bulkUpdateAttendance', payload, options);
  }

  /** Ends a session for everybody, for good. Resolves with its final records and statistics. */
  end(payload: Payload<'endAttendanceSession'>, options?: CommandOptions): Promise<Answer<'endAttendanceSession'>> {
    return this.request('endAttendanceSession', payload, options);
  }

  /**
   * Puts off the end of a session that nobody uses. Resolves with `ends_at`, a time in ISO 8601, null where the session
   * doesn't end by itself.
   */
  keepAlive(sessionId: string, options?: CommandOptions): Promise<Answer<'keepAttendanceSessionAlive'>> {
    return this.request('keepAttendanceSessionAlive', { session_id: sessionId }, options);
  }

  /**
   * Reads a session: with every record or, with `since_seq`, with every change after it. Where `since_seq` is above the
   * end of the server's journal, or `since_chain` doesn't fit it, the answer is the whole with `reset: true`.
   */
  getSessionData(payload: { session_id: string }, options?: CommandOptions): Promise<SessionSnapshot>;
  getSessionData(
    payload: { session_id: string; since_seq: number; since_chain?: string },
    options?: CommandOptions,
  ): Promise<SessionSnapshot | SessionChanges>;
  getSessionData(
    payload: Payload<'getAttendanceSessionData'>,
    options?: CommandOptions,
  ): Promise<SessionSnapshot | SessionChanges> {
    return this.request('getAttendanceSessionData', payload, options);
  }

  /** Gets a teacher everything of a session from now on, also after reconnects. `openSession` does more. */
  async watch(
    payload: Payload<'watchAttendanceSession'>,
    options?: CommandOptions,
  ): Promise<Answer<'watchAttendanceSession'>> {
    const answer = await this.request('watchAttendanceSession', payload, options);
    this.#watched.add(payload.session_id);
    return answer;
  }

  /** Lists the students who are connected to a session now, for its teachers. */
  onlineStudents(
    payload: Payload<'getOnlineStudents'>,
    options?: CommandOptions,
  ): Promise<Answer<'getOnlineStudents'>> {
    return this.request('getOnlineStudents', payload, options);
  }

  /** Lists the sessions that are active now, of one course or of all of the user's own. */
  activeSessions(
    payload: Payload<'checkActiveSessions'> = {},
    options?: CommandOptions,
  ): Promise<Answer<'checkActiveSessions'>> {
    return this.request('checkActiveSessions', payload, options);
  }

  /**
   * Gets the user notices of a course's sessions from now on, also after reconnects: `courseSessionStarted`,
   * `courseSessionEnded` and `activeSessionsData`. Resolves with the sessions that are active.
   *
   * @throws {RollcallClientError} COURSE_NOT_FOUND, FORBIDDEN and others
   */
  async subscribeToCourse(
    payload: Payload<'subscribeToCourse'>,
    options?: CommandOptions,
  ): Promise<Answer<'subscribeToCourse'>> {
    const { course_id } = payload;
    const before = this.#unsubscriptions.get(course_id);
    const answer = await this.request('subscribeToCourse', payload, options);
    // Whoever has unsubscribed meanwhile isn't subscribed again after a reconnect.
    if (this.#unsubscriptions.get(course_id) === before) this.#courses.add(course_id);
    return answer;
  }

  /** Ends the notices of a course. A needless call is no error. */
  async unsubscribeFromCourse(payload: Payload<'unsubscribeFromCourse'>, options?: CommandOptions): Promise<void> {
    const { course_id } = payload;
    this.#courses.delete(course_id);
    this.#unsubscriptions.set(course_id, (this.#unsubscriptions.get(course_id) ?? 0) + 1);
    await this.request('unsubscribeFromCourse', payload, options);
  }

  /**
   * Follows a session as its teacher; with `start`, starts it first, or comes back to it where it runs already.
   * Resolves once the session's state is there. A session that is over is read as it ended.
   *
   * @param options those of the first command, which starts or reads the session; following it has no deadline
   * @throws {RollcallClientError} SESSION_NOT_FOUND, NOT_SESSION_TEACHER, with `start` SESSION_ENDED, and others
   */
  openSession(
    sessionId: string,
    options: CommandOptions & { start?: Omit<Payload<'startAttendanceSession'>, 'session_id'> } = {},
  ): Promise<LiveSession> {
    const { start, ...command } = options;
    return LiveSession.open(this, {
      session_id: sessionId,
      role: 'teacher',
      first: start
        ? () => this.start({ ...start, session_id: sessionId }, command)
        : () => this.getSessionData({ session_id: sessionId }, command),
    });
  }

  /**
   * Checks in to a session as a student and follows it. Resolves once the check-in is stored.
   *
   * @param options `code` where check-ins need one: its digits, its words or its whole link
   * @throws {RollcallClientError} as `join`
   */
  joinSession(sessionId: string, options: CommandOptions & { code?: string } = {}): Promise<LiveSession> {
    const { code, ...command } = options;
    const payload = { session_id: sessionId, ...(code === undefined ? {} : { code }) };
    return LiveSession.open(this, {
      session_id: sessionId,
      role: 'student',
      first: () => this.join(payload, command),
    });
  }

  /**
   * Sends a command and resolves with its answer; the methods above are named forms of it. What is called without a
   * connection waits for one, and what isn't answered is sent again with the same op_id until the deadline.
   *
   * @throws {RollcallClientError} the server's refusal, or TIMEOUT, ABORTED or CLOSED
   * @throws {TypeError} for a payload or options that aren't what they have to be; the payload's fields are the
   *   server's to check
   */
  request<Name extends ClientEventName>(
    event: Name,
    payload: Payload<Name>,
    options: CommandOptions = {},
  ): Promise<Answer<Name>> {
    return this.#request(event, payload, options) as Promise<Answer<Name>>;
  }

  /** Asynchronous, so that what is wrong with the arguments rejects, and throws nothing at the caller. */
  async #request(event: string, payload: object, options: CommandOptions): Promise<unknown> {
    assertCommand(event, payload, options);
    const extent = CHANGES[event];
    const { session_id, student_id, since_seq } = payload as {
      session_id?: string;
      student_id?: string;
      since_seq?: number;
    };
    // A join that catches up changes nothing, and the server needn't remember it.
    const op_id = options.op_id ?? (extent && since_seq === undefined ? newOpId() : undefined);
    const lane: Lane | undefined =
      extent && session_id !== undefined
        ? { session_id, student_id: extent === 'student' ? (student_id ?? null) : null }
        : undefined;
    return this.#outbox.request({
      event,
      payload: op_id === undefined ? payload : { ...payload, op_id },
      op_id,
      lane,
      deadline: options.deadline ?? this.#deadline,
      signal: options.signal,
    });
  }

  #up(link: Link): void {
    this.#outbox.up(link);
    this.#restore();
    this.#change('connected');
  }

  #take(name: string, payload: unknown): void {
    if (name === 'attendanceSessionEnded') this.#watched.delete((payload as { session_id: string }).session_id);
    // What the server sends is what the protocol says it sends; names it doesn't know have no listeners.
    this.emit(name as keyof ClientEvents, payload as never);
  }

  #down(reason: string): void {
    this.#outbox.down(reason);
    this.#change(this.#state === 'connecting' ? 'connecting' : 'offline', reason);
  }

  #over(error: RollcallClientError): void {
    if (this.#error) return;
    this.#error = error;
    this.#outbox.close(error);
    this.#change('closed', error.message);
  }

  #change(state: ConnectionState, reason?: string): void {
    if (this.#state === 'closed') return;
    this.#state = state;
    this.emit('state', { state, ...(reason === undefined ? {} : { reason }) });
  }

  /** Enters the rooms that the server doesn't put a user back into by itself. */
  #restore(): void {
    for (const course_id of this.#courses) {
      this.#again(`course ${course_id}`, 'subscribeToCourse', { course_id }, () => this.#courses.delete(course_id));
    }
    for (const session_id of this.#watched) {
      this.#again(`session ${session_id}`, 'watchAttendanceSession', { session_id }, () =>
        this.#watched.delete(session_id),
      );
    }
  }

  #again(key: string, event: ClientEventName, payload: object, forget: () => void): void {
    // One that is still under way is sent again by the outbox.
    if (this.#restoring.has(key)) return;
    this.#restoring.add(key);
    this.#request(event, payload, { deadline: Number.POSITIVE_INFINITY })
      .catch(forget)
      .finally(() => this.#restoring.delete(key));
  }
}

/**
 * Connects a user to a Rollcall server. Returns at once: what is asked of the client waits for the connection.
 *
 * @throws {TypeError} without a url or a token, and for an option that isn't what it has to be, which it names
 */
export const connect = (options: ConnectOptions): RollcallClient => new RollcallClient(options);
