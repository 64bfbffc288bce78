import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { pino } from 'pino';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { onTestFinished } from 'vitest';
import { createRollcall, type Rollcall, type RollcallOptions } from '../app.js';
import { type Config, readConfig } from '../config/config.js';
import type { School, Storage } from '../storage/port.js';
import { requireConformity } from './conformity.js';
import { OtherWebSocketServer } from './other-websockets.js';

/** Signs and checks the tokens of every test server. */
export const SECRET = 'a secret of the tests that is long enough';

/** A token as the app of a school would make it. */
export function tokenOf(
  uid: string,
  claims: Record<string, unknown> = {},
  expiresIn: string | number = '1h',
): Promise<string> {
  return new SignJWT({ uid, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime(expiresIn)
    .sign(new TextEncoder().encode(SECRET));
}

export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly config: Config;
  readonly rollcall: Rollcall;
  readonly storage: Storage;
  /** A connected socket of this user; it ends with the test. */
  connect(uid: string, options?: ConnectOptions): Promise<Client>;
  /** Ends this server and starts another on the same database and port. */
  restart(): Promise<TestServer>;
  close(): Promise<void>;
}

export interface ConnectOptions extends Partial<ManagerOptions & SocketOptions> {
  readonly token?: string;
}

/** Environment variables for a server of a test's own, on a free port. */
export const environment = (variables: Record<string, string> = {}): NodeJS.ProcessEnv => ({
  CHAT_PORT: '0',
  HOST: '127.0.0.1',
  ACCESS_TOKEN_SECRET: SECRET,
  LOG_LEVEL: 'silent',
  ...variables,
});

/** A fresh folder that goes with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface ServerOptions {
  /** Gets every line of the log, as JSON, at the level of LOG_LEVEL. */
  readonly onLog?: (line: string) => void;
  /** Runs after the school was imported and before sessions are restored. */
  readonly prepare?: (storage: Storage, config: Config) => Promise<void> | void;
  /** Websockets of another kind; without, of ws, or as ROLLCALL_TEST_ENGINE says. */
  readonly wsEngine?: RollcallOptions['wsEngine'];
  /** Who follows the journals, beside Rollcall's own. */
  readonly followers?: RollcallOptions['followers'];
  /** How often everybody in a room is looked at again, in ms. */
  readonly rightsEveryMs?: number;
}

/** `ROLLCALL_TEST_ENGINE=other`: whatever is tried is tried by Socket.IO's public way. */
const engineOfTests = process.env['ROLLCALL_TEST_ENGINE'] === 'other' ? OtherWebSocketServer : undefined;

/** A real server on a free port, on a SQLite file of its own unless the variables say otherwise. It ends with the test. */
export async function startServer(
  variables: Record<string, string> = {},
  school?: School,
  options: ServerOptions = {},
): Promise<TestServer> {
  const database = variables['DATABASE_URL'] ?? `sqlite:${join(await temporaryFolder(), 'rollcall.db')}`;
  const config = readConfig(environment({ ...variables, DATABASE_URL: database }));
  const prepare = async (storage: Storage): Promise<void> => {
    if (school) {
      const { unresolved } = await storage.school.importSchool(school, { dryRun: false });
      if (unresolved.length > 0) throw new Error(`unresolved: ${JSON.stringify(unresolved)}`);
    }
    await options.prepare?.(storage, config);
  };
  const { onLog, rightsEveryMs, followers } = options;
  const logger = onLog ? pino({ level: config.log.level }, { write: onLog }) : pino({ level: config.log.level });
  const wsEngine = options.wsEngine ?? engineOfTests;
  const rollcall = createRollcall(config, {
    logger,
    prepare,
    checkAnswers: true,
    ...(wsEngine ? { wsEngine } : {}),
    ...(followers ? { followers } : {}),
    ...(rightsEveryMs ? { rightsEveryMs } : {}),
  });
  const { port } = await rollcall.start();
  onTestFinished(() => rollcall.close());
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    config,
    rollcall,
    storage: rollcall.storage,
    connect: (uid, options) => connectTo(url, uid, options),
    async restart() {
      await rollcall.close();
      const { prepare: _, ...rest } = options;
      return startServer({ ...variables, DATABASE_URL: database, CHAT_PORT: String(port) }, undefined, rest);
    },
    close: () => rollcall.close(),
  };
}

export type Payload = Record<string, unknown> & { readonly [key: string]: unknown };

/** A socket as an app has it, which remembers all it was sent. */
export interface Client {
  readonly socket: Socket;
  readonly events: ReadonlyArray<{ readonly event: string; readonly payload: Payload }>;
  /** Every payload of an event so far. */
  all(event: string): Payload[];
  /** The next payload of an event that wasn't taken yet; fails after 10 s. */
  next(event: string): Promise<Payload>;
  /** Sends with an acknowledgement. */
  send(event: string, payload?: unknown): Promise<Answer>;
  /** Sends as the seed does: without. */
  emit(event: string, payload?: unknown): void;
  close(): void;
}

export type Answer = Payload & {
  readonly ok: boolean;
  readonly error?: { code: string; message: string; retryable: boolean; details?: Payload };
};

const PATIENCE_MS = 60_000;

export async function connectTo(url: string, uid: string, options: ConnectOptions = {}): Promise<Client> {
  const { token = await tokenOf(uid), ...rest } = options;
  const socket = io(url, {
    auth: { token },
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 50,
    ...rest,
  });
  onTestFinished(() => {
    socket.disconnect();
  });
  const client = clientOf(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return client;
}

/** Remembers all that the socket is sent, and holds it against the protocol's schemas. */
export function clientOf(socket: Socket): Client {
  const conformity = requireConformity(socket);
  const events: Array<{ event: string; payload: Payload; taken: boolean }> = [];
  const listeners = new Set<() => void>();
  socket.onAny((event: string, payload: Payload) => {
    events.push({ event, payload, taken: false });
    for (const listener of listeners) listener();
  });
  const take = (event: string): Payload | undefined => {
    const found = events.find((each) => each.event === event && !each.taken);
    if (found) found.taken = true;
    return found?.payload;
  };
  return {
    socket,
    events,
    all: (event) => events.filter((each) => each.event === event).map(({ payload }) => payload),
    next: (event) =>
      new Promise((resolve, reject) => {
        const attempt = (): void => {
          const payload = take(event);
          if (payload === undefined) return;
          listeners.delete(attempt);
          clearTimeout(timer);
          resolve(payload);
        };
        const timer = setTimeout(() => {
          listeners.delete(attempt);
          const seen = events.map((each) => each.event).join(', ');
          reject(new Error(`no ${event} came; seen: ${seen}`));
        }, PATIENCE_MS);
        listeners.add(attempt);
        attempt();
      }),
    async send(event, payload) {
      const answer: Answer = await socket.timeout(PATIENCE_MS).emitWithAck(event, payload);
      conformity.ofAck(event, [answer]);
      return answer;
    },
    emit: (event, payload) => {
      socket.emit(event, payload);
    },
    close: () => {
      socket.disconnect();
    },
  };
}

/** An id that no other test uses. */
export const freshId = (kind: string): string => `${kind}-${randomUUID()}`;
