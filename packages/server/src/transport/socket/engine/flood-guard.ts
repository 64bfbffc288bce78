import type { Server, Socket } from 'socket.io';
import { RateLimit } from '../../../commands/rate-limit.js';
import { type EngineTransport, engineConnectionOf } from './connection.js';
import { cutOff } from './cut-off.js';
import { costsTooMuch } from './frame-cost.js';

/** Longest frame of who doesn't teach, in characters or bytes: a thousand times their usual command. */
export const SMALL_FRAME_MAX = 1024 * 1024;
/** What a connection of theirs may send at once, and each second after that, in characters or bytes. */
const BYTES_AT_ONCE = 2 * SMALL_FRAME_MAX;
const BYTES_PER_SECOND = 256 * 1024;
/** What a packet counts for beside its length, and one that asks to be let in: that takes a token to be checked. */
const PACKET_BYTES = 128;
const CONNECT_BYTES = 16 * 1024;
/** Packets in one request of long polling: more than a client gathers that keeps to its rate. */
const PACKETS_PER_REQUEST = 1_000;
const BETWEEN_PACKETS = '\u001e';
/** Events a second and user that come to nothing, burst four times that. Far above any app that is only too fast. */
const FUTILE_PER_SECOND = 1_000;

type Transport = Socket['conn'];

/** A CONNECT_ERROR of Socket.IO, for whom hands in a token that nobody will read. */
const INVALID_TOKEN = `4${JSON.stringify({ message: 'Invalid token', data: { code: 'UNAUTHENTICATED' } })}`;

interface Packet {
  type: string;
  readonly data?: unknown;
}

/** A CONNECT of Socket.IO's protocol, to whatever namespace. */
const isConnect = (data: unknown): data is string => typeof data === 'string' && data.startsWith('0');

/** What a connection may still send, and when that was reckoned, in ms. */
interface Budget {
  left: number;
  at: number;
}

/**
 * Cuts those who only want to keep the server busy. To read a frame costs its length, before anything is known of
 * it: 6 MB of brackets stop everybody for half a second. So only teachers, who alone send bulks, may send long ones,
 * and nobody one that is all brackets; and who goes on sending what is refused unread isn't answered for ever.
 */
export class FloodGuard {
  readonly #teachers = new WeakSet<Transport>();
  /** Connections that have a socket, or one that is being let in. */
  readonly #holding = new WeakSet<Transport>();
  readonly #futile = new RateLimit();
  readonly #budgets = new WeakMap<Transport, Budget>();
  /** Lifts the bound of a connection's requests. */
  readonly #bounded = new WeakMap<Transport, () => void>();
  #guarding = false;

  /** Begins to watch a server's connections; until then nobody is cut. To be called before it listens. */
  guard(engine: Server['engine']): void {
    this.#guarding = true;
    const look = this.#look.bind(this);
    // One listener for all: Engine.IO calls it with its connection.
    function onPacket(this: Transport, packet: Packet): void {
      look(this, packet);
    }
    engine.on('connection', (transport: Transport) => {
      transport.on('packet', onPacket);
      const { transport: polling } = engineConnectionOf(transport);
      if (polling.name === 'polling') this.#boundRequests(transport, polling);
    });
  }

  /** Until they are known to teach. A request is taken apart as a whole before any packet of it is told of. */
  #boundRequests(transport: Transport, polling: EngineTransport): void {
    const { maxHttpBufferSize: whole } = polling;
    const onData = polling.onData?.bind(polling);
    // Another Engine.IO than this was made with: its own bound alone holds.
    if (whole === undefined || !onData) return;
    polling.maxHttpBufferSize = SMALL_FRAME_MAX;
    polling.onData = (body) => {
      if (!this.#teachers.has(transport) && holdsMore(body, PACKETS_PER_REQUEST)) cutOff(transport);
      else onData(body);
    };
    this.#bounded.set(transport, () => {
      polling.maxHttpBufferSize = whole;
    });
  }

  /** Declared for no type: Engine.IO tells of each packet before it is read, and reads it by its type. */
  #look(transport: Transport, packet: Packet): void {
    const { data } = packet;
    const length = typeof data === 'string' || data instanceof Uint8Array ? data.length : 0;
    const connecting = isConnect(data);
    const cost = length + (connecting ? CONNECT_BYTES : PACKET_BYTES);
    const affordable = this.#teachers.has(transport) || (this.#affords(transport, cost) && length <= SMALL_FRAME_MAX);
    if (affordable && !(typeof data === 'string' && !connecting && costsTooMuch(data))) return;
    packet.type = 'noop';
    if (connecting && length > SMALL_FRAME_MAX) {
      transport.write(INVALID_TOKEN);
      transport.close();
    } else cutOff(transport);
  }

  /**
   * To be asked when a socket comes: each connection has one, and Socket.IO makes as many as are asked for while the
   * first is being let in. Here it has read which namespace that is, of which there is more than one way to write it.
   * @returns false for a second one, by which the connection ends
   */
  enter({ conn }: Socket): boolean {
    const second = this.#holding.has(conn);
    if (second) cutOff(conn);
    else this.#holding.add(conn);
    return !second;
  }

  /** The connection has no socket any more, or it wasn't let in: it may ask again. */
  left({ conn }: Socket): void {
    this.#holding.delete(conn);
  }

  #affords(transport: Transport, length: number): boolean {
    const now = performance.now();
    const { left, at } = this.#budgets.get(transport) ?? { left: BYTES_AT_ONCE, at: now };
    const rest = Math.min(BYTES_AT_ONCE, left + ((now - at) / 1_000) * BYTES_PER_SECOND) - length;
    this.#budgets.set(transport, { left: rest, at: now });
    return rest >= 0;
  }

  /** A teacher's socket: its frames may be as long as the largest bulk. */
  trust({ conn }: Socket): void {
    this.#teachers.add(conn);
    this.#bounded.get(conn)?.();
  }

  /** The user sent something that came to nothing: over the rate, or unknown. */
  futile(uid: string, { conn }: Socket): void {
    if (this.#guarding && 'retry_after' in this.#futile.take(uid, FUTILE_PER_SECOND)) cutOff(conn);
  }
}

function holdsMore(body: string | Buffer, packets: number): boolean {
  let count = 1;
  for (let at = body.indexOf(BETWEEN_PACKETS); at >= 0; at = body.indexOf(BETWEEN_PACKETS, at + 1)) {
    count += 1;
    if (count > packets) return true;
  }
  return false;
}
