import type { AttendanceStatus, ServerEventName, ServerPayload } from '@rollcall/protocol';
import { EncodedPayload } from '../encoded-payload.js';
import type { Outcome, OutcomeOf, Publication, Register } from '../register/command.js';
import { amendedOf, encodedRecordOf, isoOf, positionOf, recordOf, sessionOfState } from './present.js';
import type { Snapshots } from './snapshots.js';

/** An event that answers the caller, with its payload. */
interface Answer {
  readonly event: ServerEventName;
  readonly payload: object;
}

interface Source {
  readonly register: Register;
  readonly publication: Publication;
  readonly snapshots: Snapshots;
}

const answer = <Name extends ServerEventName>(event: Name, payload: ServerPayload<Name> | EncodedPayload): Answer => ({
  event,
  payload,
});

const MARKED = {
  present: 'studentMarkedPresent',
  absent: 'studentMarkedAbsent',
  late: 'studentMarkedLate',
  excused: 'studentMarkedExcused',
} as const satisfies Record<AttendanceStatus, ServerEventName>;

/** Which event answers each outcome, and with what. The acknowledgement has the same payload. */
const ANSWERS: { readonly [Kind in Outcome['kind']]: (outcome: OutcomeOf<Kind>, source: Source) => Answer } = {
  start(_outcome, { register: { session_id, state, statistics }, snapshots }) {
    const head = {
      session_id,
      session: sessionOfState(state),
      totalStudents: statistics.totalStudents,
      policy: state.policy,
      statistics,
      ...positionOf(state),
    };
    const records = snapshots.records(state, 'teacher');
    return answer('attendanceSessionStarted', EncodedPayload.with(head, 'attendanceRecords', records));
  },

  check_in({ line, seq }, { register: { session_id, state } }) {
    return answer('attendanceSessionJoined', {
      session_id,
      message: 'Joined attendance session',
      student_id: line.student.student_id,
      record: recordOf(session_id, line, 'everyone'),
      // Whoever joins has checked in, now or before.
      checked_in_at: isoOf(line.checked_in_at ?? line.updated_at),
      seq,
      ...(seq === state.seq && positionOf(state)),
    });
  },

  mark({ line }, { register: { session_id }, publication }) {
    const head = { session_id, student_id: line.student.student_id };
    const record = encodedRecordOf(publication, session_id, line);
    // By the record: the repeat of a mark is answered like the first, whatever it asks for.
    return answer(MARKED[line.status], EncodedPayload.with(head, 'attendanceRecord', record));
  },

  clear({ line }, { register: { session_id }, publication }) {
    const head = { session_id, student_id: line.student.student_id };
    const record = encodedRecordOf(publication, session_id, line);
    return answer('studentMarkCleared', EncodedPayload.with(head, 'attendanceRecord', record));
  },

  amend({ amendment }, { register: { session_id } }) {
    return answer('attendanceAmended', amendedOf(session_id, amendment));
  },

  bulk({ lines, failed }, { register: { session_id } }) {
    const updatedRecords = lines.map((line) => recordOf(session_id, line, 'everyone'));
    const totalUpdated = updatedRecords.length;
    return answer('attendanceBulkUpdateComplete', { session_id, updatedRecords, totalUpdated, failed: [...failed] });
  },

  end(_outcome, { register: { session_id, state, statistics }, snapshots }) {
    const finalData = snapshots.data(state, statistics, 'teacher');
    return answer('attendanceSessionEndedConfirm', EncodedPayload.with({ session_id }, 'finalData', finalData));
  },
};

/** The answer to what came of a command. */
export const answerOf = <Kind extends Outcome['kind']>(outcome: OutcomeOf<Kind>, source: Source): Answer =>
  ANSWERS[outcome.kind](outcome, source);
