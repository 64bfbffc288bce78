import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { ROOT } from './transcript.js';

const folder = join(ROOT, 'deploy/kubernetes');

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

async function manifestsOf(name: string): Promise<Manifest[]> {
  const documents = parseAllDocuments(await readFile(join(folder, name), 'utf8'));
  expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  return documents.map((document) => document.toJS() as Manifest);
}

async function manifests(): Promise<Manifest[]> {
  const names = (await readdir(folder)).filter((name) => name !== 'kustomization.yaml');
  return (await Promise.all(names.map(manifestsOf))).flat();
}

/** What the API's schema says of a manifest: values of a wrong type or form, and what is missing. */
async function schemaErrors(manifest: Manifest): Promise<string> {
  const path = `kubernetes-models/${manifest.apiVersion}`;
  const models = (await import(path)) as Record<string, new (data: unknown) => { validate(): void }>;
  const Model = models[manifest.kind];
  if (!Model) return `${manifest.apiVersion} has no ${manifest.kind}`;
  try {
    new Model(manifest).validate();
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The compiler finds what a schema lets pass: fields that the API doesn't know. @returns what it says */
async function compilerErrors(all: readonly Manifest[]): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'rollcall-manifests-'));
  onTestFinished(() => rm(work, { recursive: true, force: true }));
  await symlink(join(ROOT, 'node_modules'), join(work, 'node_modules'));
  await writeFile(join(work, 'package.json'), '{"type":"module"}');
  const lines = all.map(
    (manifest, index) =>
      `import type { I${manifest.kind} as T${index} } from 'kubernetes-models/${manifest.apiVersion}';\n` +
      `export const m${index}: T${index} = ${JSON.stringify(manifest)};`,
  );
  const file = join(work, 'manifests.ts');
  await writeFile(file, lines.join('\n'));
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--types', '', file];
  return new Promise((resolve) => {
    execFile(process.execPath, [compiler, ...options], { cwd: work }, (error, stdout) =>
      resolve(error ? stdout || String(error) : ''),
    );
  });
}

test('[DOCS-7] every manifest is valid by the schema of its kind', async () => {
  const all = await manifests();
  expect(all.map(({ kind }) => kind).sort()).toEqual(
    ['Deployment', 'Deployment', 'Ingress', 'Namespace', 'PodDisruptionBudget', 'Secret', 'Service', 'Service'].sort(),
  );
  for (const manifest of all) expect(await schemaErrors(manifest), manifest.metadata.name).toBe('');
  const bad = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' }, spec: { ports: [{ port: 'eighty' }] } };
  expect(await schemaErrors(bad)).toMatch(/integer/);
});

test('[DOCS-7] no manifest has a field that the Kubernetes API does not know', async () => {
  const all = await manifests();
  expect(await compilerErrors(all)).toBe('');
  const misspelt = JSON.parse(
    JSON.stringify(all).replace('"terminationGracePeriodSeconds"', '"terminationGraceSeconds"'),
  );
  expect(await compilerErrors(misspelt)).toMatch(/terminationGraceSeconds/);
});

interface Deployment extends Manifest {
  readonly spec: {
    readonly selector: { readonly matchLabels: object };
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: ReadonlyArray<{
          readonly livenessProbe: { readonly httpGet: { readonly path: string } };
          readonly readinessProbe: { readonly httpGet: { readonly path: string }; readonly timeoutSeconds: number };
          readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
          readonly envFrom: ReadonlyArray<{ readonly secretRef: { readonly name: string } }>;
        }>;
      };
    };
  };
}

test('[DOCS-7] selectors, probes, the time to stop and the secret of the nodes fit each other', async () => {
  const all = await manifests();
  const of = (kind: string) => all.find((one) => one.kind === kind && one.metadata.name === 'rollcall');
  const { spec } = of('Deployment') as Deployment;
  const pod = spec.template;
  expect(pod.metadata.labels).toMatchObject(spec.selector.matchLabels);
  expect((of('Service') as unknown as { spec: { selector: object } }).spec.selector).toEqual(spec.selector.matchLabels);
  const budget = of('PodDisruptionBudget') as unknown as { spec: { selector: { matchLabels: object } } };
  expect(budget.spec.selector.matchLabels).toEqual(spec.selector.matchLabels);
  const [container] = pod.spec.containers;
  expect(container?.livenessProbe.httpGet.path).toBe('/healthz');
  expect(container?.readinessProbe.httpGet.path).toBe('/readyz');
  // The server answers within 2 s.
  expect(container?.readinessProbe.timeoutSeconds).toBeGreaterThan(2);
  const waits = Number(container?.lifecycle.preStop.exec.command.at(-1));
  expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(waits + 15);
  expect(of('Secret')?.metadata.name).toBe(container?.envFrom[0]?.secretRef.name);
});

test('[DOCS-7] the kustomization has every manifest but the secret, which has no secret in it', async () => {
  const [kustomization] = (await manifestsOf('kustomization.yaml')) as unknown as [{ resources: string[] }];
  const others = (await readdir(folder)).filter((name) => !/^(kustomization|secret\.example)\.yaml$/.test(name));
  expect(kustomization.resources.toSorted()).toEqual(others.toSorted());
  const [secret] = (await manifestsOf('secret.example.yaml')) as unknown as [{ stringData: Record<string, string> }];
  expect(new Set(Object.values(secret.stringData))).toEqual(new Set(['']));
});
