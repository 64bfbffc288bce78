/** The value of a cookie in a Cookie header; the first where a name comes several times. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

/** What a cookie is called and where it is sent. */
export interface CookiePlace {
  readonly name: string;
  readonly path: string;
  readonly secure: boolean;
}

/**
 * With an https address the prefix `__Host-` binds the cookie to this very host: no other host of the school can set
 * it. Browsers take such a name only with Secure and Path=/. Without TLS the cookie goes to the path of the address.
 */
export function cookiePlace(publicUrl: string, suffix = ''): CookiePlace {
  const { protocol, pathname } = new URL(publicUrl);
  if (protocol === 'https:') return { name: `__Host-rollcall${suffix}`, path: '/', secure: true };
  return { name: `rollcall${suffix}`, path: pathname.replace(/(.)\/$/, '$1'), secure: false };
}

/** @param maxAgeMs null for a cookie that goes with the browser */
export function setCookie({ name, path, secure }: CookiePlace, value: string, maxAgeMs: number | null): string {
  const parts = [`${name}=${value}`, `Path=${path}`, 'HttpOnly', 'SameSite=Lax'];
  if (secure) parts.push('Secure');
  if (maxAgeMs !== null) parts.push(`Max-Age=${Math.max(0, Math.floor(maxAgeMs / 1000))}`);
  return parts.join('; ');
}

export const removeCookie = (place: CookiePlace): string => setCookie(place, '', 0);
