import { expect, onTestFinished } from 'vitest';
import { freshFolder, type RunningServer, startServer as startProcess } from '../cli/rollcall.test.support.js';
import { MongoStorage } from '../storage/mongo/mongo-storage.js';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../testing/mongo-server.js';
import { hasRedis, REDIS_MISSING, startRedis, type TestRedis } from '../testing/redis-server.js';
import { schoolOf } from '../testing/school.js';
import { type Client, connectTo, SECRET, type ServerOptions, startServer, type TestServer } from '../testing/server.js';

export const SESSION = { session_id: 'session-1' };
export const PATIENCE = { timeout: 60_000, interval: 50 };

const uri = await testMongoUri();
const redisThere = hasRedis();
/** Why several nodes can't be tested here; empty where they can. */
export const missing = [uri ? '' : MONGO_MISSING, redisThere ? '' : REDIS_MISSING].filter(Boolean).join('; ');

export interface Nodes {
  readonly redis: TestRedis;
  readonly nodes: TestServer[];
}

export async function startNodes(
  count: number,
  students: number,
  variables: Record<string, string> = {},
  options: ServerOptions = {},
): Promise<Nodes> {
  const database = (await testMongoUri()) ?? '';
  onTestFinished(() => dropTestDatabase(database));
  const redis = await startRedis();
  const environment = {
    DATABASE_URL: database,
    REDIS_URL: redis.url,
    RATE_LIMIT_TEACHER_PER_SECOND: '0',
    ...variables,
  };
  const first = await startServer(environment, schoolOf(students), options);
  const others = await Promise.all(
    Array.from({ length: count - 1 }, () => startServer(environment, undefined, options)),
  );
  return { redis, nodes: [first, ...others] };
}

/** A database of its own with a school in it, for servers that the test starts one by one. */
export async function freshSchool(students: number): Promise<string> {
  const uri = (await testMongoUri()) ?? '';
  onTestFinished(() => dropTestDatabase(uri));
  const storage = new MongoStorage({ uri });
  await storage.open();
  await storage.school.importSchool(schoolOf(students), { dryRun: false });
  await storage.close();
  return uri;
}

export interface NodeProcess {
  readonly process: RunningServer;
  connect(uid: string): Promise<Client>;
}

/** A server as a process of its own, which can be killed and frozen. @param clockMs how far its clock is ahead */
export async function startNodeProcess(variables: Record<string, string>, clockMs = 0): Promise<NodeProcess> {
  const preload = new URL('./shifted-clock.test.support.js', import.meta.url).href;
  const process = await startProcess(await freshFolder(), {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PUBLIC_URL: 'https://school.example',
    ACCESS_TOKEN_SECRET: SECRET,
    RATE_LIMIT_TEACHER_PER_SECOND: '0',
    NODE_OPTIONS: `--import ${preload}`,
    ROLLCALL_TEST_CLOCK_MS: String(clockMs),
    ...variables,
  });
  return { process, connect: (uid) => connectTo(process.url, uid) };
}

/** What /readyz says beside being ready. */
export async function detailsOf({ url }: { readonly url: string }): Promise<string[]> {
  const response = await fetch(`${url}/readyz`);
  const { status, details = [] } = (await response.json()) as { status: string; details?: string[] };
  expect(status).toBe('ready');
  return details;
}

/** Lines of a log that match, by their messages. */
export const messagesOf = (log: readonly string[], pattern: RegExp): string[] =>
  log.map((line) => String(JSON.parse(line).msg)).filter((message) => pattern.test(message));
