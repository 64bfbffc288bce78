import { RollcallError, type UserId } from '@rollcall/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Entry } from '../journal/entries.js';
import type { Circumstances, Command, Decision, Repeated } from './command.js';
import { decide } from './decide.js';
import { type FoldTarget, fold, operationKey, statisticsOf } from './fold.js';
import {
  ENROLLED,
  EVERYBODY,
  eventOf,
  find,
  type ModelCommand,
  type ModelRow,
  OFF_ROSTER,
  OTHERS,
  offRosterStudentOf,
  opening,
  PlainModel,
  REFS,
  ROSTER,
} from './plain-model.test.support.js';
import { repeatedOutcome } from './repeat.js';
import { Draft, SessionState } from './session-state.js';

const USERS = ['t1', 't2'];
const OPS = ['op-1', 'op-2', 'op-3'];

const status = fc.constantFrom('present', 'absent', 'late', 'excused');
const row = fc.record({
  ref: fc.constantFrom(...REFS, 'nobody'),
  status,
  remarks: fc.constantFrom(undefined, undefined, '', 'bus', 'ill'),
});
const head = { by: fc.constantFrom(...USERS), op: fc.option(fc.constantFrom(...OPS), { nil: undefined, freq: 2 }) };
const walk_in = fc.boolean();
const command: fc.Arbitrary<ModelCommand> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ ...head, type: fc.constant('check_in'), student: fc.constantFrom(...EVERYBODY) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      ...head,
      type: fc.constant('mark'),
      event: fc.constantFrom('markStudentAttendance', 'markStudentPresent'),
      row,
      walk_in,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      ...head,
      type: fc.constant('bulk'),
      rows: fc.array(row, { minLength: 1, maxLength: 6 }),
      partial: fc.boolean(),
      walk_in,
    }),
  },
  { weight: 1, arbitrary: fc.record({ ...head, type: fc.constant('end') }) },
);
const batches = fc.array(fc.array(command, { minLength: 1, maxLength: 6 }), { maxLength: 12 });
const scene = fc.record({ course: fc.boolean(), autoMark: fc.boolean(), batches });

function commandOf(model: ModelCommand): Command {
  switch (model.type) {
    case 'check_in':
      return { type: 'check_in', student: offRosterStudentOf(model.student), code: undefined };
    case 'mark':
      return { type: 'mark', row: { index: 0, ...model.row }, walk_in: model.walk_in, offRoster: OFF_ROSTER };
    case 'bulk': {
      const rows = model.rows.map((each, index) => ({ index, ...each }));
      return { type: 'bulk', rows, failed: [], partial: model.partial, walk_in: model.walk_in, offRoster: OFF_ROSTER };
    }
    case 'end':
      return { type: 'end', reason: 'teacher' };
  }
}

/** All that may be asked of a state, as plain values. */
const pictureOf = (view: FoldTarget) => ({
  seq: view.seq,
  counts: { ...view.counts },
  ending: view.ending,
  lines: EVERYBODY.map(({ student_id }) => view.line(student_id)),
  names: [...REFS, 'nobody'].map((ref) => [ref, view.resolve(ref)]),
  operations: operationsOf(view),
});
const operationsOf = (view: FoldTarget) =>
  USERS.flatMap((user) => OPS.map((op) => view.operation(operationKey(user as UserId, op))));

/** A register that commits batch by batch, as a live session does, without a database. */
class Commits {
  readonly journal: Entry[];
  state: SessionState;
  #clock = 2_000;
  #ids = 0;

  constructor(course: boolean, autoMark: boolean) {
    this.journal = [opening(course, autoMark)];
    this.state = SessionState.fromJournal(this.journal, '');
  }

  circumstances(each: ModelCommand): Circumstances {
    this.#clock += 7;
    return {
      at: this.#clock,
      actor: { user_id: each.by as UserId, name: each.by.toUpperCase() },
      op_id: each.op,
      event: eventOf(each),
      newRecordId: () => `id-${++this.#ids}`,
      judge: () => 'right',
    };
  }

  /** Decides all on one draft, then commits; `seen` is told of each decision and of the draft around it. */
  run(
    batch: readonly ModelCommand[],
    seen: (each: ModelCommand, decision: Decision | Repeated | RollcallError) => void,
  ): void {
    const draft = new Draft(this.state);
    const decisions: Decision[] = [];
    for (const each of batch) {
      const before = pictureOf(draft);
      try {
        const decision = decide(draft, commandOf(each), this.circumstances(each));
        if (!('repeated' in decision)) decisions.push(decision);
        seen(each, decision);
      } catch (error) {
        if (!(error instanceof RollcallError)) throw error;
        expect(pictureOf(draft)).toEqual(before);
        seen(each, error);
      }
    }
    const folded = SessionState.fromJournal(this.journal, '');
    this.state.take(draft, '');
    for (const { entries } of decisions) {
      for (const entry of entries) {
        fold(folded, entry);
        this.journal.push(entry);
      }
    }
    expect(pictureOf(this.state)).toEqual(pictureOf(draft));
    const { operations: _, ...whole } = pictureOf(this.state);
    expect(whole).toEqual({ ...pictureOf(folded), operations: undefined });
  }
}

test('[REG-2] any sequence of commands comes out as on paper, refusals and repeats included', () => {
  fc.assert(
    fc.property(scene, ({ course, autoMark, batches }) => {
      const commits = new Commits(course, autoMark);
      const model = new PlainModel(course, autoMark);
      for (const batch of batches) {
        commits.run(batch, (each, decision) => {
          const expected = model.do(each);
          if (decision instanceof RollcallError) return expect({ refused: decision.code }).toEqual(expected);
          const again = 'repeated' in decision;
          const { seq } = again ? decision.repeated : decision.outcome;
          // The operation of a check-in that marked names its first entry; the repeat is told its last.
          const atCheckIn = each.type === 'check_in' && again && autoMark;
          if (!atCheckIn) expect({ seq, repeated: again }).toEqual(expected);
        });
      }
      const { state } = commits;
      expect(state.seq).toBe(model.seq);
      expect(state.ending !== null).toBe(model.ended);
      const lines = [...state.lines].map(([id, { status, remarks, checked_in_at, seq }]) => {
        return [id as string, { status, remarks, checkedIn: checked_in_at !== null, seq }] as const;
      });
      const expected = [...model.lines].map(([id, { marked: _, ...line }]) => [id, line]);
      expect(Object.fromEntries(lines)).toEqual(Object.fromEntries(expected));
      for (const ref of REFS) expect(state.resolve(ref)).toBe(model.resolve(ref));
    }),
    { numRuns: 400 },
  );
});

test('[REG-12] a journal replays to the same state, and its entries are numbered without gaps', () => {
  fc.assert(
    fc.property(scene, ({ course, autoMark, batches }) => {
      const commits = new Commits(course, autoMark);
      for (const batch of batches) commits.run(batch, () => {});
      const replayed = SessionState.fromJournal(JSON.parse(JSON.stringify(commits.journal)) as Entry[], '');
      const { operations: _, ...before } = pictureOf(commits.state);
      const { operations: kept, ...after } = pictureOf(replayed);
      expect(after).toEqual(before);
      expect(commits.journal.map(({ seq }) => seq)).toEqual(commits.journal.map((__, n) => n + 1));
      // Only commands that changed nothing are forgotten.
      for (const [n, operation] of operationsOf(commits.state).entries()) {
        const known = kept[n];
        if (known) expect(known).toEqual(operation);
        const written = commits.journal.some(({ op_id, actor }) => {
          return op_id === OPS[n % OPS.length] && actor.user_id === USERS[Math.floor(n / OPS.length)];
        });
        expect(known !== undefined).toBe(written);
      }
    }),
    { numRuns: 200 },
  );
});

test('[STAT-4] [STAT-9] statistics kept while folding equal those counted from the records', () => {
  fc.assert(
    fc.property(scene, fc.nat(50), ({ course, autoMark, batches }, online) => {
      const commits = new Commits(course, autoMark);
      for (const batch of batches) {
        commits.run(batch, () => {});
        const lines = [...commits.state.lines.values()];
        const of = (wanted: string) => lines.filter((line) => line.status === wanted).length;
        const attending = of('present') + of('late');
        expect(statisticsOf(commits.state.counts, online)).toEqual({
          totalStudents: lines.length,
          presentCount: of('present'),
          absentCount: of('absent'),
          lateCount: of('late'),
          excusedCount: of('excused'),
          attendanceRate: lines.length === 0 ? 0 : Number(((attending / lines.length) * 100).toFixed(2)),
          checkedInCount: lines.filter(({ checked_in_at }) => checked_in_at !== null).length,
          onlineCount: online,
        });
      }
    }),
    { numRuns: 200 },
  );
});

test('[STAT-2] [STAT-3] the rate is a number of two decimals between 0 and 100', () => {
  const counts = fc.record({
    present: fc.nat(5_000),
    absent: fc.nat(5_000),
    late: fc.nat(5_000),
    excused: fc.nat(5_000),
  });
  fc.assert(
    fc.property(counts, (each) => {
      const { attendanceRate, totalStudents } = statisticsOf({ ...each, checked_in: 0 }, 0);
      expect(attendanceRate).toBeGreaterThanOrEqual(0);
      expect(attendanceRate).toBeLessThanOrEqual(100);
      expect(Number(attendanceRate.toFixed(2))).toBe(attendanceRate);
      if (totalStudents === 0) expect(attendanceRate).toBe(0);
      else expect(Math.abs(attendanceRate - ((each.present + each.late) / totalStudents) * 100)).toBeLessThan(0.00501);
    }),
  );
});

/** A name that may mean somebody else once another student came, made one that can't. */
function plainly(command: ModelCommand): ModelCommand {
  const name = (each: ModelRow): ModelRow => ({ ...each, ref: find(EVERYBODY, each.ref)?.student_id ?? each.ref });
  if (command.type === 'mark') return { ...command, row: name(command.row) };
  return command.type === 'bulk' ? { ...command, rows: command.rows.map(name) } : command;
}

test('[ANS-9] the repeat of any command is answered as it was answered first', async () => {
  let bulksCompared = 0;
  await fc.assert(
    fc.asyncProperty(scene, async ({ course, autoMark, batches }) => {
      const commits = new Commits(course, autoMark);
      const firsts = new Map<string, { each: ModelCommand; decision: Decision; by: string }>();
      for (const batch of batches) {
        commits.run(batch.map(plainly), (each, decision) => {
          if (decision instanceof RollcallError || 'repeated' in decision) return;
          if (decision.entries.length === 0 || each.op === undefined) return;
          firsts.set(`${each.by}/${each.op}`, { each, decision, by: each.by });
        });
      }
      // From the journal alone, as after a restart.
      const state = SessionState.fromJournal(commits.journal, '');
      const source = {
        state,
        entriesFrom: async (seq: number, count: number) => commits.journal.slice(seq, seq + count),
      };
      for (const { each, decision } of firsts.values()) {
        const by = commits.circumstances(each);
        const again = decide(new Draft(state), commandOf(each), by);
        if (!('repeated' in again)) throw new Error('not taken for a repeat');
        const repeated = await repeatedOutcome(source, commandOf(each), by, again.repeated.seq);
        const first = decision.outcome;
        expect(repeated).toMatchObject({ kind: first.kind, seq: first.seq, duplicate: true });
        const changed = new Set(
          decision.entries.flatMap((entry) => (entry.type === 'marked' ? [entry.student_id] : [])),
        );
        if (repeated.kind === 'mark' && first.kind === 'mark') expect(repeated.line).toEqual(first.line);
        if (repeated.kind !== 'bulk' || first.kind !== 'bulk') continue;
        bulksCompared += 1;
        expect(repeated.lines.map(({ student }) => student)).toEqual(first.lines.map(({ student }) => student));
        const changedOf = ({ lines }: typeof first) => lines.filter(({ student }) => changed.has(student.student_id));
        expect(changedOf(repeated)).toEqual(changedOf(first));
        expect(repeated.failed.map(({ index }) => index)).toEqual(first.failed.map(({ index }) => index));
      }
    }),
    { numRuns: 200 },
  );
  expect(bulksCompared).toBeGreaterThan(20);
});

test('[IDS-3] a name that several students have means the profile id, else the user id, else the uid', () => {
  const anyOrder = fc.shuffledSubarray([...ENROLLED, ...OTHERS, ...ROSTER], { minLength: 0 });
  fc.assert(
    fc.property(anyOrder, (arriving) => {
      const commits = new Commits(false, false);
      const model = new PlainModel(false, false);
      for (const student of arriving) {
        const join: ModelCommand = { type: 'check_in', by: 't1', op: undefined, student };
        model.do(join);
        commits.run([join], () => {});
      }
      for (const ref of REFS) expect(commits.state.resolve(ref)).toBe(model.resolve(ref));
    }),
  );
});

test('[SEQ-1] a journal with a gap, a repetition or no opening is refused', () => {
  const [started] = new Commits(true, false).journal;
  if (!started) throw new Error('no journal');
  const ended = (seq: number): Entry => ({ type: 'ended', seq, at: 5, actor: started.actor, reason: 'teacher' });
  for (const journal of [[], [ended(1)], [started, ended(3)], [started, ended(1)], [started, started]]) {
    expect(() => SessionState.fromJournal(journal, '')).toThrow(RangeError);
  }
});
