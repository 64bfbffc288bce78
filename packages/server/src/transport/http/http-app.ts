import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import type { Registry } from 'prom-client';

export interface HttpAppOptions {
  /** Why the server can't serve; empty when it can. */
  readonly notReady: () => Promise<string[]>;
  /** What an operator should know although the server can serve: each a whole sentence. */
  readonly details: () => readonly string[];
  readonly metrics: Registry;
}

/** The process over HTTP: whether it lives, whether it can serve, what it counted. */
export function httpApp({ notReady, details, metrics }: HttpAppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(helmet());
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.get('/readyz', async (_request, response) => {
    const reasons = await notReady();
    response.status(reasons.length === 0 ? 200 : 503);
    const known = details();
    response.json({
      ...(reasons.length === 0 ? { status: 'ready' } : { status: 'not ready', reasons }),
      ...(known.length > 0 && { details: known }),
    });
  });
  app.get('/metrics', async (_request, response) => {
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

function problem(response: Response, status: number, title: string, detail: string): void {
  response.status(status).type('application/problem+json').json({ type: 'about:blank', title, status, detail });
}
