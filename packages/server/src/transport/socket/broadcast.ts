import type { Namespace } from 'socket.io';
import { EncodedPayload } from '../../encoded-payload.js';
import { type Bundle, type BundleWriter, forEachMember, type Notice, sizeOf } from './engine/bundle.js';

/** A room of at most so many sockets gets everything at once: it takes less than a slice does. */
const AT_ONCE = 250;
/** How long sockets are written to in one turn of the event loop, in ms, so that nobody else waits longer. */
const SLICE_MS = 4;
/** Sockets that are written to between two looks at the clock. */
const STEP = 50;
/** Broadcasts of one queue that may wait for their slices. Beyond, the sender is made to wait by sending all at once. */
const WAITING_MAX = 64;
/** Events that go out to a socket in one write. */
const NOTICES_MAX = 200;

interface Job {
  /** Those that don't have it yet. */
  readonly sockets: string[];
  readonly bundle: Bundle;
  /** Some have it already, so nothing more can go out with it. */
  begun: boolean;
}

interface Gathered {
  readonly queue: string;
  readonly bundle: Bundle;
  readonly first: readonly string[];
}

/**
 * Sends to rooms, in order. In a hall of thousands one broadcast would hold up everybody for a third of a second: there
 * it goes out in slices. Each queue is in order by itself, and they are taken in turn, so that a class beside a hall
 * doesn't wait until the hall has everything; what comes while a hall is being written to goes out to all of it in one
 * write. Sockets of the rooms named first get everything at once, so for them order holds even between rooms of
 * different sizes.
 */
export class Broadcast {
  readonly #namespace: Namespace;
  readonly #writer: BundleWriter;
  /** What waits, by queue. The queue whose turn is next comes first. */
  readonly #waiting = new Map<string, Job[]>();
  #gathered: Gathered | undefined;
  #running = false;

  constructor(namespace: Namespace, writer: BundleWriter) {
    this.#namespace = namespace;
    this.#writer = writer;
  }

  /**
   * @param queue what must stay in order has the same
   * @param first rooms that never wait: the teachers of the session
   */
  emit(queue: string, rooms: readonly string[], first: readonly string[], event: string, payload: object): void {
    this.flush();
    this.#send({ queue, bundle: { rooms, notices: [{ event, payload: EncodedPayload.of(payload) }] }, first });
  }

  /** Like `emit`, but what comes next for the same rooms goes out with it: to be followed by `flush` in the same turn. */
  gather(queue: string, rooms: readonly string[], first: readonly string[], event: string, payload: object): void {
    if (this.#gathered && !sameNames(this.#gathered.bundle.rooms, rooms)) this.flush();
    this.#gathered ??= { queue, bundle: { rooms, notices: [] }, first };
    this.#gathered.bundle.notices.push({ event, payload: EncodedPayload.of(payload) });
  }

  /** Sends what was gathered, unless it is for just these rooms. */
  flush(but: readonly string[] = []): void {
    const gathered = this.#gathered;
    if (!gathered || sameNames(gathered.bundle.rooms, but)) return;
    this.#gathered = undefined;
    this.#send(gathered);
  }

  #send({ queue, bundle, first }: Gathered): void {
    const jobs = this.#waiting.get(queue);
    if (!jobs && sizeOf(this.#namespace.adapter.rooms, bundle.rooms) <= AT_ONCE) {
      this.#writer.toRooms(bundle);
      return;
    }
    const { now, later } = this.#split(bundle.rooms, first);
    if (now.length > 0) this.#writer.toSockets(bundle, now);
    if (later.length === 0) return;
    if (!jobs) this.#waiting.set(queue, [jobOf(bundle, later)]);
    else if (!joined(jobs, bundle.notices, later)) jobs.push(jobOf(bundle, later));
    while (jobs && jobs.length > WAITING_MAX) this.#slice(queue, jobs);
    if (this.#running) return;
    this.#running = true;
    setImmediate(() => this.#run());
  }

  #run(): void {
    for (const [queue, jobs] of this.#waiting) {
      // The next turn is another queue's.
      this.#waiting.delete(queue);
      this.#waiting.set(queue, jobs);
      this.#slice(queue, jobs);
      break;
    }
    if (this.#waiting.size > 0) setImmediate(() => this.#run());
    else this.#running = false;
  }

  #slice(queue: string, jobs: Job[]): void {
    const until = performance.now() + SLICE_MS;
    do {
      const [job] = jobs;
      if (!job) break;
      job.begun = true;
      this.#writer.toSockets(job.bundle, job.sockets.splice(-STEP));
      if (job.sockets.length === 0) jobs.shift();
    } while (performance.now() < until);
    if (jobs.length === 0) this.#waiting.delete(queue);
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

/** A bundle of its own: more may join it, and what was written of the first to those who never wait is done. */
const jobOf = ({ rooms, notices }: Bundle, sockets: string[]): Job => ({
  sockets,
  bundle: { rooms, notices: [...notices] },
  begun: false,
});

/**
 * Lets events go out with what waits for the very same sockets, where nothing else for any of them comes between.
 * Two back at most: who gets changes one by one and who gets them in one frame are told alternately.
 */
function joined(jobs: readonly Job[], notices: readonly Notice[], sockets: readonly string[]): boolean {
  const [last, before] = [jobs.at(-1), jobs.at(-2)];
  for (const job of [last, before]) {
    if (!job || job.begun || job.bundle.notices.length + notices.length > NOTICES_MAX) return false;
    if (sameNames(job.sockets, sockets)) {
      job.bundle.notices.push(...notices);
      return true;
    }
    if (job === last && !areApart(job.sockets, sockets)) return false;
  }
  return false;
}

function areApart(some: readonly string[], others: readonly string[]): boolean {
  const all = new Set(some);
  return !others.some((id) => all.has(id));
}

const sameNames = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((name, index) => name === other[index]);
