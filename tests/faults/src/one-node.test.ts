import { kill } from './experiments/f01-kill.js';
import { fsyncOrder } from './experiments/f02-fsync-order.js';
import { badDisk } from './experiments/f03-bad-disk.js';
import { cutLines, slowAuthentication } from './experiments/f04-cut-lines.js';
import { clockJumps } from './experiments/f12-clock.js';
import { deafClientDropped } from './experiments/f13-deaf-client.js';
import { besideAnImport } from './experiments/l5-beside-an-import.js';
import { holds } from './holds.js';

holds('[FAULT-1] [REG-9] [REG-13] [REG-14] [SEQ-2] what was acknowledged before a kill -9 is there once', kill);
holds('[FAULT-2] [ANS-6] [REG-3] no acknowledgement and no broadcast is sent before its commit’s fsync', fsyncOrder);
holds(
  '[FAULT-3] [REG-4] [REG-5] [REG-7] [REG-8] a full disk and a failing fsync refuse, tell nobody and pass',
  badDisk,
);
holds('[FAULT-4] [SEQ-4] [SDK-3] [SDK-4] clients that are cut again and again end with 1…n', cutLines);
holds(
  '[FAULT-5] [CONN-14] [SEQ-4] clients that are cut end with 1…n also where signing in is slow',
  slowAuthentication,
);
holds(
  '[FAULT-12] [CODE-12] [TIME-10] [TIME-12] [SEQ-5] a clock that jumps ends nothing early and nothing late',
  clockJumps,
);
holds('[FAULT-13] [CONN-25] a client that stops reading is dropped, and the others are served', deafClientDropped);
holds('[FAULT-71] a class goes on beside an import into its database', besideAnImport);
