import { hostname } from 'node:os';
import type { Installation, SeenServer } from '../storage/port.js';
import { Clocks } from './clocks.js';

const BEAT_EVERY_MS = 2_000;
/** A server that hasn't been noted for so long, by the database's clock, is taken for gone. */
const LIVES_MS = 10_000;
/** What a beat may take for the database's time to tell anything of this clock, in ms. */
const PROMPT_MS = 1_000;
/** How soon the database is asked again whether an unknown server is one of this installation, in ms. */
const ASK_AGAIN_MS = 500;

export interface RollOptions {
  readonly installation: Installation;
  /** The id of this run of the server. */
  readonly node: string;
  /** The channel by which it hears others; null where it hears none. */
  readonly channel: string | null;
  /** This machine's clock as it is, ms since the epoch. */
  readonly clock: () => number;
  readonly monotonic: () => number;
  /** Called after each beat. */
  readonly onBeat: () => void;
  readonly onError: (error: unknown) => void;
}

export interface OtherServer extends SeenServer {
  /** When this server first saw it live, ms of the monotonic clock. */
  readonly since: number;
  /** False for one that hasn't been noted since this server began: it may have died shortly before. */
  readonly proven: boolean;
}

/**
 * Which servers use the database, by the notes that each leaves in it every 2 s: at the database's clock, so that it
 * doesn't matter what their own say. While the database can't be asked, all that lived are taken to live on.
 */
export class RollOfServers {
  readonly clocks = new Clocks();
  readonly #options: RollOptions;
  readonly #live = new Map<string, OtherServer>();
  /** Servers that were seen to use this database, whether they still live or not. */
  readonly #members = new Set<string>();
  #began_at: number | undefined;
  #ahead: number | null = null;
  #beating: Promise<void> | undefined;
  #asked_at = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #left = false;

  constructor(options: RollOptions) {
    this.#options = options;
  }

  /** Other servers that live. */
  get others(): ReadonlyMap<string, OtherServer> {
    return this.#live;
  }

  isMember(node: string): boolean {
    return this.#members.has(node);
  }

  /** Notes this server and learns of the others. The second beat tells them of its clock. @throws {StorageError} */
  async begin(): Promise<void> {
    await this.beat();
    await this.beat();
    this.#timer = setInterval(() => this.#beatSafely(), BEAT_EVERY_MS).unref();
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    this.#left = true;
    await this.#beating?.catch(() => {});
    await this.#options.installation.leave(this.#options.node);
  }

  /** Asks the database whether an unknown server has begun to use it meanwhile; not more often than is sensible. */
  async askFor(node: string): Promise<boolean> {
    const now = this.#options.monotonic();
    if (!this.#members.has(node) && now - this.#asked_at >= ASK_AGAIN_MS) {
      this.#asked_at = now;
      await this.beat();
    }
    return this.#members.has(node);
  }

  #beatSafely(): void {
    this.beat().catch(this.#options.onError);
  }

  /** @throws {StorageError} */
  beat(): Promise<void> {
    this.#beating ??= this.#beat().finally(() => {
      this.#beating = undefined;
    });
    return this.#beating;
  }

  async #beat(): Promise<void> {
    const { installation, node, channel, clock, monotonic } = this.#options;
    if (this.#left) return;
    const name = `${hostname()}:${process.pid}`;
    const [asked, asked_at] = [clock(), monotonic()];
    const all = await installation.beat({ node, name, channel, ahead_ms: this.#ahead });
    const now = all.find((server) => server.node === node)?.beat_at;
    if (now === undefined) return;
    const took = monotonic() - asked_at;
    if (took < PROMPT_MS) this.#ahead = Math.round(asked + took / 2 - now);
    this.#began_at ??= now;
    this.#note(all, now);
    this.clocks.saw(this.#ahead, [...this.#live.values()], all);
    this.#options.onBeat();
  }

  #note(all: readonly SeenServer[], now: number): void {
    const before = new Map(this.#live);
    this.#live.clear();
    for (const server of all) {
      if (server.node === this.#options.node || server.beat_at < now - LIVES_MS) continue;
      const proven = server.beat_at > (this.#began_at ?? now);
      // A copy of a database holds the notes of the original's servers: they are none of this one's.
      if (proven) this.#members.add(server.node);
      const since = before.get(server.node)?.since ?? this.#options.monotonic();
      this.#live.set(server.node, { ...server, since, proven });
    }
  }
}
