import { createHash, timingSafeEqual } from 'node:crypto';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import type { Registry } from 'prom-client';

export interface HttpAppOptions {
  /** Why the server can't serve; empty when it can. */
  readonly notReady: () => Promise<string[]>;
  /** What should be seen to although the server can serve; empty when there is nothing. */
  readonly details: () => string[];
  readonly metrics: Registry;
  /** What /metrics wants as Bearer; null: nothing. */
  readonly metricsToken: string | null;
}

/** The process over HTTP: whether it lives, whether it can serve, what it counted. */
export function httpApp({ notReady, details, metrics, metricsToken }: HttpAppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(helmet());
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
      response.set('WWW-Authenticate', 'Bearer');
      problem(response, 401, 'Unauthorized', 'The metrics are for requests with METRICS_TOKEN as their Bearer');
      return;
    }
    response.type(metrics.contentType).send(await metrics.metrics());
  });
  app.use((request: Request, response: Response) => {
    problem(response, 404, 'Not Found', `Nothing is served at ${request.path}`);
  });
  // Four parameters make it an error handler to Express.
  app.use((_error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    problem(response, 500, 'Internal Server Error', 'A fault of the server');
  });
  return app;
}

/** Compares digests, so that how long it takes tells nothing of the token, its length included. */
function hasBearer(request: Request, token: string): boolean {
  const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

function problem(response: Response, status: number, title: string, detail: string): void {
  response.status(status).type('application/problem+json').json({ type: 'about:blank', title, status, detail });
}
