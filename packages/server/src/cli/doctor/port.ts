import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Config } from '../../config/config.js';
import { type Finding, fault, ok } from './check.js';

const WITHIN_MS = 3_000;

/** Could the server listen, or does it already? */
export async function checkPort({ host, port }: Config): Promise<readonly Finding[]> {
  if (port === 0) return [ok('any that is free (CHAT_PORT=0)')];
  const code = await whyNot(host, port);
  if (code === null) return [ok(`${port} of ${host} is free`)];
  if (code === 'EADDRINUSE') {
    const state = await rollcallAt(host, port);
    if (state !== null) return [ok(`a server of Rollcall listens on ${port} of ${host}: ${state}`)];
    return [
      fault(`${port} of ${host} is taken by another program`, 'End that program, or set CHAT_PORT to another port'),
    ];
  }
  if (code === 'EACCES')
    return [fault(`${port} of ${host} may not be listened on`, 'Set CHAT_PORT to a port above 1023')];
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return [fault(`${host} is no address of this machine`, 'Set HOST to one that is: 127.0.0.1, or 0.0.0.0 for all')];
  }
  return [fault(`${port} of ${host} can't be listened on: ${code}`, 'Set HOST and CHAT_PORT to what this machine has')];
}

/** The error of listening, and null where it worked. */
async function whyNot(host: string, port: number): Promise<string | null> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return null;
  } catch (error) {
    return error instanceof Error ? String((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
  } finally {
    if (server.listening) server.close();
  }
}

/** What the server at this address says of itself; null where it is none of Rollcall's. */
async function rollcallAt(host: string, port: number): Promise<string | null> {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  try {
    const response = await fetch(`http://${name}:${port}/readyz`, { signal: AbortSignal.timeout(WITHIN_MS) });
    const { status, reasons } = (await response.json()) as { status?: unknown; reasons?: unknown };
    if (typeof status !== 'string') return null;
    return Array.isArray(reasons) ? `${status}: ${reasons.join(', ')}` : status;
  } catch {
    return null;
  }
}
