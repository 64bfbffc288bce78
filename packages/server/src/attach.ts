import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PolicyInput, Session, SessionId, Statistics } from '@rollcall/protocol';
import type { Server, Socket } from 'socket.io';
import { type Identity, isUid } from './auth/verify-token.js';
import { type SessionData, sessionOfState } from './commands/present.js';
import { type Config, ConfigError, type ConfigProblem, readConfig } from './config/config.js';
import {
  byOption,
  environmentOf,
  isObject,
  optionNames,
  type PathsOf,
  problemsOfNames,
  settingsOf,
} from './config/options.js';
import type { Hook, HookEvents } from './hooks.js';
import { type Logger, makeLogger } from './observability/logger.js';
import { RollcallCore } from './rollcall-core.js';
import { type AppConnection, claimForServer, openOnConnection, openStorage } from './storage/open.js';

/** How Rollcall lives inside an app's own Socket.IO server. What isn't given is as in the environment's defaults. */
export interface AttachOptions {
  /** `sqlite:PATH`, `sqlite::memory:`, `mongodb://…` or `mongodb+srv://…`. This, `mongoose` or `connection` is required. */
  readonly database?: string;
  /** The app's Mongoose, of whatever version from 6, whose default connection is used and never closed. */
  readonly mongoose?: { readonly connection: AppConnection };
  /** A Mongoose connection that the app has open, for one that isn't the default. It is used and never closed. */
  readonly connection?: AppConnection;
  /**
   * The app's own sign-in: the uid (or user id) of the socket's user, or null where nobody is signed in. It goes before
   * tokens, which count where it gives null. Asked when a socket comes, and by `reauthenticate`. Where it throws it is
   * asked again; it has 10 s.
   */
  readonly authenticate?: (socket: Socket) => string | null | undefined | Promise<string | null | undefined>;
  /**
   * Key of the app's HS256 tokens. This, `jwks` or `authenticate` (or several) is required; with NODE_ENV=production at
   * least 32 bytes.
   */
  readonly secret?: string;
  /** A second key whose tokens still count: the one from before, while `secret` is being changed. */
  readonly oldSecret?: string;
  /** The claim of HS256 tokens that names the user (`id`, `userId`): by uid, else by user id. Default `uid`, else `sub`. */
  readonly uidClaim?: string;
  readonly jwks?: { readonly url: string; readonly issuer?: string; readonly audience?: string };
  /** The app's Express, of whatever version from 4: the HTTP API is mounted in it, in front of what is added later. */
  readonly http?: HttpHost;
  /** Path at which the HTTP API is mounted. Default `/api/v1`. */
  readonly httpPath?: string;
  /**
   * The app's own sign-in for requests of the HTTP API: the uid (or user id) of who sends it, or null where nobody is
   * signed in. It goes before tokens, which count where it gives null. Guard cookies against other sites' pages there.
   */
  readonly authenticateRequest?: (
    request: IncomingMessage,
  ) => string | null | undefined | Promise<string | null | undefined>;
  /** Namespace whose sockets are served. Default `/`. */
  readonly namespace?: string;
  /** Defaults of sessions whose start doesn't say otherwise. */
  readonly policy?: PolicyInput;
  /** Seconds for which a check-in code is shown; it counts for as long again. Default 15. */
  readonly codeSeconds?: number;
  /** Address under which people reach the app, for the links in check-in codes. Default: this machine and its port. */
  readonly publicUrl?: string;
  /** Time zone of the school by its IANA name: dates and times of sessions are in it. Default: the machine's. */
  readonly timeZone?: string;
  /** Makes unknown users from the claims name, email and role. Default false. */
  readonly provisionFromToken?: boolean;
  /** Events a second and user, burst four times that; 0 is no limit. Default 500 and 20. */
  readonly rateLimits?: { readonly teacherPerSecond?: number; readonly studentPerSecond?: number };
  /** Above this number of records, students' finalData holds their own record only. Default 1,000. */
  readonly finalDataRecords?: number;
  /**
   * The app's Socket.IO adapter (Redis, …) reaches further nodes that have Rollcall attached on the same MongoDB.
   * Default false.
   */
  readonly severalNodes?: boolean;
  /** A pino logger. Default: warnings and errors to standard error. */
  readonly logger?: Logger;
}

/** What Rollcall needs of an app's Express. */
export interface HttpHost {
  use(path: string, handler: (request: IncomingMessage, response: ServerResponse) => void): unknown;
}

/** An active session, as it stands. */
export interface ActiveSession {
  readonly session: Session;
  readonly statistics: Statistics;
  readonly seq: number;
}

export interface AttachedRollcall {
  /** Reads for the app's own routes. They ask for no right: that is the app's business. */
  readonly sessions: {
    /** The sessions that are active now. */
    list(): ActiveSession[];
    /**
     * A session with all its records, whatever its state; null where there is none of this id.
     * @throws {StorageError} when it isn't in memory and the database can't be asked
     */
    get(sessionId: string): Promise<SessionData | null>;
  };
  /**
   * Calls `hook` with each `sessionStarted`, `sessionEnded` or `recordChanged`, on every node and once in each, behind
   * the answers and broadcasts of the change. What it throws is logged and does no harm. What is committed while the
   * process isn't there, or is missed by it in a crash, isn't told.
   * @returns takes the hook away again
   * @throws {TypeError} for another name, or what is no function
   */
  on<Name extends keyof HookEvents>(event: Name, hook: Hook<Name>): () => void;
  /**
   * To be called when the app signs somebody else in on a connected socket, or nobody: the socket leaves Rollcall's
   * rooms at once, and is asked about anew. Resolves once it was.
   */
  reauthenticate(socket: Socket): Promise<void>;
  /** Sessions that are active now, by id. */
  readonly activeAttendanceSessions: RollcallCore['sessions']['activeAttendanceSessions'];
  /** The metrics of this instance, a prom-client Registry. */
  readonly metrics: RollcallCore['metrics']['registry'];
  /** Finishes what was accepted, lets go of the sockets and closes the database. The app's server runs on. */
  close(): Promise<void>;
}

/**
 * Adds Rollcall's events, rooms and middleware to an existing Socket.IO server and leaves all else alone: a socket
 * without a good token stays connected, and only Rollcall's events answer it with UNAUTHENTICATED; when a token
 * expires the socket gets `sessionExpired` and is the app's again.
 * Resolves once the database is open and active sessions are restored; call it before the app listens.
 * @throws {TypeError} when `io` is no Socket.IO server; nothing was opened
 * @throws {ConfigError} naming every bad option, with its variable where it has one; nothing was opened
 * @throws {ServedElsewhere} when another server has the SQLite file
 * @throws {StorageError} when the database can't be opened
 */
export async function attachRollcall(io: Server, options: AttachOptions): Promise<AttachedRollcall> {
  assertServer(io);
  const config = configOf(options);
  const logger = options.logger ?? makeLogger({ level: 'warn', format: config.log.format });
  const connection = options.connection ?? options.mongoose?.connection;
  const giveUpClaim = connection ? () => {} : await claimForServer(config.database, logger);
  const opening = connection
    ? openOnConnection(connection, logger)
    : openStorage(config.database, logger, { setting: 'the option database' });
  const storage = await opening.catch((error) => {
    giveUpClaim();
    throw error;
  });
  let core: RollcallCore | undefined;
  let served: { close(): void } | undefined;
  const close = async () => {
    try {
      served?.close();
      await core?.finish();
      core?.detach();
    } finally {
      await storage.close();
      giveUpClaim();
    }
  };
  try {
    // Whether the app's adapter gets through can't be asked; a server that lives and isn't heard shows it.
    const carrier = options.severalNodes
      ? { channel: `app-${await storage.installation.channelKey()}`, connected: () => true }
      : undefined;
    core = new RollcallCore(io.of(options.namespace ?? '/'), storage, config, logger, {
      exclusive: false,
      publicUrl: () => config.publicUrl ?? localUrl(io),
      dismiss: (socket) => core?.release(socket),
      ...(options.authenticate ? { authenticate: options.authenticate } : {}),
      // The file of a SQLite database is claimed.
      alone: config.database.kind === 'sqlite',
      ...(carrier ? { carrier } : {}),
    });
    await core.restore();
    core.attach();
    if (options.http) served = await mountApi(core, io, config, options);
  } catch (error) {
    // An open database keeps the process from ending. What else fails now fails because of this error.
    await close().catch(() => undefined);
    throw error;
  }
  const { sessions, hooks } = core;
  const attached = core;
  return {
    sessions: {
      list: () =>
        Array.from(sessions.activeAttendanceSessions.values(), ({ state, statistics }) => ({
          session: sessionOfState(state),
          statistics,
          seq: state.seq,
        })),
      get: async (sessionId) => (await attached.readSession(sessionId as SessionId)) ?? null,
    },
    on: (event, hook) => hooks.on(event, hook),
    reauthenticate: (socket) => attached.reauthenticate(socket),
    activeAttendanceSessions: sessions.activeAttendanceSessions,
    metrics: core.metrics.registry,
    close,
  };
}

/** Express and what belongs to it are loaded only where an app asks for the API. */
async function mountApi(
  core: RollcallCore,
  io: Server,
  config: Config,
  { http, httpPath = '/api/v1', authenticateRequest, mongoose, connection }: AttachOptions,
): Promise<{ close(): void }> {
  const { apiApp } = await import('./transport/http/http-app.js');
  const { schoolImporter } = await import('./school/import-file.js');
  const publicUrl = () => (config.publicUrl ?? localUrl(io)).replace(/\/+$/, '');
  const api = apiApp({
    ...core.api,
    signIn: undefined,
    publicUrl,
    errorsUrl: () => `${publicUrl()}${httpPath}/errors`,
    ...(authenticateRequest && { authenticate: (request) => identityOf(authenticateRequest, request) }),
    timeZone: config.timeZone,
    features: { import: true, email: false, oidc: false },
    importFile: schoolImporter(core.api.services.storage, mongoose || connection ? null : config.database),
    checkAnswers: false,
  });
  let open = true;
  http?.use(httpPath, (request, response) => {
    if (open) api(request, response);
    else response.writeHead(503).end();
  });
  return {
    close() {
      open = false;
    },
  };
}

async function identityOf(
  authenticate: NonNullable<AttachOptions['authenticateRequest']>,
  request: IncomingMessage,
): Promise<Identity | undefined> {
  const uid = await authenticate(request);
  if (uid === undefined || uid === null) return undefined;
  if (!isUid(uid)) throw new TypeError('authenticateRequest must give a uid of 1–128 characters, or null');
  return { uid, sid: null, expires_at: null, claims: { name: null, email: null, role: null } };
}

/** For an app that doesn't say where it is reached, and a phone that is the same machine. */
function localUrl({ httpServer }: Server): string {
  const address = httpServer?.address();
  return typeof address === 'object' && address !== null ? `http://localhost:${address.port}` : 'http://localhost';
}

/** By what it can do: the app's Socket.IO may be another copy than ours. Callers in JavaScript pass anything. */
function assertServer(io: unknown): void {
  const { of, sockets, serverSideEmit } = (io ?? {}) as Partial<Record<keyof Server, unknown>>;
  if (typeof of === 'function' && typeof serverSideEmit === 'function' && sockets !== undefined) return;
  throw new TypeError(
    'attachRollcall needs a Socket.IO 4 server as its first argument (for a namespace of it there is the option namespace)',
  );
}

/** The options that are no variable's. What a variable's row names as its option is checked by the row. */
const OTHERS = {
  mongoose: true,
  connection: true,
  authenticate: true,
  http: true,
  httpPath: true,
  authenticateRequest: true,
  namespace: true,
  severalNodes: true,
  logger: true,
} as const;

const NAMES = optionNames<PathsOf<Omit<AttachOptions, keyof typeof OTHERS>>>(OTHERS);

/** @throws {ConfigError} naming everything that is wrong with the options at once */
function configOf(options: AttachOptions | undefined): Config {
  const given: Partial<AttachOptions> = options ?? {};
  if (!isObject(given)) throw new ConfigError([{ variable: 'options', message: 'must be an object' }]);
  const problems = [...problemsOfNames(given, NAMES), ...withoutVariable(given)];
  const settings = settingsOf(given);
  const environment = environmentOf(settings);
  // What isn't given would be a default that the app didn't ask for, a database in the working directory.
  const databases = [given.database, given.mongoose, given.connection].filter(Boolean).length;
  if (databases === 0) {
    const message = 'is required (option database), or the option mongoose or connection';
    problems.push({ variable: 'DATABASE_URL', message });
  } else if (databases > 1) {
    problems.push({ variable: 'DATABASE_URL', message: 'is one of the options database, mongoose and connection' });
  }
  if (
    !environment['ACCESS_TOKEN_SECRET'] &&
    !environment['JWKS_URL'] &&
    !given.authenticate &&
    !given.authenticateRequest
  ) {
    const message = 'is required (option secret), or JWKS_URL (option jwks), or the option authenticate';
    problems.push({ variable: 'ACCESS_TOKEN_SECRET', message });
  }
  try {
    // Keyless: that a key is missing has just been said.
    const config = readConfig(environment, true);
    if (problems.length === 0) return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems.map((problem) => byOption(problem, settings)));
  }
  throw new ConfigError(problems);
}

/** Options that aren't variables, and so aren't checked as such. */
function* withoutVariable(options: Partial<AttachOptions>): Iterable<ConfigProblem> {
  const { namespace, severalNodes, mongoose, connection, authenticate, authenticateRequest, http, httpPath } = options;
  if (authenticateRequest !== undefined && typeof authenticateRequest !== 'function')
    yield { variable: 'authenticateRequest', message: 'must be a function of a request that gives a uid or null' };
  if (http !== undefined && typeof http?.use !== 'function')
    yield { variable: 'http', message: 'must be an Express app' };
  if (!/^\/[^?#\s]*[^/?#\s]$/.test(httpPath ?? '/api/v1'))
    yield { variable: 'httpPath', message: 'must be a path such as /api/v1' };
  if (authenticate !== undefined && typeof authenticate !== 'function')
    yield { variable: 'authenticate', message: 'must be a function of a socket that gives a uid or null' };
  if (mongoose && !isConnection(mongoose.connection))
    yield { variable: 'mongoose', message: 'must be the app’s Mongoose' };
  if (connection && !isConnection(connection))
    yield { variable: 'connection', message: 'must be a connection of Mongoose' };
  if (typeof (namespace ?? '') !== 'string') yield { variable: 'namespace', message: 'must be a name such as /class' };
  if (typeof (severalNodes ?? false) !== 'boolean')
    yield { variable: 'severalNodes', message: 'must be true or false' };
}

/** By what it can do: the app's Mongoose may be another copy than ours. */
const isConnection = (value: unknown): boolean => {
  const { getClient, asPromise } = (value ?? {}) as Partial<Record<keyof AppConnection, unknown>>;
  return typeof getClient === 'function' && typeof asPromise === 'function';
};
