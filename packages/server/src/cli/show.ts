import type { AttendanceRecord, Change, Session, SessionId, Statistics } from '@rollcall/protocol';
import type { Command } from 'commander';
import type { SessionData } from '../commands/present.js';
import type { Storage } from '../storage/port.js';
import { visible } from '../visible-text.js';
import { loadDatabaseConfig } from './environment.js';
import { CommandFailure } from './failure.js';

interface ShowOptions {
  readonly history?: boolean;
  readonly json?: boolean;
}

/** A register as it stands in the database. Who is online only the server knows. */
interface Shown extends Omit<SessionData, 'statistics'> {
  readonly statistics: Omit<Statistics, 'onlineCount'>;
  readonly changes?: readonly Change[];
}

export function addShow(program: Command): void {
  program
    .command('show')
    .argument('<session>', 'id of the session')
    .summary('show the register of a session')
    .description(
      'Shows the register of a session, also while a server runs: who, status, when and by whom. ' +
        'Changes nothing. Times are those of this machine’s time zone (TZ).',
    )
    .option('--history', 'show every change as well, in its order')
    .option('--json', 'print {session, attendanceRecords, statistics, seq}, and with --history {changes}')
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall show session123\n  rollcall show session123 --history\n' +
        '  rollcall show session123 --json\n',
    )
    .action(show);
}

async function show(sessionId: string, options: ShowOptions): Promise<void> {
  const { openStorage } = await import('./open-storage.js');
  const config = loadDatabaseConfig();
  const storage = await openStorage(config, 'show', true);
  let shown: Shown;
  try {
    shown = await read(storage, sessionId as SessionId, options.history === true);
  } finally {
    await storage.close();
  }
  process.stdout.write(options.json ? `${JSON.stringify(shown)}\n` : await textOf(shown, clockOf(config.timeZone)));
}

async function read(storage: Storage, sessionId: SessionId, withHistory: boolean): Promise<Shown> {
  const [{ readJournal }, { changeOf, sessionDataOf, statisticsOfState }, { SessionState }, { JournalError }] =
    await Promise.all([
      import('../register/read-journal.js'),
      import('../commands/present.js'),
      import('../register/session-state.js'),
      import('../journal/commit.js'),
    ]);
  try {
    const { entries, chain } = await readJournal(storage, sessionId, 0);
    if (chain === undefined)
      return { ...(await readStored(storage, sessionId)), ...(withHistory ? { changes: [] } : {}) };
    const state = SessionState.fromJournal(entries, chain);
    const data = sessionDataOf(state, statisticsOfState(state), 'teacher');
    return { ...withoutOnline(data), ...(withHistory ? { changes: entries.map(changeOf) } : {}) };
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof JournalError)) throw error;
    throw new CommandFailure(
      `the journal of session ${visible(sessionId)} can't be read: ${visible(error.message)}. If it is damaged, restore the ` +
        'session from a backup; `rollcall verify` tells whether others are, too',
      { cause: error },
    );
  }
}

/** A session without a journal: scheduled, or held before Rollcall came. */
async function readStored(storage: Storage, sessionId: SessionId): Promise<Shown> {
  const stored = await storage.projection.findSession(sessionId);
  if (!stored) {
    throw new CommandFailure(`the database has no session ${visible(sessionId)}: check the id, also its case`);
  }
  const [{ storedData }, { newRecordId }] = await Promise.all([
    import('../sessions/get-attendance-session-data.js'),
    import('../register/record-id.js'),
  ]);
  return withoutOnline(await storedData(stored, { storage, now: Date.now, newRecordId }));
}

function withoutOnline({ statistics, ...data }: SessionData): Shown {
  const { onlineCount: _, ...stored } = statistics;
  return { ...data, statistics: stored };
}

async function textOf({ session, attendanceRecords, statistics, changes }: Shown, timeOf: TimeOf): Promise<string> {
  const { table } = await import('./table.js');
  const records = [...attendanceRecords].sort(byRoll);
  const register = records.map((record) => [
    rollOf(record),
    nameOf(record),
    record.status,
    timeOf(record.marked_at),
    record.marked_by ?? '',
    timeOf(record.checked_in_at),
    record.remarks ?? '',
  ]);
  const names = new Map(records.map((record) => [record.student_id as string, nameOf(record)]));
  const history = (changes ?? []).map((change) => [
    String(change.seq),
    timeOf(change.at),
    change.actor.name,
    change.student_id === undefined ? '' : (names.get(change.student_id) ?? change.student_id),
    whatOf(change),
  ]);
  return [
    `${headOf(session)}\n${stateOf(session, timeOf)}\n${countsOf(statistics)}\n`,
    register.length === 0
      ? 'No student has a record yet.\n'
      : table(['ROLL', 'STUDENT', 'STATUS', 'WHEN', 'BY', 'CHECKED IN', 'REMARKS'], register),
    ...(changes === undefined
      ? []
      : [
          history.length === 0
            ? 'There is no history: the session did not run under Rollcall.\n'
            : table(['SEQ', 'WHEN', 'BY', 'STUDENT', 'WHAT'], history),
        ]),
  ].join('\n');
}

const NUMERIC = new Intl.Collator('en', { numeric: true });

/** As people read rolls: 2 before 10. */
const byRoll = (a: AttendanceRecord, b: AttendanceRecord): number =>
  NUMERIC.compare(rollOf(a), rollOf(b)) || NUMERIC.compare(nameOf(a), nameOf(b));

const rollOf = ({ student, student_id }: AttendanceRecord): string => student.roll ?? student_id;
const nameOf = ({ student }: AttendanceRecord): string => student.name;

function headOf({ session_id, course, date, start_time, end_time, topic }: Session): string {
  const hours = [start_time, end_time].filter((time) => time !== null).join('–');
  const code = course?.course_code ? ` (${course.course_code})` : '';
  const about = [course?.title ? `${course.title}${code}` : null, [date, hours].filter(Boolean).join(' '), topic];
  return visible([`Session ${session_id}`, about.filter(Boolean).join(', ')].filter(Boolean).join(': '));
}

function stateOf({ status, teacher_name, started_at, ended_at }: Session, timeOf: TimeOf): string {
  const times = [
    started_at === null ? null : `started ${timeOf(started_at)}`,
    ended_at === null ? null : `ended ${timeOf(ended_at)}`,
  ];
  const teacher = teacher_name === null ? null : `teacher ${teacher_name}`;
  return visible([status, teacher, ...times].filter((part) => part !== null).join(', '));
}

function countsOf(counts: Shown['statistics']): string {
  const { presentCount, lateCount, excusedCount, absentCount, totalStudents, checkedInCount, attendanceRate } = counts;
  return (
    `${presentCount} present, ${lateCount} late, ${excusedCount} excused and ${absentCount} absent of ` +
    `${totalStudents}; ${checkedInCount} checked in; ${attendanceRate} % attended`
  );
}

function whatOf({ type, status, previous_status, remarks, reason }: Change): string {
  switch (type) {
    case 'started':
      return 'started';
    case 'adopted':
      return 'taken over as the database had it';
    case 'checked_in':
      return 'checked in';
    case 'marked':
      return `${previous_status ?? 'new in the register'} → ${status}${remarks ? `: ${remarks}` : ''}`;
    case 'cleared':
      return `${previous_status} → ${status}: the mark was taken back`;
    case 'amended':
      return `${previous_status} → ${status}, amended after the end: ${reason}${remarks ? `; remarks: ${remarks}` : ''}`;
    case 'ended':
      return `ended (${reason})`;
  }
}

type TimeOf = (iso: string | null) => string;

/** Of an ISO time: date and time of day by a clock at the school, to the second; nothing for null. */
function clockOf(timeZone: string): TimeOf {
  // Swedish writes 2026-11-23 09:00:03.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  return (iso) => (iso === null ? '' : format.format(new Date(iso)));
}
