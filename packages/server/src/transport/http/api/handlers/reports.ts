import { setTimeout as delay } from 'node:timers/promises';
import { RollcallError } from '@rollcall/protocol';
import { noteAccess } from '../../../../api/access-log.js';
import { courseForTeacher } from '../../../../api/rights.js';
import type { Services } from '../../../../commands/command.js';
import { sessionForTeacher } from '../../../../commands/rights.js';
import type { LiveSession } from '../../../../register/live-session.js';
import { calendarAt, makeCalendarAddress } from '../../../../reports/calendar-address.js';
import type { Report } from '../../../../reports/report-maker.js';
import type { Person } from '../../../../storage/port.js';
import type { ApiAnswer, HandlersOf } from '../api-context.js';

/** A large report costs its maker as much as so many items of an answer. */
const REPORT_ITEMS = 2_500;
/** How long a report waits for the newest marks, in ms: they are in the records a tenth of a second later as a rule. */
const RECORDED_WITHIN_MS = 1_000;
/** What a calendar says of when it was made changes so often, in ms: until then it has the same entity tag. */
const CALENDAR_AGE_MS = 3_600_000;

export const reportHandlers = {
  getCourseRegister: async ({ params, query, caller, charge, requestId }, { services, reports }) => {
    await courseForTeacher(caller.person, params.course_id, services);
    const { format, from = null, to = null, codes } = query;
    if (from !== null && to !== null && from > to) throw laterThanTo();
    const wish = { format, codes: reports.codes(codes) };
    await charge(REPORT_ITEMS);
    const why = { purpose: query.purpose, requestId };
    await noteExport(caller.person, { course_id: params.course_id, from, to, format }, why, services);
    await recorded(services, ({ state }) => state.facts.course_id === params.course_id);
    return answerOf(await reports.ofCourse(params.course_id, { from, to }, wish));
  },
  getSessionRegister: async ({ params, query, caller, charge, requestId }, { services, reports }) => {
    await sessionForTeacher(caller.person, params.session_id, 'view attendance data', services);
    const wish = { format: query.format, codes: reports.codes(query.codes) };
    await charge(REPORT_ITEMS);
    const why = { purpose: query.purpose, requestId };
    await noteExport(caller.person, { session_id: params.session_id, format: query.format }, why, services);
    await recorded(services, (live) => live.session_id === params.session_id);
    return answerOf(await reports.ofSession(params.session_id, wish));
  },
  getArrivals: async ({ params, caller, charge }, { services, reports }) => {
    await sessionForTeacher(caller.person, params.session_id, 'view attendance data', services);
    await charge(REPORT_ITEMS);
    await recorded(services, (live) => live.session_id === params.session_id);
    return { body: await reports.arrivals(params.session_id) };
  },
  getCalendarAddress: async ({ caller }, { services }) => {
    const address = await services.storage.calendars.calendarOf(caller.person.user_id);
    return { body: { made_at: address && new Date(address.made_at).toISOString() } };
  },
  makeCalendarAddress: async ({ caller, request }, { services, publicUrl }) => {
    const now = services.now();
    const token = await makeCalendarAddress(services.storage, caller.person.user_id, now);
    const url = `${publicUrl()}${request.baseUrl}/calendar/${token}.ics`;
    return { body: { url, made_at: new Date(now).toISOString() } };
  },
  removeCalendarAddress: async ({ caller }, { services }) => {
    await services.storage.calendars.removeCalendar(caller.person.user_id);
    return {};
  },
  getCalendar: async ({ params }, { services, timeZone, publicUrl }) => {
    const now = Math.floor(services.now() / CALENDAR_AGE_MS) * CALENDAR_AGE_MS;
    const of = { zone: timeZone, domain: new URL(publicUrl()).hostname, now };
    const content = await calendarAt(services.storage, params.token, of);
    return { bytes: { type: 'text/calendar; charset=utf-8', content } };
  },
} satisfies Partial<HandlersOf>;

/** A teacher's own look at a register is no news; a file that leaves, and what an admin reads, is. */
async function noteExport(
  person: Person,
  scope: Readonly<Record<string, string | null>> & { readonly format: string },
  { purpose, requestId }: { readonly purpose: string | undefined; readonly requestId: string },
  services: Services,
): Promise<void> {
  if (scope.format === 'json' && !person.is_admin) return;
  const access = { action: 'export', subject: null, scope, purpose: purpose ?? null, request_id: requestId } as const;
  await noteAccess(person, access, services);
}

/** Resolves once what this node has committed is in the records, so that a report holds what its asker was answered before. */
async function recorded({ sessions }: Services, which: (session: LiveSession) => boolean): Promise<void> {
  const some = sessions.unrecorded.filter(which);
  if (some.length === 0) return;
  const over = new AbortController();
  const late = delay(RECORDED_WITHIN_MS, undefined, { ref: false, signal: over.signal }).catch(() => undefined);
  await Promise.race([Promise.allSettled(some.map((live) => live.settle())), late]);
  over.abort();
}

const answerOf = ({ bytes, content_type, file_name }: Report): ApiAnswer => ({
  bytes: {
    type: content_type,
    content: bytes,
    ...(content_type.startsWith('application/json') ? {} : { filename: file_name }),
  },
});

function laterThanTo(): RollcallError {
  const issues = [{ field: 'from', message: 'is later than to' }];
  return new RollcallError('BAD_REQUEST', { message: 'from: is later than to', details: { field: 'from', issues } });
}
