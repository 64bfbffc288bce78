import { createServer, type Server as HttpServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket as TcpSocket } from 'node:net';
import { Server, type ServerOptions, type Socket } from 'socket.io';
import { WebSocketServer } from 'ws';
import type { RedisLink } from './cluster/redis-adapter.js';
import { type Config, ensureSecret } from './config.js';
import { warnOfMode } from './config-warnings.js';
import { type Logger, makeLogger } from './observability/logger.js';
import { RollcallCore } from './rollcall-core.js';
import { openStorage } from './storage/open.js';
import type { Storage } from './storage/port.js';
import { httpApp } from './transport/http/http-app.js';
import { allowRequest, originAllowed } from './transport/http/origins.js';
import { coalesceWrites } from './transport/socket/engine/coalesce-writes.js';
import { parser } from './transport/socket/engine/encoder.js';
import { whyNotStraight } from './transport/socket/engine/probe.js';
import { dropSlowConsumers } from './transport/socket/engine/slow-consumers.js';

/** Fits a bulk of 5,000 rows with the longest remarks in ASCII, and little more. */
export const MAX_HTTP_BUFFER_SIZE = 6 * 1024 * 1024;
/** How long connections may take to go when the server stops, in ms. */
const CLOSE_WITHIN_MS = 2_500;
const PING_WITHIN_MS = 2_000;

/** A server of its own. */
export interface Rollcall {
  /** The Socket.IO server, for an app that adds events of its own. */
  readonly io: Server;
  readonly httpServer: HttpServer;
  /** There once `start` has resolved. */
  readonly storage: Storage;
  /** Opens and migrates the database, restores active sessions, opens the port. Rejects with what went wrong. */
  start(): Promise<{ readonly port: number }>;
  /** Stops accepting, finishes what was accepted, closes every connection and the database. */
  close(): Promise<void>;
}

export interface RollcallOptions {
  readonly logger?: Logger;
  /** Runs once the database is open and before sessions are restored. */
  readonly prepare?: (storage: Storage) => Promise<void>;
  /** Another implementation of websockets for Socket.IO than ws, as its option of this name takes it. */
  readonly wsEngine?: ServerOptions['wsEngine'];
}

/** Builds a server from a configuration; nothing is opened before `start`. */
export function createRollcall(config: Config, options: RollcallOptions = {}): Rollcall {
  const logger = options.logger ?? makeLogger(config.log);
  let storage: Storage | undefined;
  let core: RollcallCore | undefined;
  let closing: Promise<void> | undefined;
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

  let handle: RequestListener = (_request, response) => {
    response.writeHead(503).end();
  };
  const httpServer = createServer((request, response) => handle(request, response));
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
    async start() {
      warnOfMode(config, logger);
      storage = await openStorage(config.database, logger);
      await options.prepare?.(storage);
      const secret = await ensureSecret(config);
      redis = await redisLink(config.redisUrl, io, logger);
      let opened = config.port;
      const surroundings = {
        exclusive: true,
        publicUrl: () => config.publicUrl ?? localUrl(opened),
        letGo: closeTransport,
        ...((await goesStraight()) ? { straight: { sendNow: coalesceWrites(io) } } : {}),
        ...(redis ? { otherNodes: redis } : {}),
      };
      core = new RollcallCore(io.of('/'), storage, { ...config, secret }, logger, surroundings);
      handle = httpApp({ notReady, metrics: core.metrics.registry });
      const restored = await core.restore();
      core.attach();
      stopLooking = dropSlowConsumers(io.of('/'), (socket, bytes) => {
        logger.warn({ socket: socket.id, bytes }, 'dropped a client that stopped reading');
      });
      const port = await listen(httpServer, config.port, config.host);
      opened = port;
      logger.info({ port, host: config.host, storage: storage.kind, restored }, 'listening');
      return { port };
    },
    close() {
      closing ??= stop();
      return closing;
    },
  };

  async function stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => httpServer.close(() => resolve()));
    await core?.sendAway();
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
    if (httpServer.listening) await closed;
    await io.close();
    clearTimeout(forced);
    await redis?.close();
    await storage?.close();
    logger.info('stopped');
  }
}

/** Only what is used is loaded. */
async function redisLink(url: string | null, io: Server, logger: Logger): Promise<RedisLink | undefined> {
  if (url === null) return undefined;
  const { joinByRedis } = await import('./cluster/redis-adapter.js');
  return joinByRedis(io, url, {
    away: (err) => logger.warn({ err }, 'Redis is away; other nodes are followed through the database'),
    back: () => logger.info('Redis is back'),
  });
}

function closeTransport(socket: Socket): void {
  socket.conn.close();
}

function listen(server: HttpServer, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
