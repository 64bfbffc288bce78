import type { CourseRegister, ReportedAmendment, ReportedSession, SessionRegister } from '@rollcall/protocol';
import { dayOf, timeOf } from '../school-time.js';

export type Cell = string | number | null;

/** A table with a name. The header is the one row above the cells, so that other programs can import it. */
export interface Sheet {
  readonly name: string;
  readonly header: readonly string[];
  readonly rows: ReadonlyArray<readonly Cell[]>;
  /** Columns that stay in view, from the left. */
  readonly frozen: number;
}

const FIGURES = ['present', 'late', 'excused', 'absent', 'records', 'rate', 'late_minutes'] as const;
const SESSION = [
  'session_id',
  'column',
  'date',
  'week',
  'start_time',
  'end_time',
  'topic',
  'teacher_name',
  'status',
  'started_at',
  'ended_at',
  ...FIGURES,
  'amendments',
] as const;
const AMENDMENT = [
  'session_id',
  'column',
  'student_id',
  'name',
  'previous_status',
  'status',
  'amended_by',
  'amended_at',
  'reason',
] as const;
const RUNS = ['longest_absence', 'current_absence'] as const;
const IN_SESSION = [
  'student_id',
  'roll',
  'name',
  'status',
  'checked_in_at',
  'marked_at',
  'marked_by',
  'late_minutes',
  'remarks',
] as const;

const cells = <Field extends string>(fields: readonly Field[], of: Readonly<Record<Field, Cell>>): Cell[] =>
  fields.map((field) => of[field]);

/** An instant on the clock of the school: `2026-11-23 09:03:12`, as spreadsheets read times. */
function onTheClock(iso: string | null, zone: string): string | null {
  if (iso === null) return null;
  const ms = Date.parse(iso);
  return `${dayOf(ms, zone)} ${timeOf(ms, zone)}:${iso.slice(17, 19)}`;
}

/** The register first, then what explains it: sessions, the summary by week, amendments and what was asked for. */
export function sheetsOfCourse(register: CourseRegister): Sheet[] {
  const { time_zone, sessions, rows, weeks, summary } = register;
  const columns = sessions.map(({ column }) => column);
  return [
    {
      name: 'Register',
      frozen: 3,
      header: ['student_id', 'roll', 'name', ...columns, ...FIGURES, ...RUNS],
      rows: rows.map((row) => [
        row.student_id,
        row.roll,
        row.name,
        ...columns.map((column) => row.statuses[column] ?? null),
        ...cells(FIGURES, row),
        ...cells(RUNS, row),
      ]),
    },
    sessionsSheet(sessions, time_zone),
    {
      name: 'Summary',
      frozen: 1,
      header: ['week', 'sessions', ...FIGURES],
      rows: [
        ...weeks.map((week) => [week.week, week.sessions, ...cells(FIGURES, week)]),
        ['total', summary.sessions, ...cells(FIGURES, summary)],
      ],
    },
    amendmentsSheet(register.amendments, time_zone),
    aboutSheet(register.course, [
      ['from', register.from],
      ['to', register.to],
      ['students', summary.students],
      ...settings(register),
    ]),
  ];
}

export function sheetsOfSession(register: SessionRegister): Sheet[] {
  const { time_zone, session, rows } = register;
  return [
    {
      name: 'Register',
      frozen: 3,
      header: [...IN_SESSION],
      rows: rows.map((row) =>
        cells(IN_SESSION, {
          ...row,
          checked_in_at: onTheClock(row.checked_in_at, time_zone),
          marked_at: onTheClock(row.marked_at, time_zone),
        }),
      ),
    },
    sessionsSheet([session], time_zone),
    { name: 'Summary', frozen: 0, header: [...FIGURES], rows: [cells(FIGURES, session)] },
    amendmentsSheet(register.amendments, time_zone),
    aboutSheet(register.course, settings(register)),
  ];
}

const sessionsSheet = (sessions: readonly ReportedSession[], zone: string): Sheet => ({
  name: 'Sessions',
  frozen: 2,
  header: [...SESSION],
  rows: sessions.map((session) =>
    cells(SESSION, {
      ...session,
      started_at: onTheClock(session.started_at, zone),
      ended_at: onTheClock(session.ended_at, zone),
      // An empty cell would read as none.
      amendments: session.amendments ?? 'unreadable',
    }),
  ),
});

const amendmentsSheet = (amendments: readonly ReportedAmendment[], zone: string): Sheet => ({
  name: 'Amendments',
  frozen: 0,
  header: [...AMENDMENT],
  rows: amendments.map((one) => cells(AMENDMENT, { ...one, amended_at: onTheClock(one.amended_at, zone) })),
});

const settings = ({ time_zone, codes }: Pick<CourseRegister, 'time_zone' | 'codes'>): Array<[string, Cell]> => [
  ['time_zone', time_zone],
  ['codes', codes?.name ?? null],
];

const aboutSheet = (course: SessionRegister['course'], facts: ReadonlyArray<[string, Cell]>): Sheet => ({
  name: 'About',
  frozen: 0,
  header: ['field', 'value'],
  rows: [
    ['course_id', course?._id ?? null],
    ['title', course?.title ?? null],
    ['course_code', course?.course_code ?? null],
    ...facts,
  ],
});
