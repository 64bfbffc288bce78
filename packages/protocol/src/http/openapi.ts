import { type ErrorCode, errorRegistry } from '../errors.js';
import { isObject, type JsonSchema, jsonSchemaOf, type NamedSchemas } from '../json-schemas.js';
import { PROTOCOL_VERSION } from '../version.js';
import type { AnswerDefinition, Operation } from './operation.js';
import { operations } from './operations/index.js';
import { type OperationName, paths, placeOf } from './paths.js';
import { problem } from './problem.js';

const SCHEMAS = '#/components/schemas/';

/** What any operation may refuse. */
const ALWAYS: readonly ErrorCode[] = ['BAD_REQUEST', 'RATE_LIMITED', 'STORAGE_UNAVAILABLE', 'OVERLOADED', 'INTERNAL'];
const WITH_TOKEN: readonly ErrorCode[] = ['UNAUTHENTICATED', 'KEYS_UNAVAILABLE'];
const WITH_BODY: readonly ErrorCode[] = ['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];

/** Every refusal that an operation may give, those of all operations among them. */
export function errorsOf(operation: Operation): ErrorCode[] {
  const { security, body, bodyMedia, errors } = operation;
  return [
    ...new Set([
      ...ALWAYS,
      ...(security === 'nothing' ? [] : WITH_TOKEN),
      ...(body || bodyMedia ? WITH_BODY : []),
      ...errors,
    ]),
  ];
}

const schemaOf = (schema: Parameters<typeof jsonSchemaOf>[0], io: 'input' | 'output', named: NamedSchemas) =>
  jsonSchemaOf(schema, io, SCHEMAS, named, 'draft-2020-12');

/** A field that is "not given" as null has no place in an address: there it is left out. */
function withoutNull(schema: unknown): unknown {
  if (!isObject(schema)) return schema;
  const kinds = schema['anyOf'];
  if (!Array.isArray(kinds)) return schema;
  const rest = kinds.filter((kind) => !isObject(kind) || kind['type'] !== 'null');
  if (rest.length !== 1 || !isObject(rest[0])) return schema;
  const { anyOf: _, ...others } = schema;
  return { ...rest[0], ...others };
}

function parametersOf(operation: Operation, named: NamedSchemas): object[] {
  const { params, query, example } = operation;
  return (['path', 'query'] as const).flatMap((place) => {
    const schema = place === 'path' ? params : query;
    if (!schema) return [];
    const examples = place === 'path' ? example.params : example.query;
    const { properties, required } = schemaOf(schema, 'input', named);
    return Object.entries(isObject(properties) ? properties : {}).map(([name, field]) => {
      const plain = withoutNull(field);
      const { description, ...rest } = isObject(plain) ? plain : {};
      return {
        name,
        in: place,
        required: place === 'path' || (Array.isArray(required) && required.includes(name)),
        ...(description === undefined ? {} : { description }),
        schema: rest,
        ...(examples?.[name] === undefined ? {} : { example: examples[name] }),
      };
    });
  });
}

function bodyOf({ body, documentedBody, bodyMedia, example }: Operation, named: NamedSchemas): object {
  const schema = documentedBody ?? body;
  if (!schema && !bodyMedia) return {};
  const content = schema
    ? { 'application/json': { schema: schemaOf(schema, 'input', named), ...exampleOf(example.body) } }
    : Object.fromEntries((bodyMedia ?? []).map((media) => [media, {}]));
  // No body says as much as an empty object.
  return { requestBody: { required: !body?.safeParse({}).success, content } };
}

const exampleOf = (value: unknown): object => (value === undefined ? {} : { example: value });

function answerOf(definition: AnswerDefinition, operation: Operation, named: NamedSchemas): object {
  const { when, schema, media } = definition;
  const headers = operation.etag ? { headers: { ETag: { schema: { type: 'string' } } } } : {};
  const json = schema && {
    'application/json': { schema: schemaOf(schema, 'output', named), ...exampleOf(operation.example.answer) },
  };
  const others = Object.fromEntries((media ?? []).map((each) => [each, {}]));
  return { description: when, ...headers, ...(json || media ? { content: { ...json, ...others } } : {}) };
}

/** One answer for each status: the codes that share it are told apart by `code`. */
function refusalsOf(operation: Operation): Record<string, object> {
  const codes = new Map<number, ErrorCode[]>();
  for (const code of errorsOf(operation)) {
    const { http_status } = errorRegistry[code];
    codes.set(http_status, [...(codes.get(http_status) ?? []), code]);
  }
  const content = { 'application/problem+json': { schema: { $ref: `${SCHEMAS}Problem` } } };
  return Object.fromEntries(
    [...codes].map(([status, those]) => [
      String(status),
      {
        description: those.map((code) => `\`${code}\`: ${errorRegistry[code].when}`).join('\n\n'),
        ...(status === 429 || status === 503 ? { headers: { 'Retry-After': { schema: { type: 'integer' } } } } : {}),
        content,
      },
    ]),
  );
}

const SECURITY = { token: [{ token: [] }], cookie: [{ cookie: [] }], nothing: [] } as const;

function documentOf(name: OperationName, named: NamedSchemas): object {
  const operation: Operation = operations[name];
  const answers = Object.entries(operation.answers).map(([status, answer]) => [
    status,
    answerOf(answer, operation, named),
  ]);
  const notModified = operation.etag
    ? { 304: { description: 'As it was: If-None-Match named the current ETag.' } }
    : {};
  return {
    operationId: name,
    tags: [operation.tag],
    summary: operation.summary,
    description: [`Who may call it: ${operation.who}`, operation.description].filter(Boolean).join('\n\n'),
    security: SECURITY[operation.security],
    parameters: parametersOf(operation, named),
    ...bodyOf(operation, named),
    responses: { ...Object.fromEntries(answers), ...notModified, ...refusalsOf(operation) },
  };
}

/**
 * The HTTP API as an OpenAPI 3.1 document: a plain object, ready for JSON.stringify.
 * @param server where the API is served: a path, or an address with one
 */
export function openApiDocument(server = '/api/v1'): object {
  const named: Record<string, JsonSchema> = {};
  schemaOf(problem.array(), 'output', named);
  const places: Record<string, Record<string, object>> = {};
  for (const name of Object.keys(paths) as OperationName[]) {
    const { method, path } = placeOf(name);
    places[path] = { ...places[path], [method.toLowerCase()]: documentOf(name, named) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Rollcall',
      version: PROTOCOL_VERSION,
      summary: 'Attendance over HTTP.',
      description:
        'The same commands, rights, answers and errors as on the socket. Errors are problem documents with a `code` of one registry. A change may carry `op_id`, or the header `Idempotency-Key`: a repeat then has one effect.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: server }],
    tags: [...new Set(Object.values(operations).map(({ tag }) => tag))].map((name) => ({ name })),
    paths: places,
    components: {
      schemas: named,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token of the user.' },
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: 'rollcall',
          description: 'Set by a sign-in; `__Host-rollcall` where the server is reached over https.',
        },
      },
    },
  };
}
