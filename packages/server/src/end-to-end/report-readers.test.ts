import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CourseId, CourseRegister, SessionId } from '@rollcall/protocol';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { calendarOf } from '../reports/calendar-of.js';
import { rosterStudent, sessionRecord, storedSession } from '../reports/plain-register.test.support.js';
import { registerOf } from '../reports/register-of.js';
import { formatCourse, formatSession } from '../reports/report-format.js';
import { type DatedSession, EVERYTHING, inOrder } from '../reports/session-days.js';
import { sessionRegisterOf } from '../reports/session-register-of.js';
import { type Cell, type Sheet, sheetsOfCourse, sheetsOfSession } from '../reports/sheets-of.js';
import { temporaryFolder } from '../testing/server.js';
import {
  icalendar,
  LIBREOFFICE_MISSING,
  libreOffice,
  noLibreOffice,
  noPython,
  openpyxl,
  PYTHON_MISSING,
} from './report-readers.test.support.js';

const zone = 'Asia/Dhaka';
const REMARK = `${'A long remark, "quoted"; with a line\nbreak and an emoji 💚. '.repeat(5)}${'x'.repeat(30)}`.slice(
  0,
  300,
);

/** Names that a spreadsheet, a markup or a careless map trips over, and one that is written from right to left. */
const NAMES = [
  'محمد علي',
  '=HYPERLINK("http://evil.example","x")',
  '+49 30',
  '-1',
  '@home',
  '\ttab',
  '＝full width',
  '  two spaces  ',
  "'quoted",
  '<b>&amp;</b>',
  'constructor',
  '__proto__',
  '1907001',
  '2026-11-23',
  '1E5',
  'TRUE',
  '李小龍 💚',
];
/** What a file can't hold is left out of it. */
const CONTROLS = 'nul\u0000bell\u0007escape\u001b[2J';

const students = [...NAMES, CONTROLS].map((name, i) => rosterStudent(`st-${i}`, { name, roll: `00${i + 1}` }));
const sessions = inOrder(
  [
    storedSession('s-1', { started_at: Date.parse('2026-11-23T03:00:00Z'), topic: '=1+1' }),
    storedSession('s-2', { date: '2026-11-24', start_time: null }),
    storedSession('s-3', { date: '2026-11-30' }),
  ],
  zone,
  EVERYTHING,
);
const records = students.flatMap(({ student_id }, i) => [
  sessionRecord('s-1', student_id, i % 2 === 0 ? 'present' : 'late', {
    checked_in_at: Date.parse('2026-11-23T03:07:30Z') + i * 60_000,
    marked_by: '=Ada',
    remarks: i === 0 ? REMARK : null,
  }),
  ...(i % 3 === 0 ? [] : [sessionRecord('s-2', student_id, 'absent')]),
]);
const amendments = [
  {
    session_id: 's-1' as SessionId,
    student_id: students[1]?.student_id ?? ('' as never),
    previous_status: 'absent' as const,
    status: 'late' as const,
    by: 'Ada Osei',
    at: Date.parse('2026-11-25T20:00:00Z'),
    reason: '=cmd|calc',
  },
];
const course = { _id: 'c' as CourseId, title: '@course', course_code: null };
const register: CourseRegister = registerOf({
  course,
  range: EVERYTHING,
  zone,
  codes: null,
  sessions,
  students,
  records,
  amendments,
  unreadable: new Set(),
});
const ofSession = sessionRegisterOf({
  dated: sessions[0] as DatedSession,
  zone,
  codes: null,
  students,
  records: records.filter(({ session_id }) => session_id === 's-1'),
  amendments,
  isReadable: true,
});

const cases = [
  ['a course', sheetsOfCourse(register), formatCourse(register, 'xlsx'), formatCourse(register, 'csv')],
  ['a session', sheetsOfSession(ofSession), formatSession(ofSession, 'xlsx'), formatSession(ofSession, 'csv')],
] as const;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is left out
const held = (cell: Cell): Cell => (typeof cell === 'string' ? cell.replace(/[\u0000\u0007\u001b]/g, '') : cell);
const table = ({ header, rows }: Sheet): Cell[][] => [header, ...rows].map((row) => row.map(held));
const shown = (cell: Cell): string => (cell === null ? '' : String(cell));

async function fileOf(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, content);
  return path;
}

describe.each(cases)('%s', (_, sheets, xlsx, csv) => {
  test.skipIf(noPython)(
    `[REPORT-10] openpyxl reads every cell as it is in the JSON, below one header row that stays in view${noPython ? PYTHON_MISSING : ''}`,
    async () => {
      const read = await openpyxl(await fileOf('register.xlsx', xlsx));
      expect(read.map(({ name }) => name)).toEqual(['Register', 'Sessions', 'Summary', 'Amendments', 'About']);
      for (const [i, sheet] of sheets.entries()) {
        const { cells, frozen } = read[i] ?? { cells: [], frozen: null };
        expect(cells.map((row) => row.map(([value]) => value))).toEqual(table(sheet));
        for (const row of cells) {
          for (const [value, type] of row) expect(type, String(value)).toBe(typeof value === 'string' ? 's' : 'n');
        }
        expect(frozen).toMatch(/^[A-Z]2$/);
      }
      expect(read[0]?.frozen).toBe('D2');
    },
  );

  test.skipIf(noLibreOffice)(
    `[REPORT-10] LibreOffice shows every cell as it is in the JSON${noLibreOffice ? LIBREOFFICE_MISSING : ''}`,
    { timeout: 120_000 },
    async () => {
      const seen = await libreOffice(await fileOf('register.xlsx', xlsx));
      for (const sheet of sheets) expect(seen.get(sheet.name)).toEqual(table(sheet).map((row) => row.map(shown)));
    },
  );

  test.skipIf(noLibreOffice)(
    `[REPORT-11] LibreOffice opens the CSV with every cell in its place and no formula${noLibreOffice ? LIBREOFFICE_MISSING : ''}`,
    { timeout: 120_000 },
    async () => {
      const [seen] = (await libreOffice(await fileOf('register.csv', csv))).values();
      const written: string[][] = parse(Buffer.from(csv), { bom: true });
      expect(seen?.length).toBe(written.length);
      // What looks like a number or a day is one to a spreadsheet: names that begin with a sign keep it.
      const names = (rows: readonly string[][]) =>
        rows.map((row) => row[2]).filter((name) => /^['=+@-]/.test(name ?? ''));
      expect(names(seen ?? [])).toEqual(names(written));
      expect(names(written)).toContain(`'=HYPERLINK("http://evil.example","x")`);
      expect(seen?.[1]?.[2]).toBe('محمد علي');
    },
  );
});

test.skipIf(noPython)(
  `[CALENDAR-4] the icalendar package reads a calendar without an error${noPython ? PYTHON_MISSING : ''}`,
  async () => {
    const listed = [
      storedSession('s-1', { topic: `${REMARK}\\;,` }),
      storedSession('s-2', { date: '2026-11-24', start_time: null, status: 'cancelled' }),
    ];
    const calendar = calendarOf({ sessions: listed, zone, domain: 'school.example', now: 0 });
    const events = await icalendar(await fileOf('feed.ics', calendar));
    expect(events).toEqual([
      {
        uid: 's-1@school.example',
        stamp: '1970-01-01T00:00:00+00:00',
        start: '2026-11-23T03:00:00+00:00',
        end: '2026-11-23T04:30:00+00:00',
        summary: expect.any(String),
        description: `${REMARK}\\;,`,
        status: 'CONFIRMED',
        errors: [],
      },
      expect.objectContaining({ start: '2026-11-24', end: null, status: 'CANCELLED' }),
    ]);
  },
);
