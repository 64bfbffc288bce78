import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

/** What a built file and all it imports ask for from outside this package. */
async function foreignImports(file: URL, seen = new Set<string>()): Promise<Set<string>> {
  const foreign = new Set<string>();
  if (seen.has(file.href)) return foreign;
  seen.add(file.href);
  const code = await readFile(file, 'utf8');
  for (const [, specifier = ''] of code.matchAll(/(?:\bfrom|\bimport\(?)\s*['"]([^'"]+)['"]/g)) {
    if (!specifier.startsWith('.')) foreign.add(specifier);
    else for (const name of await foreignImports(new URL(specifier, file), seen)) foreign.add(name);
  }
  return foreign;
}

test('[SDK-6] the client imports socket.io-client and the API’s paths alone: no Node built-in, and no schema of the protocol', async () => {
  const foreign = await foreignImports(new URL('./index.js', import.meta.url));
  expect([...foreign].sort()).toEqual(['@rollcall/protocol/paths', 'socket.io-client']);
  const paths = new URL(import.meta.resolve('@rollcall/protocol/paths'));
  expect([...(await foreignImports(paths))]).toEqual([]);
});
