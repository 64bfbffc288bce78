import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** What each kind of pass says. Its kind is both in its claims and in the key that signs it. */
const KINDS = {
  /** For a screen that shows the check-in code and the statistics of one session. */
  display: z.object({ session_id: z.string() }),
  /** For a browser that has scanned the code of a session before its user signed in. */
  ticket: z.object({ session_id: z.string(), window: z.int(), id: z.string() }),
};

export type PassKind = keyof typeof KINDS;
export type Pass<Kind extends PassKind> = z.output<(typeof KINDS)[Kind]>;

const claimsOfAll = z.object({ purpose: z.string(), exp: z.number() });

/** A JWT of HS256, so that whatever finds a token in a text finds these as well. */
const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');
const LENGTH_MAX = 2_048;

/**
 * Signs and reads what this installation gives out for its own use. Every node has the same key, also after a restart.
 * An access token is signed by another key and has no purpose, so neither passes for the other.
 */
export class Passes {
  #keys: ReadonlyMap<PassKind, Buffer> | undefined;

  /** To be called before the first pass is signed or read. @param key of the installation */
  signWith(key: string): void {
    const kinds = Object.keys(KINDS) as PassKind[];
    this.#keys = new Map(kinds.map((kind) => [kind, createHmac('sha256', key).update(`rollcall ${kind}`).digest()]));
  }

  /** @param expiresAt ms since the epoch; counts to the second, and not beyond */
  sign<Kind extends PassKind>(kind: Kind, pass: Pass<Kind>, expiresAt: number): string {
    const claims = { ...pass, purpose: kind, exp: Math.floor(expiresAt / 1_000) };
    const signed = `${HEADER}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
    return `${signed}.${this.#signatureOf(kind, signed).toString('base64url')}`;
  }

  /**
   * @param now ms since the epoch
   * @returns undefined for what isn't a pass of this kind, or is one no more
   */
  read<Kind extends PassKind>(
    kind: Kind,
    text: string,
    now: number,
  ): (Pass<Kind> & { readonly expires_at: number }) | undefined {
    if (text.length > LENGTH_MAX) return undefined;
    const [, signed = '', claims = '', signature = ''] = /^([\w-]+\.([\w-]+))\.([\w-]{43})$/.exec(text) ?? [];
    if (!signed.startsWith(`${HEADER}.`)) return undefined;
    if (!timingSafeEqual(this.#signatureOf(kind, signed), Buffer.from(signature, 'base64url'))) return undefined;
    // It is signed, so it is what `sign` wrote.
    const said: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString());
    const { purpose, exp } = claimsOfAll.parse(said);
    if (purpose !== kind || exp * 1_000 <= now) return undefined;
    return { ...(KINDS[kind].parse(said) as Pass<Kind>), expires_at: exp * 1_000 };
  }

  #signatureOf(kind: PassKind, text: string): Buffer {
    const key = this.#keys?.get(kind);
    if (!key) throw new Error('passes have no key yet');
    return createHmac('sha256', key).update(text).digest();
  }
}
