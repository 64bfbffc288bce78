import { randomUUID } from 'node:crypto';
import type { SessionId, StudentId } from '@rollcall/protocol';
import type { Namespace } from 'socket.io';
import type { LiveSession } from '../register/live-session.js';
import type { LiveSessions, SessionWatcher } from '../register/live-sessions.js';
import { type Message, type Move, message } from './messages.js';
import { RemotePresence } from './remote-presence.js';

/** The event of serverSideEmit. */
const EVENT = 'rollcall';
const ALIVE_EVERY_MS = 2_000;
/** A node that is silent for this long is taken for gone. */
const GONE_AFTER_MS = 10_000;
/** How often the journal is asked without being told to: seldom while words get through, often while they don't. */
const LOOK_EVERY_MS = 10_000;
const LOOK_WHILE_DEAF_MS = 1_000;
/** A tick that comes this late says that the process stood still, and that words were missed. */
const FROZEN_MS = 3_000;
const TICK_MS = 500;
/** Moves of sockets are told of together, in ms: a storm of joins is a few messages. */
const GATHER_MS = 50;

export interface ClusterOptions {
  readonly namespace: Namespace;
  readonly sessions: LiveSessions;
  /** False while other nodes can't be heard. */
  readonly connected: () => boolean;
  /** A student of another node is back whose going was announced. */
  readonly returned: (live: LiveSession, studentId: StudentId, at: number) => void;
  readonly presenceChanged: (live: LiveSession) => void;
  readonly onError: (what: string, error: unknown) => void;
  readonly now: () => number;
  readonly monotonic: () => number;
}

/**
 * What makes several nodes one server. The journal is the truth and is read by everyone; words of other nodes only
 * say where to look, so one that is lost costs time and nothing else. Each node tells its own sockets.
 */
export class Cluster implements SessionWatcher {
  readonly #node = randomUUID();
  readonly #options: ClusterOptions;
  readonly #remote: RemotePresence;
  readonly #hints = new Map<SessionId, number>();
  #moves: Move[] = [];
  #gathering: NodeJS.Timeout | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  #hinting = false;
  #deaf = false;
  #looking = false;
  #ticked_at: number;
  #looked_at: number;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#ticked_at = options.monotonic();
    this.#looked_at = this.#ticked_at;
    const { sessions } = options;
    this.#remote = new RemotePresence(
      {
        enter: (sessionId, studentId, socketId) => {
          const live = sessions.active(sessionId);
          if (live) this.#enter(live, studentId, socketId);
        },
        leave: (sessionId, studentId, socketId, onPurpose) => {
          sessions.active(sessionId)?.presence.leave(studentId, socketId, onPurpose);
        },
      },
      options.monotonic,
    );
    sessions.follow(this);
  }

  /** Begins to listen and to speak. */
  start(): void {
    this.#options.namespace.on(EVENT as never, ((raw: unknown) => this.#receive(raw)) as never);
    const alive = setInterval(() => this.#say({ type: 'alive', node: this.#node }), ALIVE_EVERY_MS);
    const tick = setInterval(() => this.#tick(), TICK_MS);
    this.#timers.push(alive.unref(), tick.unref());
    this.#tellAll();
  }

  /** Says goodbye. */
  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#gathering);
    this.#options.namespace.removeAllListeners(EVENT as never);
    this.#say({ type: 'gone', node: this.#node });
  }

  activated(live: LiveSession, from: 'restored' | 'here' | 'elsewhere'): void {
    for (const { student_id, socket_id } of this.#remote.of(live.session_id)) this.#enter(live, student_id, socket_id);
    if (from === 'here') this.#hint(live);
  }

  changed(live: LiveSession, here: boolean): void {
    if (here) this.#hint(live);
  }

  ended(): void {}

  /** A student sent a wrong check-in code to this node: they have no more tries for there being several. */
  guessed({ session_id }: LiveSession, studentId: StudentId): void {
    this.#say({ type: 'wrong_codes', node: this.#node, wrong: [[session_id, studentId]] });
  }

  /** A socket of this node came or went. */
  moved(move: Move): void {
    this.#moves.push(move);
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      const moves = this.#moves;
      this.#moves = [];
      this.#say({ type: 'moves', node: this.#node, all: false, moves });
    }, GATHER_MS).unref();
  }

  /** One word for all commits of a turn of the event loop. */
  #hint({ session_id, state }: LiveSession): void {
    this.#hints.set(session_id, state.seq);
    if (this.#hinting) return;
    this.#hinting = true;
    setImmediate(() => {
      this.#hinting = false;
      const hints = [...this.#hints];
      this.#hints.clear();
      this.#say({ type: 'hints', node: this.#node, hints });
    });
  }

  #enter(live: LiveSession, studentId: StudentId, socketId: string): void {
    const now = this.#options.now();
    if (live.presence.enter(studentId, socketId, now)) this.#options.returned(live, studentId, now);
    else this.#options.presenceChanged(live);
  }

  #say(word: Message): void {
    if (!this.#options.connected()) return;
    try {
      this.#options.namespace.serverSideEmit(EVENT as never, word as never);
    } catch (error) {
      this.#options.onError('could not tell other nodes', error);
    }
  }

  #receive(raw: unknown): void {
    const parsed = message.safeParse(raw);
    // A node of another version may say more than this one understands.
    if (!parsed.success || parsed.data.node === this.#node) return;
    const word = parsed.data;
    switch (word.type) {
      case 'hints':
        this.#remote.heard(word.node);
        for (const [sessionId, seq] of word.hints) this.#hear(sessionId, seq);
        break;
      case 'moves':
        this.#remote.moved(word.node, word.moves, word.all);
        break;
      case 'wrong_codes':
        for (const [sessionId, studentId] of word.wrong) {
          this.#options.sessions.active(sessionId)?.codes?.wrong(studentId);
        }
        break;
      case 'alive':
        if (!this.#remote.heard(word.node)) this.#say({ type: 'tell', node: this.#node, to: word.node });
        break;
      case 'tell':
        if (word.to === this.#node) this.#tellAll();
        break;
      case 'gone':
        this.#remote.gone(word.node);
        break;
    }
  }

  #hear(sessionId: SessionId, seq: number): void {
    this.#options.sessions.hear(sessionId, seq).catch((error: unknown) => {
      this.#options.onError('could not read what another node wrote', error);
    });
  }

  /** Every socket of this node that is in a session. */
  #tellAll(): void {
    const { namespace, sessions } = this.#options;
    const moves: Move[] = [];
    for (const { session_id, presence } of sessions.activeAttendanceSessions.values()) {
      for (const { student_id, sockets } of presence.list()) {
        for (const socket_id of sockets) {
          if (namespace.sockets.has(socket_id)) moves.push({ session_id, student_id, socket_id, move: 'in' });
        }
      }
    }
    this.#say({ type: 'moves', node: this.#node, all: true, moves });
  }

  #tick(): void {
    const now = this.#options.monotonic();
    const frozen = now - this.#ticked_at > FROZEN_MS;
    this.#ticked_at = now;
    const deaf = !this.#options.connected();
    if (frozen || (this.#deaf && !deaf)) {
      // Words were missed, and so were ours.
      this.#remote.forgiveSilence();
      this.#tellAll();
      this.#look(now);
    }
    this.#deaf = deaf;
    if (deaf) this.#remote.forgiveSilence();
    else this.#remote.expire(GONE_AFTER_MS);
    if (now - this.#looked_at >= (deaf ? LOOK_WHILE_DEAF_MS : LOOK_EVERY_MS)) this.#look(now);
  }

  #look(now: number): void {
    if (this.#looking) return;
    this.#looking = true;
    this.#looked_at = now;
    this.#options.sessions
      .lookAround()
      .catch((error: unknown) => this.#options.onError('could not look for what other nodes wrote', error))
      .finally(() => {
        this.#looking = false;
      });
  }
}
