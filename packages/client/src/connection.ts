import { io, type Socket } from 'socket.io-client';
import { backoff, type DelayRange, Pause } from './delays.js';
import { RollcallClientError } from './errors.js';
import type { Link } from './outbox.js';
import { TokenRefresh, type TokenSource } from './token.js';

export type Transport = 'websocket' | 'polling' | 'webtransport';

export interface ConnectionOptions {
  readonly url: string;
  readonly token: TokenSource;
  /** Whose the token is. */
  readonly as: 'user' | 'display';
  readonly path: string;
  readonly transports: readonly Transport[];
  /** Milliseconds for one attempt to connect: the token, the transport and the server's greeting each. */
  readonly connectTimeout: number;
  readonly reconnect: DelayRange;
  readonly client: { readonly name: string; readonly version: string };
}

export interface ConnectionEvents {
  /** Connected. Called before any event of this connection is handed on. */
  up(link: Link): void;
  /** The connection is gone, or an attempt failed; another one follows. */
  down(reason: string): void;
  /** No further attempt will be made. */
  over(error: RollcallClientError): void;
  event(name: string, payload: unknown): void;
}

/** How an attempt ended. */
interface Outcome {
  readonly reason: string;
  readonly connected: boolean;
  /** The server said that the token is no good. */
  readonly refused?: boolean;
  /** The session of a display is over. */
  readonly session_ended?: boolean;
  /** True where waiting before the next attempt would serve nobody. */
  readonly at_once?: boolean;
  /** True where no transport could be opened and nothing said why. */
  readonly silent?: boolean;
}

/** Refusals in a row after which a token function is taken to have no good token. */
const MOST_REFUSALS = 3;

interface ConnectError extends Error {
  readonly data?: { readonly code?: unknown };
  readonly description?: unknown;
  readonly context?: unknown;
}

/** What failed to connect, and what the machine said of it: `websocket error: connect ECONNREFUSED 127.0.0.1:4002`. */
function reasonOf({ message, description, context }: ConnectError): string {
  // Websockets tell it in the description, polling in Node in the status text of its request.
  const { statusText } = (context ?? {}) as { statusText?: unknown };
  for (const told of [description, statusText]) {
    const { message: more } = (told ?? {}) as { message?: unknown };
    if (typeof more === 'string' && more !== '') return `${message}: ${more}`;
  }
  return message;
}

/**
 * Keeps one connection up for as long as it isn't closed. Every attempt has a Socket.IO socket of its own, so that
 * neither a buffered packet nor a late acknowledgement of an old connection can reach a new one, and asks for the
 * token anew.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #pause = new Pause();
  /** In the order in which they are tried. */
  readonly #transports: Transport[];
  #socket: Socket | undefined;
  #hangUp: ((outcome: Outcome) => void) | undefined;
  #closed = false;

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#transports = [...options.transports];
    this.#events = events;
  }

  /** Resolves once no further attempt will be made. */
  async run(): Promise<void> {
    // A device that comes back online needn't wait out a delay that was chosen while it wasn't.
    const wake = () => this.#pause.wake();
    globalThis.addEventListener?.('online', wake);
    try {
      await this.#keepUp();
    } finally {
      globalThis.removeEventListener?.('online', wake);
    }
  }

  close(): void {
    this.#closed = true;
    this.#socket?.disconnect();
    this.#hangUp?.({ reason: 'closed', connected: false });
    this.#pause.wake();
  }

  async #keepUp(): Promise<void> {
    let failures = 0;
    let refusals = 0;
    while (!this.#closed) {
      const began = performance.now();
      const outcome = await this.#attempt();
      if (this.#closed) return;
      this.#events.down(outcome.reason);
      // A connection that is lost at once, again and again, is tried for as seldom as one that can't be made.
      const lasted = performance.now() - began > this.#options.reconnect.max;
      failures = outcome.connected && lasted ? 0 : failures + 1;
      // A proxy that swallows websockets answers nothing at all, so that polling would never be tried.
      if (outcome.silent) this.#transports.push(...this.#transports.splice(0, 1));
      if (outcome.session_ended) return this.#events.over(new RollcallClientError('SESSION_ENDED', outcome.reason));
      refusals = outcome.refused ? refusals + 1 : 0;
      if (refusals >= MOST_REFUSALS || (refusals > 0 && typeof this.#options.token === 'string')) {
        return this.#events.over(new RollcallClientError('UNAUTHENTICATED', outcome.reason));
      }
      if (outcome.at_once && lasted) continue;
      await this.#pause.wait(backoff(Math.max(0, failures - 1), this.#options.reconnect));
    }
  }

  async #attempt(): Promise<Outcome> {
    let token: string;
    try {
      token = await this.#token();
    } catch (error) {
      return { reason: `No token: ${error instanceof Error ? error.message : String(error)}`, connected: false };
    }
    return this.#closed ? { reason: 'closed', connected: false } : await this.#connect(token);
  }

  async #token(): Promise<string> {
    const { token, connectTimeout } = this.#options;
    if (typeof token === 'string') return token;
    const asked = async () => {
      const given: unknown = await token();
      if (typeof given === 'string' && given !== '') return given;
      throw new Error(`the function gave ${given === '' ? 'an empty string' : given === null ? 'null' : typeof given}`);
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`none within ${connectTimeout} ms`)), connectTimeout);
    });
    // A function that throws is a promise that rejects: the timer must not outlive it.
    return Promise.race([asked(), late]).finally(() => clearTimeout(timer));
  }

  /** Resolves when the connection that it makes is gone, or couldn't be made. */
  #connect(token: string): Promise<Outcome> {
    const { url, path, connectTimeout, client, as } = this.#options;
    return new Promise((resolve) => {
      const socket = io(url, {
        path,
        transports: [...this.#transports],
        tryAllTransports: true,
        auth: {
          ...(as === 'display' ? { display: token } : { token }),
          client: { ...client, batched: true, retries: true },
        },
        forceNew: true,
        autoConnect: false,
        reconnection: false,
        timeout: connectTimeout,
      });
      this.#socket = socket;
      let connected = false;
      const refresh = new TokenRefresh(
        () => this.#token(),
        (next, answer) => socket.emit('refreshToken', { token: next }, answer),
      );
      const hangUp = (outcome: Outcome) => {
        if (this.#hangUp !== hangUp) return;
        this.#hangUp = undefined;
        this.#socket = undefined;
        clearTimeout(greeting);
        refresh.stop();
        socket.removeAllListeners();
        socket.offAny();
        socket.io.removeAllListeners();
        // Not socket.disconnect(): the transport's end is no leave, and an engine that still connects is stopped too.
        socket.io.engine?.close();
        resolve({ ...outcome, connected });
      };
      this.#hangUp = hangUp;
      const fail = (reason: string) => hangUp({ reason, connected });
      // The manager's own timeout covers the transport only, not a greeting that never comes.
      const greeting = setTimeout(() => fail('timeout'), connectTimeout * 2);
      const link = {
        heard_at: performance.now(),
        send: (event: string, payload: object, answer: (answer: unknown) => void) => {
          socket.emit(event, payload, answer);
        },
        drop: fail,
      };
      const heard = () => {
        link.heard_at = performance.now();
      };
      socket.io.on('packet', heard);
      socket.io.on('ping', heard);
      const expired = () => {
        const anew = () => hangUp({ reason: 'sessionExpired', connected, at_once: true });
        refresh.exchange().then((taken) => taken || anew(), anew);
      };
      socket.on('connect', () => {
        connected = true;
        clearTimeout(greeting);
        heard();
        if (typeof this.#options.token !== 'string') refresh.start(token);
        this.#events.up(link);
      });
      socket.on('connect_error', (error: ConnectError) => {
        const refused = error.data?.code === 'UNAUTHENTICATED';
        const session_ended = as === 'display' && error.data?.code === 'SESSION_ENDED';
        const silent = error.message === 'timeout';
        hangUp({ reason: reasonOf(error), connected, refused, session_ended, silent });
      });
      socket.on('disconnect', (reason) => fail(reason));
      socket.onAny((name: string, payload: unknown) => {
        this.#events.event(name, payload);
        if (name === 'sessionExpired') expired();
      });
      socket.connect();
    });
  }
}
