import { type ErrorCode, errorRegistry } from './errors.js';
import { fieldTable } from './http/field-table.js';
import { errorsOf } from './http/openapi.js';
import type { Operation } from './http/operation.js';
import { operations } from './http/operations/index.js';
import { type OperationName, paths, placeOf } from './http/paths.js';

/** Errors that any operation may give, and that are explained once. */
const ALWAYS: ReadonlySet<ErrorCode> = new Set(
  errorsOf({ ...operations.getOpenApi, errors: [], security: 'token', body: operations.putRecord.body } as Operation),
);

const SECURITY = { token: '', cookie: ' With the cookie of a sign-in.', nothing: ' Without a token.' } as const;

function sectionOf(name: OperationName): string {
  const operation: Operation = operations[name];
  const { method, path } = placeOf(name);
  const own = operation.errors.filter((code) => !ALWAYS.has(code));
  return [
    `### ${method} ${path}`,
    `\`${name}\`. ${operation.summary}${SECURITY[operation.security]}`,
    ...(operation.description ? [operation.description] : []),
    `**Who:** ${operation.who}`,
    ...(own.length > 0
      ? [`**Refused by** ${own.map((code) => `\`${code}\` (${errorRegistry[code].http_status})`).join(', ')}.`]
      : []),
    ...fieldTable(operation),
    ...exampleOf(name, operation),
  ].join('\n\n');
}

function exampleOf(name: OperationName, { example, body, bodyMedia, security }: Operation): string[] {
  const { method, path } = placeOf(name);
  const place = path.replace(/\{(\w+)\}/g, (_whole, field: string) => example.params?.[field] ?? field);
  const query = new URLSearchParams(
    Object.entries(example.query ?? {}).map(([field, value]) => [field, String(value)] as [string, string]),
  ).toString();
  const lines = [
    `curl -X ${method} "$URL/api/v1${place}${query === '' ? '' : `?${query}`}"`,
    ...(security === 'token' ? [`-H "Authorization: Bearer $TOKEN"`] : []),
    ...(body && example.body !== undefined
      ? [`-H 'Content-Type: application/json' -d '${JSON.stringify(example.body)}'`]
      : []),
    ...(bodyMedia ? [`-H 'Content-Type: ${bodyMedia[0]}' --data-binary @FILE`] : []),
  ];
  return [`\`\`\`sh\n${lines.join(' \\\n  ')}\n\`\`\``];
}

/** The page of the HTTP API: each operation with who may call it, its own errors and a request to try. */
export function httpPage(generated: string): string {
  const names = Object.keys(paths) as OperationName[];
  const tags = [...new Set(names.map((name) => operations[name].tag))];
  return `${[
    '# The HTTP API',
    generated,
    'New to it? [The guide](../guides/http-api.md) holds a class in ten minutes. The examples below need two variables of the shell: `URL=http://localhost:4002` and `TOKEN=$(npx rollcall token --uid ada)`.',
    'Everything is below `/api/v1`. The same is served by every server: as an OpenAPI 3.1 document at `/api/v1/openapi.json` ([openapi.json](openapi.json)), with every schema, and as a page to try it at `/api/v1/docs/`.',
    `Errors are problem documents with a \`code\` of [the registry](errors.md). Any operation may be refused by ${[...ALWAYS].map((code) => `\`${code}\``).join(', ')}.`,
    'A list is answered as `{items, next}`. `next` is sent as `after` for the next page, and is null on the last one. A change that takes an `op_id` takes it in the header `Idempotency-Key` too. A field that is in no table is ignored: look at its spelling if a field has no effect.',
    ...tags.flatMap((tag) => [
      `## ${tag}`,
      ...names.filter((name) => operations[name].tag === tag).map((name) => sectionOf(name)),
    ]),
  ].join('\n\n')}\n`;
}
