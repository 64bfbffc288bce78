import { openApiDocument } from '@rollcall/protocol/http';
import type { HandlersOf } from '../api-context.js';

const documents = new Map<string, object>();

export const aboutHandlers = {
  getOpenApi: ({ request }) => {
    // Wherever an app or a proxy has put it.
    const { baseUrl } = request;
    const document = documents.get(baseUrl) ?? openApiDocument(baseUrl === '' ? '/' : baseUrl);
    if (documents.size < 8) documents.set(baseUrl, document);
    return { body: document };
  },
} satisfies Partial<HandlersOf>;
