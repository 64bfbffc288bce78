import { createHmac, createSecretKey } from 'node:crypto';
import { SignJWT } from 'jose';

/** The `iss` of access tokens of web sessions: by it they are told from an app's own tokens, signed with the same key. */
export const OWN_ISSUER = 'rollcall';
/** For how long an access token counts, in ms. */
export const ACCESS_TOKEN_MS = 10 * 60_000;

export interface AccessToken {
  readonly access_token: string;
  /** Ms since the epoch. */
  readonly expires_at: number;
}

/** Makes a token of a web session for a user, which counts until `endsAt`, or for ten minutes. Times in ms. */
export type IssueAccessToken = (uid: string, sid: string, now: number, endsAt: number) => Promise<AccessToken>;

/** The key of access tokens where the environment has none, from that of the installation, which signs other things too. */
export const accessKeyOf = (signingKey: string): string =>
  createHmac('sha256', signingKey).update('access tokens').digest('base64url');

/** @param secret the key that {@link tokenVerifier} has as `secret`, or as `accessKey` */
export function accessTokenIssuer(secret: string): IssueAccessToken {
  const key = createSecretKey(Buffer.from(secret, 'utf8'));
  return async (uid, sid, now, endsAt) => {
    const seconds = Math.floor(Math.min(now + ACCESS_TOKEN_MS, endsAt) / 1000);
    const access_token = await new SignJWT({ uid, sid })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(OWN_ISSUER)
      .setSubject(uid)
      .setIssuedAt(Math.floor(now / 1000))
      .setExpirationTime(seconds)
      .sign(key);
    return { access_token, expires_at: seconds * 1000 };
  };
}
