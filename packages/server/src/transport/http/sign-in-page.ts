import { fileURLToPath } from 'node:url';
import express, { type NextFunction, type Request, type Response, Router } from 'express';

/** The page and its script and style, which the build puts there. */
const FILES = fileURLToPath(new URL('./sign-in-page', import.meta.url));

/**
 * The page at which a sign-in link leads, at `/sign-in`. To ask for it uses nothing: the link's secret is in the
 * fragment, which isn't sent.
 */
export function signInPage(): Router {
  const router = Router({ strict: true, caseSensitive: true });
  router.use('/sign-in', (_request: Request, response: Response, next: NextFunction) => {
    // Where somebody goes from here is told nothing of where they came from.
    response.set('Referrer-Policy', 'no-referrer');
    next();
  });
  router.get('/sign-in', (_request: Request, response: Response) => {
    response.sendFile('index.html', { root: FILES, cacheControl: false });
  });
  router.use('/sign-in/', express.static(FILES, { index: false, cacheControl: false, redirect: false }));
  return router;
}
