import type { z } from 'zod';
import type { ErrorCode } from '../errors.js';

/** How the reference groups the operations. */
export type Tag =
  | 'People'
  | 'Courses'
  | 'Timetable'
  | 'Sessions'
  | 'Records'
  | 'Reports'
  | 'Sign-in'
  | 'Administration'
  | 'About';

/** One answer with a 2xx or 3xx status. */
export interface AnswerDefinition {
  readonly when: string;
  /** Of a JSON body. Absent where there is none, or `media` says what it is. */
  readonly schema?: z.ZodType;
  /** Media types of a body that isn't JSON. */
  readonly media?: readonly string[];
}

/** An operation of the HTTP API: all that the routes, the document and the SDK are made from. */
export interface Operation {
  readonly tag: Tag;
  /** What it does, in a sentence. */
  readonly summary: string;
  readonly description?: string;
  /** Who may call it, in a sentence. */
  readonly who: string;
  /** What the request shows: an access token, the cookie of a sign-in, or nothing. */
  readonly security: 'token' | 'cookie' | 'nothing';
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Media type of a body that isn't JSON. */
  readonly bodyMedia?: readonly string[];
  /** Longest body in bytes, where it isn't the usual one. */
  readonly bodyMax?: number;
  /** What is checked field by field by its feature has another schema for readers. */
  readonly documentedBody?: z.ZodType;
  readonly answers: Readonly<Partial<Record<200 | 201 | 202 | 204 | 302 | 303, AnswerDefinition>>>;
  /** Refusals of this operation, beside those that any may give. */
  readonly errors: readonly ErrorCode[];
  /** A change without a body whose Idempotency-Key counts as its op_id. */
  readonly idempotent?: true;
  /** An answer may be asked for again with If-None-Match. */
  readonly etag?: true;
  readonly example: {
    readonly params?: Readonly<Record<string, string>>;
    readonly query?: Readonly<Record<string, string | number | boolean>>;
    readonly body?: unknown;
    readonly answer?: unknown;
  };
}

/** Keeps the types of its schemas. */
export const operation = <const Op extends Operation>(op: Op): Op => op;

/** Longest body of a request in bytes, where its operation says nothing else. */
export const BODY_MAX_BYTES = 1024 * 1024;

type OutputOf<Schema> = Schema extends z.ZodType ? z.output<Schema> : Record<never, never>;
type InputOf<Schema> = Schema extends z.ZodType ? z.input<Schema> : unknown;
type Part<Op, Name extends string> = Op extends { readonly [Key in Name]: infer Schema } ? Schema : undefined;

/** What the server works with, after checking. */
export interface CheckedRequest<Op> {
  readonly params: OutputOf<Part<Op, 'params'>>;
  readonly query: OutputOf<Part<Op, 'query'>>;
  readonly body: OutputOf<Part<Op, 'body'>>;
}

/** What a caller gives: the fields of path, query and body side by side, and `file` where the body is one. */
export type RequestInput<Op> = InputOf<Part<Op, 'params'>> &
  InputOf<Part<Op, 'query'>> &
  InputOf<Part<Op, 'body'>> &
  (Op extends { readonly bodyMedia: readonly string[] } ? { readonly file: Blob } : unknown);

type AnswersOf<Op> = Op extends { readonly answers: infer Answers } ? Answers[keyof Answers] : never;
/** The JSON that comes back. */
export type AnswerOf<Op> =
  AnswersOf<Op> extends infer Answer
    ? Answer extends { readonly schema: infer Schema extends z.ZodType }
      ? z.output<Schema>
      : Answer extends { readonly media: readonly string[] }
        ? Blob
        : undefined
    : never;
