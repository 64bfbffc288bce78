import { setTimeout as delay } from 'node:timers/promises';
import {
  type CourseId,
  parseClientEvent,
  RollcallError,
  type ServerPayload,
  type SessionId,
  type StudentId,
} from '@rollcall/protocol';
import type { Socket } from 'socket.io';
import type { Identity } from '../../auth/verify-token.js';
import type { AnyCommand, Connection } from '../../commands/command.js';
import { tooFast } from '../../commands/dispatch.js';
import { activeForTeacherNow } from '../../commands/rights.js';
import type { LiveSession } from '../../register/live-session.js';
import type { Person } from '../../storage/port.js';
import { waitingFor } from './engine/connection.js';
import { InOrder } from './in-order.js';
import { Reply, refusalOf } from './reply.js';
import type { RoomMember } from './room-rights.js';
import {
  amendmentsRoom,
  attendanceRoom,
  batchedRoom,
  courseRoom,
  eachRoom,
  teacherRoom,
  teachersBatchedRoom,
  teachersEachRoom,
} from './rooms.js';
import type { SocketContext } from './socket-context.js';

/** Between `sessionExpired` and the cut, in ms: time to hear of it, and to come with a new token. */
const EXPIRY_GRACE_MS = 2_000;

/** While more than this waits to be written to a connection, no further long answer is made for it, in bytes. */
const MORE_BELOW_BYTES = 4 * 1024 * 1024;
const LOOK_EVERY_MS = 20;
/** Sessions that are over of whose amendments one connection is told: those that it has read last. */
const OVER_MAX = 16;

interface Participation {
  readonly live: LiveSession;
  readonly studentId: StudentId;
}

/** One authenticated socket: its person, its rooms, its commands in order, and its token's end. */
export class SocketConnection implements Connection, RoomMember {
  readonly #socket: Socket;
  readonly #context: SocketContext;
  readonly #entered: (connection: SocketConnection) => void;
  readonly #inOrder = new InOrder();
  // Lists and not a Map and a Set: there are few of them, and there are thousands of sockets.
  #participating: Participation[] = [];
  /** How often each session was left; made with the first one. */
  #leaves: Map<SessionId, number> | undefined;
  /** Rooms entered through here, as opposed to the app's own. */
  #rooms: string[] = [];
  #watching: LiveSession[] = [];
  /** Over, and read here: amendments are told. */
  #over: LiveSession[] = [];
  #courses: CourseId[] = [];
  /** As they were when they came. */
  readonly person: Person;
  /** What their token names them by: the uid, or another claim of an app's. */
  readonly #named: string;
  /** Gets the changes of a commit in one frame. */
  readonly #batched: boolean;
  #expiresAt: number | null;
  #sid: string | null;
  /** When `sessionExpired` was sent, in ms of a clock that never jumps. */
  #toldAt: number | undefined;
  #released = false;
  /** Commands that were taken and aren't answered yet. */
  #unanswered = 0;
  /** Takes no more commands; called once the last one that was taken is answered. */
  #finished: (() => void) | undefined;

  constructor(
    socket: Socket,
    { identity, person }: { readonly identity: Identity; readonly person: Person },
    context: SocketContext,
    entered: (connection: SocketConnection) => void,
  ) {
    this.#socket = socket;
    this.#context = context;
    this.person = person;
    this.#entered = entered;
    this.#named = identity.uid;
    const { client } = socket.handshake.auth as { client?: { batched?: unknown } | null };
    this.#batched = client?.batched === true;
    this.#expiresAt = identity.expires_at;
    this.#sid = identity.sid;
  }

  get id(): string {
    return this.#socket.id;
  }

  get uid(): string {
    return this.person.uid;
  }

  /** The web session that its token is of. */
  get sid(): string | null {
    return this.#sid;
  }

  get watching(): readonly LiveSession[] {
    return this.#over.length === 0 ? this.#watching : [...this.#watching, ...this.#over];
  }

  get participating(): readonly Participation[] {
    return this.#participating;
  }

  get courses(): readonly CourseId[] {
    return this.#courses;
  }

  /** Puts a user's new socket where the old one was: apps send nothing again after a reconnect. */
  restore(): void {
    const { person } = this;
    const { sessions } = this.#context.services;
    if (person.student) {
      for (const live of sessions.checkedInBy(person.user_id)) {
        const { student_id } = person.student;
        const left = live.presence.hasLeft(student_id) || this.#leaves?.has(live.session_id);
        if (!left) this.#participate(live, student_id);
      }
    }
    if (!person.teacher && !person.is_admin) return;
    const { index } = this.#context.services;
    // What a colleague started in the teacher's name comes after what they run themselves.
    const latest =
      this.#latest(person, index.startedBy(person.user_id)) ??
      (person.teacher ? this.#latest(person, index.naming(person.teacher.teacher_id)) : undefined);
    if (latest) this.watch(latest);
  }

  /** Of a teacher's sessions the one started last; whoever started it may have been taken off the course since. */
  #latest(person: Person, theirs: Iterable<LiveSession>): LiveSession | undefined {
    let latest: LiveSession | undefined;
    for (const live of theirs) {
      if (live.state.started_at <= (latest?.state.started_at ?? Number.NEGATIVE_INFINITY)) continue;
      latest = activeForTeacherNow(person, live.session_id, this.#context.services) ?? latest;
    }
    return latest;
  }

  watch(live: LiveSession, { silently } = { silently: false }): void {
    if (live.state.ending) {
      this.#watchOver(live);
      return;
    }
    this.#watching = [...this.#watching.filter((other) => other !== live && !other.state.ending), live];
    this.#enter(...this.#teacherRoomsOf(live));
    // After the answer to what brought the socket here.
    if (live.codes && !silently)
      queueMicrotask(() => this.#released || this.#context.publisher.tellCode(live, this.#socket));
  }

  isToldAmendmentsOf(live: LiveSession): boolean {
    return this.#over.includes(live);
  }

  #watchOver(live: LiveSession): void {
    if (this.#released || this.#over.includes(live)) return;
    this.#context.services.sessions.hold(live);
    this.#over.push(live);
    const [first] = this.#over;
    if (this.#over.length > OVER_MAX && first) this.#unwatchOver(first);
    this.#enter(amendmentsRoom(live.session_id));
  }

  #unwatchOver(live: LiveSession): void {
    if (!this.#over.includes(live)) return;
    this.#over = this.#over.filter((other) => other !== live);
    this.#context.services.sessions.release(live);
    this.#leave(amendmentsRoom(live.session_id));
  }

  /** The user is none of the session's teachers any more. */
  unwatch(live: LiveSession): void {
    this.#unwatchOver(live);
    this.#watching = this.#watching.filter((other) => other !== live);
    this.#leave(...this.#teacherRoomsOf(live));
  }

  #teacherRoomsOf({ session_id }: LiveSession): string[] {
    return [teacherRoom(session_id), this.#batched ? teachersBatchedRoom(session_id) : teachersEachRoom(session_id)];
  }

  joining(sessionId: SessionId): (live: LiveSession, studentId: StudentId) => void {
    const leaves = this.#leaves?.get(sessionId);
    return (live, studentId) => {
      if (this.#leaves?.get(sessionId) === leaves) this.#participate(live, studentId);
      else this.#passThrough(live, studentId);
    };
  }

  #participate(live: LiveSession, studentId: StudentId): void {
    // The rooms of a session that ended meanwhile stay empty.
    if (this.#released || live.state.ending) return;
    const { session_id } = live;
    this.#enter(...this.#roomsOf(session_id));
    if (this.#isIn(live)) return;
    // A phone that stays on through many classes must not hold on to all of them.
    const others = this.#participating.filter(
      (there) => !there.live.state.ending && there.live.session_id !== session_id,
    );
    this.#participating = [...others, { live, studentId }];
    this.#come(live, studentId);
  }

  /** The student joined and left before the join was committed: they come and go, as the teachers hear of a check-in. */
  #passThrough(live: LiveSession, studentId: StudentId): void {
    // Joined once more meanwhile.
    if (this.#isIn(live) || live.state.ending) return;
    this.#come(live, studentId);
    this.#go(live, studentId, 'left');
  }

  #isIn(live: LiveSession): boolean {
    return this.#participating.some((there) => there.live === live);
  }

  #come(live: LiveSession, studentId: StudentId): void {
    this.#context.moved(live.session_id, studentId, this.id, 'in');
    const now = this.#context.services.now();
    const before = live.presence.count;
    if (live.presence.hasLeft(studentId)) this.#context.services.sessions.departed(live, studentId, false);
    if (live.presence.enter(studentId, this.id, now)) this.#context.publisher.returned(live, studentId, now);
    else if (live.presence.count !== before) this.#context.publisher.presenceChanged(live);
  }

  #go(live: LiveSession, studentId: StudentId, move: 'out' | 'left'): void {
    live.presence.leave(studentId, this.id, move === 'left');
    if (move === 'left' && live.presence.hasLeft(studentId)) {
      this.#context.services.sessions.departed(live, studentId, true);
    }
    this.#context.moved(live.session_id, studentId, this.id, move);
  }

  #roomsOf(sessionId: SessionId): string[] {
    const changes = this.#batched ? batchedRoom(sessionId) : eachRoom(sessionId);
    return [attendanceRoom(sessionId), changes];
  }

  withdraw(sessionId: SessionId): void {
    this.#leaves ??= new Map();
    this.#leaves.set(sessionId, (this.#leaves.get(sessionId) ?? 0) + 1);
    const there = this.#participating.find(({ live }) => live.session_id === sessionId);
    if (!there) return;
    this.#participating = this.#participating.filter((other) => other !== there);
    this.#leave(...this.#roomsOf(sessionId));
    this.#go(there.live, there.studentId, 'left');
  }

  /** The user has no part in the session any more. They have left it: being enrolled anew they join anew. */
  lose(live: LiveSession): void {
    if (this.#isIn(live)) this.withdraw(live.session_id);
  }

  subscribe(courseId: CourseId): void {
    this.#courses = [...this.#courses.filter((other) => other !== courseId), courseId];
    this.#enter(courseRoom(courseId));
  }

  unsubscribe(courseId: CourseId): void {
    this.#courses = this.#courses.filter((other) => other !== courseId);
    this.#leave(courseRoom(courseId));
  }

  async readyForMore(): Promise<void> {
    while (waitingFor(this.#socket).bytes > MORE_BELOW_BYTES) {
      await delay(LOOK_EVERY_MS);
      // Nobody would hear the answer.
      if (this.#released) throw new RollcallError('OVERLOADED');
    }
  }

  /** The socket is gone, or is no longer this user's: nothing of this user's may reach it any more. */
  release(): void {
    this.#released = true;
    for (const { live, studentId } of this.#participating) this.#go(live, studentId, 'out');
    this.#participating = [];
    this.#watching = [];
    for (const live of this.#over) this.#context.services.sessions.release(live);
    this.#over = [];
    this.#courses = [];
    for (const room of this.#rooms) void this.#socket.leave(room);
    this.#rooms = [];
  }

  #enter(...rooms: string[]): void {
    // A command that was under way when the socket ceased to be this user's.
    if (this.#released) return;
    this.#rooms = [...new Set([...this.#rooms, ...rooms])];
    void this.#socket.join(rooms);
    this.#entered(this);
  }

  #leave(...rooms: string[]): void {
    this.#rooms = this.#rooms.filter((room) => !rooms.includes(room));
    for (const room of rooms) void this.#socket.leave(room);
  }

  /** Takes no further command, and calls back once those that were taken are answered. */
  finish(finished: () => void): void {
    this.#finished = finished;
    if (this.#unanswered === 0) finished();
  }

  /** Takes a command in its turn and answers it, whatever happens. */
  receive(command: AnyCommand, args: readonly unknown[]): void {
    if (this.#finished) return;
    const reply = new Reply(this.#socket, command.name, args, this.#context.answerEncoding);
    this.#context.observe.received(command.name, this.uid, reply.payload);
    const refuse = (error: unknown) => this.#refuse(command, reply, error);
    const admission = this.#context.dispatch.admit(this.uid);
    if ('retry_after' in admission) {
      refuse(tooFast(admission));
      this.#context.floodGuard.futile(this.uid, this.#socket);
      return;
    }
    const due = performance.now() + admission.wait;
    const answered = () => {
      this.#unanswered -= 1;
      if (this.#unanswered === 0) this.#finished?.();
    };
    this.#unanswered += 1;
    try {
      this.#inOrder.add((proceed) => {
        const done = () => {
          proceed();
          answered();
        };
        const begin = () => void this.#perform(command, reply, proceed).catch(refuse).finally(done);
        if (admission.wait === 0) begin();
        else setTimeout(begin, Math.max(0, due - performance.now())).unref();
      });
    } catch (error) {
      refuse(error);
      answered();
    }
  }

  async #perform(command: AnyCommand, reply: Reply, proceed: () => void): Promise<void> {
    if (this.#isExpired) throw new RollcallError('UNAUTHENTICATED', { message: 'Invalid token' });
    await this.#context.dispatch.carryOut(command, {
      uid: this.uid,
      payload: reply.payload,
      connection: this,
      cookie: this.#socket.handshake.headers.cookie,
      answer: (events, payload, extra) => {
        reply.succeed(events, payload, extra);
        this.#context.observe.answered(command.name, this.uid, reply.payload, {
          events: typeof events === 'string' ? [events] : (events ?? []),
          seq: extra?.seq,
        });
      },
      proceed,
    });
  }

  #refuse(command: AnyCommand, reply: Reply, error: unknown): void {
    const refusal = refusalOf(error);
    this.#context.observe.refused(command.name, this.uid, reply.payload, refusal);
    reply.refuse(refusal, command.errorEvent);
  }

  /**
   * `refreshToken`: a new end for this connection; the user stays the same. `silent`: a refusal is told by the
   * acknowledgement alone.
   */
  refresh(args: readonly unknown[], { silent }: { readonly silent: boolean }): void {
    const reply = new Reply(this.#socket, 'refreshToken', args, this.#context.answerEncoding);
    this.#context.observe.received('refreshToken', this.uid, undefined);
    this.#refreshWith(reply).catch((error: unknown) => {
      const refusal = refusalOf(error);
      this.#context.observe.refused('refreshToken', this.uid, undefined, refusal);
      if (silent) reply.refuseSilently(refusal);
      else reply.refuse(refusal);
    });
  }

  async #refreshWith(reply: Reply): Promise<void> {
    const admission = this.#context.dispatch.admit(this.uid);
    if ('retry_after' in admission) {
      this.#context.floodGuard.futile(this.uid, this.#socket);
      throw tooFast(admission);
    }
    const { token } = parseClientEvent('refreshToken', reply.payload);
    const identity = await this.#context.verifyToken(token);
    // Gone meanwhile: a new timer would hold on to it until the token ends.
    if (this.#released) return;
    if (identity.uid !== this.#named) {
      throw new RollcallError('FORBIDDEN', { message: 'The token belongs to another user' });
    }
    this.#expiresAt = identity.expires_at;
    this.#sid = identity.sid;
    this.#toldAt = undefined;
    const expires_at = identity.expires_at === null ? null : new Date(identity.expires_at).toISOString();
    reply.succeed(undefined, { expires_at });
    this.#context.observe.answered('refreshToken', this.uid, undefined, { events: [], seq: undefined });
  }

  /** Its web session was closed: what still waits is refused. */
  signOut(): void {
    this.#expiresAt = Number.NEGATIVE_INFINITY;
    const payload: ServerPayload<'sessionExpired'> = { message: 'Signed out', code: 'UNAUTHENTICATED' };
    this.#socket.emit('sessionExpired', payload);
  }

  get #isExpired(): boolean {
    return this.#expiresAt !== null && this.#expiresAt <= this.#context.services.now();
  }

  /** To be called every second or so: tells of the token's end, and after a while lets go. */
  lookAtExpiry(): void {
    if (!this.#isExpired) return;
    const now = performance.now();
    if (this.#toldAt === undefined) {
      this.#toldAt = now;
      const payload: ServerPayload<'sessionExpired'> = { message: 'Token expired', code: 'UNAUTHENTICATED' };
      this.#socket.emit('sessionExpired', payload);
    } else if (now - this.#toldAt >= EXPIRY_GRACE_MS) this.#context.dismiss(this.#socket);
  }
}
