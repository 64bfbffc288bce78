import { listAccess } from '../../../../api/access-log.js';
import { changeCourse, createCourse, listCourses, readCourse } from '../../../../api/courses.js';
import { listEnrollments, putEnrollment, withdrawEnrollment } from '../../../../api/enrollments.js';
import { attendanceOfStudent, ownAttendance } from '../../../../api/own-attendance.js';
import { changePerson, createPerson, listPeople, readPerson } from '../../../../api/people.js';
import { cancelSession, changeSession, listSessions, scheduleSession } from '../../../../api/timetable.js';
import { readToday } from '../../../../api/today.js';
import { studentOf } from '../../../../commands/present.js';
import type { ApiCall, HandlersOf } from '../api-context.js';

/** People, courses, enrolments and the timetable: the functions of the room `api`, which check rights and values. */
export const schoolHandlers = {
  listPeople: async ({ caller, query, charge }, { services }) => {
    await charge(query.limit);
    return { body: await listPeople(caller.person, query, services) };
  },
  getPerson: async ({ caller, params }, { services }) => ({
    body: await readPerson(caller.person, { user: params.user_id }, services),
  }),
  createPerson: async (call, { services }) =>
    made(call, 'people', await createPerson(call.caller.person, { ...call.body, ...of(call) }, services), 'user_id'),
  changePerson: async (call, { services }) => {
    const change = { ...said(call.body), user: call.params.user_id, ...of(call) };
    return { body: await changePerson(call.caller.person, change, services) };
  },

  listCourses: async ({ caller, query, charge }, { services }) => {
    await charge(query.limit);
    return { body: await listCourses(caller.person, query, services) };
  },
  getCourse: async ({ caller, params }, { services }) => ({ body: await readCourse(caller.person, params, services) }),
  createCourse: async (call, { services }) =>
    made(call, 'courses', await createCourse(call.caller.person, { ...call.body, ...of(call) }, services), 'course_id'),
  changeCourse: async (call, { services }) => ({
    body: await changeCourse(call.caller.person, { ...said(call.body), ...call.params, ...of(call) }, services),
  }),
  listEnrollments: async ({ caller, params, query, charge }, { services }) => {
    await charge(query.limit);
    const { items, next } = await listEnrollments(caller.person, { ...params, ...query }, services);
    const shown = items.map(({ student, ...rest }) => ({ student: studentOf(student, 'teacher'), ...rest }));
    return { body: { items: shown, next } };
  },
  putEnrollment: async ({ caller, params, body }, { services }) => {
    const { student, ...rest } = await putEnrollment(caller.person, { ...body, ...params }, services);
    return { body: { student: studentOf(student, 'teacher'), ...rest } };
  },
  withdrawEnrollment: async ({ caller, params }, { services }) => {
    await withdrawEnrollment(caller.person, params, services);
    return {};
  },

  getToday: async ({ caller }, { services }) => ({ body: await readToday(caller.person, services) }),
  listCourseSessions: async ({ caller, params, query, charge }, { services }) => {
    await charge(query.limit);
    return { body: await listSessions(caller.person, { ...params, ...query }, services) };
  },
  scheduleSession: async (call, { services }) => {
    const { id, session_id, ...fields } = call.body;
    const input = { ...fields, session_id: session_id ?? id, ...call.params };
    return made(call, 'sessions', await scheduleSession(call.caller.person, input, services), 'session_id');
  },
  changeSession: async ({ caller, params, body }, { services }) => ({
    body: await changeSession(caller.person, { ...said(body), ...params }, services),
  }),
  cancelSession: async ({ caller, params }, { services }) => ({
    body: await cancelSession(caller.person, params, services),
  }),

  getOwnAttendance: async ({ caller, query, charge }, { services }) => {
    await charge(query.limit);
    return { body: await ownAttendance(caller.person, query, services) };
  },
  getStudentAttendance: async ({ caller, params, query, charge, requestId }, { services }) => {
    await charge(query.limit);
    const input = { ...params, ...query, request_id: requestId };
    return { body: await attendanceOfStudent(caller.person, input, services) };
  },
  listAccess: async ({ caller, query, charge }, { services }) => {
    await charge(query.limit);
    return { body: await listAccess(caller.person, query, services) };
  },
} satisfies Partial<HandlersOf>;

/** For the access log. */
const of = ({ requestId }: { readonly requestId: string }) => ({ request_id: requestId });

/** Only what was said: to a change, an undefined field is another thing than one that is absent. */
const said = <Body extends object>(body: Body): Body =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)) as Body;

function made<Made extends object>(
  { request }: Pick<ApiCall<'getMe'>, 'request'>,
  list: string,
  body: Made,
  id: keyof Made,
) {
  return { body, headers: { Location: `${request.baseUrl}/${list}/${encodeURIComponent(String(body[id]))}` } };
}
