import { type Payload, type TestServer, tokenOf } from './server.js';

export interface ApiResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The JSON that was answered; an empty object where none was. */
  readonly body: Payload;
}

export interface ApiRequest {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** Sends requests to a server's API, below /api/v1, as this user, or as nobody. */
export type Api = (method: string, path: string, request?: ApiRequest) => Promise<ApiResponse>;

export async function apiOf({ url }: Pick<TestServer, 'url'>, uid?: string): Promise<Api> {
  const authorization: Record<string, string> =
    uid === undefined ? {} : { authorization: `Bearer ${await tokenOf(uid)}` };
  return async (method, path, { body, headers = {} } = {}) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...authorization,
        ...(body === undefined || typeof body === 'string' ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== '';
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : {} };
  };
}
