import type { SessionId } from '@rollcall/protocol';
import { readEntries } from '../storage/contract/journal-access.js';
import type { School } from '../storage/port.js';
import { writeTo } from '../testing/database.js';
import { schoolOf } from '../testing/school.js';
import { type Client, freshId, type Payload, startServer, type TestServer } from '../testing/server.js';
import { type CourseKind, ROLES, type Role, type SessionEvent, type SessionKind } from './rights-table.test.support.js';

const KINDS: readonly SessionKind[] = [
  'own-scheduled',
  'own-active',
  'own-ended',
  'own-cancelled',
  'foreign-scheduled',
  'foreign-active',
  'foreign-ended',
  'open-active',
  'open-ended',
];

/** A school in which every cell of the table can be tried: a socket per role, sessions of every kind, and onlookers. */
export interface Scene {
  readonly server: TestServer;
  readonly clients: Readonly<Record<Role, Client>>;
  /** Sockets that get whatever is broadcast, to each of the rooms. */
  readonly onlookers: readonly Client[];
  /** One session of each kind that nobody may change. */
  readonly sessions: ReadonlyMap<SessionKind, string>;
  /** Makes another session of this kind. */
  make(kind: SessionKind): Promise<string>;
  journalLength(sessionId: string): Promise<number>;
}

const nothing: School = { teachers: [], students: [], admins: [], courses: [], enrollments: [], sessions: [] };

export async function setScene(): Promise<Scene> {
  const school = schoolOf(2);
  const admins = [...school.admins, { uid: 'bare', name: 'Bare', email: null }];
  const server = await startServer(
    { RATE_LIMIT_TEACHER_PER_SECOND: '0', RATE_LIMIT_STUDENT_PER_SECOND: '0' },
    { ...school, admins },
    {
      prepare: (_storage, config) => writeTo(config, `UPDATE users SET is_admin = 0 WHERE uid = 'bare'`),
    },
  );
  const journalLength = async (sessionId: string) =>
    (await readEntries(server.storage, sessionId as SessionId, 0, 10_000)).length;

  // The roles' sockets come first: later ones would be put into the rooms of running sessions.
  const connected = await Promise.all(ROLES.map(async (uid) => [uid, await server.connect(uid)] as const));
  const clients = Object.fromEntries(connected) as Record<Role, Client>;
  const onlookers: Client[] = [];
  const [ada, eve] = [await server.connect('ada'), await server.connect('eve')];

  async function make(kind: SessionKind): Promise<string> {
    const id = freshId(kind);
    const [course, state] = kind.split('-');
    if (kind === 'unknown') return id;
    if (course !== 'open')
      await imported(server, id, course === 'own' ? 'course-1' : 'course-2', state === 'cancelled');
    if (state === 'scheduled' || state === 'cancelled') return id;
    const teacher = course === 'foreign' ? eve : ada;
    await done(teacher, 'startAttendanceSession', { session_id: id });
    if (state === 'ended') await done(teacher, 'endAttendanceSession', { session_id: id });
    return id;
  }

  const sessions = new Map<SessionKind, string>();
  for (const kind of KINDS) sessions.set(kind, await make(kind));
  for (const uid of ['s-1', 'outsider', 'ada', 'eve', 'root']) {
    const onlooker = await server.connect(uid);
    onlookers.push(onlooker);
    for (const kind of ['own-active', 'foreign-active', 'open-active'] as const) {
      const payload = { session_id: sessions.get(kind) };
      await onlooker.send('joinAttendanceSession', payload);
      await onlooker.send('watchAttendanceSession', payload);
    }
    for (const course_id of ['course-1', 'course-2']) await onlooker.send('subscribeToCourse', { course_id });
  }
  const scene = { server, clients, onlookers, sessions, make, journalLength };
  await settled(scene);
  return scene;
}

async function imported({ storage }: TestServer, id: string, course_id: string, cancelled: boolean): Promise<void> {
  const [sample] = schoolOf(0).sessions;
  if (!sample) throw new TypeError('the school has no session');
  const session = { ...sample, id, course_id, status: cancelled ? ('cancelled' as const) : ('scheduled' as const) };
  await storage.school.importSchool({ ...nothing, sessions: [session] }, { dryRun: false });
}

async function done(client: Client, event: string, payload: object): Promise<void> {
  const answer = await client.send(event, payload);
  if (!answer.ok) throw new Error(`${event}: ${JSON.stringify(answer.error)}`);
}

interface Settling {
  readonly clients: Readonly<Record<string, Client>>;
  readonly onlookers: readonly Client[];
}

/** Resolves when all that the server has sent so far has arrived everywhere. */
export async function settled({ clients, onlookers }: Settling): Promise<void> {
  const everybody = [...Object.values(clients), ...onlookers];
  await Promise.all(everybody.map((client) => client.send('unsubscribeFromCourse', { course_id: 'no course' })));
}

/** A payload with which only rights and state decide. */
export function payloadOf(event: SessionEvent, kind: SessionKind, session_id: string): Payload {
  const student_id = kind.startsWith('foreign') ? 'student-outsider' : 'student-1';
  switch (event) {
    case 'markStudentPresent':
    case 'markStudentAbsent':
      return { session_id, student_id, remarks: 'by the table' };
    case 'markStudentAttendance':
      return { session_id, student_id, status: 'late' };
    case 'clearStudentMark':
      return { session_id, student_id };
    case 'amendAttendance':
      return { session_id, student_id, status: 'late', reason: 'by the table' };
    case 'bulkUpdateAttendance':
      return { session_id, attendanceUpdates: [{ student_id, status: 'excused' }] };
    default:
      return { session_id };
  }
}

export const coursePayload = (kind: CourseKind): Payload =>
  kind === 'none' ? {} : { course_id: { own: 'course-1', foreign: 'course-2', unknown: 'course-3' }[kind] };

/** What arrived at a client since, statistics of a class that goes on left out. */
export function since(client: Client, from: number): Array<{ event: string; payload: Payload }> {
  const news = client.events.slice(from).filter(({ event }) => event !== 'attendanceStatistics');
  return news.map(({ event, payload }) => ({ event, payload }));
}
