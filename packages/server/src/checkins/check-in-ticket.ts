import { randomBytes } from 'node:crypto';
import { RollcallError, type SessionId } from '@rollcall/protocol';
import type { Services } from '../commands/command.js';
import type { LiveSession } from '../register/live-session.js';
import { liveSession } from './live-session.js';

/** How long a scan survives until its user has signed in, in seconds. */
export const TICKET_SECONDS = 5 * 60;

/** The cookie's names: browsers keep the first to the host that set it, and take it over TLS alone. */
const COOKIE_NAMES = ['__Host-rollcall-ticket', 'rollcall-ticket'] as const;

/** 16 bytes in base64url; the last character holds two bits of them. */
const TOKEN_OF_LINK = /^[\w-]{21}[AQgw]$/;
const THREE_WORDS = /^[a-z]+-[a-z]+-[a-z]+$/;

export interface TicketRequest {
  readonly session_id: SessionId;
  /** The token of a check-in link. */
  readonly code: string;
  /** Network address of whoever asks. */
  readonly address: string;
}

/**
 * Takes the token of a check-in link from a browser whose user hasn't signed in yet, and makes the ticket that counts
 * as the code of one first check-in from that browser. Digits and words can be guessed, and aren't taken.
 *
 * A good token is always taken. Of those that aren't an address may send 600 a minute, and no student's count of wrong
 * codes is touched: a whole school may share one address.
 * @throws {RollcallError} BAD_REQUEST, SESSION_NOT_ACTIVE, CODE_INVALID, CODE_EXPIRED, RATE_LIMITED
 */
export async function makeTicket({ session_id, code, address }: TicketRequest, services: Services): Promise<string> {
  if (!TOKEN_OF_LINK.test(code) || THREE_WORDS.test(code)) {
    throw new RollcallError('BAD_REQUEST', {
      message: 'code: must be the token of a check-in link',
      details: { field: 'code' },
    });
  }
  const known = services.sessions.active(session_id);
  const verdict = known?.codes?.judgeToken(code, services.now());
  if (verdict === undefined || verdict.kind !== 'right') {
    const retry_after = services.wrongLinks.take(address);
    if (retry_after !== undefined) throw new RollcallError('RATE_LIMITED', { details: { retry_after } });
  }
  const live: LiveSession = known ?? (await liveSession(session_id, services));
  const judged = verdict ?? live.codes?.judgeToken(code, services.now());
  if (live.state.ending) throw new RollcallError('SESSION_NOT_ACTIVE');
  if (judged?.kind !== 'right') throw new RollcallError(judged?.kind === 'expired' ? 'CODE_EXPIRED' : 'CODE_INVALID');
  const ticket = { session_id, window: judged.window, id: randomBytes(9).toString('base64url') };
  return services.passes.sign('ticket', ticket, services.now() + TICKET_SECONDS * 1_000);
}

/** The Set-Cookie header that gives a browser its ticket. @param secure true where people reach the server by https */
export function cookieOfTicket(ticket: string, { secure }: { readonly secure: boolean }): string {
  const [overTls, plain] = COOKIE_NAMES;
  const rest = `Max-Age=${TICKET_SECONDS}; Path=/; HttpOnly; SameSite=Lax`;
  return secure ? `${overTls}=${ticket}; ${rest}; Secure` : `${plain}=${ticket}; ${rest}`;
}

/**
 * The ticket for this session that a Cookie header holds, if there is one that still counts.
 * @returns its id, for the register to use up
 */
export function ticketIn(
  cookie: string | undefined,
  sessionId: SessionId,
  { passes, now }: Pick<Services, 'passes' | 'now'>,
): string | undefined {
  for (const part of cookie?.split(';') ?? []) {
    const [name = '', ...value] = part.trim().split('=');
    if (!(COOKIE_NAMES as readonly string[]).includes(name)) continue;
    const ticket = passes.read('ticket', value.join('='), now());
    if (ticket?.session_id === sessionId) return ticket.id;
  }
  return undefined;
}
