import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { fieldTable } from './field-table.js';
import type { Operation } from './operation.js';
import { operations } from './operations/index.js';
import { type OperationName, paths } from './paths.js';

test('[DOCS-62] the reference names every field of path, query and body under its operation', () => {
  const page = readFileSync(new URL('../../../../docs/reference/http-api.md', import.meta.url), 'utf8');
  let fields = 0;
  for (const name of Object.keys(paths) as OperationName[]) {
    const operation: Operation = operations[name];
    const section = page.split(`\n\`${name}\`. `)[1]?.split('\n### ')[0] ?? '';
    const { params, query, body } = operation;
    for (const [place, schema] of Object.entries({ path: params, query, body })) {
      const { properties = {} } = schema ? z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) : {};
      for (const field of Object.keys(properties)) {
        fields += 1;
        expect(section, `${name}: ${field}`).toContain(`| \`${field}\` | ${place} |`);
      }
    }
  }
  expect(fields).toBeGreaterThan(100);
});

test('[DOCS-62] what may be in a field is said by its kind, its bounds and its values', () => {
  const query = z.object({
    format: z.enum(['json', 'csv']).default('json'),
    limit: z.int().min(1).max(200).optional().describe('Items at most.'),
    from: z.iso.date(),
    whole: z.boolean().nullish(),
    names: z.array(z.string().max(5)),
  });
  expect(
    fieldTable({ query } as unknown as Operation)[0]
      ?.split('\n')
      .slice(2),
  ).toEqual([
    '| `format` | query | default: `json` | `json`, `csv` |',
    '| `limit` | query |  | number, 1 to 200. Items at most. |',
    '| `from` | query | required | a day such as `2026-11-23` |',
    '| `whole` | query |  | `true`, `false` or null |',
    '| `names` | query | required | list of text, at most 5 characters |',
  ]);
});
