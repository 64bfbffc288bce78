import type { CourseRegister, SessionRegister } from '@rollcall/protocol';
import { csvOf } from './csv.js';
import { type Sheet, sheetsOfCourse, sheetsOfSession } from './sheets-of.js';
import { xlsxOf } from './xlsx.js';

export const REPORT_FORMATS = ['json', 'csv', 'xlsx'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

export const CONTENT_TYPES: Readonly<Record<ReportFormat, string>> = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

export const formatCourse = (register: CourseRegister, format: ReportFormat): Uint8Array<ArrayBuffer> =>
  format === 'json' ? jsonOf(register) : sheetsAs(format, sheetsOfCourse(register));

export const formatSession = (register: SessionRegister, format: ReportFormat): Uint8Array<ArrayBuffer> =>
  format === 'json' ? jsonOf(register) : sheetsAs(format, sheetsOfSession(register));

const jsonOf = (report: object): Uint8Array<ArrayBuffer> => new TextEncoder().encode(`${JSON.stringify(report)}\n`);

/** CSV has one table: the register. */
function sheetsAs(format: 'csv' | 'xlsx', sheets: readonly Sheet[]): Uint8Array<ArrayBuffer> {
  const [register] = sheets;
  return format === 'xlsx' || register === undefined ? xlsxOf(sheets) : csvOf(register);
}
