import type { ErrorCode, ErrorDetails, WireError } from '@rollcall/protocol';

/**
 * A code of the server's registry, or one of the client's own:
 * `TIMEOUT` the deadline passed, `ABORTED` the caller's signal fired, `CLOSED` the client was closed.
 */
export type ClientErrorCode = ErrorCode | 'TIMEOUT' | 'ABORTED' | 'CLOSED';

interface ErrorFacts {
  readonly retryable?: boolean;
  readonly details?: ErrorDetails | undefined;
  readonly event?: string;
  readonly op_id?: string | undefined;
  readonly uncertain?: boolean;
  readonly cause?: unknown;
}

/** What every promise of the client rejects with. */
export class RollcallClientError extends Error {
  override readonly name = 'RollcallClientError';
  readonly code: ClientErrorCode;
  /** True where the same request may succeed later without being changed. */
  readonly retryable: boolean;
  /** The server's facts: the field of a bad request, the rows of a bulk, the seconds of a limit. */
  readonly details: ErrorDetails | undefined;
  /** Name of the event that was sent, where there was one. */
  readonly event: string | undefined;
  /** The command's op_id: a repeat with it can't have a second effect. */
  readonly op_id: string | undefined;
  /**
   * True where the command was sent and no answer came: it may have taken effect. Repeating it with the same
   * `op_id` is safe and tells.
   */
  readonly uncertain: boolean;

  constructor(code: ClientErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.retryable = facts.retryable ?? false;
    this.details = facts.details;
    this.event = facts.event;
    this.op_id = facts.op_id;
    this.uncertain = facts.uncertain ?? false;
  }
}

/** The refusal in an acknowledgement as an error. */
export const refusal = (error: WireError, facts: { event: string; op_id: string | undefined }): RollcallClientError =>
  new RollcallClientError(error.code, error.message, {
    retryable: error.retryable,
    details: error.details,
    ...facts,
  });

/** What an acknowledgement says went wrong; undefined where it says that all is well. */
export function errorOf(answer: unknown): WireError | undefined {
  const { ok, error } = (answer ?? {}) as { ok?: unknown; error?: Partial<WireError> };
  if (ok === true) return undefined;
  if (typeof error?.code === 'string') {
    const { code, message = code, retryable = false, details } = error;
    return { code, message, retryable, ...(details === undefined ? {} : { details }) };
  }
  return { code: 'INTERNAL', message: 'The server answered with something else than an answer', retryable: false };
}
