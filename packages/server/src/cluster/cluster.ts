import { randomUUID } from 'node:crypto';
import type { SessionId, StudentId } from '@rollcall/protocol';
import type { Namespace } from 'socket.io';
import type { LiveSession } from '../register/live-session.js';
import type { LiveSessions } from '../register/live-sessions.js';
import type { SessionWatcher } from '../register/session-watcher.js';
import type { Installation } from '../storage/port.js';
import type { Clocks } from './clocks.js';
import { type Content, type Message, type Move, message } from './messages.js';
import { RemotePresence } from './remote-presence.js';
import { type OtherServer, RollOfServers } from './roll-of-servers.js';

/** The event of serverSideEmit. */
const EVENT = 'rollcall';
const ALIVE_EVERY_MS = 2_000;
/** A server that is silent for this long, and that the database doesn't know to live, is taken for gone. */
const GONE_AFTER_MS = 10_000;
/** A server that lives and is silent for this long isn't heard by this one. */
const UNHEARD_AFTER_MS = 7_000;
/** How often the journal is asked without being told to: seldom while messages get through, often while they don't. */
const POLL_EVERY_MS = 10_000;
const POLL_WHILE_DEAF_MS = 1_000;
/** A tick that comes this late says that the process stood still, and that messages were missed. */
const FROZEN_MS = 3_000;
const TICK_MS = 500;
/** Moves of sockets are told of together, in ms: a storm of joins is a few messages. */
const GATHER_MS = 50;

/** The adapter of the namespace, where it carries messages to other servers. */
export interface Carrier {
  /** Names it and the installation: only servers with the same one hear each other. */
  readonly channel: string;
  /** False while other servers can't be heard. */
  readonly connected: () => boolean;
}

export interface ClusterOptions {
  readonly namespace: Namespace;
  readonly installation: Installation;
  readonly sessions: LiveSessions;
  /** Absent where the servers on one database have nothing but the database in common. */
  readonly carrier: Carrier | undefined;
  /** A student of another node is back whose going was announced. */
  readonly returned: (live: LiveSession, studentId: StudentId, at: number) => void;
  readonly presenceChanged: (live: LiveSession) => void;
  /** Another node closed these web sessions. */
  readonly signedOut: (sids: readonly string[]) => void;
  /** Called with every poll of the journals: what else there is to be read in the database. Handles its own errors. */
  readonly polled: () => void;
  readonly onError: (what: string, error: unknown) => void;
  /** What should be seen to, once when it begins, and when nothing of it is left. */
  readonly onTrouble: (trouble: string) => void;
  readonly onTroubleOver: () => void;
  /** This machine's clock as it is, ms since the epoch. */
  readonly clock: () => number;
  readonly monotonic: () => number;
}

/**
 * What makes several servers on one database one. The journal is the truth and is read by everyone; messages of other
 * servers only say where to look, so one that is lost costs time and nothing else. Each tells its own sockets. Which
 * servers there are is known by the database, so that one that can't be heard is found out.
 */
export class Cluster implements SessionWatcher {
  readonly #node = randomUUID();
  readonly #options: ClusterOptions;
  readonly #roll: RollOfServers;
  readonly #remote: RemotePresence;
  readonly #hints = new Map<SessionId, number>();
  #moves: Move[] = [];
  #gathering: NodeJS.Timeout | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  #hinting = false;
  #deaf = false;
  #polling = false;
  #ticked_at: number;
  #polled_at: number;
  #told = new Set<string>();
  #stopped = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { monotonic, sessions } = options;
    this.#ticked_at = monotonic();
    this.#polled_at = this.#ticked_at;
    this.#roll = new RollOfServers({
      installation: options.installation,
      node: this.#node,
      channel: options.carrier?.channel ?? null,
      clock: options.clock,
      monotonic,
      onBeat: () => this.#tellTrouble(),
      onError: (error) => options.onError('could not note in the database that this server lives', error),
    });
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
      monotonic,
    );
    sessions.follow(this);
  }

  /** What is known of the clocks of the servers on this database. */
  get clocks(): Clocks {
    return this.#roll.clocks;
  }

  /** True where another server may write to the same journals: what isn't written is then decided on a fresh read. */
  get hasOthers(): boolean {
    return this.#options.carrier !== undefined || this.#roll.others.size > 0;
  }

  /** What should be seen to, in words; empty while all is well. */
  get trouble(): string[] {
    return [...this.#unheardInWords(), ...this.clocks.apart()];
  }

  /** Learns which servers there are; to be called before sessions are restored. @throws {StorageError} */
  async join(): Promise<void> {
    await this.#roll.begin();
  }

  /** Begins to listen and to speak. */
  start(): void {
    if (this.#options.carrier) {
      this.#options.namespace.on(EVENT as never, ((raw: unknown) => this.#receive(raw)) as never);
      this.#timers.push(setInterval(() => this.#say({ type: 'alive' }), ALIVE_EVERY_MS).unref());
    }
    this.#timers.push(setInterval(() => this.#tick(), TICK_MS).unref());
    this.#tellAll();
  }

  /** Says goodbye. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#gathering);
    this.#options.namespace.removeAllListeners(EVENT as never);
    this.#say({ type: 'gone' });
    // The sockets that go now are gone with this server.
    this.#stopped = true;
    await this.#roll.end().catch((error: unknown) => {
      this.#options.onError('could not note in the database that this server stops', error);
    });
  }

  activated(live: LiveSession, from: 'restored' | 'here' | 'elsewhere'): void {
    for (const { student_id, socket_id } of this.#remote.of(live.session_id)) this.#enter(live, student_id, socket_id);
    if (from === 'here') this.#hint(live);
  }

  changed(live: LiveSession, committedHere: boolean): void {
    if (committedHere) this.#hint(live);
  }

  ended(): void {}

  /** A student sent a wrong check-in code to this node: they have no more tries for there being several. */
  guessed({ session_id }: LiveSession, studentId: StudentId): void {
    this.#say({ type: 'wrong_codes', wrong: [[session_id, studentId]] });
  }

  /** Web sessions were closed on this node. */
  signedOut(sids: readonly string[]): void {
    this.#say({ type: 'signed_out', sids: [...sids] });
  }

  /** A socket of this node came or went. */
  moved(move: Move): void {
    if (!this.#options.carrier || this.#stopped) return;
    this.#moves.push(move);
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      const moves = this.#moves;
      this.#moves = [];
      this.#say({ type: 'moves', all: false, moves });
    }, GATHER_MS).unref();
  }

  /** One message for all commits of a turn of the event loop. */
  #hint({ session_id, state }: LiveSession): void {
    this.#hints.set(session_id, state.seq);
    if (this.#hinting) return;
    this.#hinting = true;
    setImmediate(() => {
      this.#hinting = false;
      const hints = [...this.#hints];
      this.#hints.clear();
      this.#say({ type: 'hints', hints });
    });
  }

  #enter(live: LiveSession, studentId: StudentId, socketId: string): void {
    const now = this.#options.clock() + this.clocks.correction;
    if (live.presence.enter(studentId, socketId, now)) this.#options.returned(live, studentId, now);
    else this.#options.presenceChanged(live);
  }

  #say(content: Content): void {
    const { carrier, namespace, onError } = this.#options;
    if (this.#stopped || !carrier?.connected()) return;
    const sent: Message = { channel: carrier.channel, node: this.#node, ...content };
    try {
      namespace.serverSideEmit(EVENT as never, sent as never);
    } catch (error) {
      onError('could not tell other nodes', error);
    }
  }

  #receive(raw: unknown): void {
    const parsed = message.safeParse(raw);
    // A node of another version may say more than this one understands.
    if (!parsed.success || parsed.data.channel !== this.#options.carrier?.channel) return;
    const { node } = parsed.data;
    if (node === this.#node) return;
    if (this.#roll.isMember(node)) this.#heard(parsed.data);
    else {
      // A server notes itself in the database before it speaks; one that isn't noted there is another installation's.
      this.#roll.askFor(node).then(
        (isMember) => isMember && this.#heard(parsed.data),
        (error: unknown) => this.#options.onError('could not ask the database which servers there are', error),
      );
    }
  }

  #heard(heard: Message): void {
    const { node } = heard;
    switch (heard.type) {
      case 'hints':
        this.#remote.heard(node);
        for (const [sessionId, seq] of heard.hints) this.#read(sessionId, seq);
        break;
      case 'moves':
        this.#remote.moved(node, heard.moves, heard.all);
        break;
      case 'wrong_codes':
        for (const [sessionId, studentId] of heard.wrong) {
          this.#options.sessions.active(sessionId)?.codes?.wrong(studentId);
        }
        break;
      case 'signed_out':
        this.#options.signedOut(heard.sids);
        break;
      case 'alive':
        if (!this.#remote.heard(node)) this.#say({ type: 'tell', to: node });
        break;
      case 'tell':
        if (heard.to === this.#node) this.#tellAll();
        break;
      case 'gone':
        this.#remote.forget(node);
        break;
    }
  }

  #read(sessionId: SessionId, seq: number): void {
    this.#options.sessions.journalReaches(sessionId, seq).catch((error: unknown) => {
      this.#options.onError('could not read what another node wrote', error);
    });
  }

  /** Every socket of this node that is in a session. */
  #tellAll(): void {
    const { carrier, namespace, sessions } = this.#options;
    if (!carrier) return;
    const moves: Move[] = [];
    for (const { session_id, presence } of sessions.activeAttendanceSessions.values()) {
      for (const { student_id, sockets } of presence.list()) {
        for (const socket_id of sockets) {
          if (namespace.sockets.has(socket_id)) moves.push({ session_id, student_id, socket_id, move: 'in' });
        }
      }
    }
    this.#say({ type: 'moves', all: true, moves });
  }

  /** Live servers that this one can't hear, though they write to the same journals. */
  #unheard(): OtherServer[] {
    const { carrier, monotonic } = this.#options;
    if (carrier && !carrier.connected()) return [];
    const now = monotonic();
    return [...this.#roll.others.values()].filter(({ node, channel, since }) => {
      if (channel === null || channel !== carrier?.channel) return true;
      return now - Math.max(since, this.#remote.heardAt(node) ?? 0) > UNHEARD_AFTER_MS;
    });
  }

  #unheardInWords(): string[] {
    const { carrier } = this.#options;
    return this.#unheard()
      .filter(({ proven }) => proven)
      .map(({ name, channel }) => {
        const what = !carrier
          ? `another server (${name}) uses this database, and this one has no REDIS_URL`
          : channel === carrier.channel
            ? `nothing is heard of the server ${name}, which uses this database`
            : `the server ${name} uses this database, and not the same Redis`;
        return `${what}: it is followed through the database, every second`;
      });
  }

  #tellTrouble(): void {
    const trouble = this.trouble;
    // Clocks drift, so what is told once isn't told again in other figures.
    const kinds = trouble.map((line) => line.replace(/ is \d.* (ahead of|behind) /, ' is $1 '));
    trouble.forEach((line, index) => {
      if (!this.#told.has(kinds[index] ?? line)) this.#options.onTrouble(line);
    });
    if (trouble.length === 0 && this.#told.size > 0) this.#options.onTroubleOver();
    this.#told = new Set(kinds);
  }

  #tick(): void {
    const now = this.#options.monotonic();
    const frozen = now - this.#ticked_at > FROZEN_MS;
    this.#ticked_at = now;
    const { carrier } = this.#options;
    const cutOff = carrier !== undefined && !carrier.connected();
    const deaf = cutOff || this.#unheard().length > 0;
    if (frozen || (this.#deaf && !deaf)) {
      // Messages were missed, and so were ours.
      this.#remote.forgiveSilence();
      this.#tellAll();
      this.#poll(now);
    }
    this.#deaf = deaf;
    if (cutOff) this.#remote.forgiveSilence();
    else this.#remote.expire(GONE_AFTER_MS, (node) => this.#roll.others.has(node));
    if (now - this.#polled_at >= (deaf ? POLL_WHILE_DEAF_MS : POLL_EVERY_MS)) this.#poll(now);
  }

  #poll(now: number): void {
    if (this.#polling) return;
    this.#polling = true;
    this.#polled_at = now;
    this.#options.polled();
    this.#options.sessions
      .pollDatabase()
      .catch((error: unknown) => this.#options.onError('could not look for what other nodes wrote', error))
      .finally(() => {
        this.#polling = false;
      });
  }
}
