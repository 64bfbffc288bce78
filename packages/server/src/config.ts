import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Policy } from '@rollcall/protocol';
import {
  type Database,
  type LogLevel,
  type Mode,
  type Surroundings,
  type Variable,
  type VariableName,
  variables,
} from './config-variables.js';
import { makeFolder } from './make-folder.js';

/** Shortest ACCESS_TOKEN_SECRET in production, in bytes: the size of an HS256 digest. */
export const SECRET_MIN_BYTES = 32;

/** Everything that the environment decides, checked and frozen. */
export interface Config {
  readonly mode: Mode;
  /** False where NODE_ENV is a word that Rollcall doesn't know, which makes it development all the same. */
  readonly modeIsNamed: boolean;
  /** Mode development with no key of its own: the server makes a secret, and an empty database gets the demo school. */
  readonly development: boolean;
  /** 0 takes a free port. */
  readonly port: number;
  readonly host: string;
  /** Key of HS256 tokens; null: see {@link ensureSecret}. */
  readonly secret: string | null;
  readonly jwks: {
    readonly url: string;
    readonly issuer: string | null;
    readonly audience: string | null;
  } | null;
  readonly database: Database;
  /** The variable that chose the database, for messages. */
  readonly databaseFrom: 'DATABASE_URL' | 'MONGODB_URI' | 'MONGO_URI' | 'DATA_DIR';
  /** Set where several nodes serve one MongoDB. */
  readonly redisUrl: string | null;
  /** Absolute path. It may not exist yet. */
  readonly dataDir: string;
  /** A list of origins (`*` is any); `localhost`: any port of this machine, and the same origin. */
  readonly corsOrigins: readonly string[] | 'localhost' | 'same-origin';
  readonly log: { readonly level: LogLevel; readonly format: 'pretty' | 'json' };
  /** What /metrics wants as Bearer; null: nothing. */
  readonly metricsToken: string | null;
  readonly provisionFromToken: boolean;
  /** For sessions whose start doesn't say otherwise. */
  readonly policy: Policy;
  /** How long a check-in code is shown; it counts for as long again. */
  readonly codeSeconds: number;
  /** Events a second and user; 0 is no limit. */
  readonly rateLimits: { readonly teacherPerSecond: number; readonly studentPerSecond: number };
  /** Above this number of records, students' finalData holds their own record only. */
  readonly finalDataRecords: number;
  /** Address under which people reach the server; null: this machine and its port. */
  readonly publicUrl: string | null;
}

export interface ConfigProblem {
  /** Or an option of attachRollcall that is no variable's. */
  readonly variable: string;
  readonly message: string;
}

/** The environment can't be used; `problems` names every bad variable, not just the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ variable, message }) => `  ${variable}: ${message}`);
    super(`The configuration can't be used:\n${lines.join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Reads and checks the environment. A variable that is empty counts as not set.
 * @param keyless true for what neither signs nor checks tokens: in production too it then needs no key
 * @throws {ConfigError} naming every bad variable at once; secrets are never part of a message
 */
export function readConfig(env: NodeJS.ProcessEnv, keyless = false): Config {
  const nodeEnv = env['NODE_ENV']?.trim() ?? '';
  const mode: Mode = nodeEnv === 'production' ? 'production' : 'development';
  const surroundings: Surroundings = { mode, terminal: process.stdout.isTTY === true };
  const problems: ConfigProblem[] = [];
  const refuse = (variable: VariableName, message: string) => problems.push({ variable, message });

  function take<T>(name: VariableName, variable: Variable<T>): T {
    const given = env[name] ?? '';
    // A secret is taken as it stands: its spaces count.
    const text = name === 'ACCESS_TOKEN_SECRET' ? given : given.trim();
    if (text === '') return variable.fallback(surroundings);
    try {
      return variable.read(text);
    } catch (error) {
      const must = error instanceof Error ? error.message : String(error);
      refuse(name, variable.hidden ? must : `${must}, but is ${JSON.stringify(withoutPassword(text))}`);
      return variable.fallback(surroundings);
    }
  }
  const get = <Name extends VariableName>(name: Name) => take(name, variables[name]);

  const secret = get('ACCESS_TOKEN_SECRET');
  const jwksUrl = get('JWKS_URL');
  const [issuer, audience] = [get('JWT_ISSUER'), get('JWT_AUDIENCE')];
  if (mode === 'production') {
    if (secret === null && jwksUrl === null && !keyless && !problems.some(({ variable }) => variable === 'JWKS_URL')) {
      refuse('ACCESS_TOKEN_SECRET', `is required in production (at least ${SECRET_MIN_BYTES} bytes), or JWKS_URL`);
    } else if (secret !== null && Buffer.byteLength(secret) < SECRET_MIN_BYTES) {
      refuse('ACCESS_TOKEN_SECRET', `must have at least ${SECRET_MIN_BYTES} bytes in production`);
    }
  }
  if (jwksUrl === null && !env['JWKS_URL']) {
    // Ignored, they would look like a protection that isn't there.
    if (issuer !== null) refuse('JWT_ISSUER', 'has no effect without JWKS_URL');
    if (audience !== null) refuse('JWT_AUDIENCE', 'has no effect without JWKS_URL');
  }

  const dataDir = get('DATA_DIR');
  const [databaseUrl, mongodbUri, mongoUri] = [get('DATABASE_URL'), get('MONGODB_URI'), get('MONGO_URI')];

  const config: Config = {
    mode,
    modeIsNamed: ['', 'production', 'development', 'test'].includes(nodeEnv),
    development: mode === 'development' && secret === null && jwksUrl === null,
    port: get('CHAT_PORT'),
    host: get('HOST'),
    secret,
    jwks: jwksUrl === null ? null : { url: jwksUrl, issuer, audience },
    database: databaseUrl ?? mongodbUri ?? mongoUri ?? { kind: 'sqlite', path: join(dataDir, 'rollcall.db') },
    databaseFrom: databaseUrl ? 'DATABASE_URL' : mongodbUri ? 'MONGODB_URI' : mongoUri ? 'MONGO_URI' : 'DATA_DIR',
    redisUrl: get('REDIS_URL'),
    dataDir,
    corsOrigins: get('CORS_ORIGIN'),
    log: { level: get('LOG_LEVEL'), format: get('LOG_FORMAT') },
    metricsToken: get('METRICS_TOKEN'),
    provisionFromToken: get('PROVISION_FROM_TOKEN'),
    policy: {
      check_in: get('CHECK_IN'),
      auto_mark: get('AUTO_MARK'),
      late_after_minutes: get('LATE_AFTER_MINUTES'),
      visibility: get('VISIBILITY'),
      inactivity_minutes: get('INACTIVITY_MINUTES'),
      max_minutes: get('MAX_MINUTES'),
    },
    codeSeconds: get('CODE_SECONDS'),
    rateLimits: {
      teacherPerSecond: get('RATE_LIMIT_TEACHER_PER_SECOND'),
      studentPerSecond: get('RATE_LIMIT_STUDENT_PER_SECOND'),
    },
    finalDataRecords: get('FINAL_DATA_RECORDS'),
    publicUrl: get('PUBLIC_URL'),
  };
  if (config.redisUrl !== null && config.database.kind === 'sqlite') {
    refuse('REDIS_URL', 'has no use with SQLite, which is for one node; several nodes need DATABASE_URL=mongodb://…');
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(config);
}

/** Who mistypes an address may have put a password into it. */
const withoutPassword = (text: string): string => text.replace(/\/\/\S*@/g, '//…@');

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) deepFreeze(part);
  }
  return Object.freeze(value);
}

/**
 * The key of HS256 tokens: the configured one, or in development the one kept in DATA_DIR, made at the first call.
 * Null where only an identity provider's tokens count. Safe when several processes ask at the same time.
 */
export async function ensureSecret(config: Config): Promise<string | null> {
  if (config.secret !== null || !config.development) return config.secret;
  const path = join(config.dataDir, 'access-token-secret');
  return (await readSecret(path)) ?? (await makeSecret(config.dataDir, path));
}

async function readSecret(path: string): Promise<string | null> {
  let text: string;
  try {
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw unusableDataDir(error, `${path} cannot be read`);
  }
  if (Buffer.byteLength(text) < SECRET_MIN_BYTES) {
    throw new ConfigError([
      { variable: 'ACCESS_TOKEN_SECRET', message: `${path} holds less than ${SECRET_MIN_BYTES} bytes; delete it` },
    ]);
  }
  return text;
}

async function makeSecret(dataDir: string, path: string): Promise<string> {
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
  let file: FileHandle;
  try {
    makeFolder(dataDir);
    file = await open(draft, 'wx', 0o600);
  } catch (error) {
    throw unusableDataDir(error, `the development secret cannot be kept in ${dataDir}`);
  }
  try {
    await file.writeFile(`${randomBytes(48).toString('base64url')}\n`);
    await file.sync();
    await file.close();
    // A link appears whole or not at all, and never replaces the one of a process that was faster.
    await link(draft, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await file.close().catch(() => undefined);
    await unlink(draft);
  }
  const secret = await readSecret(path);
  if (secret === null) throw new Error(`${path} was removed while it was made`);
  return secret;
}

function unusableDataDir(error: unknown, what: string): ConfigError {
  const why = error instanceof Error ? error.message : String(error);
  return new ConfigError([
    { variable: 'DATA_DIR', message: `${what}: ${why}; take another, or set ACCESS_TOKEN_SECRET` },
  ]);
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === code;
