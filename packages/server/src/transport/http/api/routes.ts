import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { RollcallError } from '@rollcall/protocol';
import {
  BODY_MAX_BYTES,
  type Operation,
  type OperationName,
  operations,
  paths,
  placeOf,
} from '@rollcall/protocol/http';
import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { tooFast } from '../../../commands/dispatch.js';
import { normalOrigin } from '../../../config/origin-patterns.js';
import { EncodedPayload } from '../../../encoded-payload.js';
import { isFromAnotherSite } from '../cross-site.js';
import { problemOf, refusalOf, sendProblem } from '../problems.js';
import type { ApiAnswer, ApiCall, ApiContext, Caller, Handler } from './api-context.js';
import { callerOf } from './caller.js';
import { entityTagOfBytes, matches, NotModified } from './entity-tags.js';
import { handlers } from './handler-table.js';
import { requestReader } from './read-request.js';

/** To make an answer with so many items takes as long as a command of the usual kind. */
const QUERY_MAX_CHARACTERS = 8 * 1024;

/** The operations of the API as routes of Express, below the path at which the router is mounted. */
export function apiRoutes(context: ApiContext): Router {
  const router = Router({ caseSensitive: true });
  const methods = new Map<string, string[]>();
  for (const name of names()) {
    const { method, path } = placeOf(name);
    const place = expressPath(path);
    methods.set(place, [...(methods.get(place) ?? []), method]);
    const operation: Operation = operations[name];
    const serve = server(name, operation, context);
    router[method.toLowerCase() as 'get' | 'post' | 'put' | 'patch' | 'delete'](
      place,
      ...bodyParsers(operation),
      serve,
    );
  }
  for (const [place, allowed] of methods) {
    const all = [...allowed, ...(allowed.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
    router.all(place, (request: Request, response: Response) => {
      response.set('Allow', all);
      if (request.method === 'OPTIONS') response.status(204).end();
      else throw new RollcallError('METHOD_NOT_ALLOWED', { message: `${request.method} is not for this path` });
    });
  }
  return router;
}

/** Paths in which every part is literal go first: `/sessions/today` is no session. */
function names(): OperationName[] {
  const parameters = (name: OperationName) => paths[name].split('{').length;
  return (Object.keys(paths) as OperationName[]).sort((one, other) => parameters(one) - parameters(other));
}

const expressPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

function bodyParsers({ body, bodyMedia, bodyMax = BODY_MAX_BYTES }: Operation) {
  // Its handler reads it as it comes in.
  if (bodyMedia) return [requireMedia(bodyMedia)];
  if (!body) return [];
  return [requireJson, express.json({ limit: bodyMax, type: 'application/json', strict: false })];
}

const requireMedia =
  (media: readonly string[]) =>
  (request: Request, _response: Response, next: NextFunction): void => {
    if (!request.is([...media])) throw otherMedia(media);
    next();
  };

function requireJson(request: Request, _response: Response, next: NextFunction): void {
  const empty = request.headers['content-length'] === '0' || request.headers['content-length'] === undefined;
  const hasBody = !empty || request.headers['transfer-encoding'] !== undefined;
  if (hasBody && !request.is('application/json')) throw otherMedia(['application/json']);
  next();
}

/** curl -d and many others say that their body is a form. */
const otherMedia = (media: readonly string[]): RollcallError =>
  new RollcallError('UNSUPPORTED_MEDIA_TYPE', {
    message: `The body must be ${media.join(' or ')}: say so in the header Content-Type`,
  });

/** Serves one operation: who calls, what they send, the handler, the answer. */
function server(name: OperationName, operation: Operation, context: ApiContext) {
  const read = requestReader(operation);
  const handle = handlers[name] as Handler<OperationName>;
  return async (request: Request, response: Response): Promise<void> => {
    response.locals['operation'] = name;
    if (request.url.length - request.path.length > QUERY_MAX_CHARACTERS) {
      throw new RollcallError('BAD_REQUEST', { message: 'the query is too long', details: { field: 'query' } });
    }
    if (operation.security === 'cookie' || operation.ownPagesOnly) refuseOtherSites(request, context);
    const caller = operation.security === 'token' ? await callerOf(request, context) : undefined;
    if (caller) response.locals['uid'] = caller.person.uid;
    const admit = async (events: number) => {
      if (caller) await admitted(caller, events, context);
    };
    await admit(1);
    const call = {
      ...read(request),
      name,
      get caller(): Caller {
        if (!caller) throw new Error(`${name} wants no token`);
        return caller;
      },
      requestId: String(response.locals['requestId']),
      request,
      response,
      charge: (items: number) => admit(Math.floor(items / ITEMS_PER_EVENT)),
      tag: (etag: string) => {
        response.set('ETag', etag);
        if (matches(request.get('If-None-Match'), etag)) throw new NotModified(etag);
      },
    } as unknown as ApiCall<OperationName>;
    try {
      send(await handle(call, context), operation, call, context);
    } catch (error) {
      if (!(error instanceof NotModified)) throw error;
      response.set('ETag', error.etag).status(304).end();
    }
  };
}

/** @throws {RollcallError} FORBIDDEN */
function refuseOtherSites(request: Request, { publicUrl }: ApiContext): void {
  const { method, headers } = request;
  const source = { method, secFetchSite: request.get('Sec-Fetch-Site'), origin: headers.origin, host: headers.host };
  if (!isFromAnotherSite(source, (origin) => origin === normalOrigin(new URL(publicUrl()).origin))) return;
  throw new RollcallError('FORBIDDEN', { message: 'This is for pages of this site' });
}

const ITEMS_PER_EVENT = 250;

/** @throws {RollcallError} RATE_LIMITED */
async function admitted({ person }: Caller, events: number, { dispatch }: ApiContext): Promise<void> {
  if (events === 0) return;
  const admission = dispatch.admit(person.uid, events);
  if ('retry_after' in admission) throw tooFast(admission);
  if (admission.wait > 0) await delay(admission.wait);
}

function send(answer: ApiAnswer, operation: Operation, call: ApiCall<OperationName>, context: ApiContext): void {
  const { request, response } = call;
  const status = answer.status ?? Number(Object.keys(operation.answers)[0]);
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.set(name, value as string | string[]);
  response.status(status);
  const { bytes, body } = answer;
  if (bytes?.filename !== undefined) response.attachment(bytes.filename);
  if (bytes) response.type(bytes.type);
  if (!bytes && body === undefined) {
    response.end();
    return;
  }
  const content = bytes ? bytes.content : jsonOf(body ?? {});
  if (context.checkAnswers && body !== undefined) requireConformity(status, content as string, operation, call.name);
  if (!bytes) response.type('application/json');
  if (operation.etag) {
    if (response.get('ETag') === undefined) {
      const etag = entityTagOfBytes(content);
      response.set('ETag', etag);
      if (matches(request.get('If-None-Match'), etag)) throw new NotModified(etag);
    }
    // Kept, and asked for again each time.
    response.set('Cache-Control', 'private, no-cache');
  }
  response.send(typeof content === 'string' ? content : Buffer.from(content));
}

const jsonOf = (body: object): string => (body instanceof EncodedPayload ? body.json : JSON.stringify(body));

function requireConformity(status: number, json: string, operation: Operation, name: OperationName): void {
  const schema = operation.answers[status as keyof Operation['answers']]?.schema;
  const result = schema?.safeParse(JSON.parse(json));
  if (result?.success) return;
  throw new Error(`${name} answered ${status} with what its schema doesn't allow: ${result?.error.message ?? 'none'}`);
}

/** Gives each request an id, and one line in the log and a measurement when it is answered. */
export function followRequests({ logger, metrics }: ApiContext) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const started = performance.now();
    const given = request.get('X-Request-Id') ?? '';
    const requestId = /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
    response.locals['requestId'] = requestId;
    response.set('X-Request-Id', requestId);
    response.once('close', () => {
      const { operation, uid, error } = response.locals as { operation?: OperationName; uid?: string; error?: unknown };
      const { method, path } = operation ? placeOf(operation) : { method: request.method, path: 'none' };
      const seconds = (performance.now() - started) / 1_000;
      const status = response.writableFinished ? response.statusCode : 499;
      metrics.httpAnswered(method, path, status, seconds);
      const line = { request_id: requestId, method, route: path, status, ms: Math.round(seconds * 1_000) };
      if (status >= 500 && status !== 503) logger.error({ ...line, err: error }, 'a request failed');
      else logger.debug({ ...line, uid }, `[HTTP DEBUG] ${method} ${path} → ${status}`);
    });
    next();
  };
}

/** What nothing else has answered is refused by a problem document; the last of the app. */
export function answerRefusals({ errorsUrl }: Pick<ApiContext, 'errorsUrl'>) {
  // Four parameters make it an error handler to Express.
  return (error: unknown, _request: Request, response: Response, _next: NextFunction): void => {
    const refusal = refusalOf(error);
    response.locals['error'] = refusal.cause ?? refusal;
    if (response.headersSent) {
      // What was begun can't be taken back: a connection that is cut says that it isn't whole.
      response.destroy();
      return;
    }
    for (const name of ['ETag', 'Content-Disposition', 'Set-Cookie']) response.removeHeader(name);
    sendProblem(response, problemOf(refusal, errorsUrl(), String(response.locals['requestId'])));
  };
}
