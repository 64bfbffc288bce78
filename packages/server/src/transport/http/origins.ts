import type { IncomingMessage } from 'node:http';
import type { Config } from '../../config.js';

const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]']);

/** True where a page of this origin may talk to the server. A request without an Origin is no page's: apps, other servers. */
export function originAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: Config['corsOrigins'],
): boolean {
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  if (url.host === host) return true;
  if (allowed === 'same-origin') return false;
  if (allowed === 'localhost') return LOCAL_HOSTS.has(url.hostname);
  return allowed.includes('*') || allowed.includes(origin);
}

/** Socket.IO's own check covers polling alone: browsers don't hold websockets to CORS. */
export const allowRequest =
  (allowed: Config['corsOrigins']) =>
  (request: IncomingMessage, decide: (error: string | null | undefined, success: boolean) => void): void =>
    decide(null, originAllowed(request.headers.origin, request.headers.host, allowed));
