import { z } from 'zod';
import { operation } from '../operation.js';

export const aboutOperations = {
  getOpenApi: operation({
    tag: 'About',
    summary: 'This document.',
    who: 'Everybody.',
    security: 'nothing',
    answers: { 200: { when: 'The API as an OpenAPI 3.1 document.', schema: z.record(z.string(), z.unknown()) } },
    errors: [],
    etag: true,
    example: {},
  }),
} as const;
