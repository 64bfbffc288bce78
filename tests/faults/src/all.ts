import type { Experiment } from './experiment.js';
import { kill } from './experiments/f01-kill.js';
import { fsyncOrder } from './experiments/f02-fsync-order.js';
import { badDisk } from './experiments/f03-bad-disk.js';
import { cutLines, slowAuthentication } from './experiments/f04-cut-lines.js';
import { redisAway } from './experiments/f06-redis.js';
import { frozenNode } from './experiments/f07-frozen-node.js';
import { databaseGone } from './experiments/f08-database-gone.js';
import { stop } from './experiments/f09-stop.js';
import { oneOpTwoNodes } from './experiments/f10-one-op-two-nodes.js';
import { raceWithTheEnd } from './experiments/f11-race-with-the-end.js';
import { clockJumps } from './experiments/f12-clock.js';
import { deafClientDropped } from './experiments/f13-deaf-client.js';
import { besideACrowd } from './experiments/l1-beside-a-crowd.js';
import { besideAnImport } from './experiments/l5-beside-an-import.js';
import { raceOfMarkers } from './experiments/n1-race-of-markers.js';
import { leftAlone } from './experiments/n2-left-alone.js';

export const experiments: readonly Experiment[] = [
  kill,
  fsyncOrder,
  badDisk,
  cutLines,
  slowAuthentication,
  redisAway,
  frozenNode,
  databaseGone,
  stop,
  oneOpTwoNodes,
  raceWithTheEnd,
  clockJumps,
  deafClientDropped,
  raceOfMarkers,
  leftAlone,
];

/** Scenes that measure and break no promise: they run where they are asked for, and the page on faults has none of them. */
export const scenes: readonly Experiment[] = [...besideACrowd, besideAnImport];
