import { onTestFinished } from 'vitest';
import { dropTestDatabase, MONGO_MISSING, testMongoUri } from '../testing/mongo-server.js';
import { hasRedis, REDIS_MISSING, startRedis, type TestRedis } from '../testing/redis-server.js';
import { schoolOf } from '../testing/school.js';
import { startServer, type TestServer } from '../testing/server.js';

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
  const first = await startServer(environment, schoolOf(students));
  const others = await Promise.all(Array.from({ length: count - 1 }, () => startServer(environment)));
  return { redis, nodes: [first, ...others] };
}
