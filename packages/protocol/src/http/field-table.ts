import { z } from 'zod';
import type { Operation } from './operation.js';

/** A field as JSON Schema has it, with what is needed of its branches. */
interface Field {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Field[];
  readonly items?: Field;
  readonly properties?: Readonly<Record<string, Field>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly description?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Field>>;
}

const SAFE = Number.MAX_SAFE_INTEGER;
const MEANT: Readonly<Record<string, string>> = { date: 'a day such as `2026-11-23`', 'date-time': 'a time' };

/** What may be in a field, in a few words: `text, 1 to 128 characters`. */
function kindOf(field: Field, defs: Field['$defs']): string {
  const name = field.$ref?.replace('#/$defs/', '');
  if (name !== undefined) return kindOf(defs?.[name] ?? {}, defs);
  if (field.anyOf) return [...new Set(field.anyOf.map((each) => kindOf(each, defs)))].join(' or ');
  if (field.enum) return field.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (field.const !== undefined) return `\`${String(field.const)}\``;
  if (typeof field.type === 'object') return field.type.map((type) => kindOf({ ...field, type }, defs)).join(' or ');
  if (field.type === 'boolean') return '`true`, `false`';
  if (field.type === 'string') return MEANT[field.format ?? ''] ?? `text${charactersOf(field)}`;
  if (field.type === 'integer' || field.type === 'number') {
    const { minimum, maximum } = field;
    return `number${limits(minimum, maximum === SAFE ? undefined : maximum)}`;
  }
  if (field.type === 'array') return `list of ${kindOf(field.items ?? {}, defs)}`;
  if (field.type === 'object') return `{${Object.keys(field.properties ?? {}).join(', ')}}`;
  return String(field.type ?? 'any value');
}

const charactersOf = ({ minLength, maxLength }: Field): string => {
  const bounds = limits(minLength, maxLength);
  return bounds === '' ? '' : `${bounds} characters`;
};

function limits(least: number | undefined, most: number | undefined): string {
  const has = (bound: number | undefined) => bound !== undefined && Math.abs(bound) !== SAFE;
  if (has(least) && has(most)) return `, ${least} to ${most?.toLocaleString('en')}`;
  if (has(most)) return `, at most ${most?.toLocaleString('en')}`;
  return has(least) && least !== 0 ? `, at least ${least}` : '';
}

function rowsOf(place: string, schema: z.ZodType): string[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Field;
  return Object.entries(json.properties ?? {}).map(([name, field]) => {
    const needed = json.required?.includes(name) === true ? 'required' : '';
    const given = field.default === undefined ? needed : `default: \`${String(field.default)}\``;
    const text = [kindOf(field, json.$defs), field.description].filter(Boolean).join('. ');
    return `| \`${name}\` | ${place} | ${given} | ${text.replaceAll('](#', '](events.md#').replaceAll('|', '\\|')} |`;
  });
}

/** What may be sent with a request: a table of the fields of path, query and body; nothing where there are none. */
export function fieldTable({ params, query, body, documentedBody }: Operation): string[] {
  const rows = [
    ...(params ? rowsOf('path', params) : []),
    ...(query ? rowsOf('query', query) : []),
    ...(body ? rowsOf('body', documentedBody ?? body) : []),
  ];
  return rows.length === 0 ? [] : [['| field | in | | |', '|---|---|---|---|', ...rows].join('\n')];
}
