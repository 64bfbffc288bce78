import type { UserId } from '@rollcall/protocol';
import { hashOf, newSecret } from '../sign-in/secrets.js';
import type { NewLink } from '../storage/port.js';
import type { ApiRequest, ApiResponse } from './api.js';
import type { TestServer } from './server.js';

/** A sign-in link of a user, as it is stored. @returns its secret */
export async function linkSecret(
  { storage }: Pick<TestServer, 'storage'>,
  uid: string,
  more: Partial<NewLink> = {},
): Promise<string> {
  const secret = newSecret();
  const person = await storage.people.findPersonByUid(uid);
  const user_id = person?.user_id ?? (uid as UserId);
  const expires_at = Date.now() + 15 * 60_000;
  await storage.signIn.makeLink({
    hash: hashOf(secret),
    user_id,
    purpose: 'sign-in',
    expires_at,
    made_by: null,
    ...more,
  });
  return secret;
}

/** What a browser does with cookies, and nothing else of a browser. */
export class CookieJar {
  readonly #url: string;
  readonly #cookies = new Map<string, string>();
  /** The Set-Cookie headers of the last answer. */
  set: readonly string[] = [];

  constructor({ url }: Pick<TestServer, 'url'>) {
    this.#url = url;
  }

  get(name: string): string | undefined {
    return this.#cookies.get(name);
  }

  put(name: string, value: string): void {
    this.#cookies.set(name, value);
  }

  /** A jar with the same cookies, as a thief would have one. */
  copy(): CookieJar {
    const jar = new CookieJar({ url: this.#url });
    for (const [name, value] of this.#cookies) jar.put(name, value);
    return jar;
  }

  /** @param path below the server's address, or an address of any server */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(new URL(path, this.#url), {
      redirect: 'manual',
      ...init,
      headers: { ...(cookie === '' ? {} : { cookie }), ...(init.headers as Record<string, string>) },
    });
    this.set = response.headers.getSetCookie();
    for (const each of this.set) {
      const [pair = '', ...attributes] = each.split('; ');
      const [name = '', value = ''] = pair.split(/=(.*)/s);
      if (attributes.includes('Max-Age=0')) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return response;
  }

  /** A request to the API, below /api/v1/auth. */
  async auth(method: string, path: string, { body, headers = {} }: ApiRequest = {}): Promise<ApiResponse> {
    const response = await this.fetch(`/api/v1/auth/${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: text === '' ? {} : JSON.parse(text) };
  }
}

/** A browser that signed in by a link. */
export async function signedInBrowser(
  server: Pick<TestServer, 'url' | 'storage'>,
  uid: string,
  more: { readonly shared_device?: boolean } = {},
): Promise<{ readonly jar: CookieJar; readonly token: string }> {
  const jar = new CookieJar(server);
  const { status, body, text } = await jar.auth('POST', 'sign-in', {
    body: { token: await linkSecret(server, uid), ...more },
  });
  if (status !== 200) throw new Error(`not signed in: ${status} ${text}`);
  return { jar, token: String(body['access_token']) };
}

/** The status of a request with this access token. */
export async function statusWith({ url }: Pick<TestServer, 'url'>, token: string): Promise<number> {
  return (await fetch(`${url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } })).status;
}
