import { parseWith, RollcallError } from '@rollcall/protocol';
import type { CheckedRequest, Operation } from '@rollcall/protocol/http';
import type { Request } from 'express';
import { z } from 'zod';

const OP_ID_MAX = 64;

/** Fields of a query whose text stands for something else. */
type Kinds = ReadonlyMap<string, 'number' | 'boolean'>;

/** Reads and checks what comes with a request for one operation; made once for each. */
export function requestReader(operation: Operation): (request: Request) => CheckedRequest<Operation> {
  const kinds = operation.query ? kindsOf(operation.query) : new Map();
  return (request) => ({
    params: operation.params ? parseWith(operation.params, request.params) : {},
    query: operation.query ? parseWith(operation.query, queryOf(request, kinds)) : {},
    body: (operation.body ? parseWith(operation.body, bodyOf(request)) : {}) as Record<never, never>,
  });
}

/** From the JSON Schema: there an optional field is no other kind than the field itself. */
function kindsOf(schema: z.ZodObject): Kinds {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input' });
  const kinds = new Map<string, 'number' | 'boolean'>();
  for (const [name, field] of Object.entries(properties)) {
    if (typeof field !== 'object') continue;
    const types = [field, ...(field.anyOf ?? [])].map((each) => (typeof each === 'object' ? each.type : undefined));
    if (types.includes('integer') || types.includes('number')) kinds.set(name, 'number');
    else if (types.includes('boolean')) kinds.set(name, 'boolean');
  }
  return kinds;
}

/** @throws {RollcallError} BAD_REQUEST for a name that is given twice: which of them counts isn't ours to say */
function queryOf({ url }: Request, kinds: Kinds): Record<string, unknown> {
  const query: Record<string, unknown> = {};
  const at = url.indexOf('?');
  for (const [name, text] of new URLSearchParams(at < 0 ? '' : url.slice(at + 1))) {
    if (Object.hasOwn(query, name)) {
      const issues = [{ field: name, message: 'is given twice' }];
      throw new RollcallError('BAD_REQUEST', {
        message: `${name}: is given twice`,
        details: { field: name, issues },
      });
    }
    Object.defineProperty(query, name, { value: typed(text, kinds.get(name)), enumerable: true });
  }
  return query;
}

function typed(text: string, kind: 'number' | 'boolean' | undefined): unknown {
  if (kind === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

/** What a change without a body is repeated by; undefined where the request doesn't say. @throws {RollcallError} BAD_REQUEST */
export function idempotencyKeyOf(request: Request): string | undefined {
  const key = request.get('Idempotency-Key');
  if (key !== undefined && (key === '' || key.length > OP_ID_MAX)) refuseKey(`must have 1 to ${OP_ID_MAX} characters`);
  return key;
}

/** A request without a body says nothing. The header Idempotency-Key is `op_id` under another name. */
function bodyOf(request: Request): unknown {
  const body: unknown = request.body === undefined ? {} : request.body;
  const key = idempotencyKeyOf(request);
  if (key === undefined || typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const { op_id } = body as { op_id?: unknown };
  if (op_id !== undefined && op_id !== null && op_id !== key) refuseKey('differs from op_id');
  return { ...body, op_id: key };
}

function refuseKey(message: string): never {
  const field = 'Idempotency-Key';
  throw new RollcallError('BAD_REQUEST', {
    message: `${field}: ${message}`,
    details: { field, issues: [{ field, message }] },
  });
}
