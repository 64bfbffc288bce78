import type { ClientEventName, EmitPayload, ServerEventName, ServerPayload, SuccessAck } from '@rollcall/protocol';
import type { Unsubscribe } from './emitter.js';

/** What a command takes. Its op_id is the client's business, and an option where a caller has one. */
export type Payload<Name extends ClientEventName> = Omit<EmitPayload<Name>, 'op_id'>;
/** What a command that succeeded is answered with. */
export type Answer<Name extends ClientEventName> = SuccessAck<Name>;

/** A session with every record as it stands. */
export type SessionSnapshot = Extract<Answer<'getAttendanceSessionData'>, { attendanceRecords: unknown }>;
/** A session with every journal entry after the one that was named, in order. */
export type SessionChanges = Extract<Answer<'getAttendanceSessionData'>, { changes: unknown }>;

/** One commit's marks in one frame, for clients that announce `batched`, as this one does. */
export type AttendanceChanges = ServerPayload<'attendanceChanges'>;

/** A check-in code, for teachers of a session whose check-ins need one. */
export type CheckInCode = ServerPayload<'attendanceCode'>;

/**
 * `connecting` until the first connection, `connected`, `offline` while a lost connection is being made again, and
 * `closed` for good.
 */
export type ConnectionState = 'connecting' | 'connected' | 'offline' | 'closed';

export interface ConnectionChange {
  readonly state: ConnectionState;
  /** Why, where the connection was lost or couldn't be made. */
  readonly reason?: string;
}

type ServerEvents = { [Name in ServerEventName]: ServerPayload<Name> };

/** Every event of the server under its own name, and `state`. */
export interface ClientEvents extends ServerEvents {
  /** The state and why, where a live session's own `state` event has the state alone, a string. */
  state: ConnectionChange;
}

export interface CommandOptions {
  /** Gives the command up. What was sent already may still take effect. */
  signal?: AbortSignal;
  /** Milliseconds, instead of the client's. */
  deadline?: number;
  /** Repeats an earlier command, one that was `uncertain`: together they have one effect. */
  op_id?: string;
}

/** A client as a live session needs it. */
export interface Caller {
  readonly state: ConnectionState;
  request<Name extends ClientEventName>(
    event: Name,
    payload: Payload<Name>,
    options?: CommandOptions,
  ): Promise<Answer<Name>>;
  on<Name extends keyof ClientEvents>(name: Name, listener: (payload: ClientEvents[Name]) => void): Unsubscribe;
}
