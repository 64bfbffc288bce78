import type { SessionId } from '@rollcall/protocol';
import { Written } from '../commands/written.js';
import type { LiveSessions } from '../register/live-sessions.js';
import type { Observer } from '../transport/socket/socket-context.js';
import { visible } from '../visible-text.js';
import type { Logger } from './logger.js';
import type { Metrics } from './metrics.js';
import { RefusalsLog } from './refusals-log.js';
import { TAG } from './tag.js';

/** Characters of an event's data in a line: a class of a thousand has half a megabyte. */
const DATA_MAX = 1_000;
/** How often it is told that users can't be looked up, in ms: in an outage it would be thousands of lines. */
const OUTAGE_TOLD_EVERY_MS = 60_000;
/** Characters of an id or a name in a line: what a client sends need not be one. */
const WORD_MAX = 128;
/** Ids of active sessions in a line. */
const SESSIONS_MAX = 20;

/**
 * Sockets → logs and metrics. At debug one line an event says what came in, from whom, and what came of it; at trace
 * also what was in it. Names of people stay at debug and below; tokens and check-in codes are at no level.
 */
export function observer(logger: Logger, metrics: Metrics, sessions: () => LiveSessions): Observer & { close(): void } {
  const refusals = new RefusalsLog(logger);
  const isTraced = () => logger.isLevelEnabled('trace');
  const debug = (line: () => { readonly says: string; readonly facts: object }): void => {
    if (!logger.isLevelEnabled('debug')) return;
    const { says, facts } = line();
    logger.debug(facts, `${TAG} ${says}`);
  };
  const stateOf = (sessionId: string | undefined) => {
    const { activeAttendanceSessions } = sessions();
    const live = sessionId === undefined ? undefined : activeAttendanceSessions.get(sessionId as SessionId);
    const count = activeAttendanceSessions.size;
    const students = live?.state.lines.size;
    return {
      says: `${count} active${students === undefined ? '' : `, ${students} students`}`,
      facts: {
        activeAttendanceSessions: count,
        active: firstOf(activeAttendanceSessions.keys(), SESSIONS_MAX),
        ...(live ? { students, online: live.presence.count, seq: live.state.seq } : {}),
      },
    };
  };
  /** `event user session student`, as far as the event names them. */
  const subjectOf = (event: string, uid: string, payload: unknown) => {
    const { session_id, student_id } = idsOf(payload);
    return {
      says: words([event, uid, session_id, student_id]),
      facts: { event, user: uid, session_id, student_id },
      session_id,
    };
  };
  let failedSince = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  let rightsToldAt = Number.NEGATIVE_INFINITY;
  return {
    signInFailed({ code, cause }) {
      // Of these the keys themselves tell, once an outage.
      if (code === 'KEYS_UNAVAILABLE') return;
      failedSince += 1;
      if (performance.now() - toldAt < OUTAGE_TOLD_EVERY_MS) return;
      logger.warn(
        { attempts: failedSince, code, err: cause },
        'who connects could not be looked up; it is tried again',
      );
      toldAt = performance.now();
      failedSince = 0;
    },
    rightsUnknown(err) {
      if (performance.now() - rightsToldAt < OUTAGE_TOLD_EVERY_MS) return;
      logger.warn(
        { err },
        'whether those in rooms still have the right to it could not be looked up; it is tried again',
      );
      rightsToldAt = performance.now();
    },
    connected({ uid, user_id, name, teacher, student, is_admin }, socketId) {
      metrics.connections.inc();
      debug(() => ({
        says: words(['connected', uid, `(${name})`, 'by', socketId]),
        facts: {
          user: uid,
          user_id,
          name,
          teacher_id: teacher?.teacher_id,
          student_id: student?.student_id,
          is_admin,
          socket: socketId,
        },
      }));
    },
    displayConnected(session_id, socketId) {
      metrics.connections.inc();
      debug(() => ({
        says: words(['connected', 'a display of', session_id, 'by', socketId]),
        facts: { session_id, socket: socketId },
      }));
    },
    disconnected(uid, socketId, reason) {
      metrics.connections.dec();
      debug(() => ({
        says: words(['disconnected', uid, 'by', `${socketId}:`, reason]),
        facts: { user: uid, socket: socketId, reason },
      }));
    },
    refusedConnection(message) {
      metrics.refusedConnections.inc();
      refusals.refused(message);
      debug(() => ({ says: `connection refused: ${visible(message)}`, facts: { reason: message } }));
    },
    received(event, uid, payload) {
      if (!isTraced()) return;
      const subject = subjectOf(event, uid, payload);
      logger.trace({ ...subject.facts, data: dataOf(payload) }, `${TAG} received ${subject.says}`);
    },
    answered(event, uid, payload, { events, seq }) {
      metrics.commands.inc({ event, result: 'ok' });
      debug(() => {
        const subject = subjectOf(event, uid, payload);
        const state = stateOf(subject.session_id);
        const answer = words([
          ...(events.length === 0 ? ['ok'] : events),
          ...(seq === undefined ? [] : [`seq ${seq}`]),
        ]);
        return {
          says: `${subject.says} → ${answer}, ${state.says}`,
          facts: { ...subject.facts, answer: events, ...state.facts, ...(seq === undefined ? {} : { seq }) },
        };
      });
    },
    refused(event, uid, payload, error) {
      metrics.commands.inc({ event, result: error.code });
      if (error.code === 'INTERNAL') {
        const { session_id } = idsOf(payload);
        logger.error({ event, session_id, err: error.cause }, 'a command failed by a fault of the server');
      } else if (error.code === 'STORAGE_UNAVAILABLE') {
        const { session_id } = idsOf(payload);
        logger.warn({ event, session_id, err: error.cause }, 'a change could not be made durable');
      }
      debug(() => {
        const subject = subjectOf(event, uid, payload);
        const state = stateOf(subject.session_id);
        return {
          says: `${subject.says} → refused ${error.code}: ${visible(error.message)}, ${state.says}`,
          facts: { ...subject.facts, ...state.facts, code: error.code, stack: error.stack },
        };
      });
    },
    emitted(event, sessionId, payload) {
      debug(() => {
        const state = stateOf(sessionId);
        return {
          says: `emitted ${words([event, sessionId])}, ${state.says}`,
          facts: {
            event,
            session_id: sessionId,
            ...state.facts,
            // A check-in code signs a student in for a moment: as little for a log as a token is.
            ...(isTraced() && event !== 'attendanceCode' ? { data: dataOf(payload) } : {}),
          },
        };
      });
    },
    unknownEvent() {
      metrics.unknownEvents.inc();
    },
    close: () => refusals.close(),
  };
}

/** The ids that a client's payload names, under either spelling; whatever else it holds is left out. */
function idsOf(payload: unknown): { readonly session_id: string | undefined; readonly student_id: string | undefined } {
  const fields = (typeof payload === 'object' && payload !== null ? payload : {}) as Readonly<Record<string, unknown>>;
  const idOf = (...names: readonly string[]) => {
    const id = names.map((name) => fields[name]).find((value) => value !== undefined && value !== null);
    return typeof id === 'string' && id.length <= WORD_MAX && !LIKE_A_TOKEN.test(id) ? id : undefined;
  };
  return { session_id: idOf('session_id', 'sessionId'), student_id: idOf('student_id', 'studentId') };
}

/** Texts of clients in one line: none may begin another line, or be longer than a name is. */
const words = (texts: readonly (string | undefined)[]): string =>
  texts.flatMap((text) => (text === undefined ? [] : visible(text.slice(0, WORD_MAX)))).join(' ');

function firstOf<T>(all: Iterable<T>, count: number): T[] {
  const first: T[] = [];
  for (const one of all) if (first.push(one) === count) break;
  return first;
}

/** A JWT, wherever a client may have put one. */
const LIKE_A_TOKEN = /[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/;
const SECRET_FIELDS = new Set(['token', 'secret', 'password', 'authorization', 'auth', 'code']);

/** What was in an event, cut to a line's length and without what signs anybody in. */
function dataOf(payload: unknown): string | undefined {
  const json = payload instanceof Written ? payload.json : jsonOf(payload);
  if (json === undefined) return undefined;
  return json.length > DATA_MAX ? `${json.slice(0, DATA_MAX)}…` : json;
}

/** @returns undefined for what has no JSON: nothing at all, or what is nested too deep */
function jsonOf(payload: unknown): string | undefined {
  try {
    return JSON.stringify(payload, withoutSecrets);
  } catch {
    return undefined;
  }
}

function withoutSecrets(field: string, value: unknown): unknown {
  if (SECRET_FIELDS.has(field.toLowerCase())) return '[redacted]';
  return typeof value === 'string' && LIKE_A_TOKEN.test(value) ? '[redacted]' : value;
}
