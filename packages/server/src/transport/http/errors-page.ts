import { errorRegistry } from '@rollcall/protocol';
import { type Request, type Response, Router } from 'express';

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`).replace(/`([^`]+)`/g, '<code>$1</code>');

/** What each code means: the page to which the `type` of a problem document leads. */
const PAGE = [
  '<!doctype html>',
  '<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Errors of Rollcall</title>',
  '<meta name="viewport" content="width=device-width, initial-scale=1"></head><body>',
  '<main><h1>Errors of Rollcall</h1>',
  ...Object.entries(errorRegistry).map(([code, { message, when, http_status, retryable }]) =>
    [
      `<section id="${code}"><h2>${code}</h2>`,
      `<p><strong>${escaped(message)}</strong> (HTTP ${http_status}${retryable ? ', may succeed later' : ''})</p>`,
      `<p>${escaped(when)}</p></section>`,
    ].join('\n'),
  ),
  '</main></body></html>',
].join('\n');

export function errorsPage(): Router {
  const router = Router();
  router.get('/', (_request: Request, response: Response) => {
    response.type('html').send(PAGE);
  });
  return router;
}
