import type { AnswerOf, OperationName, Operations, Problem, RequestInput } from '@rollcall/protocol/http';
import { paths, placeOf, REPEATABLE } from '@rollcall/protocol/paths';
import { backoff } from './delays.js';
import { RollcallClientError } from './errors.js';
import { newOpId } from './op-id.js';
import { originOf } from './options.js';
import type { TokenSource } from './token.js';

export interface ApiOptions {
  /** Address of the server, without a path: `https://rollcall.example`. */
  readonly url: string;
  /** A token, or a function that gives one, asked at each request; undefined, or null from it, sends none. */
  readonly token?: TokenSource | (() => null | Promise<string | null>) | undefined;
  /** Where the API is served; `/api/v1`. */
  readonly path?: string;
  /** Milliseconds for one attempt; 10,000. */
  readonly timeout?: number;
  /** Milliseconds after which a request that couldn't be answered is given up; 60,000. */
  readonly deadline?: number;
}

export interface ApiRequestOptions {
  readonly signal?: AbortSignal;
  readonly deadline?: number;
  /** Repeats an earlier change: it has one effect. */
  readonly op_id?: string;
}

type Nothing = Record<never, never>;
type Input<Name extends OperationName> = RequestInput<Operations[Name]>;
type Method<Name extends OperationName> =
  Nothing extends Input<Name>
    ? (input?: Input<Name>, options?: ApiRequestOptions) => Promise<AnswerOf<Operations[Name]>>
    : (input: Input<Name>, options?: ApiRequestOptions) => Promise<AnswerOf<Operations[Name]>>;

/**
 * The HTTP API: a method for each operation, which takes the fields of its path, query and body side by side. Reads, and
 * changes that have one effect however often they are sent, are sent again while the server is away or asks for patience,
 * until the deadline. Rejects with RollcallClientError.
 */
export type RollcallApi = { readonly [Name in OperationName]: Method<Name> };

const RETRY = { min: 200, max: 5_000 };

/**
 * The API without a connection, for scripts and pages that need no live session. Nothing is sent before a method is
 * called.
 *
 * @throws {TypeError} for a url that is none
 */
export function createApi(given: ApiOptions): RollcallApi {
  const options = { ...given, url: originOf(given.url) };
  const methods: Partial<Record<OperationName, (input?: object, options?: ApiRequestOptions) => Promise<unknown>>> = {};
  for (const name of Object.keys(paths) as OperationName[]) {
    methods[name] = (input = {}, request = {}) => send(name, input as Fields, options, request);
  }
  return methods as RollcallApi;
}

type Fields = Readonly<Record<string, unknown>>;

async function send(name: OperationName, input: Fields, options: ApiOptions, request: ApiRequestOptions) {
  const { method } = placeOf(name);
  const repeatable = REPEATABLE.includes(name);
  const given = request.op_id ?? (typeof input['op_id'] === 'string' ? input['op_id'] : undefined);
  const op_id = given ?? (repeatable ? newOpId() : undefined);
  const until = performance.now() + (request.deadline ?? options.deadline ?? 60_000);
  const facts = { event: name, op_id };
  for (let failures = 0; ; failures += 1) {
    let failure: RollcallClientError;
    try {
      return await attempt(name, input, op_id, options, { ...request, until });
    } catch (error) {
      request.signal?.throwIfAborted();
      failure =
        error instanceof RollcallClientError
          ? error
          : new RollcallClientError('TIMEOUT', `The server did not answer: ${reasonOf(error)}`, {
              ...facts,
              retryable: true,
              uncertain: method !== 'GET',
              cause: error,
            });
    }
    const asked = Number(failure.details?.retry_after ?? 0) * 1_000;
    const wait = Math.max(asked, backoff(failures, RETRY));
    if (!failure.retryable || !(repeatable || method === 'GET') || performance.now() + wait > until) throw failure;
    await pause(wait, request.signal);
  }
}

async function attempt(
  name: OperationName,
  input: Fields,
  op_id: string | undefined,
  options: ApiOptions,
  { signal, until }: { readonly signal?: AbortSignal; readonly until: number },
): Promise<unknown> {
  const token = typeof options.token === 'function' ? await options.token() : options.token;
  const { address, method, body, headers } = requestOf(name, input, options);
  if (token) headers.set('Authorization', `Bearer ${token}`);
  if (op_id !== undefined) headers.set('Idempotency-Key', op_id);
  const patience = Math.max(1, Math.min(options.timeout ?? 10_000, until - performance.now()));
  // `AbortSignal.timeout` and `AbortSignal.any` are missing where browsers are some years old.
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(new Error(`no answer within ${Math.round(patience)} ms`)), patience);
  const stop = () => over.abort(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    signal?.throwIfAborted();
    const sent = { method, headers, signal: over.signal, ...(body === undefined ? {} : { body }) };
    const response = await fetch(address, sent);
    const type = response.headers.get('Content-Type') ?? '';
    if (!response.ok) throw await refusalOf(response, type, { event: name, op_id });
    if (response.status === 204) return undefined;
    return await (type.startsWith('application/json') ? response.json() : response.blob());
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

function requestOf(name: OperationName, input: Fields, { url, path = '/api/v1' }: ApiOptions) {
  const { method, path: template, query: inQuery } = placeOf(name);
  const rest: Record<string, unknown> = { ...input };
  const place = template.replace(/\{(\w+)\}/g, (_whole, field: string) => {
    const value = rest[field];
    delete rest[field];
    return encodeURIComponent(String(value));
  });
  const bodiless = method === 'GET' || method === 'DELETE';
  const query = new URLSearchParams();
  for (const [field, value] of Object.entries(rest)) {
    if (!bodiless && !inQuery.includes(field)) continue;
    if (value !== undefined && value !== null) query.set(field, String(value));
    delete rest[field];
  }
  const search = query.size === 0 ? '' : `?${query}`;
  const address = `${url.replace(/\/+$/, '')}${path}${place}${search}`;
  const headers = new Headers();
  if (bodiless) return { address, method, headers, body: undefined };
  const { file } = rest;
  if (file instanceof Blob) return { address, method, headers, body: file };
  headers.set('Content-Type', 'application/json');
  return { address, method, headers, body: JSON.stringify(rest) };
}

async function refusalOf(
  response: Response,
  type: string,
  facts: { readonly event: string; readonly op_id: string | undefined },
): Promise<RollcallClientError> {
  const problem = type.includes('json') ? ((await response.json()) as Partial<Problem>) : {};
  const after = Number(response.headers.get('Retry-After'));
  const { code, detail, retryable, errors, details } = problem;
  // A proxy's own answer has no code.
  const passing = [502, 503, 504].includes(response.status);
  return new RollcallClientError(code ?? 'INTERNAL', detail ?? `The server answered ${response.status}`, {
    ...facts,
    retryable: retryable ?? passing,
    details: {
      ...details,
      ...(errors?.[0] ? { field: errors[0].field, issues: errors } : {}),
      ...(after > 0 ? { retry_after: after } : {}),
    },
  });
}

const reasonOf = (error: unknown): string => {
  const { message, cause } = error as { message?: unknown; cause?: { message?: unknown } };
  return [message, cause?.message].filter((text) => typeof text === 'string').join(': ');
};

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
