import { createAdapter } from '@socket.io/redis-adapter';
import { createClient } from 'redis';
import type { Server } from 'socket.io';

/** How often Redis is asked whether it lives, and how long it may take to say so, in ms. */
const PING_EVERY_MS = 500;
const PING_WITHIN_MS = 1_500;
/** Commands that may wait for an answer of Redis: beyond, words to other nodes are dropped. */
const QUEUE_MAX = 1_000;

export interface RedisLink {
  /** False while Redis doesn't answer. */
  readonly connected: () => boolean;
  close(): Promise<void>;
}

export interface RedisWatcher {
  /** Once an outage. */
  away(error: unknown): void;
  back(): void;
}

/**
 * Puts Socket.IO's Redis adapter (pub/sub) under a server. Nothing waits for Redis, and nothing fails with it: what
 * can't be published is dropped, since every word is only a hint to read the journal.
 * Rejects when Redis can't be reached at the start: a typing error in REDIS_URL must not go unnoticed.
 */
export async function joinByRedis(io: Server, url: string, watcher: RedisWatcher): Promise<RedisLink> {
  const options = {
    url,
    disableOfflineQueue: true,
    commandsQueueMaxLength: QUEUE_MAX,
    socket: { connectTimeout: 2_000, reconnectStrategy: (retries: number) => Math.min(50 * 2 ** retries, 1_000) },
  };
  const publisher = createClient(options);
  const subscriber = createClient({ ...options, disableOfflineQueue: false });
  const clients = [publisher, subscriber];
  let alive = true;
  const connected = () => alive && publisher.isReady && subscriber.isReady;
  // At the start the rejection says it.
  let told: boolean | undefined;
  const look = (error?: unknown): void => {
    const there = connected();
    if (told === undefined || told === there) return;
    told = there;
    if (there) watcher.back();
    else watcher.away(error);
  };
  for (const client of clients) {
    client.on('error', look);
    client.on('ready', () => look());
  }
  await firstConnection(clients, url);
  told = true;
  const pinging = setInterval(() => {
    const late = new Promise<never>((_resolve, reject) => {
      setTimeout(reject, PING_WITHIN_MS, new Error('Redis does not answer')).unref();
    });
    Promise.race([publisher.ping(), late]).then(
      () => {
        alive = true;
        look();
      },
      (error: unknown) => {
        alive = false;
        look(error);
      },
    );
  }, PING_EVERY_MS).unref();
  io.adapter(createAdapter(quiet(publisher), quiet(subscriber)));
  return {
    connected,
    async close() {
      clearInterval(pinging);
      for (const client of clients) client.destroy();
    },
  };
}

/** The adapter doesn't look at the promises of what it asks for: rejected and unhandled, one would end the process. */
function quiet<Client extends object>(client: Client): Client {
  return new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const result: unknown = value.apply(target, args);
        if (result instanceof Promise) result.catch(() => {});
        return result;
      };
    },
  });
}

async function firstConnection(clients: ReadonlyArray<ReturnType<typeof createClient>>, url: string): Promise<void> {
  const late = new Promise<never>((_resolve, reject) => {
    setTimeout(reject, 5_000, new Error(`Redis at ${new URL(url).host} does not answer`)).unref();
  });
  try {
    await Promise.race([Promise.all(clients.map((client) => client.connect())), late]);
  } catch (error) {
    for (const client of clients) if (client.isOpen) client.destroy();
    throw error;
  }
}
