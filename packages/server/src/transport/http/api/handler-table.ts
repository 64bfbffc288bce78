import type { HandlersOf } from './api-context.js';
import { aboutHandlers } from './handlers/about.js';
import { displayHandlers } from './handlers/displays.js';
import { importHandlers } from './handlers/imports.js';
import { meHandlers } from './handlers/me.js';
import { reportHandlers } from './handlers/reports.js';
import { schoolHandlers } from './handlers/school.js';
import { sessionHandlers } from './handlers/sessions.js';
import { signInHandlers } from './handlers/sign-in.js';

/** What carries out each operation. An operation without a place here doesn't compile. */
export const handlers: HandlersOf = {
  ...meHandlers,
  ...sessionHandlers,
  ...schoolHandlers,
  ...signInHandlers,
  ...reportHandlers,
  ...importHandlers,
  ...displayHandlers,
  ...aboutHandlers,
};
