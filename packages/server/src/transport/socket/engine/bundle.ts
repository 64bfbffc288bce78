import type { Namespace } from 'socket.io';
import { PacketType } from 'socket.io-parser';
import type { EncodedPayload } from '../../../encoded-payload.js';
import { engineConnectionOf, idleTcpOf, takesFrames } from './connection.js';
import { textOf } from './encoder.js';

/** One event for many sockets. */
export interface Notice {
  readonly event: string;
  readonly payload: EncodedPayload;
}

/** Events for the same rooms, one after another. */
export interface Bundle {
  readonly rooms: readonly string[];
  readonly notices: Notice[];
}

/** Writes the events of a bundle, in order. */
export interface BundleWriter {
  /** To who is in its rooms: once to each socket, though it be in several of them. */
  toRooms(bundle: Bundle): void;
  toSockets(bundle: Bundle, ids: readonly string[]): void;
}

/** By way of Socket.IO: for a server that isn't ours, with its own parser, adapter and listeners. */
export class SocketIoWriter implements BundleWriter {
  readonly #namespace: Namespace;

  constructor(namespace: Namespace) {
    this.#namespace = namespace;
  }

  toRooms(bundle: Bundle): void {
    this.#write(bundle, bundle.rooms);
  }

  toSockets(bundle: Bundle, ids: readonly string[]): void {
    // A socket's id is the name of a room that it alone is in.
    this.#write(bundle, ids);
  }

  #write({ notices }: Bundle, rooms: readonly string[]): void {
    for (const { event, payload } of notices) this.#namespace.local.to([...rooms]).emit(event, payload.value);
  }
}

/** From this number on, writing to all of a room takes longer than its caller should have to wait for an answer. */
const LARGE_ROOM = 64;

/**
 * Straight to the connections: all events of a bundle are one buffer, made once, and one write for each websocket,
 * where Socket.IO makes two writes an event. Long polling gets them one by one.
 */
export class FrameWriter implements BundleWriter {
  readonly #namespace: Namespace;
  readonly #sendNow: () => void;
  /** Made once a bundle, though a large room takes several slices. */
  readonly #prepared = new WeakMap<Bundle, Prepared>();

  /** @param sendNow sends what was written to single connections in this turn */
  constructor(namespace: Namespace, sendNow: () => void) {
    this.#namespace = namespace;
    this.#sendNow = sendNow;
  }

  toRooms(bundle: Bundle): void {
    const { rooms } = this.#namespace.adapter;
    const prepared = this.#prepare(bundle);
    if (sizeOf(rooms, bundle.rooms) >= LARGE_ROOM) this.#sendNow();
    forEachMember(rooms, bundle.rooms, (id) => this.#writeTo(id, prepared));
  }

  toSockets(bundle: Bundle, ids: readonly string[]): void {
    const prepared = this.#prepare(bundle);
    if (ids.length >= LARGE_ROOM) this.#sendNow();
    for (const id of ids) this.#writeTo(id, prepared);
  }

  #prepare(bundle: Bundle): Prepared {
    let prepared = this.#prepared.get(bundle);
    if (!prepared) {
      prepared = prepare(this.#namespace.name, bundle);
      this.#prepared.set(bundle, prepared);
    }
    return prepared;
  }

  #writeTo(id: string, { texts, frames, whole, options }: Prepared): void {
    const conn = this.#namespace.sockets.get(id)?.conn;
    if (!conn) return;
    const connection = engineConnectionOf(conn);
    if (!takesFrames(connection)) {
      for (const text of texts) connection.write(text);
      return;
    }
    const tcp = idleTcpOf(connection);
    if (tcp) tcp.write(frames);
    // What is a websocket stays one, so the frames fit also where they have to wait.
    else connection.write(whole, options);
  }
}

interface Prepared {
  readonly texts: readonly string[];
  readonly frames: Buffer;
  /** What a connection counts as waiting. */
  readonly whole: string;
  readonly options: { readonly wsPreEncodedFrame: readonly Buffer[] };
}

function prepare(nsp: string, { notices }: Bundle): Prepared {
  const texts = notices.map(({ event, payload }) =>
    textOf({ type: PacketType.EVENT, nsp, data: [event, payload] }, payload),
  );
  const frames = framesOf(texts);
  return { texts, frames, whole: texts.join(''), options: { wsPreEncodedFrame: [frames] } };
}

type Rooms = ReadonlyMap<string, ReadonlySet<string>>;

/** How many sockets there are in rooms, at most: who is in two counts twice. */
export function sizeOf(rooms: Rooms, names: readonly string[]): number {
  let size = 0;
  for (const name of names) size += rooms.get(name)?.size ?? 0;
  return size;
}

/** Visits each socket once, without a set of all of them: there are thousands, and two or three rooms. */
export function forEachMember(rooms: Rooms, names: readonly string[], visit: (id: string) => void): void {
  const seen: ReadonlySet<string>[] = [];
  for (const name of names) {
    const members = rooms.get(name);
    if (!members) continue;
    for (const id of members) if (!seen.some((others) => others.has(id))) visit(id);
    seen.push(members);
  }
}

/** Engine.IO's `message`. */
const MESSAGE = '4';
/** RFC 6455, 5.2: a text frame, whole; and where its length is said when seven bits are too few. */
const TEXT_FRAME = 0x81;
const LENGTH_IN_16_BITS = 126;
const LENGTH_IN_64_BITS = 127;

/** The texts as websocket frames of a server, one behind another. */
export function framesOf(texts: readonly string[]): Buffer {
  const lengths = texts.map((text) => Buffer.byteLength(text) + MESSAGE.length);
  const frames = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + headerOf(length) + length, 0));
  let at = 0;
  for (const [index, text] of texts.entries()) {
    const length = lengths[index] ?? 0;
    frames[at] = TEXT_FRAME;
    if (length < LENGTH_IN_16_BITS) frames[at + 1] = length;
    else if (length < 0x1_00_00) {
      frames[at + 1] = LENGTH_IN_16_BITS;
      frames.writeUInt16BE(length, at + 2);
    } else {
      frames[at + 1] = LENGTH_IN_64_BITS;
      frames.writeBigUInt64BE(BigInt(length), at + 2);
    }
    at += headerOf(length);
    at += frames.write(MESSAGE, at);
    at += frames.write(text, at);
  }
  return frames;
}

const headerOf = (length: number): number => (length < LENGTH_IN_16_BITS ? 2 : length < 0x1_00_00 ? 4 : 10);
