import { RollcallError, type ServerEventName, type WireError } from '@rollcall/protocol';
import type { Socket } from 'socket.io';
import type { AckExtra } from '../../commands/command.js';
import { EncodedPayload } from '../../encoded-payload.js';
import { StorageError } from '../../storage/port.js';

/** Whatever was thrown, as an error of the registry. Causes stay on the server. */
export function refusalOf(error: unknown): RollcallError {
  if (error instanceof RollcallError) return error;
  if (error instanceof StorageError) return new RollcallError('STORAGE_UNAVAILABLE', { cause: error });
  return new RollcallError('INTERNAL', { cause: error });
}

/** How answers leave. */
export interface AnswerEncoding {
  /** What Socket.IO is given for a payload: on a server of our own as it is, on another's the plain object. */
  readonly payloadFor: (payload: EncodedPayload) => object;
  /** Called behind an acknowledgement, before the event that says the same. */
  readonly afterAck: (payload: EncodedPayload) => void;
}

/** Characters from which on it takes a millisecond to write a payload. */
const LONG = 100_000;

/** @param sendNow sends what was written to single connections in this turn */
export const standaloneAnswers = (sendNow: () => void): AnswerEncoding => ({
  payloadFor: (payload) => payload,
  afterAck: ({ json }) => {
    if (json.length > LONG) sendNow();
  },
});

export const embeddedAnswers: AnswerEncoding = { payloadFor: ({ value }) => value, afterAck: () => {} };

/** The answer to one event: an acknowledgement where one was asked for, and the seed's events. Exactly once. */
export class Reply {
  readonly #socket: Socket;
  readonly #event: string;
  readonly #payload: unknown;
  readonly #ack: ((answer: object) => void) | undefined;
  readonly #encoding: AnswerEncoding;
  #answered = false;

  constructor(socket: Socket, event: string, args: readonly unknown[], encoding: AnswerEncoding) {
    this.#socket = socket;
    this.#event = event;
    this.#encoding = encoding;
    const last = args.at(-1);
    this.#ack = typeof last === 'function' ? (last as (answer: object) => void) : undefined;
    this.#payload = typeof args[0] === 'function' ? undefined : args[0];
  }

  get payload(): unknown {
    return this.#payload;
  }

  get answered(): boolean {
    return this.#answered;
  }

  /** The session that the client named, for logs and errors; undefined where it named none. */
  get sessionId(): string | undefined {
    const { session_id, sessionId } = (this.#payload ?? {}) as { session_id?: unknown; sessionId?: unknown };
    const id = session_id ?? sessionId;
    return typeof id === 'string' && id.length <= 128 ? id : undefined;
  }

  succeed(
    events: ServerEventName | readonly ServerEventName[] | undefined,
    payload: object,
    extra: AckExtra = {},
  ): void {
    if (this.#answered) return;
    const encoded = EncodedPayload.of(payload);
    const names = typeof events === 'string' ? [events] : (events ?? []);
    // It is encoded as it is sent: one that can't be throws here, and is refused instead.
    if (this.#ack) {
      this.#ack(this.#encoding.payloadFor(encoded.behind({ ok: true, ...extra })));
      this.#answered = true;
      this.#encoding.afterAck(encoded);
    }
    // An app's Socket.IO would keep it for whoever comes back as this socket.
    if (!this.#socket.connected) {
      this.#answered = true;
      return;
    }
    for (const name of names) {
      this.#socket.emit(name, this.#encoding.payloadFor(encoded));
      this.#answered = true;
    }
    this.#answered = true;
  }

  /** Refuses by the acknowledgement alone. */
  refuseSilently(error: RollcallError): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#ack?.({ ok: false, error: error.toWire() });
  }

  refuse(error: RollcallError, errorEvent?: ServerEventName): void {
    if (this.#answered) return;
    this.refuseSilently(error);
    if (!this.#socket.connected) return;
    const { code, message }: WireError = error.toWire();
    const session_id = this.sessionId;
    const details = { message, code, event: this.#event, ...(session_id === undefined ? {} : { session_id }) };
    this.#socket.emit('attendanceError', details);
    if (errorEvent !== undefined) this.#socket.emit(errorEvent, { message, code });
  }
}
