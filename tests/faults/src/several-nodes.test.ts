import { redisAway } from './experiments/f06-redis.js';
import { frozenNode } from './experiments/f07-frozen-node.js';
import { databaseGone } from './experiments/f08-database-gone.js';
import { stop } from './experiments/f09-stop.js';
import { oneOpTwoNodes } from './experiments/f10-one-op-two-nodes.js';
import { raceWithTheEnd } from './experiments/f11-race-with-the-end.js';
import { raceOfMarkers } from './experiments/n1-race-of-markers.js';
import { leftAlone } from './experiments/n2-left-alone.js';
import { holds } from './holds.js';

holds('[FAULT-6] [NODES-4] with Redis away nodes go on and follow each other', redisAway);
holds(
  '[FAULT-7] [NODES-7] [REG-15] a node that stood still finds the gap, and its late writes are decided again',
  frozenNode,
);
holds(
  '[FAULT-8] [REG-4] [REG-8] [STORE-79] a database that goes loses nothing acknowledged and may come back',
  databaseGone,
);
holds(
  '[FAULT-9] [CLI-7] [CONN-13] [CONN-19] a node that is told to stop loses nothing, and its clients come back',
  stop,
);
holds('[FAULT-10] [NODES-3] [ANS-8] [ANS-9] one op_id sent to two nodes at once has one effect', oneOpTwoNodes);
holds('[FAULT-11] [END-8] [END-9] a mark that races the end is in finalData or refused', raceWithTheEnd);
holds('[NODES-2] [SEQ-1] 2,000 marks on two and three nodes make one sequence, the same everywhere', raceOfMarkers);
holds(
  '[NODES-6] [TIME-1] [TIME-4] [TIME-9] a session left alone is ended once, also by nodes that come later',
  leftAlone,
);
