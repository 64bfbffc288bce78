import type { Experiment, Lab } from '../experiment.js';
import { Screen, SdkFollower } from '../rig/followers.js';
import { MarkLoad, nothingLostOrDoubled } from '../rig/mark-load.js';
import { appliedAll, converged, type Nodes, startNodes, startSession } from '../rig/nodes.js';

const STUDENTS = 60;
const MARKERS = 4;
const MARKS = 2_000;
/** Marks of one marker that are under way at one time. */
const IN_FLIGHT = 25;

async function race(lab: Lab, { nodes, database }: Nodes, session: string): Promise<void> {
  const teachers = await startSession(lab, nodes, session);
  const followers = [];
  for (const { url } of nodes) {
    followers.push(await SdkFollower.follow(lab, url, 'cyd', (client) => client.openSession(session)));
    followers.push(await Screen.open(lab, url, 'ada', session));
  }
  const loads: MarkLoad[] = [];
  for (let n = 0; n < MARKERS; n += 1) {
    const { url } = nodes[n % nodes.length] ?? { url: '' };
    const uid = n % 2 ? 'cyd' : 'ada';
    const options = { url, uid, session_id: session, students: STUDENTS, name: `${session}-${n}` };
    loads.push(await MarkLoad.start(lab, options));
  }
  const began = performance.now();
  for (let sent = 0; sent < MARKS / MARKERS; sent += IN_FLIGHT) {
    for (const load of loads) load.send(IN_FLIGHT);
    await lab.until(() => loads.every(({ waiting }) => waiting < IN_FLIGHT), 'marks are answered', { every: 1 });
  }
  for (const load of loads) await load.finish(lab);
  lab.count(`${nodes.length} nodes: ms of marking, all races`, Math.round(performance.now() - began));
  const entries = await database.entries(session);
  lab.equal(entries.length, MARKS + 1, 'entries');
  nothingLostOrDoubled(lab, entries, loads);
  const { ms } = await converged(lab, session, { teachers, followers, database });
  const name = `${nodes.length} nodes: slowest until all were equal after the last answer, ms`;
  lab.saw(name, Math.max(Number(lab.figures[name] ?? 0), ms));
  appliedAll(lab, followers, entries.length);
  lab.count(`${nodes.length} nodes: races, ${MARKS} marks each, one dense sequence, equal state hash everywhere`);
  for (const { socket } of loads) socket.disconnect();
  for (const { socket } of teachers) socket.disconnect();
  for (const follower of followers) {
    if (follower instanceof Screen) follower.plain.socket.disconnect();
    else follower.client.close();
  }
}

export const raceOfMarkers: Experiment = {
  id: 'N1',
  fault: `${MARKS} marks of four markers on two and on three nodes, 20 times`,
  promise: 'one dense sequence; equal state hash on all nodes, in the database and on every client',
  needs: ['mongo', 'redis'],
  async run(lab) {
    const runs = lab.of(1, 10);
    for (const count of [2, 3]) {
      const started = await startNodes(lab, count, { students: STUDENTS });
      for (let run = 1; run <= runs; run += 1) await race(lab, started, `class-${count}-${run}`);
      for (const node of started.nodes) lab.equal(await node.stop(), 0, 'exit status');
    }
  },
};
