import type { CourseId, ServerEventName, ServerPayload, SessionId, StudentId } from '@rollcall/protocol';
import type { Namespace, Socket } from 'socket.io';
import { amendedOf, codeOf, encodedRecordOf, isoOf, ownSessionDataOf, recordOf } from '../../commands/present.js';
import type { SessionIndex } from '../../commands/session-index.js';
import type { Snapshots } from '../../commands/snapshots.js';
import { activeSessionsData } from '../../courses/active-sessions.js';
import { EncodedPayload } from '../../encoded-payload.js';
import { chainMark } from '../../journal/commit.js';
import {
  type AmendedEntry,
  type CheckedInEntry,
  type EndedEntry,
  type Entry,
  givesStatus,
  type MarkedEntry,
  type StatusEntry,
} from '../../journal/entries.js';
import { lineAsOf } from '../../register/fold.js';
import type { LiveSession, Publisher } from '../../register/live-session.js';
import type { Publication } from '../../register/publication.js';
import type { SessionState } from '../../register/session-state.js';
import type { Deadline } from '../../timeouts/deadline.js';
import { Broadcast } from './broadcast.js';
import { CourseLists } from './course-lists.js';
import type { BundleWriter } from './engine/bundle.js';
import { batchedChangeOf, joinedOf, leftOf, queueOf, updateHeadOf } from './notice-payloads.js';
import {
  amendmentsRoom,
  attendanceRoom,
  batchedRoom,
  courseRoom,
  displayRoom,
  eachRoom,
  ownRooms,
  roomsOfSession,
  teacherRoom,
  teachersBatchedRoom,
  teachersEachRoom,
} from './rooms.js';
import { StatisticsTicker } from './statistics-ticker.js';

export interface SocketPublisherOptions {
  /** Above this number of records, students' finalData holds their own record only. */
  readonly finalDataRecords: number;
  readonly writer: BundleWriter;
  readonly snapshots: Snapshots;
  /** Address under which people reach the server, for the links in check-in codes. */
  readonly publicUrl: () => string;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  /** Called with what was sent, for the debug log. */
  /** Ends the connection of a display whose session is over. */
  readonly dismiss: (socket: Socket) => void;
  readonly onEmit: (event: string, sessionId: SessionId, payload: object) => void;
}

/** Committed entries → the protocol's events, in the rooms that may see them. The one way out to sockets. */
export class SocketPublisher implements Publisher {
  readonly #namespace: Namespace;
  readonly #options: SocketPublisherOptions;
  readonly #statistics: StatisticsTicker<LiveSession>;
  readonly #broadcast: Broadcast;
  /** Marks of the commit that is being published, for those who get it in one frame. */
  readonly #batches = new Map<LiveSession, StatusEntry[]>();
  readonly #courseLists: CourseLists;
  #index: SessionIndex | undefined;
  #elsewhere: (live: LiveSession, entries: readonly Entry[]) => void = () => {};
  #onCommitted: (live: LiveSession, entries: readonly Entry[], committedHere: boolean) => void = () => {};

  constructor(namespace: Namespace, options: SocketPublisherOptions) {
    this.#namespace = namespace;
    this.#options = options;
    this.#broadcast = new Broadcast(namespace, options.writer);
    this.#courseLists = new CourseLists((courseId, live) => this.#tellCourse(courseId, live));
    this.#statistics = new StatisticsTicker((live, everyone) => {
      const payload = this.#statisticsOf(live);
      const { session_id } = live;
      this.#gather(
        live,
        [teacherRoom(session_id), displayRoom(session_id), ...(everyone ? [attendanceRoom(session_id)] : [])],
        'attendanceStatistics',
        payload,
      );
      this.#broadcast.flush();
    });
  }

  /** Which sessions are live is asked for when a course is told; they need the publisher first. */
  serve(index: SessionIndex): void {
    this.#index = index;
  }

  /** Called with all that is committed, once it is told; `committedHere`: by this node. */
  onCommitted(listener: (live: LiveSession, entries: readonly Entry[], committedHere: boolean) => void): void {
    this.#onCommitted = listener;
  }

  /** Called with entries that no socket of this node sent, once they are told. */
  onElsewhere(listener: (live: LiveSession, entries: readonly Entry[]) => void): void {
    this.#elsewhere = listener;
  }

  close(): void {
    this.#statistics.close();
    this.#courseLists.close();
  }

  opening(state: SessionState): void {
    this.#options.snapshots.records(state, 'teacher');
  }

  committed(live: LiveSession, publication: Publication): void {
    const { entries, answer } = publication;
    try {
      this.#committed(live, publication);
      if (!answer) this.#elsewhere(live, entries);
    } finally {
      this.#onCommitted(live, entries, answer !== undefined);
    }
  }

  #committed(live: LiveSession, publication: Publication): void {
    const [first] = publication.entries;
    // An answer may bring a student's socket into the rooms: what came before is none of its business.
    if (first?.type === 'checked_in') {
      this.#gatherBatch(live);
      this.#broadcast.flush([teacherRoom(live.session_id)]);
    } else if (first?.type !== 'marked' && first?.type !== 'cleared') this.#broadcast.flush();
    // The end answers in the middle of what it sends.
    if (first?.type === 'ended') {
      this.#ended(live, first, publication);
      return;
    }
    try {
      publication.answer?.();
    } finally {
      // It is committed: others are told of it, whatever became of the answer.
      if (first?.type === 'started' || first?.type === 'adopted') this.#started(live);
      else this.#changed(live, publication);
    }
  }

  /**
   * All commands of a commit have been published. Statistics that are due go out with them: to a hall of thousands,
   * another write for each socket would hold up the next mark for as long as this one took.
   */
  flush(live: LiveSession): void {
    const due = this.#statistics.take(live);
    const payload = due && this.#statisticsOf(live);
    const { session_id } = live;
    if (payload && due.everyone) {
      const each = [eachRoom(session_id), teachersEachRoom(session_id), displayRoom(session_id)];
      this.#gather(live, each, 'attendanceStatistics', payload);
    }
    this.#gatherBatch(live);
    if (payload && due.everyone) {
      this.#gather(live, [batchedRoom(session_id), teachersBatchedRoom(session_id)], 'attendanceStatistics', payload);
    } else if (payload) {
      this.#gather(live, [teacherRoom(session_id), displayRoom(session_id)], 'attendanceStatistics', payload);
    }
    this.#broadcast.flush();
  }

  /** The marks of the commit so far, for those who get them in one frame. */
  #gatherBatch(live: LiveSession): void {
    const marks = this.#batches.get(live);
    const [first] = marks ?? [];
    const last = marks?.at(-1);
    if (!marks || !first || !last) return;
    this.#batches.delete(live);
    const { session_id, state } = live;
    const isPrivate = state.policy.visibility === 'private';
    const rooms = [...(isPrivate ? [] : [batchedRoom(session_id)]), teachersBatchedRoom(session_id)];
    if (!this.#anyIn(rooms)) return;
    this.#gather(live, rooms, 'attendanceChanges', {
      session_id,
      from_seq: first.seq,
      to_seq: last.seq,
      // Within a commit, and behind it, there is no chain to compare.
      ...(last.seq === live.state.seq && { chain: chainMark(live.state.chain) }),
      changes: marks.map(batchedChangeOf),
    });
  }

  #changed(live: LiveSession, publication: Publication): void {
    const { entries } = publication;
    const marks = entries.filter((entry) => entry.type === 'marked');
    const bulk = marks[0]?.group !== undefined;
    const statuses = entries.filter(givesStatus);
    for (const entry of entries) {
      if (entry.type === 'checked_in') this.#checkedIn(live, entry);
      else if (entry.type === 'amended') this.#amended(live, entry);
      else if (givesStatus(entry)) {
        if (!bulk) this.#updated(live, entry, publication);
        const batch = this.#batches.get(live);
        if (batch) batch.push(entry);
        else this.#batches.set(live, [entry]);
      }
    }
    if (bulk) this.#bulkUpdated(live, marks);
    if (!live.state.ending)
      this.#statistics.changed(live, statuses.length > 0 && live.state.policy.visibility === 'participants');
  }

  left(live: LiveSession, studentId: StudentId, at: number): void {
    const student = live.state.line(studentId)?.student;
    if (!student) return;
    const payload = leftOf(live, student, at);
    const teachers = [teacherRoom(live.session_id)];
    // A shipped app listens to the second name.
    this.#emit(live, teachers, 'studentLeftAttendance', payload);
    this.#emit(live, teachers, 'studentLeft', payload);
    this.presenceChanged(live);
  }

  /** A student is back whose going was announced. */
  returned(live: LiveSession, studentId: StudentId, at: number): void {
    this.#announceJoined(live, studentId, at, undefined);
    this.#broadcast.flush();
    this.presenceChanged(live);
  }

  presenceChanged(live: LiveSession): void {
    this.#statistics.changed(live, false);
  }

  expiring(live: LiveSession, endsAt: number, reason: Deadline['reason']): void {
    const { session_id } = live;
    const payload = { session_id, ends_at: isoOf(endsAt), reason };
    this.#emit(live, [teacherRoom(session_id)], 'attendanceSessionExpiring', payload);
  }

  /** The check-in code of this moment, to all teachers and displays that are there. */
  codeChanged(live: LiveSession): void {
    const rooms = [teacherRoom(live.session_id), displayRoom(live.session_id)];
    const payload = this.#anyIn(rooms) && this.#codeOf(live);
    if (payload) this.#emit(live, rooms, 'attendanceCode', payload);
  }

  /** The same to one who has just come. */
  tellCode(live: LiveSession, socket: Socket): void {
    const payload = this.#codeOf(live);
    if (!payload) return;
    socket.emit('attendanceCode', payload);
    this.#options.onEmit('attendanceCode', live.session_id, payload);
  }

  /** A display begins with how the session stands. */
  tellDisplay(live: LiveSession, socket: Socket): void {
    this.tellCode(live, socket);
    const { value } = this.#statisticsOf(live);
    socket.emit('attendanceStatistics', value);
    this.#options.onEmit('attendanceStatistics', live.session_id, value);
  }

  /** The last of what a display gets: how the session stood. */
  #endDisplays(live: LiveSession): void {
    const room = displayRoom(live.session_id);
    this.#emit(live, [room], 'attendanceStatistics', this.#statisticsOf(live));
    for (const id of [...(this.#namespace.adapter.rooms.get(room) ?? [])]) {
      const socket = this.#namespace.sockets.get(id as Socket['id']);
      if (socket) this.#options.dismiss(socket);
    }
  }

  #codeOf({ codes, session_id, state }: LiveSession): ServerPayload<'attendanceCode'> | undefined {
    if (!codes || state.ending) return undefined;
    return codeOf(session_id, codes.at(this.#options.now()), this.#options.publicUrl());
  }

  #checkedIn(live: LiveSession, { student_id, at, seq }: CheckedInEntry): void {
    this.#announceJoined(live, student_id, at, seq);
  }

  /** The check-ins of a commit go out together, as a storm of them comes in. */
  #announceJoined(live: LiveSession, studentId: StudentId, at: number, seq: number | undefined): void {
    const line = live.state.line(studentId);
    if (!line || line.checked_in_at === null) return;
    const rooms = [teacherRoom(live.session_id)];
    this.#gather(live, rooms, 'studentJoinedAttendance', joinedOf(live, line, at, seq));
  }

  #amended(live: LiveSession, entry: AmendedEntry): void {
    this.#gather(live, [amendmentsRoom(live.session_id)], 'attendanceAmended', amendedOf(live.session_id, entry));
  }

  #updated(live: LiveSession, entry: StatusEntry, publication: Publication): void {
    const line = live.state.line(entry.student_id);
    const rooms = this.#roomsOf(live, entry.student_id);
    if (!line || !this.#anyIn(rooms)) return;
    // The state may be ahead of this entry, since its whole batch is folded: the record is told as of the entry.
    const { session_id } = live;
    const head = updateHeadOf(live, entry);
    const record = encodedRecordOf(publication, session_id, lineAsOf(line, entry));
    const payload = EncodedPayload.with(head, 'attendanceRecord', record);
    this.#gather(live, rooms, 'attendanceUpdated', payload);
  }

  #bulkUpdated(live: LiveSession, entries: readonly MarkedEntry[]): void {
    const [first] = entries;
    const last = entries.at(-1);
    if (!first || !last) return;
    const recordFor = (studentId: StudentId, entry?: MarkedEntry) => {
      const line = live.state.line(studentId);
      return line ? [recordOf(live.session_id, entry ? lineAsOf(line, entry) : line, 'everyone')] : [];
    };
    const head = {
      session_id: live.session_id,
      updated_by: first.actor.name,
      updated_at: isoOf(first.at),
      seq: last.seq,
    };
    const payload = () => ({
      ...head,
      updatedRecords: [
        ...entries.flatMap((entry) => recordFor(entry.student_id, entry)),
        ...(first.unchanged ?? []).flatMap((studentId) => recordFor(studentId)),
      ],
    });
    const isPrivate = live.state.policy.visibility === 'private';
    const rooms = isPrivate ? [teachersEachRoom(live.session_id)] : this.#roomsOf(live, first.student_id);
    if (this.#anyIn(rooms)) this.#gather(live, rooms, 'attendanceBulkUpdated', payload());
    if (!isPrivate) return;
    for (const entry of entries) {
      const own = this.#ownRooms(live, entry.student_id);
      if (!this.#anyIn(own)) continue;
      const updatedRecords = recordFor(entry.student_id, entry);
      this.#emit(live, own, 'attendanceBulkUpdated', { ...head, updatedRecords });
    }
  }

  /** Who gets a change by itself: teachers, and every participant or, where they see their own alone, the student. */
  #roomsOf(live: LiveSession, studentId: StudentId): string[] {
    const { session_id, state } = live;
    const isPrivate = state.policy.visibility === 'private';
    return [...(isPrivate ? this.#ownRooms(live, studentId) : [eachRoom(session_id)]), teachersEachRoom(session_id)];
  }

  /** Who is a student of the session on a socket on which they teach it too is told as a teacher. */
  #ownRooms(live: LiveSession, studentId: StudentId): string[] {
    const teachers = this.#namespace.adapter.rooms.get(teacherRoom(live.session_id));
    return ownRooms(live, studentId).filter((socketId) => !teachers?.has(socketId));
  }

  /** Nothing is built for nobody. */
  #anyIn(rooms: readonly string[]): boolean {
    return rooms.some((room) => this.#namespace.adapter.rooms.has(room));
  }

  #started(live: LiveSession): void {
    const { facts, started_at } = live.state;
    if (facts.course_id === null) return;
    this.#emit(live, [courseRoom(facts.course_id)], 'courseSessionStarted', {
      course_id: facts.course_id,
      session_id: live.session_id,
      teacher_id: facts.teacher_id,
      teacher_name: facts.teacher_name,
      session_topic: facts.topic,
      total_students: live.statistics.totalStudents,
      started_at: isoOf(started_at),
    });
    this.#courseLists.changed(live);
  }

  /** In this order: a shipped app drops its listeners on the last of them. */
  #ended(live: LiveSession, { at, actor, reason }: EndedEntry, { answer }: Publication): void {
    const { session_id, state, statistics } = live;
    const head = { ended_by: actor.name, ended_at: isoOf(at) };
    this.#statistics.stop(live);
    this.flush(live);
    const { course_id } = state.facts;
    if (course_id !== null) {
      const payload = { course_id, session_id, final_statistics: statistics, ...head };
      this.#emit(live, [courseRoom(course_id)], 'courseSessionEnded', payload);
      this.#courseLists.changed(live);
    }
    answer?.();
    const everything = this.#options.snapshots.data(state, statistics, 'everyone');
    const participants = attendanceRoom(session_id);
    const teachers = teacherRoom(session_id);
    const own = state.policy.visibility === 'private' || state.size > this.#options.finalDataRecords;
    const tell = (rooms: readonly string[], finalData: object) =>
      this.#emit(
        live,
        rooms,
        'attendanceSessionEnded',
        EncodedPayload.with({ session_id, ...head, reason }, 'finalData', EncodedPayload.of(finalData)),
      );
    tell(own ? [teachers] : [participants, teachers], everything);
    if (own) {
      for (const { student_id } of live.presence.list()) {
        tell(this.#ownRooms(live, student_id), ownSessionDataOf(state, statistics, state.line(student_id)));
      }
    }
    this.#endDisplays(live);
    for (const room of roomsOfSession(session_id)) this.#namespace.local.in(room).socketsLeave(room);
  }

  /** @returns how many sessions the list holds */
  #tellCourse(courseId: CourseId, live: LiveSession): number {
    const stillLive = [...(this.#index?.ofCourse(courseId) ?? [])].filter(({ state }) => state.ending === null);
    // Under the seed's name alone: a shipped app that knows it by another asks for it.
    this.#emit(live, [courseRoom(courseId)], 'activeSessionsData', activeSessionsData(courseId, stillLive));
    return stillLive.length;
  }

  #statisticsOf(live: LiveSession): EncodedPayload {
    const payload: ServerPayload<'attendanceStatistics'> = {
      session_id: live.session_id,
      seq: live.state.seq,
      statistics: live.statistics,
      at: isoOf(Date.now()),
    };
    return EncodedPayload.of(payload);
  }

  /** Goes out with what comes next for the same rooms; nothing is written for nobody. */
  #gather<Name extends ServerEventName>(
    live: LiveSession,
    rooms: readonly string[],
    event: Name,
    payload: ServerPayload<Name> | EncodedPayload,
  ): void {
    if (!this.#anyIn(rooms)) return;
    this.#broadcast.gather(queueOf(live), rooms, neverWaiting(live), event, payload);
    this.#options.onEmit(event, live.session_id, payload);
  }

  #emit<Name extends ServerEventName>(
    live: LiveSession,
    rooms: readonly string[],
    event: Name,
    payload: ServerPayload<Name> | EncodedPayload,
  ): void {
    // Nothing is written for nobody, and to no room at all would be to everybody.
    if (!this.#anyIn(rooms)) return;
    this.#broadcast.emit(queueOf(live), rooms, neverWaiting(live), event, payload);
    this.#options.onEmit(event, live.session_id, payload);
  }
}

/** Few, and watched by many. */
const neverWaiting = ({ session_id }: LiveSession): string[] => [teacherRoom(session_id), displayRoom(session_id)];
