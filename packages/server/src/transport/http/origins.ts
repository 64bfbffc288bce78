import type { IncomingMessage } from 'node:http';
import type { Config } from '../../config/config.js';
import { matchesPattern, normalOrigin } from '../../config/origin-patterns.js';

const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]']);

/** True where a page of this origin may talk to the server. A request without an Origin is no page's: apps, other servers. */
export function originAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: Config['corsOrigins'],
): boolean {
  if (origin === undefined || allowed.includes('*')) return true;
  const normal = normalOrigin(origin);
  if (normal === null) return false;
  if (host !== undefined && isOriginOf(host, normal)) return true;
  if (allowed === 'same-origin') return false;
  if (allowed === 'localhost') return LOCAL_HOSTS.has(new URL(normal).hostname);
  return allowed.some((pattern) => matchesPattern(pattern, normal));
}

/** A Host header may name the scheme's own port and have capitals; the scheme is the proxy's to know. */
function isOriginOf(host: string, origin: string): boolean {
  const scheme = /^https?:/.exec(origin)?.[0];
  return scheme !== undefined && normalOrigin(`${scheme}//${host}`) === origin;
}

/** Socket.IO's own check covers polling alone: browsers don't hold websockets to CORS. */
export const allowRequest =
  (allowed: Config['corsOrigins']) =>
  (request: IncomingMessage, decide: (error: string | null | undefined, success: boolean) => void): void =>
    decide(null, originAllowed(request.headers.origin, request.headers.host, allowed));
