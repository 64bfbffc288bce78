import type { Check } from './check.js';
import { checkClock } from './clock.js';
import { checkDatabase } from './database.js';
import { checkDisk } from './disk.js';
import { checkFiles } from './files.js';
import { checkPort } from './port.js';
import { checkRedis } from './redis.js';

/** What `rollcall doctor` looks at, in the order of its report, once the configuration is known to be valid. */
export const CHECKS: readonly Check[] = [
  { name: 'files', find: checkFiles },
  { name: 'database', find: checkDatabase },
  { name: 'clock', find: checkClock },
  { name: 'disk', find: checkDisk },
  { name: 'redis', find: checkRedis },
  { name: 'port', find: checkPort },
];
