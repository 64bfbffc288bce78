import { RollcallError, type SessionId } from '@rollcall/protocol';
import type { LiveSession } from '../register/live-session.js';
import type { LiveSessions } from '../register/live-sessions.js';
import { SYSTEM } from '../register/making-entries.js';
import type { SessionWatcher } from '../register/session-watcher.js';
import type { Storage } from '../storage/port.js';
import { type Deadline, deadlineOf } from './deadline.js';

/** Activity that the journal doesn't hold is written at most this often, in ms. */
const REMEMBER_EVERY_MS = 30_000;
/** After a failure of the database, in ms. */
const RETRY_MS = 5_000;
const TIMER_MAX_MS = 2 ** 31 - 1;

export interface SessionTimeoutsOptions {
  readonly sessions: LiveSessions;
  readonly storage: Storage;
  /** Tells the teachers of a session; `endsAt` in ms since the epoch. */
  readonly expiring: (live: LiveSession, endsAt: number, reason: Deadline['reason']) => void;
  readonly onError: (sessionId: SessionId, error: unknown) => void;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  /** ms of a clock that never jumps. */
  readonly monotonic: () => number;
  /** How far `now` may be ahead of times that other servers wrote, in ms. */
  readonly lead: () => number;
}

interface Watch {
  readonly live: LiveSession;
  readonly started_at: number;
  active_at: number;
  /** When activity was last written, and whether there was more since. */
  remembered_at: number;
  unremembered: boolean;
  /** What the database had of it when it was last read or written: the same again tells nothing new. */
  known: number | null;
  /** The deadline that was warned of. */
  warned: number | undefined;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Ends sessions that nobody uses any more, and those that last too long. Time is measured on a clock that never jumps
 * while the server runs; the wall clock is used only for what happened before it started. Every node watches every
 * session: the end is a journal entry, so of several that end it at once one does.
 */
export class SessionTimeouts implements SessionWatcher {
  readonly #options: SessionTimeoutsOptions;
  readonly #watches = new Map<SessionId, Watch>();
  /** Activity that is being written. */
  readonly #writing = new Set<Promise<void>>();
  #closed = false;

  constructor(options: SessionTimeoutsOptions) {
    this.#options = options;
    options.sessions.follow(this);
  }

  activated(live: LiveSession, from: 'restored' | 'here' | 'elsewhere'): void {
    const { started_at, last_at } = live.state;
    // What another server has just started, by a clock of its own, is as old as this one's knowledge of it.
    const heard = from === 'elsewhere' ? this.#options.monotonic() : undefined;
    const watch: Watch = {
      live,
      started_at: heard ?? this.#monotonicOf(started_at),
      active_at: heard ?? this.#monotonicOf(last_at),
      remembered_at: Number.NEGATIVE_INFINITY,
      unremembered: false,
      known: null,
      warned: undefined,
      timer: undefined,
    };
    this.#watches.set(live.session_id, watch);
    this.#schedule(watch);
  }

  changed(live: LiveSession): void {
    const watch = this.#watches.get(live.session_id);
    if (watch) this.#active(watch);
  }

  ended(live: LiveSession): void {
    clearTimeout(this.#watches.get(live.session_id)?.timer);
    this.#watches.delete(live.session_id);
  }

  /** A teacher did something that no entry tells of. @returns when the session ends unless more happens; null for never */
  touched(live: LiveSession): number | null {
    const watch = this.#watches.get(live.session_id);
    if (!watch) return null;
    this.#active(watch);
    this.#remember(watch);
    const deadline = this.#deadline(watch);
    return deadline ? this.#wallOf(deadline.at) : null;
  }

  /** Ends nothing any more; resolves once all activity is written that whoever comes next has to know of. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const watch of this.#watches.values()) {
      clearTimeout(watch.timer);
      if (watch.unremembered) this.#writeNow(watch);
    }
    this.#watches.clear();
    await Promise.all(this.#writing);
  }

  #deadline({ live, started_at, active_at }: Watch): Deadline | undefined {
    return deadlineOf(live.state.policy, started_at, active_at);
  }

  #active(watch: Watch): void {
    watch.active_at = this.#options.monotonic();
    // A timer that is due too early finds that out by itself; only one that was set by a warning is in the way.
    if (watch.warned !== undefined) {
      watch.warned = undefined;
      this.#schedule(watch);
    }
  }

  /** Other nodes, and this one after a restart, must know of it; now and then is enough. */
  #remember(watch: Watch): void {
    const { inactivity_minutes } = watch.live.state.policy;
    const every = Math.min(REMEMBER_EVERY_MS, (inactivity_minutes * 60_000) / 4);
    const wait = watch.remembered_at + every - this.#options.monotonic();
    if (inactivity_minutes === 0 || watch.unremembered) return;
    watch.unremembered = true;
    if (wait <= 0) this.#writeNow(watch);
    else setTimeout(() => watch.unremembered && this.#writeNow(watch), wait).unref();
  }

  #writeNow(watch: Watch): void {
    watch.unremembered = false;
    watch.remembered_at = this.#options.monotonic();
    if (watch.live.state.ending) return;
    const written = this.#write(watch)
      .catch((error: unknown) => {
        this.#options.onError(watch.live.session_id, error);
        this.#writeAgain(watch);
      })
      .finally(() => this.#writing.delete(written));
    this.#writing.add(written);
  }

  /** What a teacher was promised holds on every node once the database is back. */
  #writeAgain(watch: Watch): void {
    if (this.#closed) return;
    watch.unremembered = true;
    setTimeout(() => watch.unremembered && !this.#closed && this.#writeNow(watch), RETRY_MS).unref();
  }

  /** Always above what is there, so that others see it also while a clock that was ahead left a later time. */
  async #write(watch: Watch): Promise<void> {
    const { storage } = this.#options;
    const { session_id } = watch.live;
    const there = await storage.journal.readActivity(session_id);
    const at = Math.max(this.#wallOf(watch.active_at), (there ?? 0) + 1);
    await storage.journal.touchSession(session_id, at);
    watch.known = at;
  }

  #schedule(watch: Watch, atLeast = 0): void {
    clearTimeout(watch.timer);
    const deadline = this.#deadline(watch);
    if (!deadline || this.#closed) return;
    const due = watch.warned === deadline.at ? deadline.at : deadline.warn_at;
    const wait = Math.min(Math.max(due - this.#options.monotonic(), atLeast), TIMER_MAX_MS);
    watch.timer = setTimeout(() => this.#due(watch), wait).unref();
  }

  #due(watch: Watch): void {
    this.#check(watch).catch((error: unknown) => {
      this.#options.onError(watch.live.session_id, error);
      this.#schedule(watch, RETRY_MS);
    });
  }

  /** A timer has come: warns, ends, or finds that there was activity meanwhile. */
  async #check(watch: Watch): Promise<void> {
    if (this.#isDue(watch)) await this.#learn(watch);
    if (this.#closed || !this.#watches.has(watch.live.session_id)) return;
    const deadline = this.#deadline(watch);
    const now = this.#options.monotonic();
    if (deadline && now >= deadline.at) return this.#end(watch.live, deadline.reason);
    if (deadline && now >= deadline.warn_at && watch.warned !== deadline.at) {
      watch.warned = deadline.at;
      this.#options.expiring(watch.live, this.#wallOf(deadline.at), deadline.reason);
    }
    this.#schedule(watch);
  }

  #isDue(watch: Watch): boolean {
    const deadline = this.#deadline(watch);
    return deadline !== undefined && this.#options.monotonic() >= deadline.warn_at;
  }

  /** Something may have happened on another node, or before this one started, that nobody told of. */
  async #learn(watch: Watch): Promise<void> {
    const remembered = await this.#options.storage.journal.readActivity(watch.live.session_id);
    await watch.live.readJournalNow();
    // A time that lies ahead, since a clock was, counts as now when it is new, and not again and again.
    if (remembered === null || remembered === watch.known) return;
    watch.known = remembered;
    watch.active_at = Math.max(watch.active_at, this.#monotonicOf(remembered));
  }

  async #end(live: LiveSession, reason: Deadline['reason']): Promise<void> {
    try {
      await live.submit({ type: 'end', reason }, { actor: SYSTEM, answer: () => {} });
    } catch (error) {
      // Somebody was first: it is over, which is all that was wanted.
      if (!(error instanceof RollcallError && error.code === 'SESSION_NOT_ACTIVE')) throw error;
    }
  }

  /** A moment of some server's wall clock, which is never later than now; rather too late than too early. */
  #monotonicOf(wall: number): number {
    return this.#options.monotonic() - Math.max(0, this.#options.now() - this.#options.lead() - wall);
  }

  #wallOf(monotonic: number): number {
    return Math.round(this.#options.now() + monotonic - this.#options.monotonic());
  }
}
