import type { AttendanceRecord, AttendanceStatus, EndReason, Session, SessionId, Statistics } from '@rollcall/protocol';
import { recordOf, type SessionData, sessionDataOf, sessionOfState } from './commands/present.js';
import { type Actor, type Entry, givesStatus } from './journal/entries.js';
import type { Logger } from './observability/logger.js';
import { lineAsOf } from './register/fold.js';
import type { LiveSession } from './register/live-session.js';

interface HookEvent {
  readonly session_id: SessionId;
  /** The journal entry's place in its session: 1, 2, 3 … */
  readonly seq: number;
  /** When it was decided, in ms since the epoch. */
  readonly at: number;
  /** Who did it; `user_id` is null where it was Rollcall itself. */
  readonly by: Actor;
  /** True on the node whose client, or timer, did it: of several nodes on one alone. */
  readonly here: boolean;
}

export interface SessionStarted extends HookEvent {
  readonly session: Session;
  readonly statistics: Statistics;
}

export interface SessionEnded extends HookEvent, Pick<SessionData, 'session' | 'attendanceRecords' | 'statistics'> {
  readonly reason: EndReason;
}

export interface RecordChanged extends HookEvent {
  /**
   * `checked_in`: a student checked in for the first time; `marked`: a status or a remark is another one now;
   * `cleared`: a mark was taken back; `amended`: it was changed after the session's end.
   */
  readonly type: 'checked_in' | 'marked' | 'cleared' | 'amended';
  /** The record after the change. */
  readonly record: AttendanceRecord;
  /** The status before a mark; null for a check-in. */
  readonly previous_status: AttendanceStatus | null;
}

/** What an app can be told of, by name. */
export interface HookEvents {
  readonly sessionStarted: SessionStarted;
  readonly sessionEnded: SessionEnded;
  readonly recordChanged: RecordChanged;
}

export type Hook<Name extends keyof HookEvents> = (event: HookEvents[Name]) => unknown;

const NAMES = ['sessionStarted', 'sessionEnded', 'recordChanged'] as const satisfies ReadonlyArray<keyof HookEvents>;

/** An app's own functions, called with what was committed, behind the answers and broadcasts. */
export class Hooks {
  readonly #logger: Logger;
  readonly #hooks = new Map<keyof HookEvents, Set<(event: never) => unknown>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @returns takes the hook away again  @throws {TypeError} for a name that is none, or what is no function */
  on<Name extends keyof HookEvents>(name: Name, hook: Hook<Name>): () => void {
    if (!NAMES.includes(name)) throw new TypeError(`${String(name)} is no event; there are ${NAMES.join(', ')}`);
    if (typeof hook !== 'function') throw new TypeError(`what is called on ${name} must be a function`);
    const hooks = this.#hooks.get(name) ?? new Set();
    this.#hooks.set(name, hooks);
    // A function of its own for each call: the same hook may be set twice, and taken away once.
    const own = (event: HookEvents[Name]) => hook(event);
    hooks.add(own);
    return () => {
      hooks.delete(own);
    };
  }

  /** To be called with what was committed, in order of seq; `committedHere`: by this node. */
  committed(live: LiveSession, entries: readonly Entry[], committedHere: boolean): void {
    if (this.#hooks.size === 0) return;
    for (const entry of entries) this.#told(live, entry, committedHere);
  }

  #told(live: LiveSession, entry: Entry, here: boolean): void {
    const { session_id, state, statistics } = live;
    const { seq, at, actor: by } = entry;
    const head = { session_id, seq, at, by, here };
    switch (entry.type) {
      case 'started':
      case 'adopted':
        this.#call('sessionStarted', () => ({ ...head, session: sessionOfState(state), statistics }));
        break;
      case 'ended':
        this.#call('sessionEnded', () => {
          const { session, attendanceRecords } = sessionDataOf(state, statistics, 'teacher');
          return { ...head, session, attendanceRecords, statistics, reason: entry.reason };
        });
        break;
      case 'checked_in':
      case 'marked':
      case 'cleared':
      case 'amended':
        this.#call('recordChanged', () => {
          const line = state.line(entry.student_id);
          if (!line) return undefined;
          const marked = givesStatus(entry);
          const record = recordOf(session_id, marked ? lineAsOf(line, entry) : line, 'teacher');
          return { ...head, type: entry.type, record, previous_status: marked ? entry.previous_status : null };
        });
        break;
    }
  }

  /** What is told is made now, and told after the sockets were: no hook can hold up an answer. */
  #call<Name extends keyof HookEvents>(name: Name, make: () => HookEvents[Name] | undefined): void {
    const hooks = this.#hooks.get(name);
    if (!hooks?.size) return;
    const event = make();
    if (!event) return;
    setImmediate(() => {
      for (const hook of [...hooks] as Hook<Name>[]) void this.#carryOut(name, hook, event);
    });
  }

  async #carryOut<Name extends keyof HookEvents>(name: Name, hook: Hook<Name>, event: HookEvents[Name]): Promise<void> {
    try {
      await hook(event);
    } catch (err) {
      this.#logger.error({ err, event: name, session_id: event.session_id }, 'a hook of the app failed');
    }
  }
}
