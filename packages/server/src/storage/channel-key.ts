import { createHash, randomBytes } from 'node:crypto';

/** The key of an installation, made once in its database. */
export const newInstallationKey = (): string => randomBytes(24).toString('base64url');

/** @param place where the database is, so that a copy of it elsewhere has another channel */
export const channelKeyOf = (key: string, place: readonly string[]): string =>
  createHash('sha256')
    .update(JSON.stringify(['rollcall channel', key, ...place]))
    .digest('base64url')
    .slice(0, 22);

/** @returns 43 characters, of which a channel's name, which is no secret, tells nothing */
export const signingKeyOf = (key: string): string =>
  createHash('sha256')
    .update(JSON.stringify(['rollcall signing', key]))
    .digest('base64url');

/** Servers that haven't been noted for so long are forgotten, in ms. Until then it is known how their clocks were. */
export const FORGOTTEN_AFTER_MS = 24 * 3_600_000;
