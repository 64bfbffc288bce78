import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';
import { CookieJar } from '../testing/sign-in.js';

const CLIENT_ID = 'rollcall';
const CLIENT_SECRET = 'a secret between the provider and the server';

/** What the provider says of a person. */
export interface Account {
  readonly email?: string;
  readonly email_verified?: boolean;
}

/** What is used of oidc-provider, which has no types. */
interface ProviderPackage {
  readonly default: new (issuer: string, options: object) => { callback(): RequestListener };
}

export interface IdentityProvider {
  readonly issuer: string;
  /** Variables of a server that signs people in by it. */
  readonly variables: Readonly<Record<string, string>>;
  readonly accounts: Map<string, Account>;
  /** How long a code counts, in seconds. */
  codeSeconds: number;
  /** A token by the provider's own key. */
  sign(claims: Record<string, unknown>, typ?: string): Promise<string>;
  /** Signs in at the provider as a person would, from the address that the server sent the browser to. */
  authorize(url: string, login: string): Promise<{ readonly callback: string; readonly browser: CookieJar }>;
  /** The person signs out at the provider, which tells those whom it signed them in to. */
  signOut(browser: CookieJar): Promise<void>;
}

/** A real identity provider on a loopback port. It ends with the test. @param server where the server will listen */
export async function startIdentityProvider(server: string): Promise<IdentityProvider> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: 'key-1', alg: 'RS256', use: 'sig' };
  let handle: RequestListener = (_request, response) => void response.writeHead(503).end();
  const http = createServer((request, response) => handle(request, response)).listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const state = { codeSeconds: 60 };
  const accounts = new Map<string, Account>();
  // It says by console that it doesn't know this version of Node, and that the forms are for development.
  const { info, warn } = console;
  console.info = () => {};
  console.warn = () => {};
  const { default: Provider } = (await import('oidc-provider' as string)) as ProviderPackage;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: [`${server}/api/v1/auth/oidc/callback`],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        backchannel_logout_uri: `${server}/api/v1/auth/oidc/back-channel-logout`,
        backchannel_logout_session_required: true,
      },
    ],
    jwks: { keys: [key] },
    cookies: { keys: ['of the tests'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    findAccount: (_ctx: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, ...accounts.get(id) }),
    }),
    features: {
      backchannelLogout: { enabled: true },
      devInteractions: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx: { body: unknown }, form: string) => {
          ctx.body = form;
        },
      },
    },
    // Its own refuses addresses of this machine.
    fetch: (url: string, { method, headers, body }: RequestInit) =>
      fetch(url, { method: method ?? 'GET', headers: headers ?? {}, body: body ?? null }),
    pkce: { required: () => true },
    ttl: {
      AuthorizationCode: () => state.codeSeconds,
      ...{ Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
    },
  });
  handle = provider.callback();
  Object.assign(console, { info, warn });

  const form = (body: Record<string, string>): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(body).toString(),
  });

  return {
    issuer,
    variables: { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: CLIENT_ID, OIDC_CLIENT_SECRET: CLIENT_SECRET },
    accounts,
    get codeSeconds() {
      return state.codeSeconds;
    },
    set codeSeconds(seconds) {
      state.codeSeconds = seconds;
    },
    sign: (claims, typ = 'logout+jwt') =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'key-1', typ }).sign(privateKey),
    async authorize(url, login) {
      const browser = new CookieJar({ url: issuer });
      let next = url;
      for (let step = 0; step < 12; step += 1) {
        const response = await browser.fetch(next);
        const location = response.headers.get('location');
        if (location !== null) {
          next = new URL(location, next).href;
          if (next.startsWith(server)) return { callback: next, browser };
          continue;
        }
        const page = await response.text();
        const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
        const action = /action="([^"]+)"/.exec(page)?.[1];
        if (!prompt || !action) throw new Error(`the provider showed something else: ${response.status} ${page}`);
        const fields = prompt === 'login' ? { prompt, login, password: 'any' } : { prompt };
        const answered = await browser.fetch(action, form(fields));
        next = new URL(answered.headers.get('location') ?? '', next).href;
      }
      throw new Error('the provider led nowhere');
    },
    async signOut(browser) {
      const page = await (await browser.fetch('/session/end')).text();
      const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
      await browser.fetch('/session/end/confirm', form({ xsrf, logout: 'yes' }));
    },
  };
}
