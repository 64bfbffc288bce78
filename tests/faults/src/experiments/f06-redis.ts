import { type Experiment, type Lab, quantile } from '../experiment.js';
import { Screen, SdkFollower } from '../rig/followers.js';
import { MarkLoad, nothingLostOrDoubled } from '../rig/mark-load.js';
import { appliedAll, converged, startNodes, startSession } from '../rig/nodes.js';

const SESSION = 'class-1';
const STUDENTS = 40;
const MARKS_PER_SECOND = 50;
/** What the p99 of a machine with two cores may be off by, in ms, beside the factor of two. */
const SLACK_MS = 10;
const CONVERGED_MS = 5_000;

async function run(lab: Lab): Promise<void> {
  const { redis, database, nodes } = await startNodes(lab, 2, { students: STUDENTS });
  const [here, there] = nodes;
  lab.must(here !== undefined && there !== undefined, 'two nodes');
  const teachers = await startSession(lab, nodes, SESSION);
  const far = await SdkFollower.follow(lab, there.url, 'cyd', (client) => client.openSession(SESSION));
  const screen = await Screen.open(lab, there.url, 'cyd', SESSION);
  const load = await MarkLoad.start(lab, { url: here.url, session_id: SESSION, students: STUDENTS, name: 'mark' });
  const last = () => Math.max(0, ...load.acknowledged.values());

  /** How long the acknowledgements took of marks sent while this lasts. */
  const phase = async (name: string, ms: number): Promise<number[]> => {
    const began = performance.now();
    await lab.lasting(ms);
    const ended = performance.now();
    await lab.until(() => load.latencies.some(({ sent_at }) => sent_at >= ended), 'marks go on');
    const sent = load.latencies
      .filter(({ sent_at }) => sent_at >= began && sent_at < ended)
      .map(({ ms: took }) => took);
    lab.saw(`ack p99 ${name}, ms`, quantile(sent, 0.99));
    const expected = lab.long ? (ms / 1_000) * MARKS_PER_SECOND * 0.5 : 1;
    lab.must(sent.length >= expected, `marks go on ${name}: ${sent.length} in ${ms} ms`);
    return sent;
  };
  /** Both of the other node's clients know all that was acknowledged by now. */
  const convergence = async (name: string): Promise<void> => {
    const promised = last();
    const ms = await lab.until(
      () => far.last >= promised && screen.last >= promised,
      `the other node follows ${name}`,
      { within: 60_000 },
    );
    lab.saw(`the other node is up to date ${name} after, ms`, ms);
    if (lab.long) lab.must(ms <= CONVERGED_MS, `nodes converge within 5 s ${name} (${Math.round(ms)} ms)`);
  };

  load.run(MARKS_PER_SECOND);
  await lab.until(() => load.acknowledged.size > lab.of(150, 500), 'the server is warm');
  const faultMs = lab.of(2_500, 10_000);
  const normal = [await phase('normally', lab.of(2_000, 15_000))];
  const faulty: number[][] = [];
  redis.freeze();
  faulty.push(await phase('while Redis stands still', faultMs));
  await convergence('while Redis stands still');
  redis.thaw();
  await convergence('after Redis went on');
  normal.push(await phase('normally again', lab.of(1_000, 10_000)));
  await redis.kill();
  faulty.push(await phase('while Redis is gone', faultMs));
  await convergence('while Redis is gone');
  redis.spawn();
  redis.freeze();
  faulty.push(await phase('while Redis starts slowly', lab.of(1_500, 10_000)));
  redis.thaw();
  await redis.listening(lab);
  await convergence('after Redis was started');
  normal.push(await phase('normally at the end', lab.of(1_000, 15_000)));

  await load.finish(lab);
  const entries = await database.entries(SESSION);
  nothingLostOrDoubled(lab, entries, [load]);
  const { ms } = await converged(lab, SESSION, { teachers, followers: [far, screen], database });
  appliedAll(lab, [far, screen], entries.length);
  lab.saw('all equal after the last mark, ms', ms);
  const ordinary = quantile(normal.flat(), 0.99);
  const worst = Math.max(...faulty.map((sent) => quantile(sent, 0.99)));
  const limit = 2 * ordinary + SLACK_MS;
  lab.saw('ack p99 of all that was normal, ms', ordinary);
  lab.saw('worst p99 of a fault ÷ p99 of all that was normal', worst / ordinary);
  if (lab.long)
    lab.must(worst <= limit, `the ack p99 during a fault is ${Math.round(worst)} ms, at most ${Math.round(limit)}`);
}

export const redisAway: Experiment = {
  id: 'F6',
  fault: 'Redis stands still for 10 s (SIGSTOP), is killed (SIGKILL), and starts slowly; two nodes, 50 marks/s',
  promise: 'local ack p99 ≤ 2 × normal; nodes converge within 5 s, also while Redis is away',
  needs: ['mongo', 'redis'],
  limits: `To the factor of two ${SLACK_MS} ms are added: at a p99 of a few ms the scheduling of a machine with two cores is as large as what is measured. The short version looks for marks and convergence, and judges no times.`,
  run,
};
