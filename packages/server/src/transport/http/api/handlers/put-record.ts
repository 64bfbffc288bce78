import { type AttendanceRecord, RollcallError, type SessionId, type StudentId } from '@rollcall/protocol';
import type { Services } from '../../../../commands/command.js';
import { recordOf } from '../../../../commands/present.js';
import type { ApiAnswer, ApiCall, ApiContext } from '../api-context.js';
import { runCommand } from '../run-command.js';

/** A mark or, where the session is over and a reason is given, an amendment. @throws {RollcallError} the refusal */
export async function putRecord(
  { params, body, caller }: ApiCall<'putRecord'>,
  context: ApiContext,
): Promise<ApiAnswer> {
  const { reason, ...mark } = body;
  try {
    return await runCommand('markStudentAttendance', { ...mark, ...params }, caller, context);
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    // The op_id of an amendment that is sent again is, to a mark, that of another command.
    const isRepeat = Boolean(reason) && error.code === 'BAD_REQUEST' && error.details?.['field'] === 'op_id';
    if (error.code !== 'SESSION_ENDED' && !isRepeat) throw error;
  }
  if (!reason) {
    const message = 'is required: the session is over, and this amends the register';
    const issues = [{ field: 'reason', message }];
    throw new RollcallError('BAD_REQUEST', { message: `reason: ${message}`, details: { field: 'reason', issues } });
  }
  const { walk_in: _, ...amendment } = mark;
  const answer = await runCommand('amendAttendance', { ...amendment, reason, ...params }, caller, context);
  const { session_id, student_id, seq, duplicate, ...told } = JSON.parse(JSON.stringify(answer.body)) as Amended;
  const attendanceRecord = await recordNow(session_id, student_id, context.services);
  return { body: { session_id, student_id, attendanceRecord, amendment: told, seq, ...(duplicate && { duplicate }) } };
}

interface Amended {
  readonly session_id: SessionId;
  readonly student_id: StudentId;
  readonly seq: number;
  readonly duplicate?: true;
}

async function recordNow(
  sessionId: SessionId,
  studentId: StudentId,
  { sessions }: Services,
): Promise<AttendanceRecord> {
  const found = await sessions.find(sessionId);
  const line = found?.kind === 'ended' ? found.state.line(studentId) : undefined;
  if (!line) throw new Error(`the record that was amended is gone: ${sessionId} ${studentId}`);
  return recordOf(sessionId, line, 'everyone');
}
