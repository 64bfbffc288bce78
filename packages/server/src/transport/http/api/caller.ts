import { RollcallError } from '@rollcall/protocol';
import type { Request } from 'express';
import type { ApiContext, Caller } from './api-context.js';

/**
 * Who sends the request: whom an app's own sign-in names, else whom the access token in its Authorization names.
 * @throws {RollcallError} UNAUTHENTICATED and others
 */
export async function callerOf(request: Request, context: ApiContext): Promise<Caller> {
  const { verifyToken, authenticate, personOf, services } = context;
  const known = await authenticate?.(request);
  if (known) return { identity: known, person: await personOf(known) };
  const token = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) {
    throw new RollcallError('UNAUTHENTICATED', {
      message: 'The header Authorization must be: Bearer, a space, and an access token',
    });
  }
  const identity = await verifyToken(token);
  // The verifier judges by the machine's clock.
  if (identity.expires_at !== null && identity.expires_at <= services.now()) {
    throw new RollcallError('UNAUTHENTICATED', { message: 'Invalid token' });
  }
  return { identity, person: await personOf(identity) };
}
