import type { WireError } from '@rollcall/protocol';
import { backoff, LONGEST_TIMER_MS } from './delays.js';
import { Earliest } from './earliest.js';
import { type ClientErrorCode, errorOf, RollcallClientError, refusal } from './errors.js';
import { type Lane, Lanes, type Place } from './lanes.js';

/** A connection as the outbox sees it. Acknowledgements come from this connection only, never from one before it. */
export interface Link {
  send(event: string, payload: object, answer: (answer: unknown) => void): void;
  /** When anything was last heard from the server, by `performance.now()`. */
  readonly heard_at: number;
  /** Gives this connection up; a new one follows. */
  drop(reason: 'silence' | 'unauthenticated'): void;
}

export interface OutboxOptions {
  /** Milliseconds to wait for an answer before the command is sent again. */
  readonly timeout: number;
}

export interface Order {
  readonly event: string;
  readonly payload: object;
  readonly op_id: string | undefined;
  readonly lane: Lane | undefined;
  /** Milliseconds until the caller gives up; Infinity never does. */
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
}

interface Command extends Order {
  /** In order of call. */
  readonly number: number;
  /** `blocked` by one before it, `ready` to be sent, `sent`, `waiting` to be tried again, `settled`. */
  state: 'blocked' | 'ready' | 'sent' | 'waiting' | 'settled';
  place: Place<Command> | undefined;
  attempts: number;
  silences: number;
  refusals: number;
  /** The last refusal, while it is the server's last word. */
  refusal: RollcallClientError | undefined;
  /** Times the server didn't know whose command it was. */
  strangers: number;
  /** True once it was sent and the answer didn't come: it may have taken effect. */
  uncertain: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
  release: () => void;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: RollcallClientError) => void;
}

/** More would only wait in the server's queue instead of this one. */
const MOST_IN_FLIGHT = 64;
const RETRY_DELAY = { min: 200, max: 5_000 };
/** A fault of the server tends to stay: it is tried again this often, not until the deadline. */
const MOST_FAULTS = 2;
/** New connections that a command may ask for because the token of its own had expired. */
const MOST_STRANGERS = 2;

/**
 * The commands that have no answer yet, in the order they were given. They are sent while there is a connection, and
 * again (the same payload, the same op_id) after a reconnect, after a silence and after a refusal that may pass.
 * Nothing is ever handed to Socket.IO without a connection: its own buffer would send a command a second time, and
 * also one that was given up meanwhile.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  /** Commands that keep to an order, and those that may go at any time: reading must not wait behind a backlog. */
  readonly #changes = new Set<Command>();
  readonly #reads = new Set<Command>();
  readonly #lanes = new Lanes<Command>();
  readonly #readyChanges = new Earliest<Command>();
  readonly #readyReads = new Earliest<Command>();
  readonly #sent = new Set<Command>();
  #inFlight = 0;
  #called = 0;
  /** Number of commands that were given up while they were ready, and may still be in a queue. */
  #stale = 0;
  #link: Link | undefined;
  /** Why there is no connection. */
  #downReason: string | undefined;
  #closed: RollcallClientError | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Number of requests without an answer. */
  get size(): number {
    return this.#changes.size + this.#reads.size;
  }

  /** Resolves with the acknowledgement of a command that succeeded. */
  request(order: Order): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const command: Command = {
        ...order,
        number: this.#called++,
        state: 'blocked',
        place: undefined,
        attempts: 0,
        silences: 0,
        refusals: 0,
        refusal: undefined,
        strangers: 0,
        uncertain: false,
        timer: undefined,
        release: () => {},
        resolve,
        reject,
      };
      if (this.#closed) {
        reject(this.#closed);
        return;
      }
      if (order.signal?.aborted) {
        reject(aborted(command));
        return;
      }
      command.release = this.#limit(command);
      this.#groupOf(command).add(command);
      const entered = order.lane && this.#lanes.enter(command, order.lane);
      command.place = entered?.place;
      if (entered?.free ?? true) this.#ready(command);
      this.#pump();
    });
  }

  /** There is a connection: everything that has no answer is sent over it, in order. */
  up(link: Link): void {
    this.#link = link;
    this.#downReason = undefined;
    this.#pump();
  }

  /** The connection is gone, and with it the answers that were still to come. */
  down(reason: string): void {
    this.#link = undefined;
    this.#downReason = reason;
    this.#inFlight = 0;
    for (const command of this.#sent) {
      clearTimeout(command.timer);
      command.uncertain = true;
      this.#ready(command);
    }
    this.#sent.clear();
  }

  /** Rejects what is open and whatever comes. */
  close(error: RollcallClientError): void {
    this.#closed = error;
    this.#link = undefined;
    for (const command of [...this.#reads, ...this.#changes]) {
      const { code, message, cause } = error;
      this.#settle(command, () => command.reject(failure(command, code, message, cause)));
    }
  }

  #groupOf({ lane }: Command): Set<Command> {
    return lane ? this.#changes : this.#reads;
  }

  #ready(command: Command): void {
    command.state = 'ready';
    (command.lane ? this.#readyChanges : this.#readyReads).add(command);
  }

  /** The next of a queue that wasn't given up meanwhile. */
  #next(queue: Earliest<Command>): Command | undefined {
    for (;;) {
      const command = queue.take();
      if (!command || command.state === 'ready') return command;
      this.#stale -= 1;
    }
  }

  /** Puts the caller's limits on a command; returns what takes them off again. */
  #limit(command: Command): () => void {
    const { event, deadline, signal, reject } = command;
    const abort = () => this.#settle(command, () => reject(aborted(command)));
    signal?.addEventListener('abort', abort, { once: true });
    const expire = () => {
      const why = this.#downReason === undefined ? '' : `: not connected (${this.#downReason})`;
      const error = command.refusal ?? failure(command, 'TIMEOUT', `No answer to ${event} within ${deadline} ms${why}`);
      this.#settle(command, () => reject(error));
    };
    const timer = deadline < LONGEST_TIMER_MS ? setTimeout(expire, deadline) : undefined;
    return () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
  }

  #pump(): void {
    const link = this.#link;
    if (!link) return;
    for (let read = this.#next(this.#readyReads); read; read = this.#next(this.#readyReads)) this.#send(read, link);
    while (this.#inFlight < MOST_IN_FLIGHT) {
      const change = this.#next(this.#readyChanges);
      if (!change) return;
      this.#send(change, link);
    }
  }

  #send(command: Command, link: Link): void {
    command.state = 'sent';
    this.#sent.add(command);
    command.refusal = undefined;
    command.attempts += 1;
    const attempt = command.attempts;
    if (command.lane) this.#inFlight += 1;
    const sentAt = performance.now();
    // Longer each time: where the server is slow, asking again quickly makes it slower.
    const patience = this.#options.timeout * 2 ** Math.min(command.silences, 3);
    command.timer = setTimeout(() => {
      command.silences += 1;
      command.uncertain = true;
      // A connection on which nothing at all was heard since is dead, whatever it says.
      if (link.heard_at < sentAt) {
        link.drop('silence');
        return;
      }
      this.#retire(command);
      this.#ready(command);
      this.#pump();
    }, patience);
    link.send(command.event, command.payload, (answer) => {
      if (link === this.#link && this.#groupOf(command).has(command)) this.#answered(command, attempt, answer);
    });
  }

  #answered(command: Command, attempt: number, answer: unknown): void {
    const error = errorOf(answer);
    if (!error) {
      this.#settle(command, () => command.resolve(answer));
      return;
    }
    if (error.code === 'UNAUTHENTICATED' && command.strangers < MOST_STRANGERS) {
      command.strangers += 1;
      // The token expired while the command was on its way. A new connection has a new one.
      this.#link?.drop('unauthenticated');
      return;
    }
    const delay = this.#retryDelay(command, error);
    if (delay === undefined) {
      this.#settle(command, () => command.reject(refusal(error, command)));
      return;
    }
    // A later attempt is already under way: its answer counts.
    if (attempt !== command.attempts || command.state !== 'sent') return;
    this.#retire(command);
    command.refusals += 1;
    command.refusal = refusal(error, command);
    command.state = 'waiting';
    command.timer = setTimeout(() => {
      this.#ready(command);
      this.#pump();
    }, delay);
    this.#pump();
  }

  /** Milliseconds until a refused command is tried again; undefined where that would be no use. */
  #retryDelay(command: Command, { code, retryable, details }: WireError): number | undefined {
    if (!retryable || (code === 'INTERNAL' && command.refusals >= MOST_FAULTS)) return undefined;
    const asked = (details?.retry_after ?? 0) * 1_000;
    // Who is locked out for minutes wants to be told, not kept waiting.
    if (asked > RETRY_DELAY.max) return undefined;
    return Math.max(asked, backoff(command.refusals, RETRY_DELAY));
  }

  #retire(command: Command): void {
    clearTimeout(command.timer);
    if (this.#sent.delete(command) && command.lane) this.#inFlight -= 1;
  }

  /** Lets go of what was given up once it is most of what the queues hold. */
  #forget(): void {
    this.#stale += 1;
    if (this.#stale * 2 < this.#readyChanges.size + this.#readyReads.size) return;
    for (const queue of [this.#readyChanges, this.#readyReads]) queue.keep(({ state }) => state === 'ready');
    this.#stale = 0;
  }

  #settle(command: Command, tell: () => void): void {
    if (!this.#groupOf(command).delete(command)) return;
    this.#retire(command);
    command.release();
    // An error says whether the command was sent.
    tell();
    const wasReady = command.state === 'ready';
    command.state = 'settled';
    if (wasReady) this.#forget();
    if (command.place) for (const free of this.#lanes.leave(command.place)) this.#ready(free);
    this.#pump();
  }
}

const failure = (
  { event, op_id, uncertain, state }: Command,
  code: ClientErrorCode,
  message: string,
  cause?: unknown,
): RollcallClientError =>
  new RollcallClientError(code, message, {
    event,
    op_id,
    uncertain: uncertain || state === 'sent',
    retryable: code === 'TIMEOUT',
    cause,
  });

const aborted = (command: Command): RollcallClientError =>
  failure(command, 'ABORTED', `${command.event} was given up`, command.signal?.reason);
