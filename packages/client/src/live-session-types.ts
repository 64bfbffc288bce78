import type { AttendanceRecord, EndReason, ServerPayload, Session, Statistics } from '@rollcall/protocol';
import type { RollcallClientError } from './errors.js';
import type { Answer, CheckInCode } from './events.js';
import type { LiveChange } from './live-change.js';
import type { OnlineStudent } from './presence.js';

/**
 * `live`: up to date. `catching-up`: asking for what was missed. `offline`: no connection. `ended`: the session is over
 * and nothing more will come. `closed`: no longer followed.
 */
export type LiveState = 'catching-up' | 'live' | 'offline' | 'ended' | 'closed';

/** A live session at one moment. It stays as it is, and is the same object for as long as nothing changes. */
export interface LiveSnapshot {
  readonly state: LiveState;
  /** The last journal entry that was applied. */
  readonly seq: number;
  readonly session: Session | null;
  readonly statistics: Statistics | null;
  /** By student_id. The same map until a record changes, and a record is the same object until it changes. */
  readonly records: ReadonlyMap<string, AttendanceRecord>;
  /** By student_id, for teachers. */
  readonly online: ReadonlyMap<string, OnlineStudent>;
  /** A student's own record. */
  readonly own: AttendanceRecord | undefined;
  readonly code: CheckInCode | undefined;
}

export interface Ending {
  /** undefined where the end happened out of this client's sight. */
  readonly reason: EndReason | undefined;
  readonly ended_by: string | undefined;
  readonly ended_at: string | undefined;
  /** As the server sent it; a student's may be `truncated`. undefined where the end came with a catch-up. */
  readonly finalData: ServerPayload<'attendanceSessionEnded'>['finalData'] | undefined;
}

export interface LiveSessionEvents {
  /** A journal entry, in order and once, after it was applied. */
  change: LiveChange;
  statistics: Statistics;
  /** A student came online. */
  joined: OnlineStudent;
  /** A student's last connection is gone. */
  left: { readonly student_id: string; readonly student_name: string };
  /** For teachers: the check-in code of this moment, where check-ins need one. */
  code: CheckInCode;
  /** For teachers: the session is about to end by itself. `keepAlive` puts off an end by inactivity. */
  expiring: Pick<ServerPayload<'attendanceSessionExpiring'>, 'ends_at' | 'reason'>;
  ended: Ending;
  /** What was missed has been applied, or records were read anew: whatever shows them as a whole should look again. */
  resynced: { readonly from_seq: number; readonly to_seq: number };
  /**
   * The server's journal isn't the one that was followed, as after its database was restored from a backup: everything
   * was replaced by what is there now. `to_seq` may be below `from_seq`, and changes go on after `to_seq`. Comes before
   * `resynced`.
   */
  reset: { readonly from_seq: number; readonly to_seq: number };
  /** The state alone, where the client's own `state` event has an object `{state, reason?}`. */
  state: LiveState;
  /** The server no longer lets this client follow the session; the state is `closed`. */
  error: RollcallClientError;
}

export type FirstAnswer =
  | Answer<'startAttendanceSession'>
  | Answer<'getAttendanceSessionData'>
  | Answer<'joinAttendanceSession'>;

export interface LiveSessionOptions {
  readonly session_id: string;
  readonly role: 'teacher' | 'student';
  /** Sends the command that attaches this client to the session. */
  readonly first: () => Promise<FirstAnswer>;
}
