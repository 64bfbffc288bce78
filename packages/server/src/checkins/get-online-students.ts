import { defineCommand } from '../commands/command.js';
import { isoOf } from '../commands/present.js';
import { activeForTeacher } from '../commands/rights.js';
import { byRoll } from '../journal/roster-order.js';

export const getOnlineStudents = defineCommand({
  name: 'getOnlineStudents',
  async handle(call, services) {
    const { session_id } = call.input;
    const live = await activeForTeacher(call.person, session_id, 'view attendance data', services);
    await call.chargeFor(live.presence.count);
    const online = live.presence.list().flatMap(({ student_id, joined_at, sockets }) => {
      const student = live.state.line(student_id)?.student;
      return student ? { student, joined_at, sockets } : [];
    });
    online.sort((a, b) => byRoll(a.student, b.student));
    const online_students = online.map(({ student, joined_at, sockets }) => {
      const { student_id, name, roll, profile_picture } = student;
      const [socket_id = null] = sockets;
      return { student_id, student_name: name, roll, profile_picture, socket_id, joined_at: isoOf(joined_at) };
    });
    call.answer('onlineStudentsData', {
      session_id,
      total_joined: live.state.counts.checked_in,
      online_count: live.presence.count,
      online_students,
      retrieved_at: isoOf(services.now()),
    });
  },
});
