import { normalOrigin } from '../../config/origin-patterns.js';
import { isOriginOf } from './origins.js';

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What a request says of where it comes from. A browser lets no page choose Sec-Fetch-Site, Origin or Host. */
export interface RequestSource {
  readonly method: string;
  readonly secFetchSite: string | undefined;
  readonly origin: string | undefined;
  readonly host: string | undefined;
}

/**
 * True for a request that another site has made a browser send: no cookie may authorise it. Browsers say so by
 * Sec-Fetch-Site, older ones by Origin; what says neither isn't a browser, and nobody made it send the cookie. Pure.
 * @param trusted origins whose pages may use the cookie although they aren't the server's own
 */
export function isFromAnotherSite(request: RequestSource, trusted: (origin: string) => boolean): boolean {
  const { method, secFetchSite, origin, host } = request;
  if (SAFE_METHODS.has(method)) return false;
  if (secFetchSite === 'same-origin' || secFetchSite === 'none') return false;
  if (secFetchSite === undefined && origin === undefined) return false;
  const normal = origin === undefined ? null : normalOrigin(origin);
  if (normal === null) return true;
  if (trusted(normal)) return false;
  // By the host alone: behind a proxy that speaks TLS the server doesn't know its own scheme.
  return secFetchSite !== undefined || host === undefined || !isOriginOf(host, normal);
}
