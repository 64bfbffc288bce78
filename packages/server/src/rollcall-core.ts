import type { SessionId } from '@rollcall/protocol';
import type { Namespace, Socket } from 'socket.io';
import { ClosedSessions } from './auth/closed-sessions.js';
import type { KeysWatcher } from './auth/provider-keys.js';
import { personOf } from './auth/sign-in.js';
import { tokenVerifier, type VerifyToken } from './auth/verify-token.js';
import { CodeRotation } from './checkins/code-rotation.js';
import { type Carrier, Cluster } from './cluster/cluster.js';
import { AddressRate } from './commands/address-rate.js';
import type { Services } from './commands/command.js';
import { Directory } from './commands/directory.js';
import { Dispatch } from './commands/dispatch.js';
import { Passes } from './commands/passes.js';
import type { SessionData } from './commands/present.js';
import { SchoolWatch } from './commands/school-watch.js';
import { SessionIndex } from './commands/session-index.js';
import { Snapshots } from './commands/snapshots.js';
import type { Config } from './config/config.js';
import { Hooks } from './hooks.js';
import type { Logger } from './observability/logger.js';
import { Metrics } from './observability/metrics.js';
import { observer } from './observability/observer.js';
import { SessionLog } from './observability/session-log.js';
import type { Follower } from './register/follower.js';
import { LiveSessions } from './register/live-sessions.js';
import { newRecordId } from './register/record-id.js';
import { ReportMaker } from './reports/report-maker.js';
import { dataOfSession } from './sessions/get-attendance-session-data.js';
import type { Storage } from './storage/port.js';
import { SessionTimeouts } from './timeouts/session-timeouts.js';
import type { CoreApi } from './transport/http/api/api-context.js';
import {
  type AttendanceSockets,
  type AttendanceSocketsOptions,
  attendanceSockets,
} from './transport/socket/attendance-sockets.js';
import { FrameWriter, SocketIoWriter } from './transport/socket/engine/bundle.js';
import { FloodGuard } from './transport/socket/engine/flood-guard.js';
import { SocketPublisher } from './transport/socket/publisher.js';
import { embeddedAnswers, standaloneAnswers } from './transport/socket/reply.js';
import { RIGHTS_EVERY_MS } from './transport/socket/room-rights.js';
import type { SocketContext } from './transport/socket/socket-context.js';

/** How long a student may be away without being announced as left, in ms. */
const PRESENCE_GRACE_MS = 5_000;
/** How often a server that has the database to itself reads which web sessions a command has closed, in ms. */
const CLOSED_EVERY_MS = 10_000;

export type CoreConfig = Pick<
  Config,
  | 'oldSecret'
  | 'uidClaim'
  | 'jwks'
  | 'provisionFromToken'
  | 'policy'
  | 'codeSeconds'
  | 'rateLimits'
  | 'finalDataRecords'
  | 'timeZone'
  | 'reportCodes'
> & {
  readonly secret: string | null;
  /** Where there is no `secret`, the key of the access tokens of web sessions. */
  readonly accessKey?: string | null;
};

export interface CoreOptions extends Pick<AttendanceSocketsOptions, 'exclusive'> {
  /** What to do with a socket that is no longer its user’s: its token has expired, or it is sent away. */
  readonly dismiss: SocketContext['dismiss'];
  /** Address under which people reach the server; asked for once it listens. */
  readonly publicUrl: () => string;
  /** An app's own sign-in: the uid, or the user id, of the socket's user; null where it has none. */
  readonly authenticate?: (socket: Socket) => unknown;
  /**
   * Set where events for rooms may go straight to the connections, past Socket.IO. `sendNow` sends what was written to
   * single connections in this turn.
   */
  readonly straight?: { readonly sendNow: () => void };
  /** Who follows the journals, beside those that are named here. */
  readonly followers?: readonly Follower[];
  /** How often everybody in a room is looked at again, in ms. Default 25,000. */
  readonly rightsEveryMs?: number;
  /** True where no other server can use the database. */
  readonly alone: boolean;
  /** Set where the namespace's adapter reaches other servers on the same database. */
  readonly carrier?: Carrier;
}

/** The attendance part, without a server around it: register, directory, commands and sockets on one namespace. */
export class RollcallCore {
  readonly metrics: Metrics;
  readonly sessions: LiveSessions;
  /** An app's own functions, told of what is committed. */
  readonly hooks: Hooks;
  readonly #context: SocketContext;
  readonly #closed: ClosedSessions;
  readonly #pollClosed: () => void;
  #closedTimer: NodeJS.Timeout | undefined;
  readonly #observe: ReturnType<typeof observer>;
  readonly #namespace: Namespace;
  readonly #timeouts: SessionTimeouts;
  readonly #codeRotation: CodeRotation;
  readonly #cluster: Cluster | undefined;
  readonly #logger: Logger;
  readonly #reports: ReportMaker;
  readonly #exclusive: boolean;
  readonly #passes = new Passes();
  readonly #installation: Storage['installation'];
  readonly #rightsEveryMs: number;
  #sockets: AttendanceSockets | undefined;
  #schoolWatch: SchoolWatch | undefined;

  constructor(namespace: Namespace, storage: Storage, config: CoreConfig, logger: Logger, options: CoreOptions) {
    const clock = () => Date.now();
    const now = () => clock() + (this.#cluster?.clocks.correction ?? 0);
    const monotonic = () => performance.now();
    this.#namespace = namespace;
    this.#installation = storage.installation;
    this.#logger = logger;
    this.#reports = new ReportMaker(storage.reports, config.timeZone, config.reportCodes ?? undefined);
    this.#exclusive = options.exclusive;
    this.#rightsEveryMs = options.rightsEveryMs ?? RIGHTS_EVERY_MS;
    this.#closed = new ClosedSessions(storage.signIn, now);
    this.#closed.onClosed((sids) => this.#sockets?.signOut(sids));
    this.#pollClosed = () => {
      this.#closed.poll().catch((err: unknown) => logger.warn({ err }, 'could not read which sign-ins were ended'));
    };
    this.metrics = new Metrics(() => this.sessions.activeAttendanceSessions.size);
    this.#observe = observer(logger, this.metrics, () => this.sessions);
    const observe = this.#observe;
    const { policy, rateLimits, finalDataRecords, provisionFromToken } = config;
    const codeWindowMs = config.codeSeconds * 1_000;
    const { exclusive, publicUrl, straight, dismiss } = options;
    const writer = straight ? new FrameWriter(namespace, straight.sendNow) : new SocketIoWriter(namespace);
    const snapshots = new Snapshots();
    const { emitted: onEmit } = observe;
    const publisher = new SocketPublisher(namespace, {
      finalDataRecords,
      writer,
      snapshots,
      publicUrl,
      now,
      onEmit,
      dismiss,
    });
    this.sessions = new LiveSessions({
      storage,
      publisher,
      now,
      newRecordId,
      policy,
      codeWindowMs,
      presenceGraceMs: PRESENCE_GRACE_MS,
      shared: () => this.#cluster?.hasOthers ?? false,
      // The other nodes count it too.
      onWrongCode: (live, studentId) => this.#cluster?.guessed(live, studentId),
      // A new follower of Rollcall's own has its line here. The records are followed always.
      followers: [...(options.followers ?? [])],
      onFollowerBehind: (session_id, follower, err) =>
        logger.warn({ session_id, follower, err }, 'a follower lags behind the journal'),
      onProjectionError: (session_id, err) => logger.warn({ session_id, err }, 'records lag behind the journal'),
      onRestoreError: (session_id, err) => logger.error({ session_id, err }, 'a session could not be restored'),
      onUnreadable: (err) =>
        logger.error({ session_id: err.session_id, err }, 'a session is left alone: its journal cannot be read'),
      onFollowerError: (session_id, err) => logger.error({ session_id, err }, 'a committed change was not told to all'),
    });
    const index = new SessionIndex(this.sessions);
    publisher.serve(index);
    this.hooks = new Hooks(logger);
    publisher.onCommitted((live, entries, committedHere) => this.hooks.committed(live, entries, committedHere));
    new SessionLog(logger, this.sessions);
    this.#timeouts = new SessionTimeouts({
      storage,
      sessions: this.sessions,
      expiring: (live, endsAt, reason) => publisher.expiring(live, endsAt, reason),
      onError: (session_id, err) =>
        logger.warn({ session_id, err }, 'a session could not be ended or kept by its time'),
      now,
      monotonic,
      lead: () => this.#cluster?.clocks.lead ?? 0,
    });
    this.#codeRotation = new CodeRotation({
      sessions: this.sessions,
      changed: (live) => publisher.codeChanged(live),
      now,
    });
    this.#cluster = options.alone
      ? undefined
      : new Cluster({
          namespace,
          installation: storage.installation,
          sessions: this.sessions,
          carrier: options.carrier,
          returned: (live, studentId, at) => publisher.returned(live, studentId, at),
          presenceChanged: (live) => publisher.presenceChanged(live),
          signedOut: (sids) => this.#closed.add(sids),
          polled: this.#pollClosed,
          onError: (what, err) => logger.warn({ err }, what),
          onTrouble: (trouble) => logger.warn(trouble),
          onTroubleOver: () => logger.info('the servers on this database hear each other, and their clocks agree'),
          clock,
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
      timeZone: config.timeZone,
      newRecordId,
      policy,
      codeWindowMs,
      passes: this.#passes,
      wrongLinks: new AddressRate(),
    };
    const isClosed = (sid: string) => this.#closed.has(sid);
    const watcher: KeysWatcher = {
      away: (err, known) =>
        logger.warn({ err, known }, 'the keys at JWKS_URL cannot be read; those of before go on counting'),
      back: () => logger.info('the keys at JWKS_URL can be read again'),
    };
    const verifyToken = tokenVerifier({ ...config, isClosed }, watcher, now);
    this.#context = {
      services,
      publisher,
      answerEncoding: exclusive ? standaloneAnswers(straight?.sendNow ?? (() => {})) : embeddedAnswers,
      verifyToken,
      isClosed,
      authenticate: options.authenticate,
      byUserId: config.uidClaim !== null || options.authenticate !== undefined,
      dispatch: new Dispatch(services, rateLimits),
      provisionFromToken,
      observe,
      moved: (session_id, student_id, socket_id, move) =>
        this.#cluster?.moved({ session_id, student_id, socket_id, move }),
      floodGuard: new FloodGuard(),
      dismiss: options.dismiss,
    };
  }

  /** What the HTTP API needs of this core. */
  get api(): CoreApi {
    const { services, dispatch, verifyToken, observe, provisionFromToken: provision, byUserId } = this.#context;
    const { directory, storage } = services;
    return {
      services,
      dispatch,
      verifyToken,
      personOf: (identity) => personOf(identity, { directory, storage, provision, byUserId }),
      observe,
      metrics: this.metrics,
      logger: this.#logger,
      reports: this.#reports,
    };
  }

  /** The whole picture of a session, whatever its state; undefined where there is none of this id. */
  readSession(sessionId: SessionId): Promise<SessionData | undefined> {
    return dataOfSession(sessionId, this.#context.services);
  }

  /**
   * Brings active sessions back, and begins to listen to other nodes.
   * @param stopped leaves the sessions that haven't been read yet
   * @returns how many sessions there are
   */
  async restore(stopped?: AbortSignal): Promise<number> {
    await this.#closed.poll();
    await this.#cluster?.join();
    this.#passes.signWith(await this.#installation.signingKey());
    const restored = await this.sessions.restore(stopped);
    if (stopped?.aborted) return restored;
    this.#cluster?.start();
    if (!this.#cluster) this.#closedTimer = setInterval(this.#pollClosed, CLOSED_EVERY_MS).unref();
    return restored;
  }

  /** What of other servers should be seen to, in words; empty while all is well. */
  get trouble(): readonly string[] {
    return this.#cluster?.trouble ?? [];
  }

  /** Judges the tokens of sockets and of requests alike. */
  get verifyToken(): VerifyToken {
    return this.#context.verifyToken;
  }

  /** Web sessions were closed in the database: their tokens count no longer, and their sockets are cut on every node. */
  signedOut(sids: readonly string[]): void {
    this.#closed.add(sids);
    if (sids.length > 0) this.#cluster?.signedOut(sids);
  }

  /** Takes on the namespace's sockets. */
  attach(): void {
    // Inside an app's server connections are the app's to cut.
    if (this.#exclusive) this.#context.floodGuard.guard(this.#namespace.server.engine);
    this.#sockets = attendanceSockets(this.#namespace, this.#context, {
      exclusive: this.#exclusive,
      severalNodes: this.#cluster !== undefined,
      rightsEveryMs: this.#rightsEveryMs,
    });
    const { storage, directory } = this.#context.services;
    this.#schoolWatch = new SchoolWatch({
      storage,
      changed: () => {
        directory.mistrust();
        this.#sockets?.lookAtRights();
      },
      onError: this.#observe.rightsUnknown,
    });
  }

  /** The socket is no longer this user's: it leaves Rollcall's rooms, and stays connected. */
  release(socket: Socket): void {
    this.#sockets?.release(socket);
  }

  /** Asks again who the socket's user is. */
  async reauthenticate(socket: Socket): Promise<void> {
    await this.#sockets?.reauthenticate(socket);
  }

  /** Sends this node's clients to the others, spread out, each once what it asked is answered; new ones may still come. */
  async sendAway(): Promise<void> {
    if (this.#cluster?.hasOthers) await this.#sockets?.sendAway();
  }

  /** Takes no further command and resolves once those that were accepted are committed, answered and projected. */
  async finish(): Promise<void> {
    this.#sockets?.pause();
    this.#schoolWatch?.close();
    this.#codeRotation.close();
    clearInterval(this.#closedTimer);
    await this.#reports.close();
    await Promise.all([this.#timeouts.close(), this.sessions.close()]);
    await this.#cluster?.stop();
  }

  /** Lets go of the namespace's sockets. */
  detach(): void {
    this.#sockets?.detach();
    this.#observe.close();
    this.#context.publisher.close();
  }
}
