import type { OperationName } from '@rollcall/protocol/http';
import type { Handler } from './api-context.js';
import { aboutHandlers } from './handlers/about.js';
import { meHandlers } from './handlers/me.js';
import { sessionHandlers } from './handlers/sessions.js';

export type HandlersOf = { readonly [Name in OperationName]: Handler<Name> };

/** What carries out each operation. An operation without a place here doesn't compile. */
export const handlers: HandlersOf = {
  ...meHandlers,
  ...sessionHandlers,
  ...aboutHandlers,
};
