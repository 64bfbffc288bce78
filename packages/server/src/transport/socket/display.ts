import { RollcallError, type SessionId } from '@rollcall/protocol';
import type { Socket } from 'socket.io';
import type { LiveSession } from '../../register/live-session.js';
import { displayRoom } from './rooms.js';
import type { SocketContext } from './socket-context.js';

/** Displays of one session on one node. A school's screens are far fewer. */
export const DISPLAYS_MAX = 50;

/** A display that is let in. */
export interface DisplayEntrance {
  readonly display: LiveSession;
  /** Milliseconds since the epoch. */
  readonly expires_at: number;
}

/** The token in `auth.display`, which goes before any other: a socket that has one can do less. */
export function displayTokenOf({ handshake }: Socket): string | undefined {
  const { display } = handshake.auth as { display?: unknown };
  return typeof display === 'string' && display !== '' ? display : undefined;
}

/** @throws {RollcallError} UNAUTHENTICATED `Invalid token`, SESSION_ENDED */
export async function enterDisplay(token: string, { services }: SocketContext): Promise<DisplayEntrance> {
  const pass = services.passes.read('display', token, services.now());
  if (!pass) throw new RollcallError('UNAUTHENTICATED', { message: 'Invalid token' });
  const sessionId = pass.session_id as SessionId;
  const live = services.sessions.active(sessionId) ?? (await liveNow(sessionId, { services }));
  if (!live || live.state.ending) throw new RollcallError('SESSION_ENDED');
  return { display: live, expires_at: pass.expires_at };
}

/** Why a display isn't let in although its token is good. */
export function tooManyDisplays({ nsp }: Socket, { display }: DisplayEntrance): RollcallError | undefined {
  const { size = 0 } = nsp.adapter.rooms.get(displayRoom(display.session_id)) ?? {};
  if (size < DISPLAYS_MAX) return undefined;
  return new RollcallError('RATE_LIMITED', { message: 'This session has too many displays' });
}

/** This node may not have heard of its start. One that is over must not cost its whole journal. */
async function liveNow(sessionId: SessionId, { services }: Pick<SocketContext, 'services'>) {
  const stored = await services.storage.projection.findSession(sessionId);
  if (stored?.status === 'completed' || stored?.status === 'cancelled') return undefined;
  const found = await services.sessions.find(sessionId);
  return found?.kind === 'live' ? found.live : undefined;
}

/** A socket that shows the check-in code and the statistics of one session. It may send nothing. */
export class Display {
  readonly #socket: Socket;
  readonly #live: LiveSession;
  readonly #expiresAt: number;
  readonly #context: SocketContext;
  readonly refusal = new RollcallError('FORBIDDEN', { message: 'A display shows a session and can do nothing in it' });

  constructor(socket: Socket, { display, expires_at }: DisplayEntrance, context: SocketContext) {
    this.#socket = socket;
    this.#live = display;
    this.#expiresAt = expires_at;
    this.#context = context;
  }

  /** For logs, and for what is counted by user. */
  get uid(): string {
    return `a display of ${this.#live.session_id}`;
  }

  /** Enters its room, and is told how the session stands. */
  begin(): void {
    const { session_id, state } = this.#live;
    this.#context.observe.displayConnected(session_id, this.#socket.id);
    // The session ended while the display was let in.
    if (state.ending) {
      this.#context.letGo(this.#socket);
      return;
    }
    void this.#socket.join(displayRoom(session_id));
    this.#context.publisher.tellDisplay(this.#live, this.#socket);
  }

  /** To be called every second or so. */
  lookAtExpiry(): void {
    if (this.#expiresAt <= this.#context.services.now()) this.#context.letGo(this.#socket);
  }

  /** The socket gets nothing more. */
  release(): void {
    void this.#socket.leave(displayRoom(this.#live.session_id));
  }
}
