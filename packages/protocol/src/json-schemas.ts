import { z } from 'zod';
import { BULK_MAX_ROWS, bulkRow, type ClientEventName, clientEvents } from './client-events.js';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Schemas with names of their own, that others refer to. */
export type NamedSchemas = Record<string, JsonSchema>;

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Says of a keyword that it tells a reader nothing that isn't said elsewhere. */
const isNoise = (schema: Record<string, unknown>, key: string): boolean =>
  key === '$schema' ||
  key === 'definitions' ||
  key === '$defs' ||
  key === 'id' ||
  (key === 'pattern' && schema['format'] === 'date-time') ||
  (key === 'maximum' && schema[key] === Number.MAX_SAFE_INTEGER);

/** Drops the noise and points references at `prefix`. */
function tidy(value: unknown, prefix: string): unknown {
  if (Array.isArray(value)) return value.map((item) => tidy(item, prefix));
  if (!isObject(value)) return value;
  const tidied: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (isNoise(value, key)) continue;
    if (key === '$ref' && typeof item === 'string') tidied[key] = prefix + item.slice(item.lastIndexOf('/') + 1);
    else if (key === 'properties' && isObject(item)) {
      // Here the keys are names of fields, not keywords.
      tidied[key] = Object.fromEntries(Object.entries(item).map(([name, field]) => [name, tidy(field, prefix)]));
    } else tidied[key] = tidy(item, prefix);
  }
  return tidied;
}

/**
 * A zod schema as JSON Schema: of draft 7, which AsyncAPI has, or of 2020-12, which OpenAPI 3.1 has. Its named parts are
 * added to `named` and referred to as `prefix` and their name, so that a document holds each of them once.
 */
export function jsonSchemaOf(
  schema: z.ZodType,
  io: 'input' | 'output',
  prefix: string,
  named: NamedSchemas,
  target: 'draft-7' | 'draft-2020-12' = 'draft-7',
): JsonSchema {
  const whole = z.toJSONSchema(schema, { target, io });
  for (const [name, part] of Object.entries(whole.definitions ?? whole.$defs ?? {})) {
    named[name] ??= tidy(part, prefix) as JsonSchema;
  }
  return tidy(whole, prefix) as JsonSchema;
}

/** What a client may send, as JSON Schema. */
export function clientJsonSchema(name: ClientEventName, prefix: string, named: NamedSchemas): JsonSchema {
  // The server checks rows one by one, to name the bad ones; here a row is what it has to be.
  const schema =
    name === 'bulkUpdateAttendance'
      ? clientEvents[name].extend({ attendanceUpdates: z.array(bulkRow).min(1).max(BULK_MAX_ROWS) })
      : clientEvents[name];
  return jsonSchemaOf(schema, 'input', prefix, named);
}
