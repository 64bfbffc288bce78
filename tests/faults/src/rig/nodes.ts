import type { Lab } from '../experiment.js';
import { type Database, hashOf, MongoDatabase, projected, type RecordLine } from './database.js';
import type { Follower } from './followers.js';
import { importSchool, type SchoolSize } from './people.js';
import { Plain } from './plain.js';
import { RedisProcess } from './redis-process.js';
import { ServerProcess } from './server-process.js';

export interface Nodes {
  readonly redis: RedisProcess;
  readonly database: MongoDatabase;
  readonly nodes: readonly ServerProcess[];
}

/** Servers of one school on one MongoDB and one Redis. */
export async function startNodes(lab: Lab, count: number, size: SchoolSize): Promise<Nodes> {
  const database = await MongoDatabase.fresh(lab);
  await importSchool(lab, database, size);
  const redis = await RedisProcess.start(lab);
  const options = { database: database.url, variables: { REDIS_URL: redis.url } };
  // The first makes what isn't in the database yet.
  const first = await ServerProcess.start(lab, options);
  const others = Array.from({ length: count - 1 }, () => ServerProcess.start(lab, options));
  return { redis, database, nodes: [first, ...(await Promise.all(others))] };
}

/** A teacher on every node that knows the session, the first of whom started it. */
export async function startSession(
  lab: Lab,
  nodes: ReadonlyArray<{ readonly url: string }>,
  sessionId: string,
  policy: Record<string, number> = {},
): Promise<Plain[]> {
  const teachers: Plain[] = [];
  for (const { url } of nodes) teachers.push(await Plain.connect(lab, url, teachers.length % 2 ? 'cyd' : 'ada'));
  const start = { session_id: sessionId, course_id: 'course-1', policy };
  await teachers[0]?.done('startAttendanceSession', start);
  for (const teacher of teachers.slice(1)) {
    const knows = async () => (await teacher.ask('watchAttendanceSession', { session_id: sessionId })).ok;
    await lab.until(knows, 'every node knows the session');
  }
  return teachers;
}

/** A session as one server has it. */
export async function pictureOf(teacher: Plain, sessionId: string): Promise<{ seq: number; hash: string }> {
  const answer = await teacher.done('getAttendanceSessionData', { session_id: sessionId });
  return { seq: Number(answer['seq']), hash: hashOf(answer['attendanceRecords'] as RecordLine[]) };
}

/**
 * Every node, the database and every client end with one register.
 * @returns how long that took, in ms
 */
export async function converged(
  lab: Lab,
  sessionId: string,
  all: { readonly teachers: readonly Plain[]; readonly followers: readonly Follower[]; readonly database: Database },
): Promise<{ readonly ms: number; readonly hash: string }> {
  const { teachers, followers, database } = all;
  const last = (await database.entries(sessionId)).length;
  const began = performance.now();
  const pictures = () => Promise.all(teachers.map((teacher) => pictureOf(teacher, sessionId)));
  await lab.until(async () => (await pictures()).every(({ seq }) => seq >= last), 'every node is at the last entry');
  for (const follower of followers) {
    await lab.until(() => follower.last >= last, `${follower.uid} is at entry ${last} (now ${follower.last})`);
  }
  const ms = performance.now() - began;
  const [first, ...others] = await pictures();
  lab.must(first !== undefined, 'there is a node');
  for (const other of others) lab.equal(other, first, 'the register of a node');
  for (const follower of followers) {
    lab.equal(follower.faults, [], `faults of ${follower.uid}`);
    lab.equal(follower.hash, first.hash, `the register of ${follower.uid}`);
  }
  await projected(lab, database, sessionId, first.hash);
  return { ms, hash: first.hash };
}

/** Each of these applied every entry from its first to the last of all, each once and in order. */
export function appliedAll(lab: Lab, followers: readonly Follower[], last: number): void {
  for (const { uid, applied } of followers) {
    const steps = applied.slice(1).map((seq, index) => seq - (applied[index] ?? 0));
    const [gaps, duplicates] = [steps.filter((step) => step > 1).length, steps.filter((step) => step < 1).length];
    lab.count('gaps', gaps);
    lab.count('duplicates', duplicates);
    lab.equal([gaps, duplicates, applied.at(-1)], [0, 0, last], `gaps, duplicates and last entry of ${uid}`);
  }
}
