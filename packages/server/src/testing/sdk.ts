import { type ConnectOptions, connect, type LiveChange, type LiveSession, type RollcallClient } from '@rollcall/client';
import { onTestFinished } from 'vitest';
import { tokenOf } from './server.js';

/** A user's client, which ends with the test and comes back quickly. */
export function sdk(url: string, uid: string, options: Partial<ConnectOptions> = {}): RollcallClient {
  const client = connect({ url, token: () => tokenOf(uid), reconnect: { min: 20, max: 100 }, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** Every change and every catch-up of a session from now on. */
export function followed(live: LiveSession) {
  const changes: LiveChange[] = [];
  let resyncs = 0;
  live.on('change', (change) => changes.push(change));
  live.on('resynced', () => {
    resyncs += 1;
  });
  return { changes, seqs: () => changes.map(({ seq }) => seq), resyncs: () => resyncs };
}

/** first, first + 1 … last */
export const upTo = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

export const byId = <Row extends { readonly student_id: string }>(records: Iterable<Row>): Row[] =>
  [...records].sort((a, b) => a.student_id.localeCompare(b.student_id));
