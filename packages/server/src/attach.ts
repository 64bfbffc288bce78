import type { PolicyInput } from '@rollcall/protocol';
import type { Server } from 'socket.io';
import { openStorage } from './app.js';
import { ConfigError, readConfig } from './config.js';
import { type Logger, makeLogger } from './observability/logger.js';
import { RollcallCore } from './rollcall-core.js';

/** How Rollcall lives inside an app's own Socket.IO server. What isn't given is as in the environment's defaults. */
export interface AttachOptions {
  /** `sqlite:PATH`, `sqlite::memory:`, `mongodb://…` or `mongodb+srv://…`. */
  readonly database: string;
  /** Key of the app's HS256 tokens. This or `jwks` (or both) is required; with NODE_ENV=production at least 32 bytes. */
  readonly secret?: string;
  readonly jwks?: { readonly url: string; readonly issuer?: string; readonly audience?: string };
  /** Namespace whose sockets are served. Default `/`. */
  readonly namespace?: string;
  /** Defaults of sessions whose start doesn't say otherwise. */
  readonly policy?: PolicyInput;
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

export interface AttachedRollcall {
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
 * @throws {ConfigError} naming every bad option's variable
 * @throws {StorageError} when the database can't be opened
 */
export async function attachRollcall(io: Server, options: AttachOptions): Promise<AttachedRollcall> {
  if (options.secret === undefined && options.jwks === undefined) {
    throw new ConfigError([
      { variable: 'ACCESS_TOKEN_SECRET', message: 'is required (option secret), or JWKS_URL (option jwks)' },
    ]);
  }
  const config = readConfig(environmentOf(options));
  const logger = options.logger ?? makeLogger({ level: 'warn', format: config.log.format });
  const storage = await openStorage(config.database, logger);
  const core: RollcallCore = new RollcallCore(io.of(options.namespace ?? '/'), storage, config, logger, {
    exclusive: false,
    letGo: (socket) => core.forget(socket),
    // Whether the app's adapter gets through can't be asked; what it loses is found in the journal.
    ...(options.severalNodes ? { otherNodes: { connected: () => true } } : {}),
  });
  try {
    await core.restore();
  } catch (error) {
    await storage.close();
    throw error;
  }
  core.attach();
  return {
    activeAttendanceSessions: core.sessions.activeAttendanceSessions,
    metrics: core.metrics.registry,
    async close() {
      await core.finish();
      core.detach();
      await storage.close();
    },
  };
}

/** The options as the variables that mean the same, so that both are checked by the same rules. */
function environmentOf(options: AttachOptions): NodeJS.ProcessEnv {
  const { database, secret, jwks, policy = {}, rateLimits = {}, finalDataRecords, provisionFromToken } = options;
  const given: Record<string, string | number | boolean | null | undefined> = {
    // The app's own: in production a key must be as long here as in a server of Rollcall's own.
    NODE_ENV: process.env['NODE_ENV'],
    DATABASE_URL: database,
    ACCESS_TOKEN_SECRET: secret,
    JWKS_URL: jwks?.url,
    JWT_ISSUER: jwks?.issuer,
    JWT_AUDIENCE: jwks?.audience,
    PROVISION_FROM_TOKEN: provisionFromToken,
    CHECK_IN: policy.check_in,
    AUTO_MARK: policy.auto_mark,
    LATE_AFTER_MINUTES: policy.late_after_minutes,
    VISIBILITY: policy.visibility,
    INACTIVITY_MINUTES: policy.inactivity_minutes,
    MAX_MINUTES: policy.max_minutes,
    RATE_LIMIT_TEACHER_PER_SECOND: rateLimits.teacherPerSecond,
    RATE_LIMIT_STUDENT_PER_SECOND: rateLimits.studentPerSecond,
    FINAL_DATA_RECORDS: finalDataRecords,
  };
  const set = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(set.map(([name, value]) => [name, String(value)]));
}
