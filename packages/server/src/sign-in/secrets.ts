import { createHash, randomBytes } from 'node:crypto';

const BYTES = 32;
const SECRET = /^[\w-]{43}$/;

/** What a link or a cookie holds: 32 random bytes in base64url. */
export const newSecret = (): string => randomBytes(BYTES).toString('base64url');

/** True for what may be such a secret: nothing else is looked up. */
export const isSecret = (text: unknown): text is string => typeof text === 'string' && SECRET.test(text);

/** Under what a secret is stored. SHA-256 without salt: what is random needs none, and is found by it. */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');
