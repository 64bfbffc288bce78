import { type ClientInput, RollcallError } from '@rollcall/protocol';
import { type AckExtra, type Call, defineCommand, type Services } from '../commands/command.js';
import { positionOf, sessionOfState } from '../commands/present.js';
import { notSessionTeacher, requireSessionTeacher, requireTeacher, teachesCourse } from '../commands/rights.js';
import { Written } from '../commands/written.js';
import type { SessionFacts, StartedEntry } from '../journal/entries.js';
import { newCodeKey } from '../register/check-in-codes.js';
import { opId, repetition } from '../register/decide.js';
import type { LiveSession } from '../register/live-session.js';
import { rosterOf } from '../register/roster.js';
import type { StoredSession } from '../storage/port.js';

type StartCall = Call<'startAttendanceSession'>;

export const startAttendanceSession = defineCommand({
  name: 'startAttendanceSession',
  async handle(call, services) {
    const { input, person } = call;
    requireTeacher(person);
    await services.sessions.open(input.session_id, {
      build: (stored) => openingEntry(call, stored, services),
      prepare: (state) => void services.snapshots.records(state, 'teacher'),
      started: (live) => attach(call, live, {}, services),
      already: async (live) => {
        await requireSessionTeacher(person, live.state.facts, 'start attendance', services);
        const repeated = repetition(live.state, { ...call, op_id: input.op_id }) ?? {};
        await call.chargeFor(live.state.size);
        attach(call, live, repeated, services);
      },
      over: async (state) => {
        await requireSessionTeacher(person, state.facts, 'start attendance', services);
        throw new RollcallError('SESSION_ENDED');
      },
    });
  },
});

/** The caller's screen from now on: everything that is known, and every change to come. */
function attach(call: StartCall, live: LiveSession, repeated: { kind?: string }, { snapshots }: Services): void {
  const { state, statistics } = live;
  const records = snapshots.records(state, 'teacher');
  call.connection?.watch(live);
  const head = {
    session_id: live.session_id,
    session: sessionOfState(state),
    totalStudents: statistics.totalStudents,
    policy: state.policy,
    statistics,
    ...positionOf(state),
  };
  const extra: AckExtra = repeated.kind === 'repeated' ? { duplicate: true } : {};
  call.answer('attendanceSessionStarted', Written.with(head, 'attendanceRecords', records), extra);
}

/** @throws {RollcallError} COURSE_NOT_FOUND, NOT_SESSION_TEACHER, SESSION_ENDED */
async function openingEntry(
  call: StartCall,
  stored: StoredSession | undefined,
  services: Services,
): Promise<StartedEntry> {
  const { event, input, person, actor } = call;
  const facts = stored ?? (await newSession(input, person, services));
  if (stored) {
    await requireSessionTeacher(person, stored, 'start attendance', services);
    if (stored.status !== 'scheduled') throw new RollcallError('SESSION_ENDED');
  }
  const roster = await rosterOf(services.storage, facts, services.now(), services.newRecordId);
  await call.chargeFor(roster.length);
  const at = services.now();
  const policy = { ...services.policy, ...given(input.policy) };
  return {
    type: 'started',
    seq: 1,
    at,
    actor,
    ...opId({ op_id: input.op_id, event }),
    session: {
      session_id: facts.session_id,
      course_id: facts.course_id,
      course: facts.course,
      date: facts.date,
      start_time: facts.start_time,
      end_time: facts.end_time,
      topic: input.topic ?? facts.topic,
      description: facts.description,
      teacher_id: facts.teacher_id ?? person.teacher?.teacher_id ?? null,
      teacher_name: facts.teacher_name ?? person.name,
    },
    policy,
    roster,
    ...(policy.check_in === 'code' ? { codes: newCodeKey(services.codeWindowMs) } : {}),
  };
}

/** The policy's fields that were given: an explicit undefined must not hide a default. */
function given(policy: ClientInput<'startAttendanceSession'>['policy']): Partial<StartedEntry['policy']> {
  return Object.fromEntries(Object.entries(policy ?? {}).filter(([, value]) => value !== undefined));
}

/** A session that no database knew: made by being started. */
async function newSession(
  input: ClientInput<'startAttendanceSession'>,
  person: StartCall['person'],
  services: Services,
): Promise<SessionFacts> {
  const course = input.course_id === undefined ? null : await services.directory.course(input.course_id);
  if (course && !person.is_admin && !teachesCourse(person, course)) throw notSessionTeacher('start attendance');
  const teacher_id = person.teacher?.teacher_id ?? course?.teacher_id ?? null;
  return {
    session_id: input.session_id,
    course_id: course?.course_id ?? null,
    course: course && { _id: course.course_id, title: course.title, course_code: course.course_code },
    date: new Date(services.now()).toISOString(),
    start_time: null,
    end_time: null,
    topic: input.topic ?? null,
    description: null,
    teacher_id,
    teacher_name: person.name,
  };
}
