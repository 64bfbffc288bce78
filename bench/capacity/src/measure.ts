// Measures what a unit of work costs on this machine, with two nodes on one MongoDB and one Redis, and writes
// measured.json. It takes some ten minutes.
//   MONGODB_TEST_URI=mongodb://127.0.0.1:27017 node bench/capacity/dist/measure.js
// The nodes are processes of their own, and are asked from outside: CPU from /proc, memory after a collection.
// Everything is measured several times, and the least counts: other work on the machine only ever adds.
import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { Costs } from './costs.js';
import { residentOf } from './process.js';
import { Scene, type Span, STUDENTS_PER_SESSION } from './scene.js';

const TIMES = 5;
/** Sessions whose students come, a part of them each time; as many others are marked with nobody there. */
const FULL_SESSIONS = 15;
const SESSIONS = 2 * FULL_SESSIONS;
const STUDENTS = FULL_SESSIONS * STUDENTS_PER_SESSION;
/** Further ones without a roster, so that looking at sessions is more than noise. */
const EMPTY_SESSIONS = 300;
const IDLE_MS = 15_000;
/** Of every node, at each session. */
const LOOK_EVERY_MS = 10_000;

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((a, b) => a + b, 0);
type Node = 'here' | 'there';

const scene = await Scene.open(SESSIONS, EMPTY_SESSIONS);
try {
  const { here, there } = scene;

  /** Does a part of the work each time. */
  const times = async (what: string, work: (time: number) => Promise<void>): Promise<Span[]> => {
    say(what);
    const spans: Span[] = [];
    for (let time = 0; time < TIMES; time += 1) spans.push(await scene.count(() => work(time)));
    return spans;
  };
  const part = (of: number, time: number): [number, number] => [(of * time) / TIMES, (of * (time + 1)) / TIMES];
  const idle = (what: string) => times(what, () => scene.rest(IDLE_MS));
  const perMs = (spans: readonly Span[], node: Node) => Math.min(...spans.map(({ cpu, ms }) => cpu[node] / ms));

  await scene.warmUp();
  const base = await here.live();
  const unused = await idle('idle nodes');

  const bases = { here: base, there: await there.live() };
  const starts = await times('starts', (time) => scene.start(...part(SESSIONS, time)));
  const sessionMemory = ((await there.live()) - bases.there) / SESSIONS;

  await scene.start(SESSIONS, SESSIONS + EMPTY_SESSIONS);
  const looking = await idle('looking around');

  const beforeConnections = await here.live();
  const connections = await times('connections', (time) => scene.connect(...part(FULL_SESSIONS, time)));
  const connectionMemory = ((await here.live()) - beforeConnections) / STUDENTS;
  const still = await idle('idle connections');

  const beforeJoins = { here: await here.live(), there: await there.live() };
  const joins = await times('joins', (time) => scene.join(FULL_SESSIONS, ...part(STUDENTS_PER_SESSION, time)));
  const joinMemory = ((await here.live()) - beforeJoins.here) / STUDENTS;
  const remoteMemory = ((await there.live()) - beforeJoins.there) / STUDENTS;

  const status = (time: number) => (time % 2 === 0 ? 'present' : 'late');
  const alone = await times('marks with nobody there', (time) => scene.mark(FULL_SESSIONS, SESSIONS, status(time)));
  const before = scene.received;
  const heard = await times('marks with everybody there', (time) => scene.mark(0, FULL_SESSIONS, status(time)));
  const deliveries = (scene.received - before) / TIMES;

  // What nodes do whether or not anything happens is taken off, by the time that it took.
  const total = (spans: readonly Span[], of: (span: Span) => number) => spans.reduce((n, span) => n + of(span), 0);
  const beyond = (spans: readonly Span[], rest: readonly Span[], of: (span: Span) => number) =>
    total(spans, of) - (total(rest, of) / total(rest, ({ ms }) => ms)) * total(spans, ({ ms }) => ms);
  const cpu = (spans: readonly Span[], node: Node, count: number, rest = looking) =>
    Math.min(...spans.map((span) => span.cpu[node] - perMs(rest, node) * span.ms)) / count;
  const mongo = (spans: readonly Span[], node: Node, count: number, rest = looking) =>
    Math.max(
      0,
      beyond(spans, rest, (span) => sum(span.mongo[node])),
    ) /
    (count * TIMES);
  const looks = (SESSIONS + EMPTY_SESSIONS) / LOOK_EVERY_MS;
  const redis = (of: keyof Span['redis']) => beyond(joins, looking, (span) => span.redis[of]);
  const changes = STUDENTS / TIMES;

  const costs: Costs = {
    machine: { cpu: cpus()[0]?.model.trim() ?? '', node: process.version, kernel: release() },
    measured: { students: STUDENTS, sessions: SESSIONS, students_per_session: STUDENTS_PER_SESSION },
    memory: {
      base,
      session: sessionMemory,
      connection: connectionMemory,
      join: joinMemory,
      remote_presence: remoteMemory,
      resident_factor: residentOf(here.pid) / (await here.live()),
      heap_limit: getHeapStatistics().heap_size_limit,
    },
    cpu: {
      connect: cpu(connections, 'here', changes),
      join: cpu(joins, 'here', changes),
      remote_change: Math.min(cpu(joins, 'there', changes), cpu(alone, 'there', STUDENTS)),
      start: cpu(starts, 'here', SESSIONS / TIMES, unused),
      remote_start: cpu(starts, 'there', SESSIONS / TIMES, unused),
      mark: cpu(alone, 'here', STUDENTS),
      delivery: ((cpu(heard, 'here', STUDENTS) - cpu(alone, 'here', STUDENTS)) * STUDENTS) / deliveries,
      idle_student: ((perMs(still, 'here') - perMs(looking, 'here')) * 1000) / STUDENTS,
      look: (perMs(looking, 'there') - perMs(unused, 'there')) / looks,
    },
    mongo: {
      connect: mongo(connections, 'here', changes),
      join: mongo(joins, 'here', changes),
      mark: mongo(alone, 'here', STUDENTS),
      start: mongo(starts, 'here', SESSIONS / TIMES, unused),
      remote_change: mongo(joins, 'there', changes),
      remote_start: mongo(starts, 'there', SESSIONS / TIMES, unused),
      look: total(looking, (span) => sum(span.mongo.there)) / total(looking, ({ ms }) => ms) / looks,
    },
    redis: {
      messages: redis('published') / STUDENTS,
      message_bytes: redis('out_bytes') / (redis('published') * 2),
      delivery_cpu: redis('cpu') / (redis('published') * 2),
    },
  };
  say(JSON.stringify({ unused, starts, looking, connections, still, joins, alone, heard, deliveries }));
  writeFileSync(new URL('../measured.json', import.meta.url), `${JSON.stringify(costs, rounded, 2)}\n`);
} finally {
  await scene.close();
}

/** A cost too small to be seen comes out of the noise on either side of nothing. */
function rounded(_name: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(Math.max(0, value).toPrecision(4)) : value;
}
