import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';

export interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  /** The public half, as the key server shows it. */
  readonly jwk: JWK;
  /** The public half in PEM, for those who would use it as a secret. */
  readonly pem: string;
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
}

export async function makeKey(alg: string, kid = `key-${alg}`): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return {
    alg,
    kid,
    jwk: { ...(await exportJWK(publicKey as CryptoKey)), alg, kid, use: 'sig' },
    pem: await exportSPKI(publicKey),
    sign: (claims, header = {}) => new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(privateKey),
  };
}

/** An identity provider's key set, on a loopback port. It ends with the test. */
export interface KeyServer {
  readonly url: string;
  keys: JWK[];
  /** Answers 503 while true. */
  failing: boolean;
  /** Times the keys were asked for. */
  readonly asked: number;
}

export async function startKeyServer(keys: readonly SigningKey[]): Promise<KeyServer> {
  const state = { url: '', keys: keys.map(({ jwk }) => jwk), failing: false, asked: 0 };
  const server = createServer((_request, response) => {
    state.asked += 1;
    if (state.failing) response.writeHead(503).end();
    else response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: state.keys }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  return state;
}
