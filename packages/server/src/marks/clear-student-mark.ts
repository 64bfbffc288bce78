import { carryOut } from '../commands/carry-out.js';
import { defineCommand } from '../commands/command.js';
import { activeForTeacherNow, sessionForTeacher } from '../commands/rights.js';

export const clearStudentMark = defineCommand({
  name: 'clearStudentMark',
  async handle(call, services) {
    const { session_id, student_id, expected_seq } = call.input;
    const now = activeForTeacherNow(call.person, session_id, services);
    const found = now
      ? ({ kind: 'live', live: now } as const)
      : await sessionForTeacher(call.person, session_id, 'mark attendance', services);
    await carryOut(found, { type: 'clear', ref: student_id, expected_seq }, call, services);
  },
});
