import { type ClientInput, RollcallError } from '@rollcall/protocol';
import { callerOf } from '../commands/carry-out.js';
import { type Call, defineCommand, type Services } from '../commands/command.js';
import { notSessionTeacher, requireSessionTeacher, requireTeacher, teachesCourse } from '../commands/rights.js';
import type { SessionFacts, StartedEntry } from '../journal/entries.js';
import { newCodeKey } from '../register/check-in-codes.js';
import type { Caller } from '../register/command.js';
import { repetition } from '../register/decide.js';
import { opId } from '../register/making-entries.js';
import { rosterOf } from '../register/roster.js';
import type { StoredSession } from '../storage/port.js';

type StartCall = Call<'startAttendanceSession'>;

export const startAttendanceSession = defineCommand({
  name: 'startAttendanceSession',
  async handle(call, services) {
    const { input, person } = call;
    requireTeacher(person);
    const caller = attaching(call, services);
    const entry = (stored: StoredSession | undefined) => openingEntry(call, stored, services);
    const opened = await services.sessions.open(input.session_id, { entry, caller });
    if (opened.kind === 'started') return;
    const { state } = opened.kind === 'over' ? opened : opened.live;
    await requireSessionTeacher(person, state.facts, 'start attendance', services);
    if (opened.kind === 'over') throw new RollcallError('SESSION_ENDED');
    const duplicate = repetition(state, caller) !== undefined;
    await call.chargeFor(state.size);
    caller.answer({ kind: 'start', seq: state.seq, duplicate }, opened.live, { entries: [] });
  },
});

/** The caller's screen from now on: everything that is known, and every change to come. */
function attaching(call: StartCall, services: Services): Caller<'start'> {
  const caller = callerOf<'start'>(call, services);
  return {
    ...caller,
    answer: (outcome, register, publication) => {
      const live = services.sessions.active(register.session_id);
      if (live) call.connection?.watch(live);
      caller.answer(outcome, register, publication);
    },
  };
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
