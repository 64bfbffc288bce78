import { SignJWT } from 'jose';

/** Signs and checks the tokens of every server here. */
export const SECRET = 'a secret of the experiments that is long enough';

/**
 * Good for half a day, so that a clock that jumps by an hour leaves it good. Its `kid` makes it one that the server
 * checks by WebCrypto, which an experiment makes wait, and not at once.
 */
export const tokenOf = (uid: string): Promise<string> =>
  new SignJWT({ uid })
    .setProtectedHeader({ alg: 'HS256', kid: 'faults' })
    .setIssuedAt(Math.floor(Date.now() / 1_000) - 7_200)
    .setExpirationTime('12h')
    .sign(new TextEncoder().encode(SECRET));
