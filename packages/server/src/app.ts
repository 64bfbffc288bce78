import { createServer, type Server as HttpServer, type RequestListener } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Server, type ServerOptions, type Socket } from 'socket.io';
import { WebSocketServer } from 'ws';
import { accessKeyOf, accessTokenIssuer } from './auth/access-token.js';
import type { RedisLink } from './cluster/redis-adapter.js';
import type { Config } from './config/config.js';
import { ensureSecret } from './config/secret.js';
import { warnOfMode } from './config/warnings.js';
import { type Logger, makeLogger } from './observability/logger.js';
import type { Follower } from './register/follower.js';
import { RollcallCore } from './rollcall-core.js';
import { schoolImporter } from './school/import-file.js';
import { SignIn } from './sign-in/sign-in.js';
import { openStorage } from './storage/open.js';
import type { Storage } from './storage/port.js';
import { httpApp } from './transport/http/http-app.js';
import { listen } from './transport/http/listen.js';
import { allowRequest, originAllowed } from './transport/http/origins.js';
import { coalesceWrites } from './transport/socket/engine/coalesce-writes.js';
import { parser } from './transport/socket/engine/encoder.js';
import { whyNotStraight } from './transport/socket/engine/probe.js';
import { readInShortTurns } from './transport/socket/engine/short-reads.js';
import { dropSlowConsumers } from './transport/socket/engine/slow-consumers.js';

/** Fits a bulk of 5,000 rows with the longest remarks in ASCII, and little more. */
export const MAX_HTTP_BUFFER_SIZE = 6 * 1024 * 1024;
/** How long connections may take to go when the server stops, in ms. */
const CLOSE_WITHIN_MS = 2_500;
/** How long it waits for letters that are on their way, in ms. */
const LETTERS_WITHIN_MS = 1_000;
const PING_WITHIN_MS = 2_000;
/** How long an idle connection is kept, in ms: longer than by any balancer of docs/guides/operating.md. */
const KEEP_ALIVE_MS = 620_000;
/** How long a request may take to arrive, in ms: a school's file over a slow line, and no longer. */
const REQUEST_WITHIN_MS = 120_000;
/** How long a start that is told to stop may go on with what it writes, in ms. */
const START_ENDS_WITHIN_MS = 3_000;
/** How long after it is told to stop the server goes on waiting for a database that doesn't take what is written, in ms. */
const STORAGE_PATIENCE_MS = 5_000;

/** A server of its own. */
export interface Rollcall {
  /** The Socket.IO server, for an app that adds events of its own. */
  readonly io: Server;
  readonly httpServer: HttpServer;
  /** There once `start` has resolved. */
  readonly storage: Storage;
  /** Opens and migrates the database, restores active sessions, opens the port. Rejects with what went wrong. */
  start(): Promise<{ readonly port: number }>;
  /**
   * Stops accepting, finishes what was accepted, closes every connection and the database. During a start it makes
   * `start` reject, and what the start waits for isn't waited for.
   */
  close(): Promise<void>;
}

export interface RollcallOptions {
  readonly logger?: Logger;
  /** Runs once the database is open and before sessions are restored. */
  readonly prepare?: (storage: Storage) => Promise<void>;
  /** Another implementation of websockets for Socket.IO than ws, as its option of this name takes it. */
  readonly wsEngine?: ServerOptions['wsEngine'];
  /** Who follows the journals, beside Rollcall's own. */
  readonly followers?: readonly Follower[];
  /** How often everybody in a room is looked at again, in ms. Default 25,000. */
  readonly rightsEveryMs?: number;
  /** Holds every answer of the HTTP API against its schema, and refuses one that differs as a fault of the server. */
  readonly checkAnswers?: boolean;
}

/** Builds a server from a configuration; nothing is opened before `start`. */
export function createRollcall(config: Config, options: RollcallOptions = {}): Rollcall {
  const logger = options.logger ?? makeLogger(config.log);
  let storage: Storage | undefined;
  let core: RollcallCore | undefined;
  let signIn: SignIn | undefined;
  let closing: Promise<void> | undefined;
  let starting: Promise<{ readonly port: number }> | undefined;
  let listening = false;
  const stopping = new AbortController();
  let redis: RedisLink | undefined;
  let stopLooking: () => void = () => {};

  const notReady = async (): Promise<string[]> => {
    if (closing) return ['stopping'];
    if (!storage || !core) return ['starting'];
    const late = new Promise<string>((resolve) => {
      setTimeout(() => resolve('the database does not answer'), PING_WITHIN_MS).unref();
    });
    const answer = storage.ping().then(
      () => '',
      () => 'the database does not answer',
    );
    const reason = await Promise.race([answer, late]);
    return reason === '' ? [] : [reason];
  };

  /** What doesn't keep the server from serving, and should be seen to. */
  const details = (): string[] => {
    const trouble = redis?.trouble() ?? null;
    return [
      ...(trouble === null ? [] : [`${trouble}; other nodes are followed through the database`]),
      ...[...(core?.sessions.unreadable.values() ?? [])].map(({ message }) => message),
      ...(core?.trouble ?? []),
    ];
  };

  let handle: RequestListener = (_request, response) => {
    response.writeHead(503).end();
  };
  const httpServer = createServer((request, response) => handle(request, response));
  // A balancer that reuses a connection in the moment in which it is closed answers its client with an error.
  httpServer.keepAliveTimeout = KEEP_ALIVE_MS;
  httpServer.headersTimeout = KEEP_ALIVE_MS + 5_000;
  httpServer.requestTimeout = REQUEST_WITHIN_MS;
  const connections = new Set<TcpSocket>();
  httpServer.on('connection', (connection: TcpSocket) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
  });
  // Engine.IO's own websockets are of a version that keeps a pong for every ping of who doesn't read.
  const engine = { wsEngine: options.wsEngine ?? WebSocketServer, parser };
  const io = new Server(httpServer, {
    maxHttpBufferSize: MAX_HTTP_BUFFER_SIZE,
    allowRequest: allowRequest(config.corsOrigins),
    cors: {
      origin: (origin, callback) => callback(null, originAllowed(origin, undefined, config.corsOrigins)),
      credentials: true,
    },
    serveClient: false,
    ...engine,
  });

  /** What lies past Socket.IO's public ways isn't promised: the versions that are installed may be others. */
  const goesStraight = async (): Promise<boolean> => {
    const why = await whyNotStraight(engine);
    if (why === undefined) return true;
    logger.warn({ why }, 'Engine.IO or ws are not as expected: events go out by Socket.IO’s public way, at more CPU');
    return false;
  };

  let warned = false;
  /** For a phone that is this machine: no other one finds anything there. */
  const localUrl = (port: number): string => {
    if (!warned && config.mode === 'production') {
      logger.warn('PUBLIC_URL is not set: the links of check-in codes lead to localhost');
    }
    warned = true;
    return `http://localhost:${port}`;
  };

  return {
    io,
    httpServer,
    get storage() {
      if (!storage) throw new Error('The server has not started');
      return storage;
    },
    start() {
      starting ??= begin();
      return starting;
    },
    close() {
      closing ??= stop();
      return closing;
    },
  };

  async function begin(): Promise<{ readonly port: number }> {
    const { signal: stopped } = stopping;
    warnOfMode(config, logger);
    storage = await openStorage(config.database, logger, { setting: config.databaseFrom, stopped });
    await options.prepare?.(storage);
    const secret = await ensureSecret(config);
    const channel = config.redisUrl === null ? '' : `rollcall-${await storage.installation.channelKey()}`;
    redis = await redisLink(config.redisUrl, channel, io, logger, stopped);
    let opened = config.port;
    const surroundings = {
      exclusive: true,
      publicUrl: () => config.publicUrl ?? localUrl(opened),
      dismiss: closeTransport,
      ...(options.rightsEveryMs === undefined ? {} : { rightsEveryMs: options.rightsEveryMs }),
      ...(options.followers === undefined ? {} : { followers: options.followers }),
      ...((await goesStraight()) ? { straight: { sendNow: coalesceWrites(io) } } : {}),
      // Whoever serves a SQLite file claims it.
      alone: config.database.kind === 'sqlite',
      ...(redis ? { carrier: { channel, connected: redis.connected } } : {}),
    };
    const accessKey = secret ?? accessKeyOf(await storage.installation.signingKey());
    const served = new RollcallCore(io.of('/'), storage, { ...config, secret, accessKey }, logger, surroundings);
    core = served;
    signIn = new SignIn({
      storage,
      directory: served.api.services.directory,
      issue: accessTokenIssuer(accessKey),
      signedOut: (sids) => served.signedOut(sids),
      publicUrl: surroundings.publicUrl,
      mail: config.mail,
      oidc: config.oidc,
      now: served.api.services.now,
      onError: (what, err) => logger.warn({ err }, what),
    });
    const { metricsToken, corsOrigins, publicUrl } = config;
    const reached = () => surroundings.publicUrl().replace(/\/+$/, '');
    const api = {
      ...served.api,
      signIn,
      publicUrl: reached,
      errorsUrl: () => `${reached()}/errors`,
      timeZone: config.timeZone,
      features: { import: true, email: signIn.mails, oidc: signIn.oidc !== undefined },
      importFile: schoolImporter(storage, config.database),
      checkAnswers: options.checkAnswers ?? false,
    };
    const { registry: metrics } = served.metrics;
    handle = httpApp({ notReady, details, metrics, metricsToken, corsOrigins, publicUrl, api });
    const restored = await served.restore(stopped);
    stopped.throwIfAborted();
    served.attach();
    readInShortTurns(io.engine);
    signIn.start();
    stopLooking = dropSlowConsumers(io.of('/'), (socket, bytes) => {
      logger.warn({ socket: socket.id, bytes }, 'dropped a client that stopped reading');
    });
    const port = await listen(httpServer, config.port, config.host);
    listening = true;
    opened = port;
    logger.info({ port, host: config.host, storage: storage.kind, restored }, 'listening');
    return { port };
  }

  async function stop(): Promise<void> {
    stopping.abort(new Error('the server was told to stop before it had started'));
    // Beyond, what still waits for the database is refused, and was acknowledged to nobody.
    const impatience = setTimeout(() => void storage?.close(), STORAGE_PATIENCE_MS);
    // What a start waits for is let go at once; what it writes is better written to the end, if that is soon.
    await Promise.race([starting?.catch(() => undefined), delay(START_ENDS_WITHIN_MS, undefined, { ref: false })]);
    const closed = listening ? new Promise<void>((resolve) => httpServer.close(() => resolve())) : undefined;
    await core?.sendAway();
    // A letter that the mail server doesn't take by then isn't waited for.
    await Promise.race([signIn?.close(), delay(LETTERS_WITHIN_MS, undefined, { ref: false })]);
    await core?.finish();
    // The transport alone: after a namespace disconnect clients would not come back by themselves.
    for (const socket of io.of('/').sockets.values()) closeTransport(socket);
    stopLooking();
    core?.detach();
    io.engine.close();
    httpServer.closeIdleConnections();
    // A client that is gone without a word never answers the goodbye of its websocket, which would wait for 30 s; and
    // what has become a websocket is none of closeAllConnections' business.
    const forced = setTimeout(() => {
      for (const connection of connections) connection.destroy();
    }, CLOSE_WITHIN_MS);
    await closed;
    await io.close();
    clearTimeout(forced);
    await redis?.close();
    await storage?.close();
    clearTimeout(impatience);
    if (listening) logger.info('stopped');
  }
}

/** Only what is used is loaded. */
async function redisLink(
  url: string | null,
  channel: string,
  io: Server,
  logger: Logger,
  stopped: AbortSignal,
): Promise<RedisLink | undefined> {
  stopped.throwIfAborted();
  if (url === null) return undefined;
  const { joinByRedis } = await import('./cluster/redis-adapter.js');
  const watcher = {
    away: (err: unknown) => logger.warn({ err }, 'Redis is away; other nodes are followed through the database'),
    back: () => logger.info('Redis is back'),
  };
  return joinByRedis(io, { url, channel }, watcher, stopped);
}

function closeTransport(socket: Socket): void {
  socket.conn.close();
}
