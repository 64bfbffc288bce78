import { answers } from './answers.js';
import { asyncApiDocument } from './asyncapi.js';
import { type ClientEventName, clientEvents } from './client-events.js';
import { type ErrorDefinition, errorRegistry } from './errors.js';
import { clientEventTable, serverEventTable } from './event-table.js';
import { ackExamples, clientExamples, serverExamples } from './examples.js';
import { openApiDocument } from './http/openapi.js';
import { clientJsonSchema, isObject, type JsonSchema, jsonSchemaOf, type NamedSchemas } from './json-schemas.js';
import { CHECK_IN_CODES } from './reference-codes.js';
import { CONNECTING } from './reference-connecting.js';
import { httpPage } from './reference-http.js';
import { type ServerEventName, serverEvents } from './server-events.js';

const GENERATED = '<!-- Generated from packages/protocol by `npm run docs -w packages/protocol`: edits are lost. -->';

/** The pages of the reference by file name, as they are committed under docs/reference. */
export function referencePages(): Readonly<Record<string, string>> {
  return {
    'errors.md': errorsPage(),
    'events.md': eventsPage(),
    'asyncapi.json': `${JSON.stringify(asyncApiDocument(), null, 2)}\n`,
    'http-api.md': httpPage(GENERATED),
    'openapi.json': `${JSON.stringify(openApiDocument(), null, 2)}\n`,
  };
}

/** The page of error codes. */
export function errorsPage(): string {
  const rows = Object.entries<ErrorDefinition>(errorRegistry).map(
    ([code, { message, retryable, http_status, when }]) =>
      `| \`${code}\` | ${message} | ${retryable ? 'yes' : 'no'} | ${http_status} | ${when} |`,
  );
  return page([
    '# Errors',
    GENERATED,
    'A refused command is acknowledged with `{ok: false, error: {code, message, retryable, details?}}` and answered by the event `attendanceError` `{message, code, event, session_id?}`. The message is for people and may be more exact than the default; programs go by the code. A retryable request may succeed later without being changed: repeat it with the same `op_id`.',
    ['| code | default message | retryable | HTTP status | when |', '|---|---|---|---|---|', ...rows].join('\n'),
  ]);
}

/** The page of events: what each carries, who may send it or gets it, and an example. */
export function eventsPage(): string {
  const named: NamedSchemas = {};
  const ofClient = (Object.keys(clientEvents) as ClientEventName[]).map((name) => clientSection(name, named));
  const ofServer = (Object.keys(serverEvents) as ServerEventName[]).map((name) => serverSection(name, named));
  for (const name of Object.keys(answers) as ClientEventName[]) jsonSchemaOf(answers[name].ack, 'output', '#', named);
  const objects = Object.entries(named)
    .filter(([name]) => name !== 'ErrorCode')
    .sort(([a], [b]) => a.localeCompare(b, 'en'))
    .map(([name, schema]) =>
      page([`### ${name}`, fieldTable(schema, SENT_BY_CLIENTS.includes(name) ? 'client' : 'server')]),
    );
  return page([
    '# Events',
    GENERATED,
    'Every event carries one argument, an object. Every event of a client takes an optional acknowledgement callback, which gets `{ok: true}` with the fields of the answer and, of a command that can change the session, its `seq`, or `{ok: false, error}` ([errors](errors.md)). `sessionId`, `studentId` and `courseId` are accepted for the snake_case names, null counts as not given, and unknown fields are ignored. An `op_id` makes a repeat safe: a change has one effect within a session, and its repeat is answered like the first, with `duplicate: true` in the acknowledgement, on every node and for good. The repeat of a command that changed nothing is recognised by the node that answered it, for the last 10,000 such of a session and until that node restarts, and is otherwise decided anew.',
    CONNECTING,
    CHECK_IN_CODES,
    '## From clients',
    ...ofClient,
    '## From the server',
    ...ofServer,
    '## Objects',
    ...objects,
  ]);
}

/** Objects in whose optional fields null is "not given". */
const SENT_BY_CLIENTS = ['PolicyInput', 'BulkRow'];

const page = (blocks: readonly string[]): string => `${blocks.map((block) => block.trimEnd()).join('\n\n')}\n`;

const jsonBlock = (value: unknown): string => `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;

function clientSection(name: ClientEventName, named: NamedSchemas): string {
  const { summary, who } = clientEventTable[name];
  const { events, refusals } = answers[name];
  const answer = events.map((event) => `\`${event}\``);
  const byStatus = 'byStatus' in answers[name];
  return page([
    `### ${name}`,
    summary,
    `**Who:** ${who}`,
    fieldTable(clientJsonSchema(name, '#', named), 'client'),
    answer.length === 0
      ? '**Answered by** the acknowledgement alone.'
      : `**Answered by** ${answer.join(byStatus ? ' or ' : ' and ')}${byStatus ? ', by the status' : ''}.`,
    `**Refused by** ${refusals.map((event) => `\`${event}\``).join(' and ')}.`,
    jsonBlock(clientExamples[name]),
    ...(events.length === 0 ? ['Acknowledgement:', jsonBlock(ackExamples[name])] : []),
  ]);
}

function serverSection(name: ServerEventName, named: NamedSchemas): string {
  const { summary, to } = serverEventTable[name];
  return page([
    `### ${name}`,
    summary,
    `**To:** ${to}`,
    fieldTable(jsonSchemaOf(serverEvents[name], 'output', '#', named), 'server'),
    jsonBlock(serverExamples[name]),
  ]);
}

/** The fields of an object, or of each of several objects that it may be. */
function fieldTable(schema: JsonSchema, from: 'client' | 'server'): string {
  const variants = schema['anyOf'];
  if (Array.isArray(variants)) {
    return variants
      .filter(isObject)
      .map((variant) => fieldTable(variant, from))
      .join('\n\nor\n\n');
  }
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const fields = isObject(schema['properties']) ? Object.entries(schema['properties']) : [];
  const rows = fields.map(([name, field]) => {
    const of = isObject(field) ? field : {};
    const note = descriptionOf(of);
    const always = required.includes(name);
    // That null counts as not given is said once, at the top.
    const type = from === 'client' && !always ? typeName(of).replace(/ or null$/, '') : typeName(of);
    return `| \`${name}\` | ${type} | ${always ? 'always' : 'optional'} | ${note} |`;
  });
  return ['| field | type | | |', '|---|---|---|---|', ...rows].join('\n');
}

/** A field's own description, or that of what it is when it isn't null. */
function descriptionOf({ description, anyOf }: JsonSchema): string {
  if (typeof description === 'string') return description;
  const variants = Array.isArray(anyOf) ? anyOf.filter(isObject).filter(({ type }) => type !== 'null') : [];
  return variants.length === 1 ? descriptionOf(variants[0] ?? {}) : '';
}

/** A JSON Schema in a few words, for a cell of a table. */
function typeName(schema: JsonSchema): string {
  const { type, format, anyOf, $ref } = schema;
  if (typeof $ref === 'string') return refName($ref);
  if (Array.isArray(anyOf)) return anyOf.filter(isObject).map(typeName).join(' or ');
  if ('const' in schema) return `\`${JSON.stringify(schema['const'])}\``;
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => `\`${value}\``).join(' or ');
  if (Array.isArray(type)) return type.map((one) => typeName({ ...schema, type: one })).join(' or ');
  if (format === 'date-time') return 'timestamp';
  if (type === 'array') return `list${range(schema, 'Items')} of ${itemName(schema)}`;
  if (type === 'string') return `string${range(schema, 'Length')}`;
  if (type === 'object' && isObject(schema['properties'])) {
    return `{${Object.entries(schema['properties'])
      .map(([name, field]) => `${name}: ${isObject(field) ? typeName(field) : 'anything'}`)
      .join(', ')}}`;
  }
  return type === 'integer' ? 'whole number' : String(type);
}

/** What is in a list; of a tuple, whose places are all alike here, what is in the first. */
function itemName({ items, prefixItems }: JsonSchema): string {
  const [first] = [prefixItems, items].flat().filter(isObject);
  return first ? typeName(first) : 'anything';
}

function range(schema: JsonSchema, of: 'Items' | 'Length'): string {
  const least = schema[`min${of}`] ?? 0;
  const most = schema[`max${of}`];
  if (most === undefined) return '';
  return least === most ? ` (${most})` : ` (${least}–${most})`;
}

function refName(ref: string): string {
  const name = ref.slice(1);
  return name === 'ErrorCode' ? '[error code](errors.md)' : `[${name}](#${name.toLowerCase()})`;
}
