export type { AttendanceRecord, AttendanceStatus, Session, Statistics } from '@rollcall/protocol';
export { type ApiOptions, type ApiRequestOptions, createApi, type RollcallApi } from './api.js';
export { connect, RollcallClient } from './client.js';
export { type ClientErrorCode, RollcallClientError } from './errors.js';
export type {
  Answer,
  AttendanceChanges,
  CheckInCode,
  ClientEvents,
  CommandOptions,
  ConnectionChange,
  ConnectionState,
  Payload,
  SessionChanges,
  SessionSnapshot,
} from './events.js';
export type { LiveChange } from './live-change.js';
export { LiveSession } from './live-session.js';
export type { Ending, LiveSessionEvents, LiveSnapshot, LiveState } from './live-session-types.js';
export type { ConnectOptions } from './options.js';
export type { OnlineStudent } from './presence.js';
export type { MarkExtra } from './session-commands.js';
export type { TokenSource } from './token.js';
