import { createAdapter } from '@socket.io/redis-adapter';
import { createClient, ErrorReply } from 'redis';
import type { Server } from 'socket.io';

/** How often Redis is asked whether it lives, and how long it may take to say so, in ms. */
const PING_EVERY_MS = 500;
const PING_WITHIN_MS = 1_500;
/** How long the start waits for Redis, in ms. */
const START_WITHIN_MS = 5_000;
/** Prefix of every channel that Socket.IO's adapter publishes and subscribes to. */
const CHANNEL_PREFIX = 'socket.io';
/** Commands that may wait for an answer of Redis: beyond, words to other nodes are dropped. */
const QUEUE_MAX = 1_000;

export interface RedisLink {
  /** False while Redis doesn't answer. */
  readonly connected: () => boolean;
  /** Why Redis doesn't carry messages, in words; null while it does. */
  readonly trouble: () => string | null;
  close(): Promise<void>;
}

export interface RedisWatcher {
  /** Called once an outage, and once more when Redis answers in it and refuses this server. */
  away(error: unknown): void;
  back(): void;
}

/** Redis can't be used at the start; the message names REDIS_URL and the cure, and never holds the password. */
export class RedisUnusable extends Error {
  override readonly name = 'RedisUnusable';
}

/**
 * Puts Socket.IO's Redis adapter (pub/sub) under a server. Nothing waits for Redis, and nothing fails with it: a
 * message that can't be published is dropped, since each is only a hint to read the journal.
 * At the start Redis must be reachable and must let this server publish and subscribe, so that a wrong address, a
 * wrong password or a missing permission is noticed before anybody relies on it.
 * @param stopped ends the waiting: then this rejects with the signal's reason
 * @throws {RedisUnusable} when Redis can't be reached within 5 s, or refuses this server
 */
export async function joinByRedis(
  io: Server,
  url: string,
  watcher: RedisWatcher,
  stopped: AbortSignal,
): Promise<RedisLink> {
  let started = false;
  const options = {
    url,
    disableOfflineQueue: true,
    commandsQueueMaxLength: QUEUE_MAX,
    socket: {
      connectTimeout: 2_000,
      // A refusal at the start doesn't change by asking again; later an operator may be about to mend it.
      reconnectStrategy: (retries: number, cause: Error) =>
        cause instanceof ErrorReply && !started ? false : Math.min(50 * 2 ** retries, 1_000),
    },
  };
  const publisher = createClient(options);
  const subscriber = createClient({ ...options, disableOfflineQueue: false });
  const clients = [publisher, subscriber];
  let alive = true;
  /** What Redis said when it last refused a command of each connection. */
  const refusals = new Map<'publisher' | 'subscriber', Error>();
  let refusedBefore = false;
  let lastError: unknown;
  const refusal = () => [...refusals.values()][0];
  const connected = () => alive && refusals.size === 0 && publisher.isReady && subscriber.isReady;
  let told: 'back' | 'away' | 'refused' = 'back';
  const look = (who: 'publisher' | 'subscriber', error?: unknown): void => {
    if (error !== undefined) lastError = error;
    if (error instanceof ErrorReply) {
      refusals.set(who, error);
      refusedBefore = true;
    }
    const now = connected() ? 'back' : refusals.size === 0 ? 'away' : 'refused';
    // At the start the rejection says it.
    if (!started || told === now || (told === 'refused' && now === 'away')) return;
    told = now;
    if (now === 'back') watcher.back();
    else watcher.away(refusal() ?? lastError);
  };
  publisher.on('error', (error) => look('publisher', error));
  subscriber.on('error', (error) => look('subscriber', error));
  publisher.on('ready', () => look('publisher'));
  subscriber.on('ready', () => {
    // It has subscribed again to all that it had subscribed to.
    refusals.delete('subscriber');
    look('subscriber');
  });
  const asked: Promise<unknown>[] = [];
  /** The adapter doesn't look at the promises of what it asks for: rejected and unhandled, one would end the process. */
  const watched = (who: 'publisher' | 'subscriber') => (answer: Promise<unknown>) => {
    answer.catch((error: unknown) => {
      if (error instanceof ErrorReply) look(who, error);
    });
    if (!started) asked.push(answer);
  };
  const begin = async (): Promise<void> => {
    await Promise.all(clients.map((client) => client.connect()));
    await publisher.ping();
    io.adapter(
      createAdapter(observed(publisher, watched('publisher')), observed(subscriber, watched('subscriber')), {
        key: CHANNEL_PREFIX,
      }),
    );
    await Promise.all(asked);
    await mayPublish(publisher);
  };
  try {
    await within(START_WITHIN_MS, stopped, begin());
  } catch (error) {
    for (const client of clients) if (client.isOpen) client.destroy();
    throw stopped.aborted
      ? error
      : unusable(url, error instanceof ErrorReply ? error : (refusal() ?? lastError ?? error));
  }
  started = true;
  const pinging = setInterval(() => {
    // Who may ping need not be allowed to publish.
    const answer: Promise<unknown> = refusedBefore ? mayPublish(publisher) : publisher.ping();
    within(PING_WITHIN_MS, undefined, answer).then(
      () => {
        alive = true;
        refusals.delete('publisher');
        look('publisher');
      },
      (error: unknown) => {
        alive = false;
        look('publisher', error);
      },
    );
  }, PING_EVERY_MS).unref();
  return {
    connected,
    trouble: () => {
      if (connected()) return null;
      const refused = refusal();
      return refused ? `Redis refuses this server: ${refused.message}` : 'Redis does not answer';
    },
    async close() {
      clearInterval(pinging);
      for (const client of clients) client.destroy();
    },
  };
}

/** The same client, whose answers are also handed to `watched`. */
function observed<Client extends object>(client: Client, watched: (answer: Promise<unknown>) => void): Client {
  return new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const result: unknown = value.apply(target, args);
        if (result instanceof Promise) watched(result);
        return result;
      };
    },
  });
}

/** Rejects where Redis doesn't let this server publish. The adapter of every node ignores what is no JSON. */
async function mayPublish(publisher: { publish(channel: string, message: string): Promise<unknown> }): Promise<void> {
  await publisher.publish(`${CHANNEL_PREFIX}-request#/#`, '{');
}

function within<T>(ms: number, stopped: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(reject, ms, new Error('Redis does not answer')).unref();
    const stop = () => reject(stopped?.reason);
    if (stopped?.aborted) stop();
    stopped?.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      stopped?.removeEventListener('abort', stop);
    });
  });
}

function unusable(url: string, cause: unknown): RedisUnusable {
  const said = cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : String(cause);
  const redis = `Redis at ${new URL(url).host}`;
  const message = /^(NOAUTH|WRONGPASS|ERR AUTH|ERR invalid password)/.test(said)
    ? `${redis} refuses the password: give REDIS_URL the right one, as redis://USER:PASSWORD@HOST:PORT (${said})`
    : /^NOPERM/.test(said)
      ? `${redis} does not let the user of REDIS_URL do what Rollcall needs: allow it PING, PUBLISH, SUBSCRIBE, ` +
        // A pattern that is subscribed to must be among those of the ACL, letter by letter.
        `PSUBSCRIBE and the channels ${CHANNEL_PREFIX}* and ${CHANNEL_PREFIX}#/#* (${said})`
      : cause instanceof ErrorReply
        ? `${redis} cannot be used, see to it or correct REDIS_URL (${said})`
        : `${redis} does not answer: start it, or correct REDIS_URL (${said})`;
  return new RedisUnusable(message, { cause });
}
