import type { AttendanceStatus, ClientInput } from '@rollcall/protocol';
import { carryOut, strangersTo } from '../commands/carry-out.js';
import { type Call, defineCommand, extraOf, type Services } from '../commands/command.js';
import { writtenRecordOf } from '../commands/present.js';
import { activeForTeacherNow, sessionForTeacher } from '../commands/rights.js';
import { Written } from '../commands/written.js';

const ANSWERS = {
  present: 'studentMarkedPresent',
  absent: 'studentMarkedAbsent',
  late: 'studentMarkedLate',
  excused: 'studentMarkedExcused',
} as const satisfies Record<AttendanceStatus, string>;

type MarkEvent = 'markStudentPresent' | 'markStudentAbsent' | 'markStudentAttendance';

async function markStudent(
  call: Pick<Call<MarkEvent>, 'event' | 'person' | 'actor' | 'answer' | 'proceed'>,
  input: ClientInput<'markStudentAttendance'>,
  services: Services,
): Promise<void> {
  const { session_id, student_id, status, remarks, op_id, walk_in = false } = input;
  const { event, person, actor } = call;
  const now = activeForTeacherNow(person, session_id, services);
  const found = now
    ? ({ kind: 'live', live: now } as const)
    : await sessionForTeacher(person, session_id, 'mark attendance', services);
  const looked = strangersTo(found, [student_id], services);
  const strangers = looked instanceof Promise ? await looked : looked;
  const row = { index: 0, ref: student_id, status, remarks };
  const proceed = () => call.proceed();
  await carryOut(
    found,
    { type: 'mark', row, walk_in, strangers },
    { event, actor, op_id, proceed },
    services,
    (outcome) => {
      const { line } = outcome;
      const head = { session_id, student_id: line.student.student_id };
      const payload = Written.with(head, 'attendanceRecord', writtenRecordOf(session_id, line));
      // By the record: the repeat of a mark is answered like the first, whatever it asks for.
      call.answer(ANSWERS[line.status], payload, extraOf(outcome));
    },
  );
}

export const markStudentPresent = defineCommand({
  name: 'markStudentPresent',
  handle: (call, services) => markStudent(call, { ...call.input, status: 'present' }, services),
});

export const markStudentAbsent = defineCommand({
  name: 'markStudentAbsent',
  handle: (call, services) => markStudent(call, { ...call.input, status: 'absent' }, services),
});

export const markStudentAttendance = defineCommand({
  name: 'markStudentAttendance',
  handle: (call, services) => markStudent(call, call.input, services),
});
