import type { SessionId, StudentId } from '@rollcall/protocol';
import type { Move } from './messages.js';

interface Node {
  heard_at: number;
  /** Keys of its sockets' presences. */
  readonly present: Map<string, Move>;
}

export interface PresenceSink {
  enter(sessionId: SessionId, studentId: StudentId, socketId: string): void;
  leave(sessionId: SessionId, studentId: StudentId, socketId: string, onPurpose: boolean): void;
}

const keyOf = ({ session_id, socket_id }: Pick<Move, 'session_id' | 'socket_id'>): string =>
  JSON.stringify([session_id, socket_id]);

/** Who is online on other nodes, as far as they said. A node that falls silent takes its sockets with it. */
export class RemotePresence {
  readonly #nodes = new Map<string, Node>();
  /** The same presences by session, in order of arrival. */
  readonly #bySession = new Map<SessionId, Map<string, Move>>();
  readonly #sink: PresenceSink;
  readonly #now: () => number;

  constructor(sink: PresenceSink, now: () => number) {
    this.#sink = sink;
    this.#now = now;
  }

  /** @returns false where the node was not known before: it has to tell all */
  heard(name: string): boolean {
    const node = this.#nodes.get(name);
    if (node) node.heard_at = this.#now();
    return node !== undefined;
  }

  moved(name: string, moves: readonly Move[], all: boolean): void {
    let node = this.#nodes.get(name);
    if (!node) {
      node = { heard_at: this.#now(), present: new Map() };
      this.#nodes.set(name, node);
    }
    node.heard_at = this.#now();
    if (all) {
      const still = new Set(moves.map(keyOf));
      for (const [key, there] of node.present) if (!still.has(key)) this.#out(node, there, false);
    }
    for (const move of moves) {
      if (move.move !== 'in') this.#out(node, move, move.move === 'left');
      else if (!node.present.has(keyOf(move))) {
        node.present.set(keyOf(move), move);
        const there = this.#bySession.get(move.session_id);
        if (there) there.set(keyOf(move), move);
        else this.#bySession.set(move.session_id, new Map([[keyOf(move), move]]));
        this.#sink.enter(move.session_id, move.student_id, move.socket_id);
      }
    }
  }

  /** Every presence that nodes have told of in a session, for one that comes into memory only now. */
  of(sessionId: SessionId): Iterable<Move> {
    return this.#bySession.get(sessionId)?.values() ?? [];
  }

  /** When a node was last heard, ms of the monotonic clock; undefined for one that never was. */
  heardAt(name: string): number | undefined {
    return this.#nodes.get(name)?.heard_at;
  }

  /** Takes leave of nodes that have been silent for longer than `ms`, unless they are known to live all the same. */
  expire(ms: number, lives: (name: string) => boolean): void {
    for (const [name, { heard_at }] of this.#nodes) {
      if (this.#now() - heard_at > ms && !lives(name)) this.forget(name);
    }
  }

  forget(name: string): void {
    const node = this.#nodes.get(name);
    if (!node) return;
    for (const there of [...node.present.values()]) this.#out(node, there, false);
    this.#nodes.delete(name);
  }

  /** Nobody could be heard for a while: everybody gets a new chance before being taken for gone. */
  forgiveSilence(): void {
    for (const node of this.#nodes.values()) node.heard_at = this.#now();
  }

  #out(node: Node, { session_id, student_id, socket_id }: Move, onPurpose: boolean): void {
    const key = keyOf({ session_id, socket_id });
    if (node.present.delete(key)) {
      const there = this.#bySession.get(session_id);
      if (there?.delete(key) && there.size === 0) this.#bySession.delete(session_id);
      this.#sink.leave(session_id, student_id, socket_id, onPurpose);
    }
  }
}
