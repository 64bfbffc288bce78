import { setTimeout as delay } from 'node:timers/promises';
import { RollcallError } from '@rollcall/protocol';
import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';

/** How long keys count as new, in ms: after that they are asked for again before the next token is judged. */
const FRESH_MS = 10 * 60_000;
/** Between two questions, in ms: whatever key ids tokens name, the identity provider isn't asked more often. */
const PAUSE_MS = 5_000;
/** How long the identity provider may take to answer, in ms: less than the pause, so that no two questions overlap. */
const ANSWER_WITHIN_MS = 4_000;

const unavailable = (cause?: unknown): RollcallError => new RollcallError('KEYS_UNAVAILABLE', { cause });

export interface KeysWatcher {
  /** Once an outage. `known`: there are keys of before, which go on being used. */
  away(error: unknown, known: boolean): void;
  back(): void;
}

/**
 * The keys of an identity provider. What is known is used for as long as nothing newer can be had, so that an outage
 * of the identity provider keeps out nobody whose key is known. A key id that isn't known is asked for, at most every
 * 5 s: its token waits for that answer, since a key may be newer than the last one.
 */
export class ProviderKeys {
  readonly #remote: ReturnType<typeof createRemoteJWKSet>;
  readonly #watcher: KeysWatcher;
  /** When the keys were asked for, and when they came, in ms of a clock that never jumps. */
  #askedAt = Number.NEGATIVE_INFINITY;
  #cameAt = Number.NEGATIVE_INFINITY;
  #away = false;
  #answer: Promise<void> | undefined;
  /** A question that hasn't begun yet. */
  #next: Promise<void> | undefined;

  constructor(url: string, watcher: KeysWatcher) {
    this.#watcher = watcher;
    // When to ask is decided here: jose asks within each look-up, and fails it while there is no answer.
    this.#remote = createRemoteJWKSet(new URL(url), {
      cacheMaxAge: Number.POSITIVE_INFINITY,
      cooldownDuration: Number.POSITIVE_INFINITY,
      timeoutDuration: ANSWER_WITHIN_MS,
    });
  }

  /** For jwtVerify. Rejects with RollcallError KEYS_UNAVAILABLE where the key may exist and can't be had. */
  readonly keyOf: JWTVerifyGetKey = async (header, token) => {
    const came = performance.now();
    if (!this.#remote.jwks()) await this.#ask();
    else if (performance.now() - this.#cameAt > FRESH_MS) await this.#renew();
    try {
      return await this.#remote(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    if (this.#askedAt < came) await this.#askAnew();
    return this.#remote(header, token);
  };

  /** During an outage nobody waits for an answer that won't come. */
  async #renew(): Promise<void> {
    if (!this.#away) await this.#ask().catch(() => {});
    else if (performance.now() - this.#askedAt >= PAUSE_MS) void this.#ask().catch(() => {});
  }

  /** Asks for the keys, or joins who does. While they are away, not more often than the pause allows. */
  #ask(): Promise<void> {
    if (this.#away && !this.#answer && performance.now() - this.#askedAt < PAUSE_MS) {
      return Promise.reject(unavailable());
    }
    this.#answer ??= this.#load().finally(() => {
      this.#answer = undefined;
    });
    return this.#answer;
  }

  /** A question that begins after this call: one under way may have been answered before the key was there. */
  #askAnew(): Promise<void> {
    if (this.#away) return this.#ask();
    this.#next ??= delay(Math.max(0, this.#askedAt + PAUSE_MS - performance.now()), undefined, {
      ref: false,
    }).then(() => {
      this.#next = undefined;
      return this.#ask();
    });
    return this.#next;
  }

  async #load(): Promise<void> {
    this.#askedAt = performance.now();
    try {
      await this.#remote.reload();
    } catch (error) {
      const told = this.#away;
      this.#away = true;
      if (!told) this.#watcher.away(error, this.#remote.jwks() !== undefined);
      throw unavailable(error);
    }
    this.#cameAt = performance.now();
    if (this.#away) this.#watcher.back();
    this.#away = false;
  }
}
