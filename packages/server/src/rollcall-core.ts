import type { Namespace, Socket } from 'socket.io';
import { tokenVerifier } from './auth/verify-token.js';
import { CodeRotation } from './checkins/code-rotation.js';
import { Cluster } from './cluster/cluster.js';
import type { Services } from './commands/command.js';
import { Directory } from './commands/directory.js';
import { Dispatch } from './commands/dispatch.js';
import { SessionIndex } from './commands/session-index.js';
import { Snapshots } from './commands/snapshots.js';
import type { Config } from './config.js';
import type { Logger } from './observability/logger.js';
import { Metrics } from './observability/metrics.js';
import { observer } from './observability/observer.js';
import { LiveSessions } from './register/live-sessions.js';
import { newRecordId } from './register/record-id.js';
import type { Storage } from './storage/port.js';
import { SessionTimeouts } from './timeouts/session-timeouts.js';
import {
  type AttendanceSockets,
  type AttendanceSocketsOptions,
  attendanceSockets,
} from './transport/socket/attendance-sockets.js';
import { FrameWriter, SocketIoWriter } from './transport/socket/engine/bundle.js';
import { FloodGuard } from './transport/socket/engine/flood-guard.js';
import { SocketPublisher } from './transport/socket/publisher.js';
import { wireOfAnother, wireOfOurs } from './transport/socket/reply.js';
import type { SocketContext } from './transport/socket/socket-context.js';

/** How long a student may be away without being announced as left, in ms. */
const PRESENCE_GRACE_MS = 5_000;

export type CoreConfig = Pick<
  Config,
  'jwks' | 'provisionFromToken' | 'policy' | 'codeSeconds' | 'rateLimits' | 'finalDataRecords'
> & {
  readonly secret: string | null;
};

export interface CoreOptions extends Pick<AttendanceSocketsOptions, 'exclusive'> {
  /** What to do with a socket that is no longer its user’s: its token has expired, or it is sent away. */
  readonly letGo: SocketContext['letGo'];
  /** Address under which people reach the server; asked for once it listens. */
  readonly publicUrl: () => string;
  /**
   * Set where events for rooms may go straight to the connections, past Socket.IO. `sendNow` sends what was written to
   * single connections in this turn.
   */
  readonly straight?: { readonly sendNow: () => void };
  /** Set where the namespace's adapter reaches other nodes on the same database. */
  readonly otherNodes?: { readonly connected: () => boolean };
}

/** The attendance part, without a server around it: register, directory, commands and sockets on one namespace. */
export class RollcallCore {
  readonly metrics: Metrics;
  readonly sessions: LiveSessions;
  readonly #context: SocketContext;
  readonly #namespace: Namespace;
  readonly #timeouts: SessionTimeouts;
  readonly #codeRotation: CodeRotation;
  readonly #cluster: Cluster | undefined;
  readonly #exclusive: boolean;
  #sockets: AttendanceSockets | undefined;

  constructor(namespace: Namespace, storage: Storage, config: CoreConfig, logger: Logger, options: CoreOptions) {
    const now = () => Date.now();
    const monotonic = () => performance.now();
    this.#namespace = namespace;
    this.#exclusive = options.exclusive;
    this.metrics = new Metrics(() => this.sessions.activeAttendanceSessions.size);
    const observe = observer(logger, this.metrics, () => this.sessions);
    const { policy, rateLimits, finalDataRecords, provisionFromToken } = config;
    const codeWindowMs = config.codeSeconds * 1_000;
    const { exclusive, publicUrl, straight } = options;
    const writer = straight ? new FrameWriter(namespace, straight.sendNow) : new SocketIoWriter(namespace);
    const snapshots = new Snapshots();
    const { emitted: onEmit } = observe;
    const publisher = new SocketPublisher(namespace, { finalDataRecords, writer, snapshots, publicUrl, now, onEmit });
    this.sessions = new LiveSessions({
      storage,
      publisher,
      now,
      newRecordId,
      policy,
      codeWindowMs,
      presenceGraceMs: PRESENCE_GRACE_MS,
      shared: options.otherNodes !== undefined,
      onProjectionError: (session_id, err) => logger.warn({ session_id, err }, 'records lag behind the journal'),
      onRestoreError: (session_id, err) => logger.error({ session_id, err }, 'a session could not be restored'),
    });
    const index = new SessionIndex(this.sessions);
    publisher.serve(index);
    this.#timeouts = new SessionTimeouts({
      storage,
      sessions: this.sessions,
      expiring: (live, endsAt, reason) => publisher.expiring(live, endsAt, reason),
      onError: (session_id, err) =>
        logger.warn({ session_id, err }, 'a session could not be ended or kept by its time'),
      now,
      monotonic,
    });
    this.#codeRotation = new CodeRotation({
      sessions: this.sessions,
      changed: (live) => publisher.codeChanged(live),
      now,
    });
    this.#cluster =
      options.otherNodes &&
      new Cluster({
        namespace,
        sessions: this.sessions,
        connected: options.otherNodes.connected,
        returned: (live, studentId, at) => publisher.returned(live, studentId, at),
        presenceChanged: (live) => publisher.presenceChanged(live),
        onError: (what, err) => logger.warn({ err }, what),
        now,
        monotonic,
      });
    const directory = new Directory(storage);
    const touched: Services['touched'] = (live) => this.#timeouts.touched(live);
    const services: Services = {
      storage,
      sessions: this.sessions,
      index,
      directory,
      snapshots,
      touched,
      now,
      newRecordId,
      policy,
      codeWindowMs,
      wrongCode: (live, studentId) => this.#cluster?.guessed(live, studentId),
    };
    const verifyToken = tokenVerifier(config);
    this.#context = {
      services,
      publisher,
      wire: exclusive ? wireOfOurs(straight?.sendNow ?? (() => {})) : wireOfAnother,
      verifyToken,
      dispatch: new Dispatch(services, rateLimits),
      provisionFromToken,
      observe,
      moved: (session_id, student_id, socket_id, move) =>
        this.#cluster?.moved({ session_id, student_id, socket_id, move }),
      floodGuard: new FloodGuard(),
      letGo: options.letGo,
    };
  }

  /** Brings active sessions back, and begins to listen to other nodes. @returns how many sessions there are */
  async restore(): Promise<number> {
    const restored = await this.sessions.restore();
    this.#cluster?.start();
    return restored;
  }

  /** Takes on the namespace's sockets. */
  attach(): void {
    // Inside an app's server connections are the app's to cut.
    if (this.#exclusive) this.#context.floodGuard.guard(this.#namespace.server.engine);
    this.#sockets = attendanceSockets(this.#namespace, this.#context, {
      exclusive: this.#exclusive,
      severalNodes: this.#cluster !== undefined,
    });
  }

  /** The socket is no longer this user's: it leaves Rollcall's rooms, and stays connected. */
  forget(socket: Socket): void {
    this.#sockets?.forget(socket);
  }

  /** Sends this node's clients to the others, spread out, each once what it asked is answered; new ones may still come. */
  async sendAway(): Promise<void> {
    if (this.#cluster) await this.#sockets?.sendAway();
  }

  /** Takes no further command and resolves once those that were accepted are committed, answered and projected. */
  async finish(): Promise<void> {
    this.#sockets?.pause();
    this.#codeRotation.close();
    await Promise.all([this.#timeouts.close(), this.sessions.close()]);
    this.#cluster?.stop();
  }

  /** Lets go of the namespace's sockets. */
  detach(): void {
    this.#sockets?.detach();
    this.#context.publisher.close();
  }
}
