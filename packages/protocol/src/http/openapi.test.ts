import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { errorRegistry } from '../errors.js';
import { openApiDocument } from './openapi.js';
import type { Operation } from './operation.js';
import { operations } from './operations/index.js';
import { REPEATABLE } from './paths.js';

const every = Object.entries(operations) as Array<[string, Operation]>;

test('[API-14] the OpenAPI document is valid', async () => {
  const document = JSON.parse(JSON.stringify(openApiDocument()));
  const { valid, errors } = await new Validator().validate(document);
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

test('[API-14] every operation has an example that its own schemas allow', () => {
  for (const [name, { params, query, body, answers, example }] of every) {
    for (const [schema, given] of [
      [params, example.params],
      [query, example.query ?? {}],
      [body, example.body ?? {}],
    ] as const) {
      if (schema) expect(schema.safeParse(given).error?.message, name).toBeUndefined();
    }
    const [first] = Object.values(answers);
    if (first?.schema && example.answer !== undefined) {
      expect(first.schema.safeParse(example.answer).error?.message, `${name}: answer`).toBeUndefined();
    }
    // A document of itself has no place in itself.
    if (first?.schema && name !== 'getOpenApi') expect(example.answer, `${name} has no example`).toBeDefined();
  }
});

test('[API-14] every operation documents the status of each of its errors', () => {
  const { paths } = openApiDocument() as {
    paths: Record<string, Record<string, { operationId: string; responses: object }>>;
  };
  const documented = new Map(
    Object.values(paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId, responses }) => [operationId, Object.keys(responses)] as const),
    ),
  );
  for (const [name, { errors, security }] of every) {
    const statuses = documented.get(name) ?? [];
    const expected = [
      ...errors,
      'INTERNAL',
      'RATE_LIMITED',
      ...(security === 'token' ? (['UNAUTHENTICATED'] as const) : []),
    ];
    for (const code of expected as Array<keyof typeof errorRegistry>) {
      expect(statuses, `${name} ${code}`).toContain(String(errorRegistry[code].http_status));
    }
  }
});

test('[API-7] the operations that may be repeated are those that take an op_id', () => {
  const taking = every.filter(([, { body }]) => body && 'op_id' in ((body as { shape?: object }).shape ?? {}));
  const byHeader = every.filter(([, { idempotent }]) => idempotent);
  expect([...REPEATABLE].sort()).toEqual([...taking, ...byHeader].map(([name]) => name).sort());
});
