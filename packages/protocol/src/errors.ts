/** The one registry of errors: every refusal on the socket and over HTTP carries one of these codes. */
export interface ErrorDefinition {
  /** Default text of `attendanceError.message` and of the ack's `error.message`. */
  readonly message: string;
  /** True when the same request may succeed later without being changed. */
  readonly retryable: boolean;
  /** Status of the problem document when the request came over HTTP. */
  readonly http_status: number;
  /** When it is answered, for the reference page. */
  readonly when: string;
}

const define = <const Codes extends Record<string, ErrorDefinition>>(codes: Codes): Codes => codes;

export const errorRegistry = define({
  BAD_REQUEST: {
    message: 'Bad request',
    retryable: false,
    http_status: 400,
    when: 'The payload is missing, of the wrong type or out of range; details.field names the field.',
  },
  UNAUTHENTICATED: {
    message: 'Authentication error',
    retryable: false,
    http_status: 401,
    when: 'No token, a bad or expired token, or a user that is not known.',
  },
  FORBIDDEN: {
    message: 'You may not do this',
    retryable: false,
    http_status: 403,
    when: 'The user is known and has no right to this course or object.',
  },
  NOT_A_TEACHER: {
    message: 'Teacher profile not found',
    retryable: false,
    http_status: 403,
    when: 'The event is for teachers and the user has no teacher profile.',
  },
  NOT_A_STUDENT: {
    message: 'Student profile not found',
    retryable: false,
    http_status: 403,
    when: 'The event is for students and the user has no student profile.',
  },
  NOT_SESSION_TEACHER: {
    message: 'Only the session teacher can end attendance',
    retryable: false,
    http_status: 403,
    when: 'The user is a teacher, but not of this session; the message names what was tried.',
  },
  COURSE_NOT_FOUND: {
    message: 'Course not found',
    retryable: false,
    http_status: 404,
    when: 'No course has this course_id.',
  },
  SESSION_NOT_FOUND: {
    message: 'Session not found',
    retryable: false,
    http_status: 404,
    when: 'No session has this session_id.',
  },
  SESSION_NOT_ACTIVE: {
    message: 'Attendance session not active',
    retryable: false,
    http_status: 409,
    when: 'The session is not started yet; for joining, also unknown or over; for ending, already over.',
  },
  SESSION_ENDED: {
    message: 'Attendance session not active',
    retryable: false,
    http_status: 409,
    when: 'The session is completed or cancelled.',
  },
  STUDENT_NOT_FOUND: {
    message: 'Student not found',
    retryable: false,
    http_status: 404,
    when: 'No student has this id, user id or uid.',
  },
  NOT_ENROLLED: {
    message: 'Student is not enrolled in this course',
    retryable: false,
    http_status: 403,
    when: 'The student has no approved enrolment in the course of the session.',
  },
  CODE_REQUIRED: {
    message: 'A check-in code is required',
    retryable: false,
    http_status: 403,
    when: 'The session asks for a check-in code and none was sent.',
  },
  CODE_INVALID: {
    message: 'The check-in code is wrong',
    retryable: false,
    http_status: 403,
    when: 'The check-in code was none of this session, as far back as is looked.',
  },
  CODE_EXPIRED: {
    message: 'The check-in code has expired',
    retryable: false,
    http_status: 403,
    when: 'The check-in code was right some time ago.',
  },
  RATE_LIMITED: {
    message: 'Too many requests',
    retryable: true,
    http_status: 429,
    when: 'The user went on over the rate, or has sent ten wrong check-in codes and joins that session for the first time; details.retry_after is in seconds.',
  },
  PAYLOAD_TOO_LARGE: {
    message: 'Payload too large',
    retryable: false,
    http_status: 413,
    when: 'The request is larger than the largest legal one.',
  },
  STORAGE_UNAVAILABLE: {
    message: 'Storage is unavailable: the change may or may not have been saved, repeat it with the same op_id',
    retryable: true,
    http_status: 503,
    when: 'The database did not answer. What was asked may or may not have been saved: repeat it with the same op_id.',
  },
  JOURNAL_UNREADABLE: {
    message: 'The journal of this session cannot be read by this version of the server',
    retryable: false,
    http_status: 500,
    when: 'The journal has entries of a newer version, or is damaged. The server’s log says which session and where.',
  },
  OVERLOADED: {
    message: 'The server is overloaded',
    retryable: true,
    http_status: 503,
    when: 'A queue is full. Repeat the request later with the same op_id.',
  },
  INTERNAL: {
    message: 'Internal error',
    retryable: true,
    http_status: 500,
    when: 'A fault of the server; it is logged with its stack.',
  },
});

export type ErrorCode = keyof typeof errorRegistry;

/** Extra facts of an error: `field` of a bad request, `rows` of a bulk, `retry_after` (seconds) of a limit. */
export interface ErrorDetails {
  readonly field?: string;
  readonly issues?: ReadonlyArray<{ readonly field: string; readonly message: string }>;
  readonly rows?: ReadonlyArray<FailedRow>;
  readonly retry_after?: number;
}

/** One row of a bulk request that was refused. */
export interface FailedRow {
  /** Position in attendanceUpdates, from 0. */
  readonly index: number;
  /** As it was sent, where it was a string; null otherwise. */
  readonly student_id: string | null;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What a client finds under `error` in a refused acknowledgement. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly details?: ErrorDetails;
}

/** The one error that commands throw on purpose; transports turn it into acks, events and problem documents. */
export class RollcallError extends Error {
  override readonly name = 'RollcallError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails | undefined;

  constructor(code: ErrorCode, options: { message?: string; details?: ErrorDetails; cause?: unknown } = {}) {
    super(
      options.message ?? errorRegistry[code].message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.details = options.details;
  }

  get retryable(): boolean {
    return errorRegistry[this.code].retryable;
  }

  toWire(): WireError {
    const { code, message, retryable, details } = this;
    return details === undefined ? { code, message, retryable } : { code, message, retryable, details };
  }
}
