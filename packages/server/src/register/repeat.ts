import { type FailedRow, RollcallError, type StudentId } from '@rollcall/protocol';
import type { Actor, Entry, MarkedEntry } from '../journal/entries.js';
import type { Command, Outcome, OutcomeOf } from './decide.js';
import { type Line, lineAsOf } from './fold.js';
import type { SessionState } from './session-state.js';

/** What a repeated command is answered from. */
export interface Repeatable {
  readonly state: SessionState;
  entriesAfter(seq: number): Promise<readonly Entry[]>;
}

/** Answers a command that was carried out before as it was answered then, from what its entries say. */
export async function repeatedOutcome(
  source: Repeatable,
  command: Command,
  { actor, op_id }: { readonly actor: Actor; readonly op_id?: string | undefined },
  seq: number,
): Promise<Outcome> {
  const { state } = source;
  const mine = (entry: Entry): boolean => entry.op_id === op_id && entry.actor.user_id === actor.user_id;
  const duplicate = true;
  switch (command.type) {
    case 'end':
      return { kind: 'end', seq, duplicate };
    case 'check_in': {
      const line = current(state, command.student.student.student_id);
      return { kind: 'check_in', line, seq: await endOfCheckIn(source, seq, mine), duplicate };
    }
    case 'mark': {
      const [entry] = await entriesUpTo(source, seq, mine);
      const line = entry
        ? lineAsOf(current(state, entry.student_id), entry)
        : current(state, state.resolve(command.row.ref));
      return { kind: 'mark', line, seq, duplicate };
    }
    case 'bulk':
      return { kind: 'bulk', ...repeatedRows(state, command, await entriesUpTo(source, seq, mine)), seq, duplicate };
  }
}

/** What became of the rows, in the order in which they name their students. */
function repeatedRows(
  state: SessionState,
  { rows, failed, strangers }: Extract<Command, { type: 'bulk' }>,
  own: readonly MarkedEntry[],
): Pick<OutcomeOf<'bulk'>, 'lines' | 'failed'> {
  const then = new Map(own.map((entry) => [entry.student_id, lineAsOf(current(state, entry.student_id), entry)]));
  // Without an entry every row that could be applied was so already.
  const untouched = own[0] ? new Set(own[0].unchanged) : undefined;
  const lines = new Map<StudentId, Line>();
  const refused: FailedRow[] = [...failed];
  for (const { index, ref } of rows) {
    const studentId = state.resolve(ref);
    const line = studentId === undefined ? undefined : (then.get(studentId) ?? state.line(studentId));
    if (line && studentId !== undefined && (then.has(studentId) || untouched?.has(studentId) !== false)) {
      lines.set(studentId, line);
      continue;
    }
    // Not on the roster then, whether or not they are now.
    const known = studentId !== undefined || strangers.has(ref);
    const { code, message } = new RollcallError(known ? 'NOT_ENROLLED' : 'STUDENT_NOT_FOUND');
    refused.push({ index, student_id: ref, code, message });
  }
  return { lines: [...lines.values()], failed: refused.sort((a, b) => a.index - b.index) };
}

/** A check-in that marked the student too ends at that mark. */
async function endOfCheckIn(source: Repeatable, seq: number, mine: (entry: Entry) => boolean): Promise<number> {
  const [entry, next] = await source.entriesAfter(seq - 1);
  if (entry?.type !== 'checked_in' || !mine(entry)) return seq;
  const marked = next?.type === 'marked' && next.student_id === entry.student_id && next.actor.user_id === null;
  return marked && next.at === entry.at ? next.seq : seq;
}

/** The marks of one command, which end at `seq`; none when it changed nothing. */
async function entriesUpTo(source: Repeatable, seq: number, mine: (entry: Entry) => boolean): Promise<MarkedEntry[]> {
  const [last] = await source.entriesAfter(seq - 1);
  if (last?.type !== 'marked' || !mine(last)) return [];
  if (last.group === undefined) return [last];
  const group = await source.entriesAfter(last.group - 1);
  return group.filter((entry): entry is MarkedEntry => entry.type === 'marked' && entry.group === last.group);
}

function current(state: SessionState, studentId: StudentId | undefined): Line {
  const line = studentId === undefined ? undefined : state.line(studentId);
  if (!line) throw new RollcallError('STUDENT_NOT_FOUND');
  return line;
}
