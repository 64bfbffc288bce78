import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { schoolOf } from '../../../packages/server/dist/testing/school.js';
import {
  startServer,
  type TestServer,
  temporaryFolder,
  tokenOf,
} from '../../../packages/server/dist/testing/server.js';
import { ROOT } from './transcript.js';

const MISSING = 'needs an nginx on the PATH (Debian: apt-get install nginx-light)';

function hasNginx(): boolean {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' });
    return true;
  } catch {
    const required = (process.env['ROLLCALL_TEST_REQUIRE'] ?? '').split(',').some((name) => name.trim() === 'nginx');
    if (required) throw new Error(MISSING);
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** nginx.conf as it is deployed, with addresses of this machine, in front of two nodes. @returns its URL */
async function startNginx(nodes: readonly TestServer[], change: (text: string) => string = (text) => text) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await run('deploy/nginx.conf', url, (text) =>
    change(
      text
        .replaceAll(/server rollcall-(\d):4002;/g, (_line, n) => {
          const node = nodes[Number(n) - 1];
          return node ? `server 127.0.0.1:${node.port};` : '';
        })
        .replace('listen 8080;', `listen 127.0.0.1:${port};`),
    ),
  );
  return url;
}

/** The same of nginx-one-machine.conf, with a certificate of its own. */
async function startWithTls({ port: behind }: TestServer) {
  const folder = await temporaryFolder();
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
  const made = ['-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...made], { stdio: 'ignore' });
  const [port, plain] = [await freePort(), await freePort()];
  const ca = await readFile(certificate, 'utf8');
  await run('deploy/nginx-one-machine.conf', `http://127.0.0.1:${plain}`, (text) =>
    text
      .replaceAll('127.0.0.1:4002', `127.0.0.1:${behind}`)
      .replace('listen 80;', `listen 127.0.0.1:${plain};`)
      .replace('listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`)
      .replace(/\/etc\/letsencrypt\S+fullchain\.pem/, certificate)
      .replace(/\/etc\/letsencrypt\S+privkey\.pem/, key),
  );
  return { url: `https://localhost:${port}`, plain: `http://127.0.0.1:${plain}`, ca };
}

/** Runs a deployed configuration until the test ends; resolves once it answers at `url`. */
async function run(path: string, url: string, change: (text: string) => string): Promise<void> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'logs'));
  const deployed = await readFile(join(ROOT, path), 'utf8');
  const here = deployed
    .replace('worker_rlimit_nofile 65536;', 'pid nginx.pid;')
    .replace('worker_connections 32768;', 'worker_connections 512;')
    .replace(
      'http {',
      ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((each) => `${each}_temp_path ${folder};`)
        .join('\n')
        .replace(/^/, 'http {\n'),
    );
  const file = join(folder, 'nginx.conf');
  await writeFile(file, change(here));
  const nginx = spawn('nginx', ['-p', folder, '-c', file, '-g', 'daemon off;', '-e', join(folder, 'error.log')], {
    stdio: 'ignore',
  });
  onTestFinished(async () => {
    if (nginx.exitCode !== null) return;
    const ended = once(nginx, 'exit');
    nginx.kill('SIGTERM');
    await ended;
  });
  const answers = () =>
    fetch(`${url}/healthz`, { redirect: 'manual' }).then(
      ({ status }) => status,
      () => 0,
    );
  await expect.poll(answers, { timeout: 20_000 }).toBeGreaterThan(0);
}

/** fetch takes no certificate authority of its own. */
const httpsStatus = (url: string, ca: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    get(url, { ca }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });

const startNodes = () => Promise.all([1, 2].map(() => startServer({}, schoolOf(2))));

/** Connects, sends a command and hears its answer. @returns what went wrong, or `ok` */
async function use(url: string, transports: string[], browser: string, more = {}): Promise<string> {
  const socket = io(url, {
    ...more,
    auth: { token: await tokenOf('ada') },
    transports: transports as never,
    forceNew: true,
    reconnection: false,
    extraHeaders: { 'User-Agent': browser },
  });
  onTestFinished(() => {
    socket.disconnect();
  });
  const failed = new Promise<string>((resolve) => {
    socket.on('connect_error', (error) => resolve(`connect_error: ${error.message}`));
    socket.on('disconnect', (reason) => resolve(`disconnect: ${reason}`));
  });
  const asked = (async () => {
    for (let round = 0; round < 5; round += 1) {
      const answer = await socket.timeout(10_000).emitWithAck('checkActiveSessions', {});
      if (!answer.ok) return JSON.stringify(answer);
    }
    return 'ok';
  })().catch((error: unknown) => String(error));
  return Promise.race([failed, asked]);
}

const connected = (nodes: readonly TestServer[]): number[] =>
  nodes.map((node) => node.rollcall.io.of('/').sockets.size);
const browsers = Array.from({ length: 16 }, (_, index) => `Browser/${index}`);

const nginxThere = hasNginx();

describe.skipIf(!nginxThere)(`nginx${nginxThere ? '' : ` (${MISSING})`}`, () => {
  test.each([
    ['long-polling alone', ['polling']],
    ['long-polling, then a websocket', ['polling', 'websocket']],
    ['a websocket alone', ['websocket']],
  ])('[DOCS-8] clients that use %s are served by both nodes', async (_what, transports) => {
    const nodes = await startNodes();
    const url = await startNginx(nodes);
    const outcomes = await Promise.all(browsers.map((browser) => use(url, transports, browser)));
    expect(outcomes).toEqual(browsers.map(() => 'ok'));
    const [one = 0, other = 0] = connected(nodes);
    expect(one + other).toBe(browsers.length);
    expect(Math.min(one, other)).toBeGreaterThan(0);
  });

  test('[DOCS-8] without its stickiness long-polling fails, so that it is needed', async () => {
    const nodes = await startNodes();
    const url = await startNginx(nodes, (text) => text.replace(/^ *hash .*;$/m, ''));
    const outcomes = await Promise.all(browsers.map((browser) => use(url, ['polling'], browser)));
    expect(outcomes).not.toEqual(browsers.map(() => 'ok'));
  });

  test('[DOCS-8] one machine is served over TLS, and whoever comes without is sent there', async () => {
    const server = await startServer({}, schoolOf(2));
    const { url, plain, ca } = await startWithTls(server);
    for (const transports of [['polling'], ['polling', 'websocket'], ['websocket']]) {
      expect(await use(url, transports, 'Browser', { ca })).toBe('ok');
      expect(await use(url, transports, 'Browser')).toMatch(/^connect_error/);
    }
    const sent = await fetch(`${plain}/socket.io/`, { redirect: 'manual' });
    expect([sent.status, sent.headers.get('location')]).toEqual([301, 'https://127.0.0.1/socket.io/']);
  });

  test('[DOCS-65] the API, an import and the page of sign-in are to be had from outside', async () => {
    const { url: tls, ca } = await startWithTls(await startServer({}, schoolOf(2)));
    for (const path of ['/api/v1/openapi.json', '/sign-in']) {
      expect(await httpsStatus(`${tls}${path}`, ca), path).toBe(200);
    }
    const url = await startNginx(await startNodes());
    for (const path of ['/api/v1/openapi.json', '/api/v1/docs/', '/sign-in', '/sign-in/sign-in.js', '/errors']) {
      expect((await fetch(`${url}${path}`)).status, path).toBe(200);
    }
    const admin = { authorization: `Bearer ${await tokenOf('root')}`, 'content-type': 'application/json' };
    // Larger than what nginx takes elsewhere: blanks, and an empty school.
    const body = `${' '.repeat(8 * 1024 * 1024)}{"students": []}`;
    const imported = await fetch(`${url}/api/v1/imports?dry_run=true`, { method: 'POST', headers: admin, body });
    expect(imported.status).toBe(200);
    for (const path of ['/api/v10/me', '/sign-inside', '/api']) expect((await fetch(`${url}${path}`)).status).toBe(404);
  });

  test('[DOCS-8] nothing but the sockets, the API, its pages and /healthz is to be had from outside', async () => {
    const url = await startNginx(await startNodes());
    const statusOf = async (path: string) => (await fetch(`${url}${path}`)).status;
    expect(await statusOf('/healthz')).toBe(200);
    for (const path of ['/metrics', '/readyz', '/', '/healthz/']) expect(await statusOf(path), path).toBe(404);
  });
});
