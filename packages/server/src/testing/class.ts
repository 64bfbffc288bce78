import type { SessionId } from '@rollcall/protocol';
import { expect } from 'vitest';
import type { Entry } from '../journal/entries.js';
import { readEntries } from '../storage/contract/journal-access.js';
import type { School } from '../storage/port.js';
import { fileOf, lockWrites } from './database-file.js';
import { schoolOf } from './school.js';
import { type Answer, type Client, type Payload, startServer, type TestServer } from './server.js';

/** Nobody is throttled: the tests of the rate have servers of their own. */
export const UNLIMITED = { RATE_LIMIT_TEACHER_PER_SECOND: '0', RATE_LIMIT_STUDENT_PER_SECOND: '0' };

export const sessionId = (id: string): SessionId => id as SessionId;

export interface Class {
  readonly server: TestServer;
  /** `ada`, who started session-1. */
  readonly teacher: Client;
  /** The answer to the start. */
  readonly started: Answer;
}

export interface ClassOptions {
  readonly variables?: Record<string, string>;
  readonly policy?: Record<string, unknown>;
  readonly school?: School;
}

/** A server with session-1 of course-1 started by ada. */
export async function startedClass(students: number, options: ClassOptions = {}): Promise<Class> {
  const server = await startServer({ ...UNLIMITED, ...options.variables }, options.school ?? schoolOf(students));
  const teacher = await server.connect('ada');
  const { policy } = options;
  const started = await accepted(
    teacher.send('startAttendanceSession', { session_id: 'session-1', ...(policy && { policy }) }),
  );
  return { server, teacher, started };
}

/** A student's socket that has joined session-1. */
export async function joined(server: TestServer, uid: string, session_id = 'session-1'): Promise<Client> {
  const client = await server.connect(uid);
  await accepted(client.send('joinAttendanceSession', { session_id }));
  return client;
}

/** The acknowledgement of a command that succeeds. */
export async function accepted(answer: Promise<Answer>): Promise<Answer> {
  const ack = await answer;
  expect(ack).toMatchObject({ ok: true });
  return ack;
}

/** The error of a command that is refused. */
export async function refused(answer: Promise<Answer>): Promise<NonNullable<Answer['error']>> {
  const ack = await answer;
  if (ack.ok || !ack.error) throw new Error(`not refused: ${JSON.stringify(ack)}`);
  return ack.error;
}

/**
 * Everything that was on its way to this client when it is called has come once it resolves, and what the client sent
 * before has reached the register. Asks the database nothing, so that it goes through while that is locked.
 */
export async function caughtUp(...clients: Client[]): Promise<void> {
  await Promise.all(clients.map((client) => client.send('unsubscribeFromCourse', { course_id: 'none' })));
}

/**
 * Keeps the server from committing anything until `release`, for less than the 10 s that it waits. The course was looked
 * up before, so that the commands of its teachers need no database.
 */
export async function holdCommits(server: TestServer): Promise<{ release(): void }> {
  const colleague = await server.connect('cyd');
  await accepted(colleague.send('getOnlineStudents', { session_id: 'session-1' }));
  colleague.close();
  return lockWrites(fileOf(server));
}

export const journalOf = (server: TestServer, session_id = 'session-1'): Promise<Entry[]> =>
  readEntries(server.storage, sessionId(session_id), 0, 1_000_000);

export type Row = Payload & {
  readonly _id: string;
  readonly student_id: string;
  readonly status: string;
  readonly remarks: string | null;
  readonly checked_in_at: string | null;
  readonly seq: number;
};

export const rowsOf = (payload: Payload, field = 'attendanceRecords'): Row[] => payload[field] as Row[];

export function rowOf(payload: Payload, student_id: string): Row {
  const found = rowsOf(payload).find((row) => row.student_id === student_id);
  if (!found) throw new Error(`no record of ${student_id}`);
  return found;
}

/** What the server says of a session now. */
export const dataOf = (teacher: Client, session_id = 'session-1'): Promise<Answer> =>
  accepted(teacher.send('getAttendanceSessionData', { session_id }));

export const mark = (
  teacher: Client,
  student_id: string,
  status: string,
  extra: Record<string, unknown> = {},
): Promise<Answer> => teacher.send('markStudentAttendance', { session_id: 'session-1', student_id, status, ...extra });

export const bulk = (
  teacher: Client,
  attendanceUpdates: unknown,
  extra: Record<string, unknown> = {},
): Promise<Answer> => teacher.send('bulkUpdateAttendance', { session_id: 'session-1', attendanceUpdates, ...extra });

export const end = (teacher: Client, extra: Record<string, unknown> = {}): Promise<Answer> =>
  teacher.send('endAttendanceSession', { session_id: 'session-1', ...extra });
