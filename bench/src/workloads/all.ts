import type { Workload } from '../harness/workload.js';
import { batches } from './batched.js';
import { ends } from './end.js';
import { fanOuts } from './fan-out.js';
import { growths } from './growth.js';
import { halls } from './hall.js';
import { httpSession } from './http.js';
import { idleMark } from './idle-mark.js';
import { joinStorms } from './join-storm.js';
import { latencies } from './latency.js';
import { marksOf16Sessions, marksOfOneTeacher, marksOverMongo } from './marks.js';
import { memory } from './memory.js';
import { reconnectStorms } from './reconnect-storm.js';
import { courseRegister } from './register.js';
import { rosters } from './rosters.js';

/** In the order of the table. */
export const workloads: readonly Workload[] = [
  marksOf16Sessions,
  marksOfOneTeacher,
  marksOverMongo,
  ...rosters,
  ...fanOuts,
  ...batches,
  ...joinStorms,
  ...memory,
  idleMark,
  ...halls,
  ...ends,
  ...growths,
  ...reconnectStorms,
  ...latencies,
  httpSession,
  courseRegister,
];
