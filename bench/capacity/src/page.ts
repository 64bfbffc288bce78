import type { Costs } from './costs.js';
import {
  cpuOfNode,
  deliveriesOfMark,
  type Limits,
  type Load,
  memoryOfNode,
  mongoCommands,
  most,
  PHASES,
  plan,
  redisLoad,
  scaled,
} from './model.js';

export const LOAD: Load = { students: 1_000_000, sessions: 20_000, join_seconds: 300, mark_seconds: 600 };
export const LIMITS: Limits = { cpu: 0.7, heap: 0.75, nodes: 256 };
const NODES = [1, 4, 8, 16, 32, 64, 128];

/** What would be gained were one cost nothing: more than any change to it can bring. */
const WITHOUT: ReadonlyArray<{ readonly what: string; readonly costs: (costs: Costs) => Costs }> = [
  { what: 'as it is', costs: (costs) => costs },
  {
    what: 'looking around costs nothing',
    costs: ({ cpu, mongo, ...rest }) => ({ ...rest, cpu: { ...cpu, look: 0 }, mongo: { ...mongo, look: 0 } }),
  },
  {
    what: 'reading what others wrote costs nothing (hints that carry the entries, say)',
    costs: ({ cpu, mongo, ...rest }) => ({
      ...rest,
      cpu: { ...cpu, remote_change: 0, remote_start: 0 },
      mongo: { ...mongo, remote_change: 0, remote_start: 0 },
    }),
  },
  {
    what: 'presence of other nodes takes no memory (a number for each session, say, instead of every socket)',
    costs: ({ memory, ...rest }) => ({ ...rest, memory: { ...memory, remote_presence: 0 } }),
  },
  {
    what: 'sessions take no memory where nobody of theirs is connected, and the same for presence and for looking',
    costs: ({ cpu, memory, mongo, ...rest }) => ({
      ...rest,
      memory: { ...memory, session: 0, remote_presence: 0 },
      cpu: { ...cpu, look: 0 },
      mongo: { ...mongo, look: 0 },
    }),
  },
  {
    what: 'all of it: sessions divided among nodes, each served by one',
    costs: ({ cpu, memory, mongo, redis, ...rest }) => ({
      ...rest,
      memory: { ...memory, session: 0, remote_presence: 0 },
      cpu: { ...cpu, look: 0, remote_change: 0, remote_start: 0 },
      mongo: { ...mongo, look: 0, remote_change: 0, remote_start: 0 },
      redis: { ...redis, messages: 0 },
    }),
  },
];

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const three = (value: number): string => (value === 0 ? '0' : Number(value.toPrecision(3)).toLocaleString('en-US'));
const percent = (value: number): string => `${whole(value * 100)} %`;
const megabytes = (value: number): string => whole(value / 2 ** 20);
const kilobytes = (value: number): string => three(value / 1024);

function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** docs/reference/capacity.md: nothing on it that doesn't follow from the measured costs. */
export function pageOf(costs: Costs): string {
  const verdict = plan(costs, LOAD, LIMITS);
  const reach = most(costs, LOAD, LIMITS);
  const students = whole(LOAD.students * reach.by);
  return `# Capacity

<!-- Generated from bench/capacity/measured.json by \`npm run capacity\`: edits are lost. -->

How far does Rollcall go? This page answers it for ${whole(LOAD.students)} connected students in ${whole(LOAD.sessions)} active sessions, by a model: costs of single units of work, measured on one machine, times how often they come. A model is no trial: nobody has run Rollcall at this size.

**Answer: ${answer(costs, verdict, reach)}** The most that any number of nodes carries is about **${students} students in ${whole(LOAD.sessions * reach.by)} sessions, on ${reach.nodes} ${reach.nodes === 1 ? 'node' : 'nodes'}**; there ${reach.part} is full.

## What was measured
On ${costs.machine.cpu}, Node ${costs.machine.node}, with ${whole(costs.measured.students)} students and ${whole(costs.measured.sessions)} sessions of ${costs.measured.students_per_session}, two nodes as processes of their own, a Redis, and an independent server that speaks MongoDB's wire protocol (no mongod: its own speed is no part of the model). CPU is that of the node's process from /proc, memory is what is in use after a garbage collection. The machine has two cores, which nodes, clients, Redis and the database share; each cost is the least of five. Nodes did some 45 changes a second and were far from busy; a busy one does the same for less, since its code and data stay in the caches. Take the costs as high ones. \`bench/capacity/src/measure.ts\` measures them anew.

${table(['unit', 'CPU of the node, µs', 'commands to MongoDB'], unitRows(costs))}

${table(
  ['what a node holds in memory', 'kB'],
  [
    ['nothing yet (a node that serves nobody)', kilobytes(costs.memory.base)],
    [`an active session of ${costs.measured.students_per_session}, on every node`, kilobytes(costs.memory.session)],
    ['a student’s connection, on their node', kilobytes(costs.memory.connection)],
    ['their join, on their node', kilobytes(costs.memory.join)],
    ['their being online, on each other node', kilobytes(costs.memory.remote_presence)],
  ],
)}

Resident memory was ${three(costs.memory.resident_factor)} times what was in use. V8 gives up at ${megabytes(costs.memory.heap_limit)} MB on that machine (\`--max-old-space-size\` moves it). Redis gets ${three(costs.redis.messages)} messages for a change, each of ${whole(costs.redis.message_bytes)} bytes for each node, at ${three(costs.redis.delivery_cpu)} µs of its CPU for each.

## What is assumed
- Everybody connects and joins within ${LOAD.join_seconds} s, spread evenly, and every session is started in the same time. Websocket only.
- Every student is marked once within ${LOAD.mark_seconds} s, and each mark is told to everybody in the session, with a tick of statistics (visibility \`participants\`; at most 4 ticks a second and session): ${whole(deliveriesOfMark(LOAD))} events a mark.
- The students of a session are spread over all nodes, so that every node hears of every change and holds every active session. No two changes of a session share a commit: in a session of ${whole(LOAD.students / LOAD.sessions)} they come too seldom. Collisions of nodes that write to one session at once are left out for the same reason.
- A node may use ${percent(LIMITS.cpu)} of one core (JavaScript runs on one thread) and ${percent(LIMITS.heap)} of V8's heap, Redis ${percent(LIMITS.cpu)} of one core.
- **MongoDB has no limit in this model**, since none was measured: the page says what would be asked of it. Whether a replica set answers that many commands a second has to be tried on one.
- Left out: TLS, the load balancer, the network, garbage collection beyond what the measured load caused, clients that come back after a failure all at once.

## Formulae
n nodes, S sessions, U students, J joins a second, M marks a second, D events a mark:

    CPU of a node    = (J (connect + join) + starts + M (mark + D event)) / n        its own sockets
                     + ((J + M) remote change + remote starts) (1 − 1/n)              what others wrote
                     + S / 10 s × look + U / n × idle student
    memory of a node = base + S session + U / n (connection + join) + U (1 − 1/n) presence elsewhere
    MongoDB          = J (connect + join) + starts + M mark                           writing
                     + (n − 1) ((J + M) remote change + remote starts)                reading what others wrote
                     + n S / 10 s × look
    Redis            = ((J + M) messages + n / 2 s) × n                               each reaches every node

## ${whole(LOAD.students)} students, ${whole(LOAD.sessions)} sessions, by number of nodes
CPU is of one thread of each node: above 100 % it can't be done, above ${percent(LIMITS.cpu)} it shouldn't be.

${table(
  [
    'nodes',
    'CPU joining',
    'CPU marking',
    'CPU in class',
    'memory in use, MB',
    'resident, MB',
    'MongoDB joining, commands/s',
    'MongoDB in class, commands/s',
    'Redis joining, messages/s out',
    'MB/s',
    'CPU of Redis',
  ],
  NODES.map((nodes) => nodesRow(costs, LOAD, nodes)),
)}

Where it goes while everybody joins, on ${verdict.nodes} nodes (${verdict.fits ? 'the fewest that carry it' : 'the number at which the fullest part is least too full'}):

${table(
  ['', 'CPU of a node', 'commands/s to MongoDB'],
  [
    [
      'own sockets / writing',
      percent(cpuOfNode(costs, LOAD, verdict.nodes, 'joining').own),
      whole(mongoCommands(costs, LOAD, verdict.nodes, 'joining').writing),
    ],
    [
      'what other nodes wrote',
      percent(cpuOfNode(costs, LOAD, verdict.nodes, 'joining').others),
      whole(mongoCommands(costs, LOAD, verdict.nodes, 'joining').reading),
    ],
    [
      'looking around',
      percent(cpuOfNode(costs, LOAD, verdict.nodes, 'joining').looking),
      whole(mongoCommands(costs, LOAD, verdict.nodes, 'joining').looking),
    ],
    ['connections that do nothing', percent(cpuOfNode(costs, LOAD, verdict.nodes, 'joining').idle), '0'],
  ],
)}

## Smaller loads
The same shape, smaller: ${whole(LOAD.students / LOAD.sessions)} students a session, everybody joins within ${LOAD.join_seconds} s.

${table(
  [
    'students',
    'sessions',
    'nodes',
    'fullest part',
    'of its limit',
    'MongoDB joining, commands/s',
    'MongoDB in class, commands/s',
  ],
  [0.002, 0.01, 0.05, 0.1, 0.2, 0.5, 1].map((by) => loadRow(costs, scaled(LOAD, by))),
)}

## What would move it
Each row takes one cost away wholly, which is more than any change to it can do: what a row doesn't lift, that change isn't worth.

${table(
  ['', 'most students', 'nodes there', 'then full'],
  WITHOUT.map(({ what, costs: change }) => {
    const { by, nodes, part } = most(change(costs), LOAD, LIMITS);
    return [what, whole(LOAD.students * by), String(nodes), part];
  }),
)}

Rows count nodes up to ${LIMITS.nodes}.
`;
}

function answer(costs: Costs, verdict: ReturnType<typeof plan>, reach: ReturnType<typeof most>): string {
  if (verdict.fits) {
    return `${verdict.nodes} nodes carry it, as far as nodes and Redis go; the fullest part is ${verdict.part}, at ${percent(verdict.use[verdict.part])} of its limit.`;
  }
  const joining = cpuOfNode(costs, LOAD, LIMITS.nodes, 'joining');
  const shared = joining.others + joining.looking;
  const why =
    shared > LIMITS.cpu
      ? ` What every node does for all sessions, whatever the number of nodes, takes ${percent(shared)} of a node by itself.`
      : '';
  return `no number of nodes carries it as it is. The first bottleneck is ${reach.part}.${why}`;
}

function unitRows({ cpu, mongo }: Costs): string[][] {
  const row = (what: string, micros: number, commands: number | null) => [
    what,
    three(micros),
    commands === null ? '–' : three(commands),
  ];
  return [
    row('a connection, signed in', cpu.connect, mongo.connect),
    row('a join', cpu.join, mongo.join),
    row('a mark, nobody there but the teacher', cpu.mark, mongo.mark),
    row('an event to one student', cpu.delivery, null),
    row('a start', cpu.start, mongo.start),
    row('a join or mark of another node', cpu.remote_change, mongo.remote_change),
    row('a start of another node', cpu.remote_start, mongo.remote_start),
    row('looking at one session (each, on each node, every 10 s)', cpu.look, mongo.look),
    row('a connected student who does nothing, a second', cpu.idle_student, null),
  ];
}

function nodesRow(costs: Costs, load: Load, nodes: number): string[] {
  const { live, resident } = memoryOfNode(costs, load, nodes);
  const redis = redisLoad(costs, load, nodes, 'joining');
  return [
    String(nodes),
    ...PHASES.map((phase) => percent(cpuOfNode(costs, load, nodes, phase).total)),
    megabytes(live),
    megabytes(resident),
    whole(mongoCommands(costs, load, nodes, 'joining').total),
    whole(mongoCommands(costs, load, nodes, 'in class').total),
    whole(redis.delivered),
    three(redis.bytes / 2 ** 20),
    percent(redis.cpu),
  ];
}

function loadRow(costs: Costs, load: Load): string[] {
  const { nodes, part, use, fits } = plan(costs, load, LIMITS);
  return [
    whole(load.students),
    whole(load.sessions),
    fits ? String(nodes) : 'none',
    part,
    percent(use[part]),
    ...(fits
      ? [
          whole(mongoCommands(costs, load, nodes, 'joining').total),
          whole(mongoCommands(costs, load, nodes, 'in class').total),
        ]
      : ['–', '–']),
  ];
}
