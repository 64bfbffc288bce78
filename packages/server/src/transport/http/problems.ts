import { type ErrorCode, errorRegistry, RollcallError } from '@rollcall/protocol';
import type { Problem } from '@rollcall/protocol/http';
import type { Response } from 'express';
import { StorageError } from '../../storage/port.js';

/** Seconds after which a caller may try again what is refused for now, where nothing else is known. */
const RETRY_AFTER_SECONDS = 1;

/** What Express and its parts throw: an error with the status that fits it. */
interface HttpError {
  readonly status?: unknown;
  readonly type?: unknown;
  readonly message?: unknown;
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'BAD_REQUEST',
  404: 'NOT_FOUND',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
};

/** Whatever was thrown while a request was handled, as an error of the registry. */
export function refusalOf(error: unknown): RollcallError {
  if (error instanceof RollcallError) return error;
  if (error instanceof StorageError) return new RollcallError('STORAGE_UNAVAILABLE', { cause: error });
  const { status, type, message } = (error ?? {}) as HttpError;
  const code = typeof status === 'number' ? CODES[status] : undefined;
  if (code === undefined) return new RollcallError('INTERNAL', { cause: error });
  if (type === 'entity.parse.failed') {
    return new RollcallError('BAD_REQUEST', {
      message: 'the body is no JSON',
      details: { field: 'body' },
      cause: error,
    });
  }
  if (error instanceof URIError) {
    return new RollcallError('BAD_REQUEST', {
      message: 'the path is not percent-encoded as it should be',
      details: { field: 'path' },
      cause: error,
    });
  }
  return new RollcallError(code, {
    ...(code === 'BAD_REQUEST' && typeof message === 'string' ? { message } : {}),
    cause: error,
  });
}

/** A refusal as a problem document. @param errorsPage address at which the codes are explained */
export function problemOf(error: RollcallError, errorsPage: string, requestId: string): Problem {
  const { code, message, retryable, details } = error;
  const { http_status, message: title } = errorRegistry[code];
  const { issues, ...rest } = details ?? {};
  return {
    type: `${errorsPage}#${code}`,
    title,
    status: http_status,
    code,
    detail: message,
    retryable,
    request_id: requestId,
    ...(issues ? { errors: issues.map(({ field, message: what }) => ({ field, message: what })) } : {}),
    ...(Object.keys(rest).length > 0 ? { details: rest } : {}),
  };
}

export function sendProblem(response: Response, problem: Problem): void {
  const { code, status, details } = problem;
  if (code === 'UNAUTHENTICATED') response.set('WWW-Authenticate', 'Bearer');
  if (status === 429 || status === 503) {
    const seconds = Number(details?.['retry_after'] ?? RETRY_AFTER_SECONDS);
    response.set('Retry-After', String(Math.max(1, Math.ceil(seconds))));
  }
  response.set('Cache-Control', 'no-store');
  response.status(status).type('application/problem+json').send(JSON.stringify(problem));
}
