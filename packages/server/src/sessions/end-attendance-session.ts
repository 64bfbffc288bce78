import { RollcallError } from '@rollcall/protocol';
import { carryOut } from '../commands/carry-out.js';
import { defineCommand } from '../commands/command.js';
import { courseOf, factsOf, sessionForTeacher, teachesSession } from '../commands/rights.js';
import { repetition } from '../register/decide.js';

export const endAttendanceSession = defineCommand({
  name: 'endAttendanceSession',
  async handle(call, services) {
    const { session_id, op_id } = call.input;
    const { event, person, actor } = call;
    const found = await sessionForTeacher(person, session_id, 'end attendance', services);
    const repeated = found.kind === 'ended' && repetition(found.state, { event, actor, op_id });
    if (found.kind !== 'live' && !repeated) throw new RollcallError('SESSION_NOT_ACTIVE');
    const facts = factsOf(found);
    await call.chargeFor((found.kind === 'live' ? found.live.state : found.state).lines.size);
    const own = teachesSession(person, facts, await courseOf(facts, services));
    // Teachers are told at once, and in order, where a hall has to wait.
    if (found.kind === 'live') call.connection?.watch(found.live, { silently: true });
    await carryOut(found, { type: 'end', reason: own ? 'teacher' : 'admin' }, call, services);
  },
});
