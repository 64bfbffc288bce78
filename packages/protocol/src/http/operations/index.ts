import type { Operation } from '../operation.js';
import type { OperationName } from '../paths.js';
import { aboutOperations } from './about.js';
import { courseOperations } from './courses.js';
import { displayOperations } from './displays.js';
import { importOperations } from './imports.js';
import { meOperations } from './me.js';
import { peopleOperations } from './people.js';
import { reportOperations } from './reports.js';
import { sessionOperations } from './sessions.js';
import { signInOperations } from './sign-in.js';
import { timetableOperations } from './timetable.js';

/** Every operation of the HTTP API, by name. A name of `paths` without a definition here doesn't compile. */
export const operations = {
  ...meOperations,
  ...sessionOperations,
  ...peopleOperations,
  ...courseOperations,
  ...timetableOperations,
  ...signInOperations,
  ...reportOperations,
  ...importOperations,
  ...displayOperations,
  ...aboutOperations,
} as const satisfies { readonly [Name in OperationName]: Operation };

export type Operations = typeof operations;
