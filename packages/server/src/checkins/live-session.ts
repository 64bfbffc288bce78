import { RollcallError, type SessionId } from '@rollcall/protocol';
import type { Services } from '../commands/command.js';
import type { LiveSession } from '../register/live-session.js';

/**
 * An active session that may not be in memory, since another node has just started it.
 * @throws {RollcallError} SESSION_NOT_ACTIVE for a session that is unknown, scheduled or over
 */
export async function liveSession(sessionId: SessionId, services: Services): Promise<LiveSession> {
  // What is over for good must not cost its whole journal, however often somebody asks to join it.
  const stored = await services.storage.projection.findSession(sessionId);
  if (stored?.status === 'completed' || stored?.status === 'cancelled') throw new RollcallError('SESSION_NOT_ACTIVE');
  const found = await services.sessions.find(sessionId);
  if (found?.kind !== 'live') throw new RollcallError('SESSION_NOT_ACTIVE');
  return found.live;
}
