import type { LiveSessions } from '../register/live-sessions.js';
import type { Observer } from '../transport/socket/socket-context.js';
import type { Logger } from './logger.js';
import type { Metrics } from './metrics.js';

/** The tag that the seed document asks for. */
const TAG = '[SOCKET DEBUG]';

/** Sockets → logs and metrics. Names of people stay at debug, tokens are never seen here. */
export function observer(logger: Logger, metrics: Metrics, sessions: () => LiveSessions): Observer {
  const debug = (message: string, facts: () => object): void => {
    if (logger.isLevelEnabled('debug')) logger.debug(facts(), `${TAG} ${message}`);
  };
  const stateOf = (sessionId: string | undefined): object => {
    const { activeAttendanceSessions } = sessions();
    const live = [...activeAttendanceSessions.values()].find((each) => each.session_id === sessionId);
    return {
      session_id: sessionId,
      activeAttendanceSessions: activeAttendanceSessions.size,
      ...(live ? { students: live.state.lines.size, online: live.presence.count, seq: live.state.seq } : {}),
    };
  };
  return {
    connected(uid, socketId) {
      metrics.connections.inc();
      debug('connected', () => ({ user: uid, socket: socketId }));
    },
    disconnected(uid, socketId, reason) {
      metrics.connections.dec();
      debug('disconnected', () => ({ user: uid, socket: socketId, reason }));
    },
    refusedConnection(message) {
      metrics.refusedConnections.inc();
      debug('connection refused', () => ({ reason: message }));
    },
    received(event, uid, sessionId) {
      debug(event, () => ({ user: uid, ...stateOf(sessionId) }));
    },
    answered(event, uid, sessionId) {
      metrics.commands.inc({ event, result: 'ok' });
      debug(`${event} answered`, () => ({ user: uid, ...stateOf(sessionId) }));
    },
    refused(event, uid, sessionId, error) {
      metrics.commands.inc({ event, result: error.code });
      if (error.code === 'INTERNAL') {
        logger.error({ event, session_id: sessionId, err: error.cause }, 'a command failed by a fault of the server');
      } else if (error.code === 'STORAGE_UNAVAILABLE') {
        logger.warn({ event, session_id: sessionId, err: error.cause }, 'a change could not be made durable');
      }
      debug(`${event} refused`, () => ({ user: uid, ...stateOf(sessionId), code: error.code, stack: error.stack }));
    },
    emitted(event, sessionId) {
      debug(`emitted ${event}`, () => stateOf(sessionId));
    },
    unknownEvent() {
      metrics.unknownEvents.inc();
    },
  };
}
