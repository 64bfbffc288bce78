import type { Namespace } from 'socket.io';
import { Written } from '../../commands/written.js';
import { type Bundle, type BundleWriter, forEachMember, sizeOf } from './engine/bundle.js';

/** Sockets that are written to in one turn of the event loop: some 20 ms, so that nobody else waits longer. */
const SLICE = 1_000;
/** Broadcasts that may wait for their slices. Beyond, the sender is made to wait by sending all at once. */
const WAITING_MAX = 64;

interface Job {
  readonly sockets: string[];
  readonly bundle: Bundle;
}

/**
 * Sends to rooms, in order. In a hall of thousands one broadcast would hold up everybody for a third of a second: there
 * it goes out in slices. Sockets of the rooms named first get everything at once, so for them order holds even between
 * rooms of different sizes.
 */
export class Broadcast {
  readonly #namespace: Namespace;
  readonly #writer: BundleWriter;
  readonly #waiting: Job[] = [];
  #gathered: { readonly bundle: Bundle; readonly first: readonly string[] } | undefined;
  #running = false;

  constructor(namespace: Namespace, writer: BundleWriter) {
    this.#namespace = namespace;
    this.#writer = writer;
  }

  /** @param first rooms that never wait: the teachers of the session */
  emit(rooms: readonly string[], first: readonly string[], event: string, payload: object): void {
    this.flush();
    this.#send({ rooms, notices: [{ event, payload: Written.of(payload) }] }, first);
  }

  /** Like `emit`, but what comes next for the same rooms goes out with it: to be followed by `flush` in the same turn. */
  gather(rooms: readonly string[], first: readonly string[], event: string, payload: object): void {
    if (this.#gathered && !sameRooms(this.#gathered.bundle.rooms, rooms)) this.flush();
    this.#gathered ??= { bundle: { rooms, notices: [] }, first };
    this.#gathered.bundle.notices.push({ event, payload: Written.of(payload) });
  }

  /** Sends what was gathered, unless it is for just these rooms. */
  flush(but: readonly string[] = []): void {
    const gathered = this.#gathered;
    if (!gathered || sameRooms(gathered.bundle.rooms, but)) return;
    this.#gathered = undefined;
    this.#send(gathered.bundle, gathered.first);
  }

  #send(bundle: Bundle, first: readonly string[]): void {
    if (this.#waiting.length === 0 && sizeOf(this.#namespace.adapter.rooms, bundle.rooms) <= SLICE) {
      this.#writer.toRooms(bundle);
      return;
    }
    const { now, later } = this.#split(bundle.rooms, first);
    if (now.length > 0) this.#writer.toSockets(bundle, now);
    if (later.length === 0) return;
    this.#waiting.push({ sockets: later, bundle });
    while (this.#waiting.length > WAITING_MAX) this.#slice();
    if (this.#running) return;
    this.#running = true;
    setImmediate(() => this.#run());
  }

  #run(): void {
    this.#slice();
    if (this.#waiting.length > 0) setImmediate(() => this.#run());
    else this.#running = false;
  }

  #slice(): void {
    const [job] = this.#waiting;
    if (!job) return;
    this.#writer.toSockets(job.bundle, job.sockets.splice(-SLICE));
    if (job.sockets.length === 0) this.#waiting.shift();
  }

  #split(rooms: readonly string[], first: readonly string[]): { now: string[]; later: string[] } {
    const { rooms: members } = this.#namespace.adapter;
    const before = new Set<string>();
    forEachMember(members, first, (id) => before.add(id));
    const now: string[] = [];
    const later: string[] = [];
    forEachMember(members, rooms, (id) => (before.has(id) ? now : later).push(id));
    return { now, later };
  }
}

const sameRooms = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((room, index) => room === other[index]);
