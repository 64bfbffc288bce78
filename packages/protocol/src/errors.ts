import type { AttendanceRecord } from './objects.js';

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
    when: 'Something that was sent is missing, of the wrong type or out of range. The message says what is wrong, and details.field names the field.',
  },
  UNAUTHENTICATED: {
    message: 'Authentication error',
    retryable: false,
    http_status: 401,
    when: 'There is no token, the token is wrong or has expired, or nobody is known by the name in it. Sign in again.',
  },
  FORBIDDEN: {
    message: 'You may not do this',
    retryable: false,
    http_status: 403,
    when: 'The user is signed in, but has no right to this course, or this token belongs to another user.',
  },
  NOT_A_TEACHER: {
    message: 'Teacher profile not found',
    retryable: false,
    http_status: 403,
    when: 'Only teachers may do this, and this user has no teacher profile.',
  },
  NOT_A_STUDENT: {
    message: 'Student profile not found',
    retryable: false,
    http_status: 403,
    when: 'Only students may do this, and this user has no student profile.',
  },
  NOT_SESSION_TEACHER: {
    message: 'Only the session teacher can end attendance',
    retryable: false,
    http_status: 403,
    when: 'The user is a teacher, but not a teacher of this session. The message says what the user tried to do.',
  },
  COURSE_NOT_FOUND: {
    message: 'Course not found',
    retryable: false,
    http_status: 404,
    when: 'There is no course with this course_id.',
  },
  SESSION_NOT_FOUND: {
    message: 'Session not found',
    retryable: false,
    http_status: 404,
    when: 'There is no session with this session_id.',
  },
  SESSION_NOT_ACTIVE: {
    message: 'Attendance session not active',
    retryable: false,
    http_status: 409,
    when: 'The session has not started yet. A student who joins also gets this when the session is unknown or over, and a teacher who ends it when it is over already.',
  },
  SESSION_ENDED: {
    message: 'Attendance session not active',
    retryable: false,
    http_status: 409,
    when: 'The session is over: it was completed or cancelled.',
  },
  SESSION_ACTIVE: {
    message: 'Attendance session is still active: mark the student instead',
    retryable: false,
    http_status: 409,
    when: 'The session is still running. Only the records of a session that is over are amended; in a running session a teacher marks.',
  },
  CONFLICT: {
    message: 'The record was changed since',
    retryable: false,
    http_status: 409,
    when: 'The student’s record was changed after the state that expected_seq names. The record as it stands is in details.record: look at it, then send the command again with its seq.',
  },
  STUDENT_NOT_FOUND: {
    message: 'Student not found',
    retryable: false,
    http_status: 404,
    when: 'There is no student with this profile id, user id or uid.',
  },
  USER_NOT_FOUND: {
    message: 'User not found',
    retryable: false,
    http_status: 404,
    when: 'There is no user with this user id or uid, or you may not know of one.',
  },
  ALREADY_EXISTS: {
    message: 'Already exists',
    retryable: false,
    http_status: 409,
    when: 'Somebody or something else has this id or uid already. details.field names the field.',
  },
  SESSION_BEGUN: {
    message: 'The session has begun',
    retryable: false,
    http_status: 409,
    when: 'Only a session that is scheduled can be changed or cancelled, and this one has begun.',
  },
  NOT_ENROLLED: {
    message: 'Student is not enrolled in this course',
    retryable: false,
    http_status: 403,
    when: 'The student is not enrolled in the course of the session, or the enrolment is not approved.',
  },
  CODE_REQUIRED: {
    message: 'A check-in code is required',
    retryable: false,
    http_status: 403,
    when: 'This session needs a check-in code, and none was sent. It is on the teacher’s screen.',
  },
  CODE_INVALID: {
    message: 'The check-in code is wrong',
    retryable: false,
    http_status: 403,
    when: 'The check-in code is not one of this session’s recent codes.',
  },
  CODE_EXPIRED: {
    message: 'The check-in code has expired',
    retryable: false,
    http_status: 403,
    when: 'The check-in code was right, but a newer one has taken its place. Use the one that is on the teacher’s screen now.',
  },
  RATE_LIMITED: {
    message: 'Too many requests',
    retryable: true,
    http_status: 429,
    when: 'The user sends commands too fast, or has sent ten wrong check-in codes and is not checked in to that session yet. Try again after details.retry_after seconds.',
  },
  NOT_FOUND: {
    message: 'Not Found',
    retryable: false,
    http_status: 404,
    when: 'Nothing is served at this path, or there is nothing of this id that the user may know of.',
  },
  METHOD_NOT_ALLOWED: {
    message: 'Method not allowed',
    retryable: false,
    http_status: 405,
    when: 'The path is known, but not with this method. The header Allow names those that are.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    message: 'Unsupported media type',
    retryable: false,
    http_status: 415,
    when: 'The body of the request is of another type than the operation takes, which is application/json unless it says otherwise.',
  },
  PAYLOAD_TOO_LARGE: {
    message: 'Payload too large',
    retryable: false,
    http_status: 413,
    when: 'The request is larger than any that the server accepts.',
  },
  LINK_UNKNOWN: {
    message: 'This sign-in link is not known',
    retryable: false,
    http_status: 404,
    when: 'There is no such sign-in link: a part of it may be missing, or it has expired and was removed.',
  },
  LINK_USED: {
    message: 'This sign-in link was already used',
    retryable: false,
    http_status: 410,
    when: 'A sign-in link signs in once, and this one did. Ask for another.',
  },
  LINK_EXPIRED: {
    message: 'This sign-in link has expired',
    retryable: false,
    http_status: 410,
    when: 'The sign-in link was not used in time. Ask for another.',
  },
  STORAGE_UNAVAILABLE: {
    message: 'Storage is unavailable: the change may or may not have been saved, repeat it with the same op_id',
    retryable: true,
    http_status: 503,
    when: 'The database did not answer. The change may or may not have been saved: send it again with the same op_id, which never makes it happen twice.',
  },
  JOURNAL_UNREADABLE: {
    message: 'The journal of this session cannot be read by this version of the server',
    retryable: false,
    http_status: 500,
    when: 'The list of this session’s changes was written by a newer version of the server, or is damaged. The server’s log says which session and where.',
  },
  KEYS_UNAVAILABLE: {
    message: 'The identity provider does not answer',
    retryable: true,
    http_status: 503,
    when: 'The server can’t check the token now, because the identity provider’s keys at JWKS_URL can’t be read. Try again with the same token.',
  },
  OVERLOADED: {
    message: 'The server is overloaded',
    retryable: true,
    http_status: 503,
    when: 'The server has too much to do. Send the request again later, with the same op_id.',
  },
  INTERNAL: {
    message: 'Internal error',
    retryable: true,
    http_status: 500,
    when: 'Something went wrong in the server. Its log has the details.',
  },
});

export type ErrorCode = keyof typeof errorRegistry;

/** Extra facts of an error: `field` of a bad request, `rows` of a bulk, `retry_after` (seconds) of a limit, `record` of a conflict. */
export interface ErrorDetails {
  readonly field?: string;
  readonly issues?: ReadonlyArray<{ readonly field: string; readonly message: string }>;
  readonly rows?: ReadonlyArray<FailedRow>;
  readonly retry_after?: number;
  /** As it stands, without the student's e-mail address. */
  readonly record?: AttendanceRecord;
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
