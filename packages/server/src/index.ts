export { createRollcall, MAX_HTTP_BUFFER_SIZE, type Rollcall, type RollcallOptions } from './app.js';
export {
  type ActiveSession,
  type AttachedRollcall,
  type AttachOptions,
  attachRollcall,
  type HttpHost,
} from './attach.js';
export type { SessionData } from './commands/present.js';
export { type Config, ConfigError, readConfig } from './config/config.js';
export type { Hook, HookEvents, RecordChanged, SessionEnded, SessionStarted } from './hooks.js';
export type { AppConnection } from './storage/open.js';
export { type Storage, StorageError } from './storage/port.js';
