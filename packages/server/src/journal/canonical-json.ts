/**
 * The one JSON text of a value by RFC 8785: no spaces, names in the order of their UTF-16 code units, numbers and
 * strings as ECMAScript writes them. `value` is what JSON.parse answers.
 */
export const canonicalJson = (value: unknown): string => JSON.stringify(sorted(value));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  // Without a prototype, so that a field called __proto__ is a field like any other.
  const result: Record<string, unknown> = Object.create(null);
  for (const [name, field] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) result[name] = sorted(field);
  return result;
}
