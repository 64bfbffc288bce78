import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisClientType } from 'redis';
import type { Config } from '../../config/config.js';
import { type Finding, fault, ok } from './check.js';

const WITHIN_MS = 3_000;
/** As Socket.IO's adapter names its channels, so that a rule of Redis (ACL) for these holds for it. */
const CHANNEL = 'socket.io#doctor#';

/** Can several nodes hear each other by Redis? */
export async function checkRedis({ redisUrl }: Config): Promise<readonly Finding[]> {
  if (redisUrl === null) return [ok('none is used: REDIS_URL is for several nodes')];
  const { host } = new URL(redisUrl);
  try {
    const heard = await withRedis(redisUrl, hearsItself);
    return heard
      ? [ok(`Redis at ${host} passes messages on`)]
      : [fault(`Redis at ${host} answers and passes no message on`, 'Restart Redis, or give REDIS_URL another')];
  } catch (error) {
    return [refusal(host, error instanceof Error ? error.message || String((error as { code?: unknown }).code) : '')];
  }
}

function refusal(host: string, message: string): Finding {
  if (/^NOPERM/.test(message)) {
    return fault(
      `Redis at ${host} forbids this user to publish or subscribe: ${message}`,
      "Allow it: ACL SETUSER <user> resetchannels '&socket.io*' +publish +subscribe +psubscribe +unsubscribe +punsubscribe",
    );
  }
  if (/NOAUTH|WRONGPASS|AUTH/.test(message)) {
    return fault(
      `Redis at ${host} refuses the user or the password: ${message}`,
      'Put them into REDIS_URL: redis://user:password@host:6379',
    );
  }
  return fault(`Redis at ${host} can't be used: ${message}`, 'Start it, or correct REDIS_URL');
}

/** Publishes a message and hears it on a connection of its own. */
async function hearsItself(publisher: RedisClientType): Promise<boolean> {
  const subscriber = publisher.duplicate();
  subscriber.on('error', () => {});
  await subscriber.connect();
  try {
    const text = randomUUID();
    const heard = new Promise<boolean>((resolve, reject) => {
      const channel = `${CHANNEL}${text}`;
      subscriber
        .subscribe(channel, (message) => resolve(message === text))
        .then(() => publisher.publish(channel, text))
        .catch(reject);
    });
    return await Promise.race([heard, delay(WITHIN_MS, false, { ref: false })]);
  } finally {
    subscriber.destroy();
  }
}

/** Asks Redis something on a connection that is closed afterwards. Rejects where it can't be reached in time. */
export async function withRedis<Answer>(
  url: string,
  ask: (client: RedisClientType) => Promise<Answer>,
): Promise<Answer> {
  const { createClient } = await import('redis');
  const client: RedisClientType = createClient({
    url,
    socket: { connectTimeout: WITHIN_MS, reconnectStrategy: false },
  });
  client.on('error', () => {});
  const late = delay(2 * WITHIN_MS, undefined, { ref: false }).then(() => {
    throw new Error('it does not answer');
  });
  try {
    await Promise.race([client.connect(), late]);
    return await Promise.race([ask(client), late]);
  } finally {
    if (client.isOpen) client.destroy();
  }
}
