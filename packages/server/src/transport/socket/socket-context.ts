import type { ClientEventName, RollcallError, SessionId, StudentId } from '@rollcall/protocol';
import type { Socket } from 'socket.io';
import type { VerifyToken } from '../../auth/verify-token.js';
import type { Services } from '../../commands/command.js';
import type { Dispatch } from '../../commands/dispatch.js';
import type { Person } from '../../storage/port.js';
import type { FloodGuard } from './engine/flood-guard.js';
import type { SocketPublisher } from './publisher.js';
import type { Wire } from './reply.js';

/** How a command was answered: by which events beside the acknowledgement, and at which place of the journal. */
export interface Answered {
  readonly events: readonly string[];
  readonly seq: number | undefined;
}

/** What happens on sockets, for logs and metrics. */
export interface Observer {
  connected(person: Person, socketId: string): void;
  displayConnected(sessionId: SessionId, socketId: string): void;
  disconnected(uid: string, socketId: string, reason: string): void;
  refusedConnection(message: string): void;
  /** Who a socket's user is can't be told right now. */
  signInFailed(refusal: RollcallError): void;
  /** Whether those who are in rooms still have the right to it can't be told right now. */
  rightsUnknown(error: unknown): void;
  /** @param payload as the client sent it, unchecked */
  received(event: ClientEventName, uid: string, payload: unknown): void;
  answered(event: ClientEventName, uid: string, payload: unknown, answer: Answered): void;
  refused(event: ClientEventName, uid: string, payload: unknown, error: RollcallError): void;
  emitted(event: string, sessionId: string, payload: object): void;
  unknownEvent(): void;
}

/** Everything a socket needs, made once and passed in. */
export interface SocketContext {
  readonly services: Services;
  readonly publisher: SocketPublisher;
  readonly wire: Wire;
  readonly verifyToken: VerifyToken;
  /** An app's own sign-in: the uid of the socket's user, null for nobody. */
  readonly authenticate: ((socket: Socket) => unknown) | undefined;
  /** What names a user may be their user id as well as their uid. */
  readonly byUserId: boolean;
  /** The door that every command enters by. */
  readonly dispatch: Dispatch;
  readonly provisionFromToken: boolean;
  readonly observe: Observer;
  /** Tells other nodes that a student's socket came to a session, went, or left on purpose. */
  readonly moved: (session: SessionId, student: StudentId, socketId: string, move: 'in' | 'out' | 'left') => void;
  readonly floodGuard: FloodGuard;
  /** A socket is no longer its user’s: its token has expired, or it is sent away. */
  readonly letGo: (socket: Socket) => void;
}
