import type { Experiment, Lab } from '../experiment.js';
import { hashOf, MongoDatabase } from '../rig/database.js';
import { type Follower, Screen, SdkFollower } from '../rig/followers.js';
import { Line } from '../rig/line.js';
import { MarkLoad, nothingLostOrDoubled } from '../rig/mark-load.js';
import { appliedAll, converged, startSession } from '../rig/nodes.js';
import { importSchool } from '../rig/people.js';
import { RedisProcess } from '../rig/redis-process.js';
import { ServerProcess } from '../rig/server-process.js';

const SESSION = 'class-1';
const STUDENTS = 40;
/** By each node: often enough that they come in each other's way. */
const MARKS_PER_SECOND = 50;
/** What MongoDB says to whoever writes where somebody has written. */
const DUPLICATE_KEY = 'E11000';

async function run(lab: Lab): Promise<void> {
  const database = await MongoDatabase.fresh(lab);
  await importSchool(lab, database, { students: STUDENTS });
  const redis = await RedisProcess.start(lab);
  const variables = { REDIS_URL: redis.url };
  // The third node's words with the database are listened to: only there can a collision be seen.
  const line = await Line.to(lab, database.host);
  let collisions = 0;
  line.onAnswer = (bytes) => {
    collisions += bytes.toString('latin1').split(DUPLICATE_KEY).length - 1;
  };
  const nodes = [
    await ServerProcess.start(lab, { database: database.url, variables }),
    await ServerProcess.start(lab, { database: database.url, variables }),
    await ServerProcess.start(lab, { database: database.through(line.port).url, variables }),
  ];
  const frozen = nodes[2] as ServerProcess;
  const teachers = await startSession(lab, nodes, SESSION);
  const followers: Follower[] = [];
  for (const { url } of nodes) {
    followers.push(await SdkFollower.follow(lab, url, 'cyd', (client) => client.openSession(SESSION)));
    followers.push(await Screen.open(lab, url, 'ada', SESSION));
  }
  const loads: MarkLoad[] = [];
  for (const [index, { url }] of nodes.entries()) {
    const options = { url, session_id: SESSION, students: STUDENTS, name: `node-${index}` };
    loads.push(await MarkLoad.start(lab, options));
  }
  const [first, second, stale] = loads as [MarkLoad, MarkLoad, MarkLoad];
  for (const load of loads) load.run(MARKS_PER_SECOND);
  await lab.until(
    () => loads.every(({ acknowledged }) => acknowledged.size >= 2 * MARKS_PER_SECOND),
    'every node marks',
  );

  const ms = lab.of(6_000, 30_000);
  for (let round = 0; round < lab.of(1, 3); round += 1) {
    const before = collisions;
    frozen.signal('SIGSTOP');
    stale.pause();
    // These lie in the socket of the node that stands still, and are decided when it goes on.
    stale.send(100);
    const missed = first.acknowledged.size + second.acknowledged.size;
    await lab.lasting(ms);
    lab.must(first.acknowledged.size + second.acknowledged.size > missed, 'the other nodes go on');
    lab.count('entries that it missed', first.acknowledged.size + second.acknowledged.size - missed);
    const promised = Math.max(...first.acknowledged.values(), ...second.acknowledged.values());
    frozen.signal('SIGCONT');
    const behind = followers.slice(4);
    const caughtUp = await lab.until(() => behind.every(({ last }) => last >= promised), 'the node catches up');
    lab.saw('its clients are up to date after it went on, ms', caughtUp);
    await lab.until(() => stale.waiting === 0, 'its late writes are answered');
    lab.count('its late writes, all stored once', 100);
    lab.count('its late writes collided, times', collisions - before);
    stale.run(MARKS_PER_SECOND);
  }
  for (const load of loads) await load.finish(lab);
  const entries = await database.entries(SESSION);
  nothingLostOrDoubled(lab, entries, loads);
  const { hash } = await converged(lab, SESSION, { teachers, followers, database });
  appliedAll(lab, followers, entries.length);
  lab.equal(hashOf(await database.records(SESSION)), hash, 'the records in the database');
  lab.saw('its writes of all times collided, times', collisions);
  lab.must(collisions > 0, 'writes of several nodes collided in the database');
  lab.saw('ms it stood still', ms);
  lab.saw('state hash of three nodes, six clients and the database', hash);
}

export const frozenNode: Experiment = {
  id: 'F7',
  fault: 'one node of three stands still for 30 s (SIGSTOP) under marks on all, and goes on with 100 late writes',
  promise: 'it finds the gap; equal state hash everywhere; its late writes collide and are decided again',
  needs: ['mongo', 'redis'],
  run,
};
