import type { Server, Socket } from 'socket.io';
import { RateLimit } from './rate-limit.js';

/** Longest frame of who doesn't teach, in characters or bytes: a thousand times their usual command. */
export const SMALL_FRAME_MAX = 1024 * 1024;
/** What a connection of theirs may send at once, and each second after that, in characters or bytes. */
const BYTES_AT_ONCE = 2 * SMALL_FRAME_MAX;
const BYTES_PER_SECOND = 256 * 1024;
/** Events a second and user that come to nothing, burst four times that. Far above any app that is only too fast. */
const FUTILE_PER_SECOND = 1_000;

type Transport = Socket['conn'];

/** A CONNECT_ERROR of Socket.IO, for whom hands in a token that nobody will read. */
const INVALID_TOKEN = `4${JSON.stringify({ message: 'Invalid token', data: { code: 'UNAUTHENTICATED' } })}`;

interface Packet {
  type: string;
  readonly data?: unknown;
}

/** What a connection may still send, and when that was reckoned, in ms. */
interface Budget {
  left: number;
  at: number;
}

/**
 * Cuts those who only want to keep the server busy. To read a frame costs its length, before anything is known of
 * it: 6 MB of brackets stop everybody for half a second. So only teachers, who alone send bulks, may send long ones;
 * and who goes on sending what is refused unread isn't answered for ever.
 */
export class FloodGuard {
  readonly #teachers = new WeakSet<Transport>();
  readonly #futile = new RateLimit();
  readonly #budgets = new WeakMap<Transport, Budget>();
  #guarding = false;

  /** Begins to watch a server's connections; until then nobody is cut. To be called before it listens. */
  guard(engine: Server['engine']): void {
    this.#guarding = true;
    const look = this.#look.bind(this);
    // One listener for all: Engine.IO calls it with its connection.
    function onPacket(this: Transport, packet: Packet): void {
      look(this, packet);
    }
    engine.on('connection', (transport: Transport) => transport.on('packet', onPacket));
  }

  /** Declared for no type: Engine.IO tells of each packet before it is read, and reads it by its type. */
  #look(transport: Transport, packet: Packet): void {
    const { data } = packet;
    const length = typeof data === 'string' || data instanceof Uint8Array ? data.length : 0;
    if (this.#teachers.has(transport) || (this.#affords(transport, length) && length <= SMALL_FRAME_MAX)) return;
    packet.type = 'noop';
    const connecting = typeof data === 'string' && data.startsWith('0');
    if (connecting) transport.write(INVALID_TOKEN);
    transport.close(!connecting);
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
  }

  /** The user sent something that came to nothing: over the rate, or unknown. */
  futile(uid: string, { conn }: Socket): void {
    if (this.#guarding && 'retry_after' in this.#futile.take(uid, FUTILE_PER_SECOND)) conn.close(true);
  }
}
