import type { CheckedRequest, OperationName, Operations } from '@rollcall/protocol/http';
import type { Request, Response } from 'express';
import type { Identity, VerifyToken } from '../../../auth/verify-token.js';
import type { Services } from '../../../commands/command.js';
import type { Dispatch } from '../../../commands/dispatch.js';
import type { Logger } from '../../../observability/logger.js';
import type { Metrics } from '../../../observability/metrics.js';
import type { ReportMaker } from '../../../reports/report-maker.js';
import type { ImportFileOptions, ImportOutcome } from '../../../school/import-file.js';
import type { SignIn } from '../../../sign-in/sign-in.js';
import type { Person } from '../../../storage/port.js';
import type { Observer } from '../../socket/socket-context.js';

/** Everything that the operations of the API need, made once and passed in. */
export interface ApiContext {
  readonly services: Services;
  readonly dispatch: Dispatch;
  readonly verifyToken: VerifyToken;
  /** The person of a verified token. @throws {RollcallError} `User not found` */
  readonly personOf: (identity: Identity) => Promise<Person>;
  readonly observe: Observer;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Undefined where people sign in elsewhere: inside an app. */
  readonly signIn: SignIn | undefined;
  readonly reports: ReportMaker;
  /** Address under which people reach the server, without a slash at its end; asked for once it listens. */
  readonly publicUrl: () => string;
  /** Where the codes of errors are explained. */
  readonly errorsUrl: () => string;
  /** An app's own sign-in: who sends a request, where its token doesn't say; undefined where nobody is signed in. */
  readonly authenticate?: (request: Request) => Promise<Identity | undefined>;
  /** IANA name of the school's time zone. */
  readonly timeZone: string;
  /** What this server can do beside the usual. */
  readonly features: Readonly<Record<string, boolean>>;
  /** Imports the school in a file. */
  readonly importFile: (path: string, options: ImportFileOptions) => Promise<ImportOutcome>;
  /** True holds every answer against its schema, and refuses one that differs as a fault of the server: for tests. */
  readonly checkAnswers: boolean;
}

/** The part of it that the attendance part itself gives. */
export type CoreApi = Pick<
  ApiContext,
  'services' | 'dispatch' | 'verifyToken' | 'personOf' | 'observe' | 'metrics' | 'logger' | 'reports'
>;

/** Who calls an operation that wants a token. */
export interface Caller {
  readonly person: Person;
  readonly identity: Identity;
}

/** What a handler answers with. */
export interface ApiAnswer {
  /** Where the operation has several; its first otherwise. */
  readonly status?: number;
  /** Sent as JSON: an object, or one that is encoded already. */
  readonly body?: object;
  /** Sent as it is. */
  readonly bytes?: { readonly type: string; readonly content: Uint8Array | string; readonly filename?: string };
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** One request for one operation. */
export interface ApiCall<Name extends OperationName> extends CheckedRequest<Operations[Name]> {
  readonly name: Name;
  /** Of an operation that wants a token. */
  readonly caller: Caller;
  readonly requestId: string;
  readonly request: Request;
  readonly response: Response;
  /** To be awaited before an answer is made that holds so many records, entries or rows. @throws {RollcallError} RATE_LIMITED */
  charge(items: number): Promise<void>;
  /**
   * Says what the answer will be, before it is made: throws where the caller has it already, and the answer is 304 then.
   * An operation that never says so has the hash of its answer for one.
   */
  tag(etag: string): void;
}

export type Handler<Name extends OperationName> = (
  call: ApiCall<Name>,
  context: ApiContext,
) => Promise<ApiAnswer> | ApiAnswer;

/** What carries out each operation. */
export type HandlersOf = { readonly [Name in OperationName]: Handler<Name> };
