import type { ClientEventName } from '@rollcall/protocol';
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
};

/**
 * One user's connection to a Rollcall server. Every method sends one command and resolves with its answer; what is
 * called without a connection waits for one. Rejects with RollcallClientError.
 */
export class RollcallClient extends Emitter<ClientEvents> implements Caller {
  readonly #deadline: number;
  readonly #outbox: Outbox;
  readonly #connection: Connection;
  readonly #courses = new Set<string>();
  readonly #watched = new Set<string>();
  readonly #restoring = new Set<string>();
  #state: ConnectionState = 'connecting';
  #error: RollcallClientError | undefined;

  constructor(options: ConnectOptions) {
    super();
    const { timeout, deadline, ...connection } = settingsOf(options);
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

  get state(): ConnectionState {
    return this.#state;
  }

  /** Number of requests that have no answer yet. */
  get pending(): number {
    return this.#outbox.size;
  }

  /** Resolves once there is a connection; rejects where there will be none. */
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

  start(
    payload: Payload<'startAttendanceSession'>,
    options?: CommandOptions,
  ): Promise<Answer<'startAttendanceSession'>> {
    return this.request('startAttendanceSession', payload, options);
  }

  join(payload: Payload<'joinAttendanceSession'>, options?: CommandOptions): Promise<Answer<'joinAttendanceSession'>> {
    return this.request('joinAttendanceSession', payload, options);
  }

  leave(
    payload: Payload<'leaveAttendanceSession'>,
    options?: CommandOptions,
  ): Promise<Answer<'leaveAttendanceSession'>> {
    return this.request('leaveAttendanceSession', payload, options);
  }

  mark(payload: Payload<'markStudentAttendance'>, options?: CommandOptions): Promise<Answer<'markStudentAttendance'>> {
    return this.request('markStudentAttendance', payload, options);
  }

  markPresent(payload: Payload<'markStudentPresent'>, options?: CommandOptions): Promise<Answer<'markStudentPresent'>> {
    return this.request('markStudentPresent', payload, options);
  }

  markAbsent(payload: Payload<'markStudentAbsent'>, options?: CommandOptions): Promise<Answer<'markStudentAbsent'>> {
    return this.request('markStudentAbsent', payload, options);
  }

  /** Up to 5,000 rows, all or none; with `partial: true` the good ones. */
  bulkUpdate(
    payload: Payload<'bulkUpdateAttendance'>,
    options?: CommandOptions,
  ): Promise<Answer<'bulkUpdateAttendance'>> {
    return this.request('bulkUpdateAttendance', payload, options);
  }

  end(payload: Payload<'endAttendanceSession'>, options?: CommandOptions): Promise<Answer<'endAttendanceSession'>> {
    return this.request('endAttendanceSession', payload, options);
  }

  /** Puts off the end of a session that nobody uses; resolves with `ends_at`, null where it doesn't end by itself. */
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

  onlineStudents(
    payload: Payload<'getOnlineStudents'>,
    options?: CommandOptions,
  ): Promise<Answer<'getOnlineStudents'>> {
    return this.request('getOnlineStudents', payload, options);
  }

  /** Sessions live now, of one course or of all of one's own. */
  activeSessions(
    payload: Payload<'checkActiveSessions'> = {},
    options?: CommandOptions,
  ): Promise<Answer<'checkActiveSessions'>> {
    return this.request('checkActiveSessions', payload, options);
  }

  /** Notices of a course's sessions from now on, also after reconnects. */
  async subscribeToCourse(
    payload: Payload<'subscribeToCourse'>,
    options?: CommandOptions,
  ): Promise<Answer<'subscribeToCourse'>> {
    const answer = await this.request('subscribeToCourse', payload, options);
    this.#courses.add(payload.course_id);
    return answer;
  }

  async unsubscribeFromCourse(payload: Payload<'unsubscribeFromCourse'>, options?: CommandOptions): Promise<void> {
    this.#courses.delete(payload.course_id);
    await this.request('unsubscribeFromCourse', payload, options);
  }

  /**
   * Follows a session as its teacher; with `start`, starts it first, or comes back to it where it runs already.
   * Resolves once the session's state is there.
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

  /** Checks in to a session as a student and follows it. Resolves once the check-in is stored. */
  joinSession(sessionId: string, options: CommandOptions & { code?: string } = {}): Promise<LiveSession> {
    const { code, ...command } = options;
    const payload = { session_id: sessionId, ...(code === undefined ? {} : { code }) };
    return LiveSession.open(this, {
      session_id: sessionId,
      role: 'student',
      first: () => this.join(payload, command),
    });
  }

  /** Sends a command and resolves with its answer; the methods above are named forms of it. */
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
