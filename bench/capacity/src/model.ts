import type { Costs } from './costs.js';

/** What a deployment is asked to do. */
export interface Load {
  /** Connected and joined, all at once. */
  readonly students: number;
  readonly sessions: number;
  /** Within which everybody connects and joins, and every session is started, in s. */
  readonly join_seconds: number;
  /** Within which every student is marked once, in s. */
  readonly mark_seconds: number;
}

/** Up to where each part is used, as a fraction of what it can do. */
export interface Limits {
  /** Of a node's one thread, and of Redis's. */
  readonly cpu: number;
  /** Of V8's limit. */
  readonly heap: number;
  readonly nodes: number;
}

export type Phase = 'joining' | 'marking' | 'in class';
export const PHASES: readonly Phase[] = ['joining', 'marking', 'in class'];

/** Work a second in a phase, of all nodes together. */
interface Rates {
  readonly connects: number;
  readonly joins: number;
  readonly starts: number;
  readonly marks: number;
}

/** Every node asks after every session it holds this often, in s. */
export const LOOK_EVERY_S = 10;
/** Nodes say this often that they live, in s. */
export const ALIVE_EVERY_S = 2;
/** At most this many ticks of statistics a second and session. */
export const TICKS_PER_S = 4;

export function ratesOf(load: Load, phase: Phase): Rates {
  const none = { connects: 0, joins: 0, starts: 0, marks: 0 };
  if (phase === 'joining') {
    const joins = load.students / load.join_seconds;
    return { ...none, connects: joins, joins, starts: load.sessions / load.join_seconds };
  }
  return phase === 'marking' ? { ...none, marks: load.students / load.mark_seconds } : none;
}

/** Events that one mark sends: itself and a tick of statistics to everybody in its session. */
export function deliveriesOfMark(load: Load): number {
  const inSession = load.students / load.sessions;
  const marksOfSession = load.students / load.mark_seconds / load.sessions;
  return inSession * (1 + Math.min(1, TICKS_PER_S / marksOfSession));
}

export interface NodeCpu {
  /** Work of this node's own sockets. */
  readonly own: number;
  /** Applying what other nodes wrote. */
  readonly others: number;
  /** Looking whether sessions have news. */
  readonly looking: number;
  /** Connections that do nothing. */
  readonly idle: number;
  /** Of one thread: 1 is all it can. */
  readonly total: number;
}

/** CPU of one of `nodes`, in seconds a second. */
export function cpuOfNode(costs: Costs, load: Load, nodes: number, phase: Phase): NodeCpu {
  const { connects, joins, starts, marks } = ratesOf(load, phase);
  const { cpu } = costs;
  const mark = cpu.mark + deliveriesOfMark(load) * cpu.delivery;
  const own = (connects * cpu.connect + joins * cpu.join + starts * cpu.start + marks * mark) / nodes / 1e6;
  const others = (((joins + marks) * cpu.remote_change + starts * cpu.remote_start) * (1 - 1 / nodes)) / 1e6;
  const looking = ((load.sessions / LOOK_EVERY_S) * cpu.look) / 1e6;
  const idle = ((load.students / nodes) * cpu.idle_student) / 1e6;
  return { own, others, looking, idle, total: own + others + looking + idle };
}

export interface NodeMemory {
  readonly sessions: number;
  readonly own: number;
  readonly others: number;
  readonly live: number;
  readonly resident: number;
}

/** Memory of one of `nodes` while everybody is online, in bytes. */
export function memoryOfNode({ memory }: Costs, load: Load, nodes: number): NodeMemory {
  const sessions = load.sessions * memory.session;
  const own = (load.students / nodes) * (memory.connection + memory.join);
  const others = load.students * (1 - 1 / nodes) * memory.remote_presence;
  const live = memory.base + sessions + own + others;
  return { sessions, own, others, live, resident: live * memory.resident_factor };
}

export interface MongoCommands {
  readonly writing: number;
  /** Of nodes that read what others wrote. */
  readonly reading: number;
  readonly looking: number;
  readonly total: number;
}

/** Commands a second that MongoDB gets from all nodes. */
export function mongoCommands({ mongo }: Costs, load: Load, nodes: number, phase: Phase): MongoCommands {
  const { connects, joins, starts, marks } = ratesOf(load, phase);
  const writing = connects * mongo.connect + joins * mongo.join + starts * mongo.start + marks * mongo.mark;
  const reading = (nodes - 1) * ((joins + marks) * mongo.remote_change + starts * mongo.remote_start);
  const looking = nodes * (load.sessions / LOOK_EVERY_S) * mongo.look;
  return { writing, reading, looking, total: writing + reading + looking };
}

export interface RedisLoad {
  readonly published: number;
  /** Messages a second that go out: each reaches every node. */
  readonly delivered: number;
  readonly bytes: number;
  readonly cpu: number;
}

export function redisLoad({ redis }: Costs, load: Load, nodes: number, phase: Phase): RedisLoad {
  const { joins, starts, marks } = ratesOf(load, phase);
  const published = (joins + starts + marks) * redis.messages + nodes / ALIVE_EVERY_S;
  const delivered = published * nodes;
  return {
    published,
    delivered,
    bytes: delivered * redis.message_bytes,
    cpu: (delivered * redis.delivery_cpu) / 1e6,
  };
}

export type Part = 'CPU of a node' | 'memory of a node' | 'CPU of Redis';

/** How much of its limit each part uses at worst, in any phase; above 1 it is too much. */
export function useOf(costs: Costs, load: Load, limits: Limits, nodes: number): Record<Part, number> {
  const worst = (cpu: (phase: Phase) => number) => Math.max(...PHASES.map(cpu)) / limits.cpu;
  return {
    'CPU of a node': worst((phase) => cpuOfNode(costs, load, nodes, phase).total),
    'memory of a node': memoryOfNode(costs, load, nodes).live / (limits.heap * costs.memory.heap_limit),
    'CPU of Redis': worst((phase) => redisLoad(costs, load, nodes, phase).cpu),
  };
}

export interface Verdict {
  readonly nodes: number;
  readonly use: Record<Part, number>;
  /** The part that is used most. */
  readonly part: Part;
  readonly fits: boolean;
}

/** The fewest nodes that carry a load; where none do, the number at which the fullest part is least too full. */
export function plan(costs: Costs, load: Load, limits: Limits): Verdict {
  let best: Verdict | undefined;
  for (let nodes = 1; nodes <= limits.nodes; nodes += 1) {
    const use = useOf(costs, load, limits, nodes);
    const [part, most] = fullest(use);
    const verdict = { nodes, use, part, fits: most <= 1 };
    if (verdict.fits) return verdict;
    if (!best || most < fullest(best.use)[1]) best = verdict;
  }
  if (!best) throw new RangeError('limits.nodes must be at least 1');
  return best;
}

function fullest(use: Record<Part, number>): [Part, number] {
  const [first, ...rest] = Object.entries(use) as [Part, number][];
  if (!first) throw new RangeError('no parts');
  return rest.reduce((most, each) => (each[1] > most[1] ? each : most), first);
}

export const scaled = (load: Load, by: number): Load => ({
  ...load,
  students: load.students * by,
  sessions: load.sessions * by,
});

export interface Most {
  /** Fraction of the load that some number of nodes carries. */
  readonly by: number;
  readonly nodes: number;
  /** What is full there, so that neither more nodes nor fewer would carry more. */
  readonly part: Part;
}

/** The most of a load that any number of nodes carries, to a thousandth. */
export function most(costs: Costs, load: Load, limits: Limits): Most {
  let [low, high] = [0, 1];
  while (plan(costs, scaled(load, high), limits).fits) [low, high] = [high, high * 2];
  while (high - low > low / 1_000) {
    const middle = (low + high) / 2;
    if (plan(costs, scaled(load, middle), limits).fits) low = middle;
    else high = middle;
  }
  return {
    by: low,
    nodes: plan(costs, scaled(load, low), limits).nodes,
    part: plan(costs, scaled(load, high), limits).part,
  };
}
