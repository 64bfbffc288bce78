import { createHash, randomBytes } from 'node:crypto';

/** The key of an installation, made once in its database. */
export const newInstallationKey = (): string => randomBytes(24).toString('base64url');

/** @param place where the database is, so that a copy of it elsewhere has another channel */
export const channelKeyOf = (key: string, place: readonly string[]): string =>
  createHash('sha256')
    .update(JSON.stringify(['rollcall channel', key, ...place]))
    .digest('base64url')
    .slice(0, 22);

/** Servers that haven't been noted for so long are forgotten, in ms. Until then it is known how their clocks were. */
export const FORGOTTEN_AFTER_MS = 24 * 3_600_000;
