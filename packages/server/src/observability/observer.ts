import type { SessionId } from '@rollcall/protocol';
import { Written } from '../commands/written.js';
import type { LiveSessions } from '../register/live-sessions.js';
import type { Observer } from '../transport/socket/socket-context.js';
import type { Logger } from './logger.js';
import type { Metrics } from './metrics.js';

/** The tag that the seed document asks for. */
const TAG = '[SOCKET DEBUG]';
/** Characters of an event's data in a line: a class of a thousand has half a megabyte. */
const DATA_MAX = 1_000;
/** How often it is told that users can't be looked up, in ms: in an outage it would be thousands of lines. */
const SIGN_INS_TOLD_EVERY_MS = 60_000;
/** Ids of active sessions in a line. */
const SESSIONS_MAX = 20;

/** Sockets → logs and metrics. Names of people stay at debug, tokens are never seen here. */
export function observer(logger: Logger, metrics: Metrics, sessions: () => LiveSessions): Observer {
  const debug = (message: string, facts: () => object): void => {
    if (logger.isLevelEnabled('debug')) logger.debug(facts(), `${TAG} ${message}`);
  };
  const stateOf = (sessionId: string | undefined): object => {
    const { activeAttendanceSessions } = sessions();
    const live = sessionId === undefined ? undefined : activeAttendanceSessions.get(sessionId as SessionId);
    return {
      session_id: sessionId,
      activeAttendanceSessions: activeAttendanceSessions.size,
      active: firstOf(activeAttendanceSessions.keys(), SESSIONS_MAX),
      ...(live ? { students: live.state.size, online: live.presence.count, seq: live.state.seq } : {}),
    };
  };
  let failedSince = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  return {
    signInFailed({ code, cause }) {
      // Of these the keys themselves tell, once an outage.
      if (code === 'KEYS_UNAVAILABLE') return;
      failedSince += 1;
      if (performance.now() - toldAt < SIGN_INS_TOLD_EVERY_MS) return;
      logger.warn(
        { attempts: failedSince, code, err: cause },
        'who connects could not be looked up; it is tried again',
      );
      toldAt = performance.now();
      failedSince = 0;
    },
    connected({ uid, user_id, name, teacher, student, is_admin }, socketId) {
      metrics.connections.inc();
      debug('connected', () => ({
        user: uid,
        user_id,
        name,
        teacher_id: teacher?.teacher_id,
        student_id: student?.student_id,
        is_admin,
        socket: socketId,
      }));
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
    emitted(event, sessionId, payload) {
      // A check-in code signs a student in for a moment: as little for a log as a token is.
      const data = () => (event === 'attendanceCode' ? undefined : dataOf(payload));
      debug(`emitted ${event}`, () => ({ ...stateOf(sessionId), data: data() }));
    },
    unknownEvent() {
      metrics.unknownEvents.inc();
    },
  };
}

function firstOf<T>(all: Iterable<T>, count: number): T[] {
  const first: T[] = [];
  for (const one of all) if (first.push(one) === count) break;
  return first;
}

function dataOf(payload: object): string {
  const json = payload instanceof Written ? payload.json : JSON.stringify(payload);
  return json.length > DATA_MAX ? `${json.slice(0, DATA_MAX)}…` : json;
}
