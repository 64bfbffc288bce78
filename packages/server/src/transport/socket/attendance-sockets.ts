import { RollcallError } from '@rollcall/protocol';
import type { Namespace, Socket } from 'socket.io';
import { personOf } from '../../auth/sign-in.js';
import type { Identity } from '../../auth/verify-token.js';
import type { Services } from '../../commands/command.js';
import { commandTable } from '../../commands/command-table.js';
import { courseOf, teachesSession } from '../../commands/rights.js';
import { opensJournal } from '../../journal/entries.js';
import type { Person } from '../../storage/port.js';
import { Arrivals } from './arrivals.js';
import { SocketConnection } from './connection.js';
import { Reply } from './reply.js';
import { sendAway } from './send-away.js';
import type { SocketContext } from './socket-context.js';

/** A socket's user, once the middleware has let it in. */
interface Entrance {
  readonly identity: Identity;
  readonly person: Person;
}

export interface AttendanceSocketsOptions {
  /**
   * True for a server of Rollcall's own: who isn't known isn't let in. False inside an app's server: every socket
   * stays connected, and Rollcall's events alone answer UNAUTHENTICATED.
   */
  readonly exclusive: boolean;
  /** Other nodes serve the same sessions. */
  readonly severalNodes: boolean;
}

export interface AttendanceSockets {
  /** The socket is its app's alone from now on: out of Rollcall's rooms, and a stranger to its events. */
  forget(socket: Socket): void;
  /** Closes connections one after another, each once the commands it sent are answered. */
  sendAway(): Promise<void>;
  /** Takes no further command: what was not begun goes unanswered, and its client sends it again elsewhere. */
  pause(): void;
  /** Lets go of every socket, and leaves all else alone. */
  detach(): void;
}

/** How often the ends of tokens are looked at, in ms: one timer for all, since a hall has thousands of sockets. */
const EXPIRY_LOOK_MS = 1_000;

/** A socket that is Rollcall's; or, inside an app's server, the app's alone: a stranger to Rollcall's events. */
type Served = SocketConnection | { readonly stranger: true; readonly uid: string | undefined };

/** Called with its socket as `this`, so that one function serves all sockets. */
type Listener = (this: Socket, ...args: unknown[]) => void;

/** Wires Rollcall's events to a Socket.IO namespace. */
export function attendanceSockets(
  namespace: Namespace,
  context: SocketContext,
  { exclusive, severalNodes }: AttendanceSocketsOptions,
): AttendanceSockets {
  const entrances = new WeakMap<Socket, Entrance>();
  /** Sockets whose token was looked at. */
  const seen = new WeakSet<Socket>();
  const connections = new Map<Socket, Served>();
  const arrivals = severalNodes ? new Arrivals<SocketConnection>(context.services.now) : undefined;
  let attached = true;
  let paused = false;

  const listeners = new Map<string, Listener>();
  for (const command of Object.values(commandTable)) {
    listeners.set(command.name, function (...args) {
      const served = connections.get(this);
      if (served instanceof SocketConnection) {
        if (!paused) served.receive(command, args);
      } else if (served) new Reply(this, command.name, args, context.wire).refuse(new RollcallError('UNAUTHENTICATED'));
    });
  }
  listeners.set('refreshToken', function (...args) {
    const served = connections.get(this);
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
    if (served instanceof SocketConnection) context.floodGuard.futile(served.uid, this);
  };
  const release = (connection: SocketConnection): void => {
    arrivals?.gone(connection);
    connection.release();
  };
  const onDisconnect: Listener = function (reason) {
    const served = connections.get(this);
    connections.delete(this);
    context.floodGuard.left(this);
    if (served instanceof SocketConnection) release(served);
    if (served?.uid !== undefined) context.observe.disconnected(served.uid, this.id, String(reason));
  };

  const letGo = (socket: Socket): void => {
    for (const [event, listener] of listeners) socket.off(event, listener);
    socket.offAny(onAnyEvent);
    const served = connections.get(socket);
    if (served instanceof SocketConnection) release(served);
  };

  namespace.use((socket, next) => {
    if (!attached) return next();
    seen.add(socket);
    enter(socket, context).then(
      (entrance) => {
        entrances.set(socket, entrance);
        next();
      },
      (error: unknown) => {
        if (!exclusive) return next();
        context.floodGuard.left(socket);
        if (!(error instanceof RollcallError)) {
          // Not the client's fault: without an answer it comes back by itself, after a connect_error it would not.
          context.observe.refusedConnection('storage or keys unavailable');
          socket.conn.close();
          return;
        }
        context.observe.refusedConnection(error.message);
        next(Object.assign(new Error(error.message), { data: { code: error.code } }));
      },
    );
  });

  /** Handlers are in place, and rooms entered, before the client can have heard that it is connected. */
  const onConnection = (socket: Socket): void => {
    if (!seen.has(socket)) {
      enterLate(socket);
      return;
    }
    const entrance = entrances.get(socket);
    // On an app's socket they are listeners like its own: what the app puts before all of them is before ours as well.
    if (exclusive) socket.onAny(onAnyEvent);
    else for (const [event, listener] of listeners) socket.on(event, listener);
    socket.on('disconnect', onDisconnect);
    if (!entrance) {
      connections.set(socket, { stranger: true, uid: undefined });
      return;
    }
    entrances.delete(socket);
    const { identity, person } = entrance;
    const connection = new SocketConnection(socket, identity, context);
    connections.set(socket, connection);
    if (exclusive) {
      const { user_id, uid, name, email, profile_picture } = person;
      Object.assign(socket, { user: { user_id, uid, name, email, profile_picture } });
      // It was read, and a token that nobody keeps can't leak.
      const { token: _, ...rest } = socket.handshake.auth;
      socket.handshake.auth = rest;
    }
    if (person.teacher || person.is_admin) context.floodGuard.trust(socket);
    context.observe.connected(person, socket.id);
    connection.restore(person);
    arrivals?.add(connection, person);
  };
  /** An app may attach Rollcall while it is serving: who was there, or was being let in, came past our middleware. */
  function enterLate(socket: Socket): void {
    seen.add(socket);
    enter(socket, context)
      .then((entrance) => entrances.set(socket, entrance))
      .catch(() => {})
      .finally(() => {
        if (attached && socket.connected) onConnection(socket);
      });
  }
  namespace.on('connection', onConnection);
  for (const socket of namespace.sockets.values()) enterLate(socket);
  context.publisher.onElsewhere((live, entries) => {
    for (const entry of entries) {
      if (opensJournal(entry)) arrivals?.putBack(entry.at, 'everybody');
      if (entry.type !== 'checked_in') continue;
      const userId = live.state.line(entry.student_id)?.student.user_id;
      if (userId) arrivals?.putBack(entry.at, userId);
    }
  });
  const looking = setInterval(() => {
    arrivals?.forgetOld();
    for (const served of connections.values()) if (served instanceof SocketConnection) served.lookAtExpiry();
  }, EXPIRY_LOOK_MS).unref();

  return {
    forget(socket) {
      const served = connections.get(socket);
      if (!(served instanceof SocketConnection)) return;
      release(served);
      connections.set(socket, { stranger: true, uid: served.uid });
    },
    sendAway() {
      const goodbyes = [...connections].map(([socket, served]) => () => {
        if (served instanceof SocketConnection) served.finish(() => context.letGo(socket));
      });
      return sendAway(goodbyes);
    },
    pause() {
      paused = true;
    },
    detach() {
      attached = false;
      clearInterval(looking);
      namespace.off('connection', onConnection);
      for (const socket of connections.keys()) letGo(socket);
      connections.clear();
    },
  };
}

/** @throws {RollcallError} with the message of the connect_error */
async function enter(socket: Socket, context: SocketContext): Promise<Entrance> {
  const token = tokenOf(socket);
  if (token === undefined) throw new RollcallError('UNAUTHENTICATED');
  const identity = await context.verifyToken(token);
  const { directory, storage } = context.services;
  const person = await personOf(identity, { directory, storage, provision: context.provisionFromToken });
  if (person.teacher && !person.is_admin) await lookUpOwnCourses(person, context.services);
  return { identity, person };
}

/** Being put back can't wait, and after a restart no course is known: whether a co-teacher still is one must be. */
async function lookUpOwnCourses(person: Person, services: Services): Promise<void> {
  const started = [...services.index.startedBy(person.user_id)].filter(
    ({ state }) => !teachesSession(person, state.facts, undefined),
  );
  await Promise.all(started.map(({ state }) => courseOf(state.facts, services)));
}

/** Never the query string: it ends up in the logs of every proxy. */
function tokenOf({ handshake }: Socket): string | undefined {
  const { token } = handshake.auth as { token?: unknown };
  if (typeof token === 'string' && token !== '') return token;
  return /^Bearer +(\S+)$/i.exec(handshake.headers.authorization ?? '')?.[1];
}

const isTokenRefresh = (payload: unknown): boolean =>
  typeof (payload as { token?: unknown } | null | undefined)?.token === 'string';
