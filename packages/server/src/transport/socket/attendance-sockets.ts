import { setTimeout as delay } from 'node:timers/promises';
import { RollcallError } from '@rollcall/protocol';
import type { Namespace, Socket } from 'socket.io';
import type { AnyCommand } from '../../commands/command.js';
import { commandTable } from '../../commands/command-table.js';
import { opensJournal } from '../../journal/entries.js';
import { Arrivals } from './arrivals.js';
import { SocketConnection } from './connection.js';
import { Crowd } from './crowd.js';
import { Display, type DisplayEntrance, tooManyDisplays } from './display.js';
import { type Admission, admit, admitSooner, admitWithPatience, type Entrance, isForNow } from './entrance.js';
import { Reply } from './reply.js';
import { RoomRights } from './room-rights.js';
import { isRollcalls } from './rooms.js';
import { sendAway } from './send-away.js';
import type { SocketContext } from './socket-context.js';

export interface AttendanceSocketsOptions {
  /**
   * True for a server of Rollcall's own: who isn't known isn't let in. False inside an app's server: every socket
   * stays connected, and Rollcall's events alone answer UNAUTHENTICATED.
   */
  readonly exclusive: boolean;
  /** Other nodes serve the same sessions. */
  readonly severalNodes: boolean;
  /** How often everybody in a room is looked at again, in ms: a right that is lost is of no use after twice that. */
  readonly rightsEveryMs: number;
}

export interface AttendanceSockets {
  /** The socket is its app's alone from now on: out of Rollcall's rooms, and a stranger to its events. */
  release(socket: Socket): void;
  /** The app has signed somebody else in on this socket, or nobody: asks again who its user is. */
  reauthenticate(socket: Socket): Promise<void>;
  /** Cuts the sockets of web sessions that were closed. */
  signOut(sids: ReadonlySet<string>): void;
  /** Closes connections one after another, each once the commands it sent are answered. */
  sendAway(): Promise<void>;
  /** The school has changed: looks now who has lost a right. */
  lookAtRights(): void;
  /** Takes no further command: what was not begun goes unanswered, and its client sends it again elsewhere. */
  pause(): void;
  /** Lets go of every socket, and leaves all else alone. */
  detach(): void;
}

/** How often the ends of tokens are looked at, in ms: one timer for all, since a hall has thousands of sockets. */
const EXPIRY_LOOK_MS = 1_000;

/** For how long an app's own socket is held while it is found out who its user is, in ms. */
const HELD_MS = 2_000;
/** Commands of one socket that wait until it is known whose it is. */
const WAITING_MAX = 100;

/** Inside an app's server, a socket that is the app's alone: Rollcall's events are refused. */
interface OutsideSocket {
  readonly refusal: RollcallError;
  /** Of the user whom it was before. */
  readonly uid: string | undefined;
}

/** Inside an app's server, a socket of which it isn't known yet whose it is. */
interface Undecided {
  /** Commands that wait for the first answer; undefined once that was "not now". */
  waiting: Array<{ readonly command: AnyCommand; readonly args: readonly unknown[] }> | undefined;
  refusal: RollcallError;
  readonly uid: undefined;
}

type Served = SocketConnection | Display | OutsideSocket | Undecided;

/** Called with its socket as `this`, so that one function serves all sockets. */
type Listener = (this: Socket, ...args: unknown[]) => void;

/** Wires Rollcall's events to a Socket.IO namespace. */
export function attendanceSockets(
  namespace: Namespace,
  context: SocketContext,
  { exclusive, severalNodes, rightsEveryMs }: AttendanceSocketsOptions,
): AttendanceSockets {
  /** What is known of a socket that isn't connected yet. */
  const admissions = new WeakMap<Socket, { readonly asked: Promise<Admission>; known?: Admission }>();
  const connections = new Map<Socket, Served>();
  const arrivals = severalNodes ? new Arrivals<SocketConnection>(context.services.now) : undefined;
  const crowd = new Crowd();
  /** Those that count towards how many their user has. */
  const counted = new WeakSet<SocketConnection>();
  let attached = true;
  let paused = false;

  const refuse = (socket: Socket, { name, errorEvent }: AnyCommand, args: readonly unknown[], why: RollcallError) =>
    new Reply(socket, name, args, context.answerEncoding).refuse(why, errorEvent);
  const listeners = new Map<string, Listener>();
  for (const command of Object.values(commandTable)) {
    listeners.set(command.name, function (...args) {
      const served = connections.get(this);
      if (served instanceof SocketConnection) {
        if (!paused) served.receive(command, args);
      } else if (served && 'waiting' in served && served.waiting && served.waiting.length < WAITING_MAX) {
        served.waiting.push({ command, args });
      } else if (served) {
        if (served instanceof Display) context.floodGuard.futile(served.uid, this);
        refuse(this, command, args, served.refusal);
      }
    });
  }
  listeners.set('refreshToken', function (...args) {
    const served = connections.get(this);
    if (served && 'waiting' in served && isTokenRefresh(args[0])) {
      new Reply(this, 'refreshToken', args, context.answerEncoding).refuseSilently(served.refusal);
    }
    if (served instanceof Display && (exclusive || isTokenRefresh(args[0]))) {
      context.floodGuard.futile(served.uid, this);
      new Reply(this, 'refreshToken', args, context.answerEncoding).refuse(served.refusal);
    }
    if (!(served instanceof SocketConnection)) return;
    // An app may have an event of this name: what carries no token is the app's, and so is how it is answered.
    if (exclusive || isTokenRefresh(args[0])) served.refresh(args, { silent: !exclusive });
  });
  /** All events of a socket of ours: one listener where there would be twenty, on each of thousands of sockets. */
  const onAnyEvent: Listener = function (event, ...args) {
    const listener = listeners.get(String(event));
    if (listener) return listener.apply(this, args);
    context.observe.unknownEvent();
    const served = connections.get(this);
    if (served instanceof SocketConnection || served instanceof Display) context.floodGuard.futile(served.uid, this);
  };
  const release = (connection: SocketConnection): void => {
    arrivals?.release(connection);
    connection.release();
    if (counted.delete(connection)) crowd.leave(connection.person);
  };
  /** Before Socket.IO keeps the socket's rooms for whoever comes back as it. */
  const onDisconnecting: Listener = function () {
    const served = connections.get(this);
    if (served instanceof SocketConnection) release(served);
  };
  const onDisconnect: Listener = function (reason) {
    const served = connections.get(this);
    connections.delete(this);
    context.floodGuard.left(this);
    if (served?.uid !== undefined) context.observe.disconnected(served.uid, this.id, String(reason));
  };

  const releaseSocket = (socket: Socket): void => {
    for (const [event, listener] of listeners) socket.off(event, listener);
    socket.offAny(onAnyEvent);
    socket.off('disconnecting', onDisconnecting);
    socket.off('disconnect', onDisconnect);
    const served = connections.get(socket);
    if (served instanceof SocketConnection) release(served);
    else if (served instanceof Display) served.release();
  };

  const rights = new RoomRights<SocketConnection>({
    services: context.services,
    everyMs: rightsEveryMs,
    *members() {
      for (const served of connections.values()) if (served instanceof SocketConnection) yield served;
    },
    onUserGone(connection) {
      const socket = namespace.sockets.get(connection.id as Socket['id']);
      if (!socket || connections.get(socket) !== connection) return;
      // Before the transport is closed, which waits for what is being written.
      release(connection);
      context.dismiss(socket);
    },
    onError: context.observe.rightsUnknown,
  });
  const entered = (connection: SocketConnection) => rights.entered(connection);

  /** A server of our own: who isn't known isn't let in. */
  const letIn = async (socket: Socket, next: (error?: Error) => void): Promise<void> => {
    // Before anything else of it is looked at, however its CONNECT was written.
    if (!context.floodGuard.enter(socket)) return next(new Error('A connection has one socket'));
    const wanted = () => attached && socket.conn.readyState === 'open';
    const asked = admitWithPatience(socket, context, wanted);
    let admission = await asked;
    if ('person' in admission && crowd.isFull(admission.person)) admission = { refusal: tooMany() };
    const crowded = 'display' in admission ? tooManyDisplays(socket, admission) : undefined;
    if (crowded) admission = { refusal: crowded };
    if (!('refusal' in admission)) {
      admissions.set(socket, { asked, known: admission });
      return next();
    }
    const { refusal } = admission;
    context.floodGuard.left(socket);
    context.observe.refusedConnection(refusal.message);
    const { code, message, retryable } = refusal;
    // After a connect_error a client of Socket.IO doesn't come back by itself; without an answer it does.
    if (retryable && !retries(socket)) socket.conn.close();
    next(Object.assign(new Error(message), { data: retryable ? { code, retryable } : { code } }));
  };

  /** Inside an app's server: every socket comes in, and is held for a moment at most. */
  const lookAt = async (socket: Socket, next: () => void): Promise<void> => {
    leaveRestoredRooms(socket);
    const late = delay(HELD_MS, undefined, { ref: false });
    await Promise.race([ask(socket).asked, late]);
    next();
  };
  const ask = (socket: Socket) => {
    const admission: { readonly asked: Promise<Admission>; known?: Admission } = {
      asked: admit(socket, context, () => attached),
    };
    admissions.set(socket, admission);
    void admission.asked.then((known) => {
      admission.known = known;
    });
    return admission;
  };

  /** Sockets that came to our middleware. */
  const came = new WeakSet<Socket>();
  namespace.use((socket, next) => {
    // A middleware before ours called its `next` twice. Were ours called twice too, the socket would connect twice.
    if (came.has(socket)) return;
    came.add(socket);
    if (attached) void (exclusive ? letIn : lookAt)(socket, next);
    else next();
  });

  /** Handlers are in place, and rooms entered, before the client can have heard that it is connected. */
  const onConnection = (socket: Socket): void => {
    // A middleware behind ours called its `next` twice: each command would be carried out as often.
    if (connections.has(socket)) return;
    // On an app's socket they are listeners like its own: what the app puts before all of them is before ours as well.
    if (exclusive) socket.onAny(onAnyEvent);
    else for (const [event, listener] of listeners) socket.on(event, listener);
    socket.on('disconnecting', onDisconnecting);
    socket.on('disconnect', onDisconnect);
    let admission = admissions.get(socket);
    admissions.delete(socket);
    if (!admission) {
      // It came past our middleware: Socket.IO restored it, or it was there before Rollcall.
      leaveRestoredRooms(socket);
      admission = ask(socket);
    }
    if (admission.known && !isForNow(admission.known)) decide(socket, admission.known);
    else void decideLater(socket, admission.asked);
  };

  /** @returns once it was asked, and for who couldn't be told goes on asking */
  const decideLater = async (socket: Socket, asked: Promise<Admission>): Promise<void> => {
    const undecided: Undecided = { waiting: [], refusal: new RollcallError('OVERLOADED'), uid: undefined };
    connections.set(socket, undecided);
    const wanted = () => connections.get(socket) === undecided;
    const admission = await asked;
    if (!wanted()) return;
    if (!isForNow(admission)) return decide(socket, admission);
    const { waiting } = undecided;
    undecided.waiting = undefined;
    undecided.refusal = admission.refusal;
    for (const { command, args } of waiting ?? []) refuse(socket, command, args, admission.refusal);
    void admitSooner(socket, context, wanted).then((later) => {
      if (wanted()) decide(socket, later);
    });
  };

  const decide = (socket: Socket, admission: Admission): void => {
    const before = connections.get(socket);
    const waiting = before && 'waiting' in before ? before.waiting : undefined;
    if ('refusal' in admission) connections.set(socket, { refusal: admission.refusal, uid: undefined });
    else if ('display' in admission) show(socket, admission);
    else serve(socket, admission);
    const served = connections.get(socket);
    for (const { command, args } of waiting ?? []) {
      if (served instanceof SocketConnection) served.receive(command, args);
      else if (served) refuse(socket, command, args, served.refusal);
    }
  };

  const serve = (socket: Socket, { identity, person }: Entrance): void => {
    // Its user signed out while they were looked up.
    if (identity.sid !== null && context.isClosed(identity.sid)) {
      if (exclusive) socket.conn.close();
      else connections.set(socket, { refusal: new RollcallError('UNAUTHENTICATED'), uid: undefined });
      return;
    }
    // Many may have been let in at the same moment.
    if (exclusive && crowd.isFull(person)) {
      socket.conn.close();
      return;
    }
    const connection = new SocketConnection(socket, { identity, person }, context, entered);
    connections.set(socket, connection);
    counted.add(connection);
    crowd.enter(person);
    if (exclusive) {
      const { user_id, uid, name, email, profile_picture } = person;
      Object.assign(socket, { user: { user_id, uid, name, email, profile_picture } });
      forgetToken(socket);
    }
    if (person.teacher || person.is_admin) context.floodGuard.trust(socket);
    context.observe.connected(person, socket.id);
    connection.restore();
    arrivals?.add(connection);
  };
  const show = (socket: Socket, entrance: DisplayEntrance): void => {
    // Many may have been let in at the same moment.
    const refusal = tooManyDisplays(socket, entrance);
    if (refusal) {
      connections.set(socket, { refusal, uid: undefined });
      if (exclusive) socket.conn.close();
      return;
    }
    const display = new Display(socket, entrance, context);
    connections.set(socket, display);
    if (exclusive) forgetToken(socket);
    display.begin();
  };
  namespace.on('connection', onConnection);
  // An app may attach Rollcall while it is serving.
  for (const socket of namespace.sockets.values()) onConnection(socket);
  context.publisher.onElsewhere((live, entries) => {
    for (const entry of entries) {
      if (opensJournal(entry)) arrivals?.putBack(entry.at, 'everybody');
      if (entry.type !== 'checked_in') continue;
      const userId = live.state.line(entry.student_id)?.student.user_id;
      if (userId) arrivals?.putBack(entry.at, userId);
    }
  });
  const looking = setInterval(() => {
    arrivals?.releaseOld();
    for (const served of connections.values()) {
      if (served instanceof SocketConnection || served instanceof Display) served.lookAtExpiry();
    }
  }, EXPIRY_LOOK_MS).unref();

  return {
    release(socket) {
      const served = connections.get(socket);
      if (served instanceof SocketConnection) release(served);
      else if (served instanceof Display) served.release();
      else return;
      connections.set(socket, { refusal: new RollcallError('UNAUTHENTICATED'), uid: served.uid });
    },
    async reauthenticate(socket) {
      const served = connections.get(socket);
      if (!served) return;
      if (served instanceof SocketConnection) release(served);
      else if (served instanceof Display) served.release();
      // What waits was sent by whoever it was before.
      else if ('waiting' in served) {
        for (const { command, args } of served.waiting ?? []) refuse(socket, command, args, served.refusal);
      }
      if (served.uid !== undefined) context.observe.disconnected(served.uid, socket.id, 'signed in anew');
      await decideLater(socket, ask(socket).asked);
      admissions.delete(socket);
    },
    signOut(sids) {
      // Sign-outs are rare beside what sockets send: no index of sockets by session is kept for them.
      for (const [socket, served] of [...connections]) {
        if (!(served instanceof SocketConnection) || served.sid === null || !sids.has(served.sid)) continue;
        served.signOut();
        // Before the transport is closed, which waits for what is being written.
        release(served);
        context.dismiss(socket);
      }
    },
    sendAway() {
      const goodbyes = [...connections].map(([socket, served]) => () => {
        if (served instanceof SocketConnection) served.finish(() => context.dismiss(socket));
        else if (served instanceof Display) context.dismiss(socket);
      });
      return sendAway(goodbyes);
    },
    lookAtRights: () => rights.lookNow(),
    pause() {
      paused = true;
    },
    detach() {
      attached = false;
      clearInterval(looking);
      rights.close();
      namespace.off('connection', onConnection);
      for (const socket of connections.keys()) releaseSocket(socket);
      connections.clear();
    },
  };
}

/** An app's Socket.IO may have put a socket back into the rooms that one of before was in, whoever uses it now. */
function leaveRestoredRooms(socket: Socket): void {
  if (!socket.recovered) return;
  for (const room of [...socket.rooms].filter(isRollcalls)) void socket.leave(room);
}

/** It was read, and a token that nobody keeps can't leak. */
function forgetToken(socket: Socket): void {
  const { token: _, display: __, ...rest } = socket.handshake.auth;
  socket.handshake.auth = rest;
}

/** The client said that it comes back by itself after a refusal that is for now. */
function retries({ handshake }: Socket): boolean {
  const { client } = handshake.auth as { client?: { retries?: unknown } | null };
  return client?.retries === true;
}

const tooMany = (): RollcallError =>
  new RollcallError('RATE_LIMITED', { message: 'This user has too many connections' });

const isTokenRefresh = (payload: unknown): boolean =>
  typeof (payload as { token?: unknown } | null | undefined)?.token === 'string';
