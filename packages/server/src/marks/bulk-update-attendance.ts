import { setImmediate as nextTurn } from 'node:timers/promises';
import { bulkRow, type FailedRow, parseWith, RollcallError } from '@rollcall/protocol';
import { carryOut, offRosterStudents } from '../commands/carry-out.js';
import { defineCommand } from '../commands/command.js';
import { activeForTeacherNow, sessionForTeacher } from '../commands/rights.js';
import type { MarkRow } from '../register/command.js';
import { refusedRows } from '../register/decide-marks.js';

/** Rows that are checked in one turn of the event loop: a few milliseconds. */
const ROWS_IN_A_TURN = 200;

export const bulkUpdateAttendance = defineCommand({
  name: 'bulkUpdateAttendance',
  async handle(call, services) {
    const { session_id, attendanceUpdates, partial = false, walk_in = false } = call.input;
    const { person } = call;
    const now = activeForTeacherNow(person, session_id, services);
    const found = now
      ? ({ kind: 'live', live: now } as const)
      : await sessionForTeacher(person, session_id, 'update attendance', services);
    await call.chargeFor(attendanceUpdates.length);
    const { rows, failed } = await readRows(attendanceUpdates);
    // A session that isn't active can't say what is wrong with the other rows.
    if (failed.length > 0 && !partial && found.kind !== 'live') throw refusedRows(failed);
    const looked = offRosterStudents(
      found,
      rows.map(({ ref }) => ref),
      services,
    );
    const offRoster = looked instanceof Promise ? await looked : looked;
    await carryOut(found, { type: 'bulk', rows, failed, partial, walk_in, offRoster }, call, services);
  },
});

/** Checks row by row, so that each bad one can be named, and lets others have their turn in between. */
async function readRows(updates: readonly unknown[]): Promise<{ rows: MarkRow[]; failed: FailedRow[] }> {
  const rows: MarkRow[] = [];
  const failed: FailedRow[] = [];
  for (const [index, update] of updates.entries()) {
    if (index > 0 && index % ROWS_IN_A_TURN === 0) await nextTurn();
    try {
      const { student_id, status, remarks, expected_seq } = parseWith(bulkRow, update, ['attendanceUpdates', index]);
      rows.push({ index, ref: student_id, status, remarks, expected_seq });
    } catch (error) {
      if (!(error instanceof RollcallError)) throw error;
      failed.push({ index, student_id: namedIn(update), code: error.code, message: error.message });
    }
  }
  return { rows, failed };
}

function namedIn(update: unknown): string | null {
  const { student_id, studentId } = (update ?? {}) as { student_id?: unknown; studentId?: unknown };
  const named = student_id ?? studentId;
  return typeof named === 'string' ? named.slice(0, 128) : null;
}
