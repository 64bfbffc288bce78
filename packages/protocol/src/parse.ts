import type { z } from 'zod';
import { type ClientEventName, type ClientInput, clientEvents } from './client-events.js';
import { RollcallError } from './errors.js';

const ALIASES = [
  ['session_id', 'sessionId'],
  ['student_id', 'studentId'],
  ['course_id', 'courseId'],
] as const;

/** Copies camelCase ids to their snake_case names where only the former was sent. */
export function withAliases(payload: unknown): unknown {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return payload;
  const given = payload as Record<string, unknown>;
  let named: Record<string, unknown> | undefined;
  for (const [name, alias] of ALIASES) {
    if (!Object.hasOwn(given, name) && Object.hasOwn(given, alias)) {
      named ??= { ...given };
      named[name] = given[alias];
    }
  }
  return named ?? given;
}

const fieldOf = (path: ReadonlyArray<PropertyKey>): string =>
  path.reduce<string>(
    (name, part) =>
      typeof part === 'number' ? `${name}[${part}]` : name === '' ? String(part) : `${name}.${String(part)}`,
    '',
  ) || 'payload';

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  undefined: 'nothing',
};

const kindOf = (name: string): string => KINDS[name] ?? name;

/** What is wrong with a field, in the words of a person; messages of a schema's own are in them already. */
function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value' && issue.message.startsWith('Invalid ')) {
    return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
  }
  const received = /^Invalid input: expected .*, received (.*)$/.exec(issue.message)?.[1];
  if (issue.code !== 'invalid_type' || received === undefined) return issue.message;
  if (received === 'undefined') return 'is missing';
  return `must be ${kindOf(issue.expected)}, but is ${kindOf(received)}`;
}

/** Turns a zod failure into BAD_REQUEST with the first field in the message and all of them in the details. */
export function badRequest(error: z.ZodError, prefix: ReadonlyArray<PropertyKey> = []): RollcallError {
  const issues = error.issues.slice(0, 20).map((issue) => {
    const field = fieldOf([...prefix, ...issue.path]);
    // A union of T and null says only "Invalid input": the branch for T knows better.
    const inner = issue.code === 'invalid_union' ? issue.errors[0]?.[0] : undefined;
    const at = inner ? fieldOf([...prefix, ...issue.path, ...inner.path]) : field;
    return { field: at, message: wordsOf(inner ?? issue) };
  });
  const first = issues[0] ?? { field: 'payload', message: 'Invalid input' };
  return new RollcallError('BAD_REQUEST', {
    message: `${first.field}: ${first.message}`,
    details: { field: first.field, issues },
  });
}

/** Checks any value against a schema; throws BAD_REQUEST naming the field. */
export function parseWith<Schema extends z.ZodType>(
  schema: Schema,
  payload: unknown,
  prefix?: PropertyKey[],
): z.output<Schema> {
  // A frame of bytes is an object to JavaScript, one without fields; to a client it is a mistake.
  const result = schema.safeParse(ArrayBuffer.isView(payload) ? undefined : withAliases(payload));
  if (!result.success) throw badRequest(result.error, prefix);
  return result.data;
}

/** Checks the payload of a client event; throws BAD_REQUEST naming the field. Never throws anything else. */
export function parseClientEvent<Name extends ClientEventName>(name: Name, payload: unknown): ClientInput<Name> {
  return parseWith<z.ZodType>(clientEvents[name], payload) as ClientInput<Name>;
}
