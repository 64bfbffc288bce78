import { setImmediate as nextTurn } from 'node:timers/promises';
import { type FailedRow, RollcallError, type StudentId } from '@rollcall/protocol';
import { type AmendedEntry, type Entry, givesStatus, type MarkedEntry, type StatusEntry } from '../journal/entries.js';
import type { Storage } from '../storage/port.js';
import type { Command, CommandType, Issuer, OutcomeOf } from './command.js';
import { nothingAmended } from './decide-marks.js';
import { type Line, lineAsOf } from './fold.js';
import { readJournal } from './read-journal.js';
import type { SessionState } from './session-state.js';

/** What a repeated command is answered from. */
export interface Repeatable {
  readonly state: SessionState;
  /** The `count` entries that come after `seq`, or as many as there are. */
  entriesFrom(seq: number, count: number): Promise<readonly Entry[]>;
}

/** Entries that are read at least: whoever repeats one command mostly repeats those around it as well. */
const PAGE_ENTRIES = 100;
/** How long a turn of the event loop answers from one page before the rest waits for the next turn, in ms. */
const TURN_MS = 3;

/**
 * Entries of a session's journal that aren't in memory any more, for repeats. One reading at a time, and none for what
 * was read just before: a client that repeats thousands of commands must not keep the database from everybody else, nor
 * have the same commits in memory once for each of them.
 */
export class OlderEntries {
  readonly #read: (after: number, limit: number) => Promise<readonly Entry[]>;
  #page: readonly Entry[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #asked = 0;
  /** Since when this turn answers, by `performance.now()`. */
  #turnBegan = 0;

  /** @param read entries after a seq: `limit` or a few more, or all that there are */
  constructor(read: (after: number, limit: number) => Promise<readonly Entry[]>) {
    this.#read = read;
  }

  from(seq: number, count: number): Promise<readonly Entry[]> {
    this.#asked += 1;
    const entries = this.#last.then(() => this.#from(seq, count));
    const forget = () => {
      this.#asked -= 1;
      if (this.#asked === 0) this.#page = [];
    };
    this.#last = entries.then(forget, forget);
    return entries;
  }

  async #from(seq: number, count: number): Promise<readonly Entry[]> {
    const [first] = this.#page;
    const last = this.#page.at(-1);
    if (performance.now() - this.#turnBegan > TURN_MS) {
      await nextTurn();
      this.#turnBegan = performance.now();
    }
    const there = first && last && first.seq <= seq + 1 && last.seq >= seq + count;
    if (!there) this.#page = await this.#read(seq, Math.max(count, PAGE_ENTRIES));
    const before = this.#page[0]?.seq ?? 0;
    // Dense: their places follow from their seqs.
    return this.#page.slice(Math.max(0, seq + 1 - before), Math.max(0, seq + 1 - before + count));
  }
}

const older = new WeakMap<SessionState, OlderEntries>();

/** One for each session, whether it is active or over. */
export function olderEntriesOf(state: SessionState, storage: Storage): OlderEntries {
  let entries = older.get(state);
  if (!entries) {
    entries = new OlderEntries(
      async (after, limit) => (await readJournal(storage, state.facts.session_id, after, limit)).entries,
    );
    older.set(state, entries);
  }
  return entries;
}

/** Whether an entry is of the command that is repeated. */
type IsMine = (entry: Entry) => boolean;

type Repeat<Type extends CommandType> = (
  source: Repeatable,
  command: Command<Type>,
  seq: number,
  mine: IsMine,
  by: Issuer,
) => Promise<OutcomeOf<Type>>;

/** Answers a command that was carried out before as it was answered then, from what its entries say. */
export function repeatedOutcome<Type extends CommandType>(
  source: Repeatable,
  command: Command<Type>,
  by: Issuer,
  seq: number,
): Promise<OutcomeOf<Type>> {
  const { actor, op_id } = by;
  const mine = (entry: Entry): boolean => entry.op_id === op_id && entry.actor.user_id === actor.user_id;
  return REPEATS[command.type](source, command, seq, mine, by);
}

const duplicate = true;

const REPEATS: { readonly [Type in CommandType]: Repeat<Type> } = {
  async end(_source, _command, seq) {
    return { kind: 'end', seq, duplicate };
  },
  async check_in(source, command, seq, mine) {
    const line = current(source.state, command.student.student.student_id);
    return { kind: 'check_in', line, seq: await endOfCheckIn(source, seq, mine), duplicate };
  },
  async mark(source, command, seq, mine) {
    const { state } = source;
    const [entry] = await entriesUpTo(source, seq, mine);
    const line = entry
      ? lineAsOf(current(state, entry.student_id), entry)
      : current(state, state.resolve(command.row.ref));
    return { kind: 'mark', line, seq, duplicate };
  },
  async clear(source, command, seq, mine) {
    const { state } = source;
    const [entry] = await entriesUpTo(source, seq, mine);
    const line = entry ? lineAsOf(current(state, entry.student_id), entry) : current(state, state.resolve(command.ref));
    return { kind: 'clear', line, seq, duplicate };
  },
  async amend(source, { row, reason }, seq, mine, { actor }) {
    const { state } = source;
    const [entry] = (await entriesUpTo(source, seq, mine)).filter(
      (each): each is AmendedEntry => each.type === 'amended',
    );
    const at = state.last_at;
    const amendment = entry ?? nothingAmended(current(state, state.resolve(row.ref)), reason, { actor, at }, seq);
    return { kind: 'amend', amendment, seq, duplicate };
  },
  async bulk(source, command, seq, mine) {
    const rows = repeatedRows(source.state, command, await entriesUpTo(source, seq, mine));
    return { kind: 'bulk', ...rows, seq, duplicate };
  },
};

/** What became of the rows, in the order in which they name their students. */
function repeatedRows(
  state: SessionState,
  { rows, failed, offRoster }: Command<'bulk'>,
  own: readonly StatusEntry[],
): Pick<OutcomeOf<'bulk'>, 'lines' | 'failed'> {
  const then = new Map(own.map((entry) => [entry.student_id, lineAsOf(current(state, entry.student_id), entry)]));
  // Without an entry every row that could be applied was so already.
  const [first] = own;
  const untouched = first?.type === 'marked' ? new Set(first.unchanged) : undefined;
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
    const known = studentId !== undefined || offRoster.has(ref);
    const { code, message } = new RollcallError(known ? 'NOT_ENROLLED' : 'STUDENT_NOT_FOUND');
    refused.push({ index, student_id: ref, code, message });
  }
  return { lines: [...lines.values()], failed: refused.sort((a, b) => a.index - b.index) };
}

/** A check-in that marked the student too ends at that mark. */
async function endOfCheckIn(source: Repeatable, seq: number, mine: IsMine): Promise<number> {
  const [entry, next] = await source.entriesFrom(seq - 1, 2);
  if (entry?.type !== 'checked_in' || !mine(entry)) return seq;
  const marked = next?.type === 'marked' && next.student_id === entry.student_id && next.actor.user_id === null;
  return marked && next.at === entry.at ? next.seq : seq;
}

/** The marks and such of one command, which end at `seq`; none when it changed nothing. */
async function entriesUpTo(source: Repeatable, seq: number, mine: IsMine): Promise<StatusEntry[]> {
  const [last] = await source.entriesFrom(seq - 1, 1);
  if (!last || !givesStatus(last) || !mine(last)) return [];
  if (last.type !== 'marked' || last.group === undefined) return [last];
  const group = await source.entriesFrom(last.group - 1, seq - last.group + 1);
  return group.filter((entry): entry is MarkedEntry => entry.type === 'marked' && entry.group === last.group);
}

function current(state: SessionState, studentId: StudentId | undefined): Line {
  const line = studentId === undefined ? undefined : state.line(studentId);
  if (!line) throw new RollcallError('STUDENT_NOT_FOUND');
  return line;
}
