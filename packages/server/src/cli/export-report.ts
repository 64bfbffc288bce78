import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type CourseId, RollcallError, type SessionId } from '@rollcall/protocol';
import type { CodeSet } from '../reports/report-codes.js';
import type { ReportFormat } from '../reports/report-format.js';
import type { Report, ReportMaker, ReportWish } from '../reports/report-maker.js';
import { visible } from '../visible-text.js';
import { loadDatabaseConfig } from './environment.js';
import { CommandFailure } from './failure.js';
import { Progress } from './progress.js';
import { refuseUnwritable, writeNewFile } from './write-new-file.js';

export interface ReportOptions {
  readonly format: ReportFormat;
  readonly from?: string;
  readonly to?: string;
  readonly codes?: string;
  readonly out?: string;
}

export async function exportCourse(id: string, options: ReportOptions): Promise<void> {
  const range = { from: dayOf(options.from, '--from'), to: dayOf(options.to, '--to') };
  if (range.from !== null && range.to !== null && range.from > range.to) {
    throw new CommandFailure('--from is later than --to');
  }
  await exportReport(options, `course ${visible(id)}`, (maker, wish) => maker.ofCourse(id as CourseId, range, wish));
}

export async function exportSessionRegister(id: string, options: ReportOptions): Promise<void> {
  await exportReport(options, `session ${visible(id)}`, (maker, wish) => maker.ofSession(id as SessionId, wish));
}

type Make = (maker: ReportMaker, wish: ReportWish) => Promise<Report>;

async function exportReport({ format, codes, out }: ReportOptions, of: string, make: Make): Promise<void> {
  await refuseUnwritable(out);
  const config = loadDatabaseConfig();
  const wish: ReportWish = { format, codes: await codesOf(codes, config.reportCodes) };
  const { openStorage } = await import('./open-storage.js');
  const { ReportMaker } = await import('../reports/report-maker.js');
  const storage = await openStorage(config, 'export', true);
  const progress = new Progress();
  const maker = new ReportMaker(storage.reports, config.timeZone);
  let report: Report;
  try {
    progress.show(`Reading ${of} …`);
    report = await make(maker, wish);
  } catch (error) {
    throw failureOf(error, of);
  } finally {
    progress.done();
    await maker.close();
    await storage.close();
  }
  if (out !== undefined) await writeNewFile(out, [report.bytes]);
  else if (!process.stdout.write(report.bytes)) await once(process.stdout, 'drain');
}

function failureOf(error: unknown, of: string): unknown {
  if (!(error instanceof RollcallError)) return error;
  const isUnknown = error.code === 'COURSE_NOT_FOUND' || error.code === 'SESSION_NOT_FOUND';
  const message = isUnknown ? `the database has no ${of}: check the id, also its case` : error.message;
  return new CommandFailure(message, { cause: error });
}

/** @throws {CommandFailure} for what is no day of the calendar */
function dayOf(text: string | undefined, option: string): string | null {
  if (text === undefined) return null;
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  // Of 30 February, Date makes 2 March.
  if (!Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)) return text;
  throw new CommandFailure(`${option} must be a day such as 2026-11-23`);
}

/** A code set by its name, or one from a file of the school's own. */
async function codesOf(given: string | undefined, own: CodeSet | null): Promise<CodeSet | null> {
  const { codeSetNamed, codeSetOf } = await import('../reports/report-codes.js');
  try {
    if (given === undefined || !given.endsWith('.json')) return codeSetNamed(given, own ?? undefined);
    return codeSetOf(JSON.parse(await readFile(given, 'utf8')), 'own');
  } catch (error) {
    const named = given?.endsWith('.json') === true ? `${given}: ` : '--';
    if (error instanceof RollcallError) throw new CommandFailure(`${named}${error.message}`, { cause: error });
    if (error instanceof SyntaxError) throw new CommandFailure(`${given} is no JSON: ${error.message}`);
    throw error;
  }
}
