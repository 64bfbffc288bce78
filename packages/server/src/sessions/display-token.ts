import type { SessionId } from '@rollcall/protocol';
import type { Services } from '../commands/command.js';
import { isoOf } from '../commands/present.js';
import { activeForTeacher } from '../commands/rights.js';
import type { Person } from '../storage/port.js';

/** For sessions that don't end by themselves, in ms. */
const LONGEST_MS = 24 * 3_600_000;

/** What opens a screen that shows the check-in code and the statistics of a session, and no name. */
export interface DisplayToken {
  /** For `auth.display` of a socket. */
  readonly token: string;
  /** A page that shows it; the token is in the fragment, which no server and no log gets to see. */
  readonly url: string;
  readonly expires_at: string;
}

/**
 * Makes a token for a display of an active session. It ends with the session, and not later than the session would end
 * by itself.
 * @param publicUrl address under which people reach the server
 * @throws {RollcallError} as any command of a teacher on an active session
 */
export async function makeDisplayToken(
  person: Person,
  sessionId: SessionId,
  services: Services,
  publicUrl: string,
): Promise<DisplayToken> {
  const { session_id, state } = await activeForTeacher(person, sessionId, 'view attendance data', services);
  const { max_minutes } = state.policy;
  const now = services.now();
  // A pass counts by the second.
  const ends = max_minutes > 0 ? state.started_at + max_minutes * 60_000 : now + LONGEST_MS;
  const expiresAt = Math.ceil(ends / 1_000) * 1_000;
  const token = services.passes.sign('display', { session_id }, expiresAt);
  const page = `${publicUrl.replace(/\/+$/, '')}/present/${encodeURIComponent(session_id)}`;
  return { token, url: `${page}#${token}`, expires_at: isoOf(expiresAt) };
}
