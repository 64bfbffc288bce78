import { defineCommand } from '../commands/command.js';
import { isoOf } from '../commands/present.js';
import { activeForTeacher } from '../commands/rights.js';

export const keepAttendanceSessionAlive = defineCommand({
  name: 'keepAttendanceSessionAlive',
  async handle(call, services) {
    const { session_id } = call.input;
    const live = await activeForTeacher(call.person, session_id, 'update attendance', services);
    const endsAt = services.touched(live);
    call.answer(undefined, { session_id, ends_at: endsAt === null ? null : isoOf(endsAt) });
  },
});
