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
        this.#sink.enter(move.session_id, move.student_id, move.socket_id);
      }
    }
  }

  /** Every presence that nodes have told of in a session, for one that comes into memory only now. */
  *of(sessionId: SessionId): Iterable<Move> {
    for (const { present } of this.#nodes.values()) {
      for (const move of present.values()) if (move.session_id === sessionId) yield move;
    }
  }

  /** Takes leave of nodes that have been silent for longer than `ms`. */
  expire(ms: number): void {
    for (const [name, { heard_at }] of this.#nodes) if (this.#now() - heard_at > ms) this.gone(name);
  }

  gone(name: string): void {
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
    if (node.present.delete(keyOf({ session_id, socket_id }))) {
      this.#sink.leave(session_id, student_id, socket_id, onPurpose);
    }
  }
}
