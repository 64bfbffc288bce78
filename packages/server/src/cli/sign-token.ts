import { createSecretKey } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Config } from '../config/config.js';
import { ensureSecret } from '../config/secret.js';
import { CommandFailure } from './failure.js';
import { refuseRootOnForeign, secretFileOf } from './owner.js';

/** What a token says of its user besides their uid; it counts where PROVISION_FROM_TOKEN makes users of it. */
export interface Claims {
  readonly name?: string;
  readonly role?: string;
}

/**
 * Makes the signer of tokens (HS256) by which the user of `uid` is let in for `seconds`.
 * @throws {CommandFailure} where tokens come from an identity provider alone
 */
export async function tokenSigner(
  config: Config,
): Promise<(uid: string, seconds: number, claims?: Claims) => Promise<string>> {
  await refuseRootOnForeign(secretFileOf(config), 'token');
  const secret = await ensureSecret(config);
  if (secret === null) {
    throw new CommandFailure(
      'there is no ACCESS_TOKEN_SECRET to sign with: take a token from the provider of JWKS_URL, or set a secret as well, here and for the server',
    );
  }
  const key = createSecretKey(Buffer.from(secret, 'utf8'));
  return (uid, seconds, claims = {}) => {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ ...claims, [config.uidClaim ?? 'uid']: uid })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(uid)
      .setIssuedAt(now)
      .setExpirationTime(now + seconds)
      .sign(key);
  };
}
