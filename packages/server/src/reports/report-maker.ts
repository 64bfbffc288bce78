import type { Arrivals, CourseId, SessionId, StudentHistory, StudentId } from '@rollcall/protocol';
import { RollcallError } from '@rollcall/protocol';
import type { Reports } from '../storage/port.js';
import { arrivalsOf } from './arrivals-of.js';
import { historyOf } from './history-of.js';
import { readCourse, readHistory, readSession } from './read-reports.js';
import { type CodeSet, codeSetNamed } from './report-codes.js';
import { CONTENT_TYPES, type ReportFormat } from './report-format.js';
import { ReportThread } from './report-thread.js';
import type { Range } from './session-days.js';
import { XLSX_MAX_COLUMNS } from './xlsx.js';

export interface Report {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly content_type: string;
  /** For a download: letters, digits and hyphens. */
  readonly file_name: string;
}

export interface ReportWish {
  readonly format: ReportFormat;
  /** Null: statuses stand for themselves. */
  readonly codes: CodeSet | null;
}

/** Columns of a register that are no session's. */
const OTHER_COLUMNS = 16;

/** Makes reports. Whether the asker may see them is for the caller to say. */
export class ReportMaker {
  readonly #reports: Reports;
  readonly #zone: string;
  readonly #thread = new ReportThread();

  readonly #ownCodes: CodeSet | undefined;

  /**
   * @param zone IANA name of the school's time zone
   * @param ownCodes a code set of the school's own, under its name beside those that everybody has
   */
  constructor(reports: Reports, zone: string, ownCodes?: CodeSet) {
    this.#reports = reports;
    this.#zone = zone;
    this.#ownCodes = ownCodes;
  }

  /** The code set of a name; null for none. @throws {RollcallError} BAD_REQUEST for a name that there isn't */
  codes(name: string | undefined): CodeSet | null {
    return codeSetNamed(name, this.#ownCodes);
  }

  /**
   * Students × sessions.
   * @throws {RollcallError} COURSE_NOT_FOUND, BAD_REQUEST for one that is too large, OVERLOADED
   */
  async ofCourse(courseId: CourseId, range: Range, { format, codes }: ReportWish): Promise<Report> {
    const bytes = await this.#thread.make(async (send) => {
      const { records, ...parts } = await readCourse(this.#reports, courseId, range, { zone: this.#zone, codes });
      if (format === 'xlsx' && parts.sessions.length > XLSX_MAX_COLUMNS - OTHER_COLUMNS) {
        const message = 'from and to span more sessions than a spreadsheet has columns: ask for fewer days, or for csv';
        throw new RollcallError('BAD_REQUEST', { message, details: { field: 'from' } });
      }
      for await (const page of records) send({ kind: 'records', records: page });
      send({ kind: 'course', format, parts });
    });
    const days = [range.from, range.to].filter((day) => day !== null);
    return reportOf(bytes, format, ['register', courseId, ...days]);
  }

  /** A row a student. @throws {RollcallError} SESSION_NOT_FOUND, OVERLOADED */
  async ofSession(sessionId: SessionId, { format, codes }: ReportWish): Promise<Report> {
    const bytes = await this.#thread.make(async (send) => {
      const parts = await readSession(this.#reports, sessionId, { zone: this.#zone, codes });
      send({ kind: 'session', format, parts });
    });
    return reportOf(bytes, format, ['session', sessionId]);
  }

  /** One student over all their courses. */
  async ofStudent(studentId: StudentId, range: Range): Promise<StudentHistory> {
    return historyOf(await readHistory(this.#reports, studentId, range, this.#zone));
  }

  /** Check-ins by the minute. @throws {RollcallError} SESSION_NOT_FOUND */
  async arrivals(sessionId: SessionId): Promise<Arrivals> {
    const [session] = await this.#reports.sessions([sessionId]);
    if (!session) throw new RollcallError('SESSION_NOT_FOUND');
    return arrivalsOf(sessionId, session.started_at, await this.#reports.recordsOfSessions([sessionId]));
  }

  /** Gives up what is being made. */
  close(): Promise<void> {
    return this.#thread.close();
  }
}

const reportOf = (bytes: Uint8Array<ArrayBuffer>, format: ReportFormat, name: readonly string[]): Report => ({
  bytes,
  content_type: CONTENT_TYPES[format],
  file_name: `${name
    .join('-')
    .replace(/[^A-Za-z0-9-]+/g, '-')
    .slice(0, 100)}.${format}`,
});
