export { createRollcall, MAX_HTTP_BUFFER_SIZE, type Rollcall, type RollcallOptions } from './app.js';
export { type AttachedRollcall, type AttachOptions, attachRollcall } from './attach.js';
export { type Config, ConfigError, readConfig } from './config.js';
export { type Storage, StorageError } from './storage/port.js';
