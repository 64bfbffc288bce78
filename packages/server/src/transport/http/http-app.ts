import { createHash, timingSafeEqual } from 'node:crypto';
import { RollcallError } from '@rollcall/protocol';
import cors from 'cors';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import type { Registry } from 'prom-client';
import type { Config } from '../../config/config.js';
import type { ApiContext } from './api/api-context.js';
import { answerRefusals, apiRoutes, followRequests } from './api/routes.js';
import { docsPage } from './docs-page.js';
import { errorsPage } from './errors-page.js';
import { originAllowed } from './origins.js';
import { signInPage } from './sign-in-page.js';

/** Where the API is served. */
export const API_PATH = '/api/v1';

export interface HttpAppOptions {
  /** Why the server can't serve; empty when it can. */
  readonly notReady: () => Promise<string[]>;
  /** What should be seen to although the server can serve; empty when there is nothing. */
  readonly details: () => string[];
  readonly metrics: Registry;
  /** What /metrics wants as Bearer; null: nothing. */
  readonly metricsToken: string | null;
  readonly corsOrigins: Config['corsOrigins'];
  /** As configured; null where it isn't. */
  readonly publicUrl: string | null;
  readonly api: ApiContext;
}

/** All that a server of its own answers over HTTP: the process, the API and its pages. */
export function httpApp({
  notReady,
  details,
  metrics,
  metricsToken,
  corsOrigins,
  publicUrl,
  api,
}: HttpAppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(followRequests(api));
  app.use(securityHeaders(publicUrl));
  // Each answer is about this moment.
  app.use((_request: Request, response: Response, next: NextFunction) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.get('/readyz', async (_request, response) => {
    const reasons = await notReady();
    const worth = details();
    const told = worth.length === 0 ? {} : { details: worth };
    response.status(reasons.length === 0 ? 200 : 503);
    response.json(reasons.length === 0 ? { status: 'ready', ...told } : { status: 'not ready', reasons, ...told });
  });
  app.get('/metrics', async (request, response) => {
    if (metricsToken !== null && !hasBearer(request, metricsToken)) {
      throw new RollcallError('UNAUTHENTICATED', {
        message: 'The metrics are for requests with METRICS_TOKEN as their Bearer',
      });
    }
    response.type(metrics.contentType).send(await metrics.metrics());
  });
  app.use('/errors', errorsPage());
  app.use(signInPage());
  app.use(API_PATH, crossOrigin(corsOrigins), docsPage(), apiRoutes(api));
  app.use(nothingServed);
  app.use(answerRefusals(api));
  return app;
}

/**
 * The API as an Express app of its own, for a path of an app's own server, whatever Express that has. Which pages may use
 * it is the app's to say.
 */
export function apiApp(api: ApiContext): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(followRequests(api), securityHeaders(null), (_request: Request, response: Response, next: NextFunction) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  app.use('/errors', errorsPage());
  app.use(docsPage(), apiRoutes(api));
  app.use(nothingServed);
  app.use(answerRefusals(api));
  return app;
}

function nothingServed(request: Request): never {
  throw new RollcallError('NOT_FOUND', { message: `Nothing is served at ${request.baseUrl}${request.path}` });
}

/**
 * No page of ours needs anything inline, or anything of another origin.
 * @param publicUrl where it is https, browsers are told to insist on it; where it isn't, that would break every page
 */
export function securityHeaders(publicUrl: string | null) {
  const self = ["'self'"];
  const secure = publicUrl?.startsWith('https:') ?? false;
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: self,
        styleSrc: self,
        imgSrc: ["'self'", 'data:'],
        fontSrc: self,
        // Not every browser takes a websocket of the same origin for 'self'.
        connectSrc: ["'self'", 'wss:', ...(secure ? [] : ['ws:'])],
        formAction: self,
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: secure && { maxAge: 31_536_000, includeSubDomains: false },
  });
}

/**
 * Pages of CORS_ORIGIN may use the API by its tokens. Never by cookies: those are for the server's own pages.
 */
export function crossOrigin(allowed: Config['corsOrigins']) {
  return cors((request, decide) => {
    const { origin, host } = request.headers;
    decide(null, {
      // Whoever asks what a path takes is answered by the path.
      preflightContinue: request.headers['access-control-request-method'] === undefined,
      origin: originAllowed(origin, host, allowed),
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      allowedHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', 'If-None-Match', 'X-Request-Id'],
      exposedHeaders: ['ETag', 'Retry-After', 'X-Request-Id', 'Content-Disposition', 'Location', 'Allow'],
      maxAge: 600,
    });
  });
}

/** Compares digests, so that how long it takes tells nothing of the token, its length included. */
function hasBearer(request: Request, token: string): boolean {
  const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
