import { randomUUID } from 'node:crypto';
import { createAdapter } from '@socket.io/redis-adapter';
import { createClient, ErrorReply } from 'redis';
import type { Server } from 'socket.io';

/** How often a server sends itself a message through Redis, and how long Redis may take to accept it, in ms. */
const ECHO_EVERY_MS = 500;
const ECHO_WITHIN_MS = 1_500;
/** After so many that were accepted and didn't arrive, this server is deaf. */
const ECHOES_LOST_MAX = 4;
/** A subscribing connection on which nothing arrives for so long is made anew, in ms. */
const SILENT_MAX_MS = 5_000;
/** How long the start waits for Redis, in ms. */
const START_WITHIN_MS = 5_000;
/** Commands that may wait for an answer of Redis: beyond, words to other nodes are dropped. */
const QUEUE_MAX = 1_000;

const DEAF = 'Redis does not deliver to this server what it sends to itself';

export interface RedisLink {
  /** False while Redis doesn't answer, or doesn't deliver to this server what it sent itself. */
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
 * wrong password or a missing permission is noticed before anybody relies on it. That a server hears others is known
 * by its hearing itself: a subscribing connection can die without a sign.
 * @param channel prefix of all channels, which must be this installation's own: what others publish isn't heard
 * @param stopped ends the waiting: then this rejects with the signal's reason
 * @throws {RedisUnusable} when Redis can't be reached within 5 s, or refuses this server
 */
export async function joinByRedis(
  io: Server,
  { url, channel }: { readonly url: string; readonly channel: string },
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
  const subscriber = createClient({
    ...options,
    disableOfflineQueue: false,
    socket: { ...options.socket, socketTimeout: SILENT_MAX_MS },
  });
  const clients = [publisher, subscriber];
  let alive = true;
  /** What Redis said when it last refused a command of each connection. */
  const refusals = new Map<'publisher' | 'subscriber', Error>();
  let lastError: unknown;
  const refusal = () => [...refusals.values()][0];
  const echo = `${channel}-echo#${randomUUID()}`;
  let echoesLost = 0;
  const deaf = () => echoesLost >= ECHOES_LOST_MAX;
  const connected = () => alive && !deaf() && refusals.size === 0 && publisher.isReady && subscriber.isReady;
  let told: 'back' | 'away' | 'refused' = 'back';
  const look = (who: 'publisher' | 'subscriber', error?: unknown): void => {
    if (error !== undefined) lastError = error;
    if (error instanceof ErrorReply) {
      refusals.set(who, error);
    }
    const now = connected() ? 'back' : refusals.size === 0 ? 'away' : 'refused';
    // At the start the rejection says it.
    if (!started || told === now || (told === 'refused' && now === 'away')) return;
    told = now;
    if (now === 'back') watcher.back();
    else watcher.away(refusal() ?? (alive && deaf() ? new Error(DEAF) : lastError));
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
    io.adapter(
      createAdapter(observed(publisher, watched('publisher')), observed(subscriber, watched('subscriber')), {
        key: channel,
      }),
    );
    await Promise.all(asked);
    await new Promise<void>((resolve, reject) => {
      const heard = (): void => {
        echoesLost = 0;
        if (started) look('subscriber');
        else resolve();
      };
      const subscribed = subscriber.subscribe(echo, heard);
      subscribed.then(() => publisher.publish(echo, '')).catch(reject);
    });
  };
  try {
    await within(START_WITHIN_MS, stopped, begin());
  } catch (error) {
    for (const client of clients) if (client.isOpen) client.destroy();
    const cause = error instanceof ErrorReply ? error : (refusal() ?? lastError ?? error);
    throw stopped.aborted ? error : unusable(url, channel, cause);
  }
  started = true;
  const echoing = setInterval(() => {
    within(ECHO_WITHIN_MS, undefined, publisher.publish(echo, '')).then(
      () => {
        alive = true;
        echoesLost += 1;
        refusals.delete('publisher');
        look('publisher');
      },
      (error: unknown) => {
        alive = false;
        look('publisher', error);
      },
    );
  }, ECHO_EVERY_MS).unref();
  return {
    connected,
    trouble: () => {
      if (connected()) return null;
      const refused = refusal();
      if (refused) return `Redis refuses this server: ${refused.message}`;
      return alive && deaf() ? DEAF : 'Redis does not answer';
    },
    async close() {
      clearInterval(echoing);
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

function unusable(url: string, channel: string, cause: unknown): RedisUnusable {
  const said = cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : String(cause);
  const redis = `Redis at ${new URL(url).host}`;
  const message = /^(NOAUTH|WRONGPASS|ERR AUTH|ERR invalid password)/.test(said)
    ? `${redis} refuses the password: give REDIS_URL the right one, as redis://USER:PASSWORD@HOST:PORT (${said})`
    : /^NOPERM/.test(said)
      ? `${redis} does not let the user of REDIS_URL do what Rollcall needs: allow it PUBLISH, SUBSCRIBE, ` +
        // A pattern that is subscribed to must be among those of the ACL, letter by letter.
        `PSUBSCRIBE and the channels ${channel}* and ${channel}#/#* (${said})`
      : cause instanceof ErrorReply
        ? `${redis} cannot be used, see to it or correct REDIS_URL (${said})`
        : `${redis} does not answer: start it, or correct REDIS_URL (${said})`;
  return new RedisUnusable(message, { cause });
}
