import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { removeCalendar, setCalendar } from './calendars.js';
import { type Connection, errorCode, isBusy } from './connection.js';
import { closeFollowed, moveCursor } from './cursors.js';
import { importBeside, tidyImports } from './import-beside.js';
import { importSchool } from './import-school.js';
import { beat, leave } from './installation.js';
import { append, readCommits, rememberLeft, touch } from './journal.js';
import { openMigrated } from './migrations.js';
import { provision } from './people.js';
import { project } from './projection.js';
import { isSchoolWrite, writeSchool } from './school-writes.js';
import { changeSignIns } from './sign-in-changes.js';
import type { Call, CallOf, Reply, Role, WorkerData } from './verbs.js';

/** Calls that may share a transaction, and so an fsync, with others. */
type Shared =
  | CallOf<'append'>
  | CallOf<'project'>
  | CallOf<'touch'>
  | CallOf<'moveCursor'>
  | CallOf<'closeFollowed'>
  | CallOf<'rememberLeft'>
  | CallOf<'changeSignIns'>
  | CallOf<'ping'>;

/** Those that are written with appends. */
const SMALL: ReadonlySet<string> = new Set([
  'append',
  'touch',
  'moveCursor',
  'closeFollowed',
  'rememberLeft',
  'changeSignIns',
  'ping',
]);
const isSmall = (call: Call): call is Exclude<Shared, CallOf<'project'>> => SMALL.has(call.verb);

/** Records of projections that a shared transaction takes in before they wait for one of their own (5 µs each). */
const SHARED_RECORDS = 64;

/** Failures after which the file may be in another state than the connection believes. */
const UNTRUSTED = /^SQLITE_(IOERR|CORRUPT|NOTADB|CANTOPEN|READONLY)/;

const READS: ReadonlySet<Role> = new Set(['reader', 'reporter']);

class Worker {
  readonly #port: MessagePort;
  readonly #path: string;
  readonly #role: Role;
  readonly #givenUp: () => boolean;
  #connection: Connection | undefined;

  constructor(port: MessagePort, { path, role, patience }: WorkerData) {
    this.#port = port;
    this.#path = path;
    this.#role = role;
    this.#givenUp = () => Atomics.load(patience, 0) === 0;
    port.on('message', (first: readonly Call[]) => {
      const calls = [...first];
      for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) calls.push(...next.message);
      this.#work(calls);
    });
  }

  /** Opened when it is needed, so that a call after a failure finds a fresh one. */
  get #db(): Connection {
    // The writer is the first to open, and has brought the schema up to date.
    this.#connection ??= openMigrated(this.#path, READS.has(this.#role) ? 'read' : 'write', this.#givenUp);
    return this.#connection;
  }

  /** Reads are short and go first; then what many wait for, then what few wait for. */
  #work(calls: readonly Call[]): void {
    const replies: Reply[] = [];
    const appends: Shared[] = [];
    const projections: CallOf<'project'>[] = [];
    const others: Call[] = [];
    for (const call of calls) {
      if (call.verb === 'read') replies.push(this.#attempt(call, () => this.#db.text(...call.args)));
      else if (call.verb === 'readCommits')
        replies.push(this.#attempt(call, () => readCommits(this.#db, ...call.args)));
      else if (isSmall(call)) appends.push(call);
      else if (call.verb === 'project') projections.push(call);
      else others.push(call);
    }
    // A malformed call must reach the place where it is refused alone.
    const records = projections.reduce((sum, { args: [projection] }) => sum + (projection?.records?.length ?? 0), 0);
    if (records <= SHARED_RECORDS) appends.push(...projections.splice(0));
    this.#reply(replies);
    this.#reply(this.#commit(appends));
    this.#reply(this.#commit(projections));
    for (const call of others) this.#reply([this.#attempt(call, () => this.#alone(call))]);
  }

  #reply(replies: readonly Reply[]): void {
    if (replies.length > 0) this.#port.postMessage(replies);
  }

  #attempt(call: Call, work: () => unknown): Reply {
    try {
      return { id: call.id, ok: true, value: work() };
    } catch (error) {
      return this.#failure(call, error);
    }
  }

  #failure({ id }: Call, error: unknown): Reply {
    const code = errorCode(error);
    // What was written to memory can't be read again.
    if (UNTRUSTED.test(code) && this.#path !== ':memory:') this.#letGo();
    return { id, ok: false, message: error instanceof Error ? error.message : String(error), code };
  }

  #letGo(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    try {
      connection?.close();
    } catch {
      // It was of no use any more.
    }
  }

  /** All in one transaction; where that fails, one by one, so that only those fail that can't be carried out. */
  #commit(calls: readonly Shared[]): Reply[] {
    if (calls.length === 0) return [];
    try {
      const db = this.#db;
      return db.transaction(() => calls.map((call): Reply => ({ id: call.id, ok: true, value: perform(db, call) })));
    } catch (error) {
      // Each would wait for the other writer as long again.
      if (calls.length === 1 || isBusy(error)) return calls.map((call) => this.#failure(call, error));
    }
    return calls.map((call) => this.#attempt(call, () => this.#db.transaction(() => perform(this.#db, call))));
  }

  #alone(call: Call): unknown {
    if (isSchoolWrite(call)) return this.#db.transaction(() => writeSchool(this.#db, call));
    switch (call.verb) {
      case 'open':
        return void this.#db;
      case 'provision':
        return this.#db.transaction(() => provision(this.#db, ...call.args));
      case 'setCalendar':
        return setCalendar(this.#db, ...call.args);
      case 'removeCalendar':
        return removeCalendar(this.#db, ...call.args);
      case 'beat':
        return this.#db.transaction(() => beat(this.#db, ...call.args));
      case 'leave':
        return leave(this.#db, ...call.args);
      case 'importSchool':
        // In memory there is one connection, and nobody else who could wait for it.
        if (this.#role === 'writer') return importSchool(this.#db, ...call.args);
        return importBeside(this.#path, ...call.args);
      case 'tidyImports':
        return tidyImports(this.#path);
      case 'close':
        this.#letGo();
        // With nothing left to wait for, the thread ends by itself once it has replied.
        return void setImmediate(() => this.#port.close());
      default:
        throw new TypeError(`${call.verb} is not done alone`);
    }
  }
}

function perform(db: Connection, call: Shared): unknown {
  switch (call.verb) {
    case 'append':
      return append(db, ...call.args);
    case 'project':
      return project(db, ...call.args);
    case 'touch':
      return touch(db, ...call.args);
    case 'moveCursor':
      return moveCursor(db, ...call.args);
    case 'closeFollowed':
      return closeFollowed(db, ...call.args);
    case 'rememberLeft':
      return rememberLeft(db, ...call.args);
    case 'changeSignIns':
      return changeSignIns(db, ...call.args);
    case 'ping':
      return void db.run('UPDATE pulse SET beat = 1 - beat', []);
  }
}

if (!parentPort) throw new Error('to be started as a worker thread');
new Worker(parentPort, workerData as WorkerData);
