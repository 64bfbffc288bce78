import type { ClientInput } from '@rollcall/protocol';
import { carryOut, offRosterStudents } from '../commands/carry-out.js';
import { type Call, defineCommand, type Services } from '../commands/command.js';
import { activeForTeacherNow, sessionForTeacher } from '../commands/rights.js';

type MarkEvent = 'markStudentPresent' | 'markStudentAbsent' | 'markStudentAttendance';

async function markStudent(
  call: Call<MarkEvent>,
  status: ClientInput<'markStudentAttendance'>['status'],
  services: Services,
): Promise<void> {
  const { session_id, student_id, remarks, walk_in = false, expected_seq } = call.input;
  const now = activeForTeacherNow(call.person, session_id, services);
  const found = now
    ? ({ kind: 'live', live: now } as const)
    : await sessionForTeacher(call.person, session_id, 'mark attendance', services);
  const looked = offRosterStudents(found, [student_id], services);
  const offRoster = looked instanceof Promise ? await looked : looked;
  const row = { index: 0, ref: student_id, status, remarks, expected_seq };
  await carryOut(found, { type: 'mark', row, walk_in, offRoster }, call, services);
}

export const markStudentPresent = defineCommand({
  name: 'markStudentPresent',
  handle: (call, services) => markStudent(call, 'present', services),
});

export const markStudentAbsent = defineCommand({
  name: 'markStudentAbsent',
  handle: (call, services) => markStudent(call, 'absent', services),
});

export const markStudentAttendance = defineCommand({
  name: 'markStudentAttendance',
  handle: (call, services) => markStudent(call, call.input.status, services),
});
