import { fileURLToPath } from 'node:url';
import express, { type Request, type Response, Router } from 'express';

/** Swagger UI's three files and ours, which the build puts there. */
const FILES = fileURLToPath(new URL('./docs-page', import.meta.url));

/** The page that shows the OpenAPI document: without anything inline, and without any other origin. */
export function docsPage(): Router {
  const router = Router({ strict: true });
  // Whoever tries the bare address of the API finds what there is.
  router.get('/', (request: Request, response: Response) => {
    response.redirect(302, `${request.baseUrl}/docs/`);
  });
  router.get('/docs', (request: Request, response: Response) => {
    response.redirect(308, `${request.baseUrl}/docs/`);
  });
  router.use('/docs/', express.static(FILES, { index: 'index.html', cacheControl: false, redirect: false }));
  return router;
}
