import type { AttendanceRecord, ServerPayload, Session, Statistics } from '@rollcall/protocol';
import { ASKING_DELAY, Asking } from './asking.js';
import { backoff, Pause } from './delays.js';
import type { Unsubscribe } from './emitter.js';
import { RollcallClientError } from './errors.js';
import type { Answer, Caller, CheckInCode, ClientEvents, CommandOptions, SessionSnapshot } from './events.js';
import { History, type Position } from './history.js';
import {
  changeOfEnd,
  changeOfUpdate,
  changesOfBatch,
  changesOfBulk,
  changesOfJoin,
  type LiveChange,
} from './live-change.js';
import type { FirstAnswer, LiveSessionEvents, LiveSessionOptions, LiveState } from './live-session-types.js';
import { type OnlineStudent, Presence } from './presence.js';
import { Register } from './register.js';
import { Sequence } from './sequence.js';
import { SessionCommands } from './session-commands.js';

/** Milliseconds between two readings of the whole roster while students are being added to it. */
const FILL_IN_PAUSE_MS = 250;

const isOver = (session: Session | null | undefined): boolean =>
  session?.status === 'completed' || session?.status === 'cancelled';

/**
 * One session as it stands, kept up to date through every loss of the connection. For a teacher every journal entry
 * is applied once and in order; for a student those that the student may see.
 */
export class LiveSession extends SessionCommands<LiveSessionEvents> {
  readonly role: 'teacher' | 'student';
  readonly #register = new Register();
  readonly #presence = new Presence({
    ask: async () => (await this.#asking.until('getOnlineStudents', { session_id: this.session_id })).online_students,
    count: () => (this.role === 'teacher' && this.#state === 'live' ? this.statistics?.onlineCount : undefined),
    listed: () => this.emit('resynced', { from_seq: this.seq, to_seq: this.seq }),
    failed: (error) => this.#refused(error),
  });
  readonly #sequence: Sequence<LiveChange>;
  readonly #history = new History();
  readonly #pause = new Pause();
  readonly #asking: Asking;
  #subscriptions: Unsubscribe[] = [];
  #state: LiveState = 'catching-up';
  #studentId: string | undefined;
  #code: CheckInCode | undefined;
  /** True while the server may know of entries that this client will not get by itself. */
  #behind = false;
  /** True where the connection was lost since a catch-up began. */
  #lost = false;
  #catchingUp = true;
  /** True while a record is missing or incomplete because its student was added. */
  #incomplete = false;
  #filling: Promise<void> | undefined;
  /** The end as it was announced; it is applied when its turn comes. */
  #ending: ServerPayload<'attendanceSessionEnded'> | undefined;

  private constructor(caller: Caller, { session_id, role }: LiveSessionOptions) {
    super(caller, session_id);
    this.role = role;
    this.#asking = new Asking(caller, this.#pause, () => this.#over);
    this.#sequence = new Sequence({ sparse: role === 'student' });
  }

  /** Attaches to a session; what `RollcallClient.openSession` and `joinSession` do. */
  static async open(caller: Caller, options: LiveSessionOptions): Promise<LiveSession> {
    const live = new LiveSession(caller, options);
    try {
      await live.#begin(options.first);
      return live;
    } catch (error) {
      live.close();
      throw error;
    }
  }

  get state(): LiveState {
    return this.#state;
  }

  /** The last journal entry that was applied, or passed over because a student doesn't see it. */
  get seq(): number {
    return this.#sequence.seq;
  }

  /** null for a student until the session ends: students aren't sent it before. */
  get session(): Session | null {
    return this.#register.session;
  }

  get statistics(): Statistics | null {
    return this.#register.statistics;
  }

  /** By student_id. For a teacher every record; for a student their own and those seen changing. */
  get records(): ReadonlyMap<string, AttendanceRecord> {
    return this.#register.records;
  }

  /** By student_id, for teachers; best effort. */
  get online(): ReadonlyMap<string, OnlineStudent> {
    return this.#presence.online;
  }

  /** The last check-in code that came, for a teacher of a session whose check-ins need one. */
  get code(): CheckInCode | undefined {
    return this.#code;
  }

  /** The student's own record; undefined for a teacher. */
  get own(): AttendanceRecord | undefined {
    return this.#studentId === undefined ? undefined : this.#register.records.get(this.#studentId);
  }

  /** A student goes: stops following and tells the server. The check-in stays. */
  leave(options?: CommandOptions): Promise<Answer<'leaveAttendanceSession'>> {
    this.close();
    return this.caller.request('leaveAttendanceSession', { session_id: this.session_id }, options);
  }

  /** Stops following. Nothing is sent: the session goes on, and so does the client. */
  close(): void {
    this.#unsubscribe();
    this.#setState('closed');
    this.#presence.stop();
    this.#asking.stop();
  }

  get #over(): boolean {
    return this.#state === 'ended' || this.#state === 'closed';
  }

  async #begin(first: () => Promise<FirstAnswer>): Promise<void> {
    this.#sequence.hold();
    this.#subscribe();
    const answer = await first();
    if ('record' in answer) {
      this.#studentId = answer.student_id;
      this.#register.put(answer.record);
    } else {
      this.#takeHead(answer);
      if ('attendanceRecords' in answer) for (const record of answer.attendanceRecords) this.#register.put(record);
    }
    this.#sequence.skipTo(answer.seq);
    this.#history.restart(answer);
    this.#settle([], answer);
    if (isOver(this.#register.session)) {
      this.#finish();
      return;
    }
    await this.#listOnline().catch((error: unknown) => {
      this.#refused(error);
      // Over by now is a state of the session, and no failure.
      if (this.#state !== 'ended') throw error;
    });
    this.#catchingUp = false;
    // The connection may have been lost and made again since the answer came.
    if (this.#sequence.gap) this.#behind = true;
    this.#follow();
  }

  #subscribe(): void {
    const on = <Name extends keyof ClientEvents>(name: Name, take: (payload: ClientEvents[Name]) => void) => {
      const listener = (payload: ClientEvents[Name]) => {
        if ((payload as { session_id?: string }).session_id === this.session_id) take(payload);
      };
      this.#subscriptions.push(this.caller.on(name, listener));
    };
    on('attendanceUpdated', (update) => this.#offer([changeOfUpdate(update)]));
    on('attendanceBulkUpdated', (bulk) => this.#offer(changesOfBulk(bulk)));
    on('attendanceChanges', (batch) => {
      if (!this.#history.told({ seq: batch.to_seq, chain: batch.chain })) this.#fallBehind();
      this.#offer(changesOfBatch(batch));
    });
    on('studentJoinedAttendance', (joined) => {
      this.#presence.take({ joined });
      this.#offer(changesOfJoin(joined));
      const student = this.#presence.online.get(joined.student_id);
      if (student) this.emit('joined', student);
    });
    on('studentLeftAttendance', (left) => {
      this.#presence.take({ left });
      this.emit('left', { student_id: left.student_id, student_name: left.student_name });
    });
    on('attendanceStatistics', ({ statistics, seq }) => {
      this.#takeStatistics(statistics, seq);
      // They follow the entries that they count: what they count and this client hasn't got was lost.
      if (this.role === 'teacher' && seq > this.seq && !this.#catchingUp) this.#fallBehind();
      this.#presence.check();
    });
    on('attendanceCode', (code) => {
      this.#code = code;
      this.emit('code', code);
    });
    on('attendanceSessionExpiring', ({ ends_at, reason }) => this.emit('expiring', { ends_at, reason }));
    on('attendanceSessionEnded', (ended) => this.#takeEnd(ended));
    this.#subscriptions.push(this.caller.on('state', ({ state }) => this.#onConnection(state)));
  }

  #onConnection(state: Caller['state']): void {
    if (state === 'closed') {
      this.close();
      return;
    }
    if (state === 'offline') {
      this.#behind = true;
      this.#lost = true;
      this.#sequence.interrupt();
      this.#history.interrupted();
    }
    if (this.#catchingUp) this.#showAsking();
    else this.#follow();
  }

  /** What is asked without a connection waits for one. */
  #showAsking(): void {
    this.#setState(this.caller.state === 'connected' ? 'catching-up' : 'offline');
  }

  #offer(changes: LiveChange[]): void {
    this.#apply(this.#sequence.offer(changes));
    if (this.#sequence.gap) this.#fallBehind();
  }

  /** Takes the changes of an answer that go on from what was applied. */
  #settle(changes: readonly LiveChange[], answer: Position): void {
    const due = this.#sequence.settle(changes, answer.seq);
    if (this.seq >= answer.seq) this.#history.settled(answer);
    this.#apply(due);
    // What comes over the next connection may be of another journal, which the next answer tells.
    if (this.#lost) this.#sequence.hold();
  }

  /** Throws away what is known, and goes on from an answer whose journal isn't the one that was followed. */
  #startAnew(records: readonly AttendanceRecord[], answer: Position & Partial<SessionSnapshot>): void {
    const [from_seq, to_seq] = [this.seq, answer.seq];
    this.#register.replace(records);
    this.#ending = undefined;
    this.#incomplete = false;
    this.#history.restart(answer);
    const due = this.#sequence.restart(to_seq);
    const { session, statistics } = answer;
    if (session && statistics) this.#takeHead({ session, statistics, seq: to_seq });
    this.emit('reset', { from_seq, to_seq });
    this.#apply(due);
    if (this.#lost) this.#sequence.hold();
    if (isOver(session)) this.#finish();
  }

  #apply(changes: readonly LiveChange[]): void {
    for (const change of changes) {
      const applied = this.#register.apply(change);
      this.#history.applied(change);
      // Teachers' records have an e-mail address or null; those of broadcasts have none.
      if (this.role === 'teacher' && change.student_id !== undefined && applied.record?.student.email === undefined) {
        this.#incomplete = true;
      }
      this.emit('change', applied);
      if (change.type === 'ended' && !this.#over) this.#finish(change);
    }
    if (this.#incomplete && !this.#catchingUp) void this.#fillIn();
  }

  #takeHead({ session, statistics, seq }: { session: Session; statistics: Statistics; seq: number }): void {
    this.#register.session = session;
    this.#takeStatistics(statistics, seq);
  }

  #takeStatistics(statistics: Statistics, seq: number): void {
    if (this.#register.setStatistics(statistics, seq)) this.emit('statistics', statistics);
  }

  #takeEnd(ended: ServerPayload<'attendanceSessionEnded'>): void {
    this.#ending = ended;
    this.#offer([changeOfEnd(ended)]);
  }

  /** The end was applied, or found out about. */
  #finish(change?: LiveChange): void {
    const ended = this.#ending;
    if (ended) {
      const { session, statistics, seq, attendanceRecords } = ended.finalData;
      this.#takeHead({ session, statistics, seq });
      for (const record of attendanceRecords) this.#register.put(record);
    }
    this.#unsubscribe();
    this.#presence.stop();
    this.#presence.online.clear();
    this.#code = undefined;
    this.#setState('ended');
    this.emit('ended', {
      reason: ended?.reason ?? change?.reason,
      ended_by: ended?.ended_by ?? change?.actor.name,
      ended_at: ended?.ended_at ?? change?.at ?? this.session?.ended_at ?? undefined,
      finalData: ended?.finalData,
    });
  }

  #fallBehind(): void {
    this.#behind = true;
    this.#follow();
  }

  /** Catches up where that is needed and can be done. One at a time: what comes up meanwhile is seen to at the end. */
  #follow(): void {
    if (this.#catchingUp || this.#over) return;
    if (this.caller.state !== 'connected') {
      this.#setState('offline');
      return;
    }
    if (!this.#behind) {
      this.#setState('live');
      return;
    }
    this.#catchingUp = true;
    this.#catchUp()
      .catch((error: unknown) => this.#refused(error))
      .finally(() => {
        this.#catchingUp = false;
        this.#follow();
      });
  }

  async #catchUp(): Promise<void> {
    for (let fruitless = 0; this.#behind && !this.#over; ) {
      this.#behind = false;
      this.#lost = false;
      this.#showAsking();
      this.#sequence.hold();
      const from_seq = this.seq;
      const upTo = await (this.role === 'teacher' ? this.#askForChanges() : this.#joinAgain());
      if (this.#incomplete) await this.#fillIn();
      if (!this.#over) await this.#listOnline();
      this.emit('resynced', { from_seq, to_seq: this.seq });
      if (!this.#sequence.gap && this.seq >= upTo) continue;
      this.#behind = true;
      fruitless = this.seq > from_seq ? 0 : fruitless + 1;
      if (fruitless > 0) await this.#pause.wait(backoff(fruitless, ASKING_DELAY));
    }
  }

  /** @returns the seq that the server is at */
  async #askForChanges(): Promise<number> {
    const { session_id } = this;
    const ask = (since: object) => this.#asking.until('getAttendanceSessionData', { session_id, ...since });
    const caughtUp = await this.#history.ask(this.seq, ask);
    if (!caughtUp) return Number.POSITIVE_INFINITY;
    let { answer } = caughtUp;
    if (!caughtUp.goesOn && 'changes' in answer) answer = await ask({});
    if ('attendanceRecords' in answer) {
      this.#startAnew(answer.attendanceRecords, answer);
    } else {
      this.#takeHead(answer);
      this.#settle(answer.changes, answer);
    }
    return answer.seq;
  }

  /** @returns the seq that the server is at */
  async #joinAgain(): Promise<number> {
    const { session_id } = this;
    const caughtUp = await this.#history.ask(this.seq, (since) =>
      this.#asking.until('joinAttendanceSession', { session_id, ...since }),
    );
    if (!caughtUp) return Number.POSITIVE_INFINITY;
    const { answer, goesOn } = caughtUp;
    if (goesOn) {
      this.#register.put(answer.record);
      this.#settle(answer.changes ?? [], answer);
    } else this.#startAnew([answer.record], answer);
    return answer.seq;
  }

  async #listOnline(): Promise<void> {
    if (this.role !== 'teacher' || this.#register.session?.status === 'scheduled') return;
    await this.#presence.list();
  }

  /** Reads the whole roster where students were added to it whose records this client doesn't have. */
  #fillIn(): Promise<void> {
    this.#filling ??= this.#readRecords()
      .catch((error: unknown) => this.#refused(error))
      .finally(() => {
        this.#filling = undefined;
      });
    return this.#filling;
  }

  async #readRecords(): Promise<void> {
    while (this.#incomplete && this.#state !== 'closed') {
      this.#incomplete = false;
      const answer = await this.#asking.until('getAttendanceSessionData', { session_id: this.session_id });
      if ('attendanceRecords' in answer) for (const record of answer.attendanceRecords) this.#register.put(record);
      this.emit('resynced', { from_seq: this.seq, to_seq: this.seq });
      if (this.#incomplete) await this.#pause.wait(FILL_IN_PAUSE_MS);
    }
  }

  #refused(error: unknown): void {
    if (this.#over) return;
    const refusal =
      error instanceof RollcallClientError
        ? error
        : new RollcallClientError('INTERNAL', 'The answer could not be understood', { cause: error });
    // The session ended while this client was away.
    if (refusal.code === 'SESSION_NOT_ACTIVE' || refusal.code === 'SESSION_ENDED') {
      this.#finish();
      return;
    }
    this.close();
    this.emit('error', refusal);
  }

  #unsubscribe(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#subscriptions = [];
  }

  #setState(state: LiveState): void {
    if (this.#state === state || this.#state === 'closed') return;
    if (this.#state === 'ended' && state !== 'closed') return;
    this.#state = state;
    this.emit('state', state);
  }
}
