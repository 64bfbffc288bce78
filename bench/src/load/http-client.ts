import { Agent, get } from 'node:http';
import { VoidRun } from '../harness/no-figures.js';
import { tokenOf } from './token.js';

/** An answer of the HTTP API, with its body as it came. */
export interface HttpAnswer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly body: Buffer;
  /** From the request being sent until the last byte of the body was there. */
  readonly ms: number;
}

const ANSWER_WITHIN_MS = 60_000;

/** Somebody who is signed in and asks the HTTP API over connections that stay open, as a browser does. */
export class HttpClient {
  readonly #port: number;
  readonly #authorization: string;
  readonly #agent: Agent;

  constructor(port: number, uid: string, connections: number) {
    this.#port = port;
    this.#authorization = `Bearer ${tokenOf(uid)}`;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** @param path below `/api/v1`; an answer that breaks off, or none at all, makes the run void */
  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => reject(new VoidRun(`GET ${path}: ${error.message}`));
      const sent = performance.now();
      const request = get(
        {
          host: '127.0.0.1',
          port: this.#port,
          path: `/api/v1${path}`,
          agent: this.#agent,
          headers: { ...headers, authorization: this.#authorization },
          timeout: ANSWER_WITHIN_MS,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', fail);
          response.once('end', () => {
            const { statusCode: status = 0, headers: given } = response;
            resolve({ status, etag: given.etag, body: Buffer.concat(chunks), ms: performance.now() - sent });
          });
        },
      );
      request.once('timeout', () => request.destroy(new Error('was not answered')));
      request.once('error', fail);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** A refusal makes the run void, and so does an answer that isn't what was expected, byte for byte. */
export function requireAnswer(
  what: string,
  { status, body }: HttpAnswer,
  expected: Pick<HttpAnswer, 'status' | 'body'>,
) {
  if (status !== expected.status) {
    throw new VoidRun(`${what} was answered ${status} instead of ${expected.status}: ${body.subarray(0, 200)}`);
  }
  if (!body.equals(expected.body)) throw new VoidRun(`${what} was answered with other bytes than the first time`);
}
