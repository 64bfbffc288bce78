import type { AttendanceRecord, EndReason, ServerPayload, Session, Statistics } from '@rollcall/protocol';
import { ASKING_DELAY, Asking } from './asking.js';
import { type CaughtUp, catchUpStudent, catchUpTeacher } from './catch-up.js';
import { backoff, Pause } from './delays.js';
import type { Unsubscribe } from './emitter.js';
import { RollcallClientError } from './errors.js';
import type { Answer, Caller, CheckInCode, CommandOptions } from './events.js';
import { FillIn } from './fill-in.js';
import { History, type Position } from './history.js';
import {
  changeOfEnd,
  changeOfUpdate,
  changesOfBatch,
  changesOfBulk,
  changesOfJoin,
  type LiveChange,
} from './live-change.js';
import type {
  FirstAnswer,
  LiveSessionEvents,
  LiveSessionOptions,
  LiveSnapshot,
  LiveState,
} from './live-session-types.js';
import { type OnlineStudent, Presence } from './presence.js';
import { Register } from './register.js';
import { Sequence } from './sequence.js';
import { SessionCommands } from './session-commands.js';
import { SessionEvents } from './session-events.js';
import { Snapshots } from './snapshots.js';

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
  readonly #events: SessionEvents;
  readonly #snapshots = new Snapshots<LiveSnapshot>(() => this.#snapshot());
  readonly #pause = new Pause();
  readonly #asking: Asking;
  readonly #fillIn: FillIn;
  #state: LiveState = 'catching-up';
  #studentId: string | undefined;
  #code: CheckInCode | undefined;
  /** True while the server may know of entries that this client will not get by itself. */
  #behind = false;
  /** True where the connection was lost since a catch-up began. */
  #lost = false;
  #catchingUp = true;
  /** The end as it was announced; it is applied when its turn comes. */
  #ending: ServerPayload<'attendanceSessionEnded'> | undefined;

  private constructor(caller: Caller, { session_id, role }: LiveSessionOptions) {
    super(caller, session_id);
    this.role = role;
    this.#events = new SessionEvents(caller, session_id);
    this.#asking = new Asking(caller, this.#pause, () => this.#over);
    this.#fillIn = new FillIn({
      session_id,
      asking: this.#asking,
      pause: this.#pause,
      take: (records) => {
        for (const record of records) this.#register.put(record);
        this.emit('resynced', { from_seq: this.seq, to_seq: this.seq });
      },
      failed: (error) => this.#refused(error),
    });
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

  /** Whether what is here is up to date; the event `state` tells of changes. */
  get state(): LiveState {
    return this.#state;
  }

  /** The last journal entry that was applied, or passed over because a student doesn't see it. */
  get seq(): number {
    return this.#sequence.seq;
  }

  /** The session itself. null for a student until the session ends: students aren't sent it before. */
  get session(): Session | null {
    return this.#register.session;
  }

  /** As the server last said; null where it hasn't, as for a student whom visibility keeps from them. */
  get statistics(): Statistics | null {
    return this.#register.statistics;
  }

  /**
   * By student_id. For a teacher every record; for a student their own and those seen changing. The map changes in
   * place; `getSnapshot` has one that doesn't.
   */
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

  /**
   * The session at this moment, for views that compare: the same object until something changed, and then another one.
   * Copies the records where one changed since the last call, so ask once for all that changed: `subscribe` tells when.
   * `useSyncExternalStore(session.subscribe, session.getSnapshot)` is all that React needs.
   */
  readonly getSnapshot = (): LiveSnapshot => this.#snapshots.get();

  /** Calls the listener after `getSnapshot` has changed, once for all that changed in one go. Returns what stops it. */
  readonly subscribe = (listener: () => void): Unsubscribe => this.#snapshots.subscribe(listener);

  /** A student goes: stops following and tells the server. The check-in stays. */
  leave(options?: CommandOptions): Promise<Answer<'leaveAttendanceSession'>> {
    this.close();
    return this.caller.request('leaveAttendanceSession', { session_id: this.session_id }, options);
  }

  /** Stops following. Nothing is sent: the session goes on, and so does the client. */
  close(): void {
    this.#events.stop();
    this.#setState('closed');
    this.#presence.stop();
    this.#asking.stop();
  }

  protected override emit<Name extends keyof LiveSessionEvents>(name: Name, payload: LiveSessionEvents[Name]): void {
    // Whatever changes is told by an event.
    this.#snapshots.touch();
    super.emit(name, payload);
  }

  #snapshot(): LiveSnapshot {
    const { state, seq, session, statistics, own, code } = this;
    const [records, online] = [this.#register.records.snapshot(), this.#presence.online.snapshot()];
    return { state, seq, session, statistics, records, online, own, code };
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
    const on: SessionEvents['on'] = (name, take) => this.#events.on(name, take);
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
    on('state', ({ state }) => this.#onConnection(state));
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
  #startAnew({ records, head, ...position }: CaughtUp): void {
    const [from_seq, to_seq] = [this.seq, position.seq];
    this.#register.replace(records);
    this.#ending = undefined;
    this.#fillIn.forget();
    this.#history.restart(position);
    const due = this.#sequence.restart(to_seq);
    if (head) this.#takeHead(head);
    this.emit('reset', { from_seq, to_seq });
    this.#apply(due);
    if (this.#lost) this.#sequence.hold();
    if (isOver(head?.session)) this.#finish();
  }

  #apply(changes: readonly LiveChange[]): void {
    for (const change of changes) {
      // A listener of the one before may have closed the session.
      if (this.#state === 'closed') return;
      const applied = this.#register.apply(change);
      this.#history.applied(change);
      // Teachers' records have an e-mail address or null; those of broadcasts have none.
      if (this.role === 'teacher' && change.student_id !== undefined && applied.record?.student.email === undefined) {
        this.#fillIn.need();
      }
      this.emit('change', applied);
      if (change.type === 'ended' && !this.#over) this.#finish(change);
    }
    if (this.#fillIn.needed && !this.#catchingUp) void this.#fillIn.run();
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
    this.#events.stop();
    this.#presence.stop();
    this.#presence.online.clear();
    this.#code = undefined;
    this.#setState('ended');
    this.emit('ended', {
      // Of an entry of this type it is one of these.
      reason: ended?.reason ?? (change?.reason as EndReason | undefined),
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
      const upTo = await this.#takeMissed();
      if (this.#fillIn.needed) await this.#fillIn.run();
      if (!this.#over) await this.#listOnline();
      this.emit('resynced', { from_seq, to_seq: this.seq });
      if (!this.#sequence.gap && this.seq >= upTo) continue;
      this.#behind = true;
      fruitless = this.seq > from_seq ? 0 : fruitless + 1;
      if (fruitless > 0) await this.#pause.wait(backoff(fruitless, ASKING_DELAY));
    }
  }

  /** @returns the seq that the server is at */
  async #takeMissed(): Promise<number> {
    const ask = this.role === 'teacher' ? catchUpTeacher : catchUpStudent;
    const missed = await ask(this.#asking, this.#history, this.session_id, this.seq);
    if (!missed) return Number.POSITIVE_INFINITY;
    if (missed.goesOn) {
      if (missed.head) this.#takeHead(missed.head);
      for (const record of missed.records) this.#register.put(record);
      this.#settle(missed.changes, missed);
    } else this.#startAnew(missed);
    return missed.seq;
  }

  async #listOnline(): Promise<void> {
    if (this.role !== 'teacher' || this.#register.session?.status === 'scheduled') return;
    await this.#presence.list();
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

  #setState(state: LiveState): void {
    if (this.#state === state || this.#state === 'closed') return;
    if (this.#state === 'ended' && state !== 'closed') return;
    this.#state = state;
    this.emit('state', state);
  }
}
