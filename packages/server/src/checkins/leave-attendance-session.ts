import { RollcallError } from '@rollcall/protocol';
import { defineCommand } from '../commands/command.js';
import { factsOf, requireStudent } from '../commands/rights.js';

export const leaveAttendanceSession = defineCommand({
  name: 'leaveAttendanceSession',
  async handle(call, services) {
    const { session_id } = call.input;
    const student = requireStudent(call.person);
    const found = await services.sessions.find(session_id);
    if (!found) throw new RollcallError('SESSION_NOT_FOUND');
    const { course_id } = factsOf(found);
    // A walk-in who leaves late, after the end, was in it all the same.
    const register = found.kind === 'live' ? found.live.state : found.kind === 'ended' ? found.state : undefined;
    const listed = () => register?.line(student.student_id) !== undefined;
    if (course_id !== null && !listed() && !(await services.directory.isEnrolled(course_id, student.student_id))) {
      // Another node may have put them on the roster.
      if (found.kind === 'live') await found.live.readJournalNow();
      if (!listed()) throw new RollcallError('NOT_ENROLLED');
    }
    call.connection?.withdraw(session_id);
    call.answer('attendanceSessionLeft', { session_id, message: 'Left attendance session' });
  },
});
