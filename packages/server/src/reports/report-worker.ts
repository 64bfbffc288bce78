import { parentPort } from 'node:worker_threads';
import { type RegisterParts, type RegisterRecord, registerOf } from './register-of.js';
import { formatCourse, formatSession, type ReportFormat } from './report-format.js';
import { type SessionParts, sessionRegisterOf } from './session-register-of.js';

/** What a report's thread is told: records in pages, then what to make. It makes one report and ends. */
export type ReportMessage =
  | { readonly kind: 'records'; readonly records: readonly RegisterRecord[] }
  | { readonly kind: 'course'; readonly format: ReportFormat; readonly parts: Omit<RegisterParts, 'records'> }
  | { readonly kind: 'session'; readonly format: ReportFormat; readonly parts: SessionParts };

export interface ReportMade {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

if (!parentPort) throw new Error('to be started as a worker thread');
const port = parentPort;
const records: RegisterRecord[] = [];

function done(bytes: Uint8Array<ArrayBuffer>): void {
  const made: ReportMade = { bytes };
  port.postMessage(made, [bytes.buffer]);
  port.close();
}

port.on('message', (message: ReportMessage) => {
  switch (message.kind) {
    case 'records':
      for (const record of message.records) records.push(record);
      return;
    case 'course':
      return done(formatCourse(registerOf({ ...message.parts, records }), message.format));
    case 'session':
      return done(formatSession(sessionRegisterOf(message.parts), message.format));
  }
});
