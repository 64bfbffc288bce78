import { LONGEST_TIMER_MS } from './delays.js';

/** A token, or what gives one. A function is asked at every connection and when the token is about to expire. */
export type TokenSource = string | (() => string | Promise<string>);

interface Lifetime {
  /** Milliseconds since the epoch. */
  readonly expires_at: number;
  /** Milliseconds from issue to expiry; undefined where the token doesn't say when it was issued. */
  readonly span: number | undefined;
}

/** When a JWT expires, read without verifying it; undefined for any other token and one that doesn't expire. */
export function lifetimeOf(token: string): Lifetime | undefined {
  try {
    const [, payload = ''] = token.split('.');
    const { exp, iat } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as Record<string, unknown>;
    if (typeof exp !== 'number' || !Number.isFinite(exp)) return undefined;
    return { expires_at: exp * 1_000, span: typeof iat === 'number' ? (exp - iat) * 1_000 : undefined };
  } catch {
    return undefined;
  }
}

/** A token is exchanged when a fifth of its life is left, at the latest a minute before its end. */
const LEAST_SHARE_LEFT = 0.2;
const MOST_LEFT_MS = 60_000;

/**
 * Milliseconds from `now` after which a token that was just given should be exchanged; undefined where that can't be
 * known. By this machine's clock, and by the token's own span where that clock says that it is over already.
 */
export function refreshDelay(token: string, now: number): number | undefined {
  const lifetime = lifetimeOf(token);
  if (!lifetime) return undefined;
  const left = lifetime.expires_at - now;
  const life = left > 0 ? left : lifetime.span;
  if (life === undefined || life <= 0) return undefined;
  return life - Math.min(MOST_LEFT_MS, life * LEAST_SHARE_LEFT);
}

/**
 * Exchanges the token of a connection for a newer one: before it expires, and once more when the server says that it
 * has. What fails here is made up for by the new connection, with a new token, that follows the old one's end.
 */
export class TokenRefresh {
  readonly #source: () => Promise<string>;
  readonly #send: (token: string, answer: (answer: unknown) => void) => void;
  #token = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(source: () => Promise<string>, send: (token: string, answer: (answer: unknown) => void) => void) {
    this.#source = source;
    this.#send = send;
  }

  /** Begins with the token that the connection has. */
  start(token: string): void {
    if (this.#stopped) return;
    this.#token = token;
    const delay = refreshDelay(token, Date.now());
    if (delay === undefined) return;
    this.#timer = setTimeout(() => this.exchange().catch(() => undefined), Math.min(delay, LONGEST_TIMER_MS));
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Resolves with true once the server has taken a newer token, with false where there is none that it takes. */
  async exchange(): Promise<boolean> {
    const next = await this.#source();
    if (next === this.#token || this.#stopped) return false;
    const answer = await new Promise<unknown>((resolve) => this.#send(next, resolve));
    const taken = (answer as { ok?: unknown } | null)?.ok === true;
    if (taken) {
      clearTimeout(this.#timer);
      this.start(next);
    }
    return taken;
  }
}
