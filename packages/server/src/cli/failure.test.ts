import type { LookupAddress } from 'node:dns';
import { connect, type LookupFunction } from 'node:net';
import { expect, test } from 'vitest';
import { explainError } from './failure.js';

test('[CLI-149] an error without words of its own is told by its cause or its code', async () => {
  const refused = await new Promise<unknown>((resolve) => {
    // Two addresses that refuse: the error is of both, and its message is empty.
    connect({ port: 1, host: 'localhost', lookup: twoAddresses, autoSelectFamily: true }).on('error', resolve);
  });
  expect((refused as Error).message).toBe('');
  expect(explainError(refused)).toMatch(/^connect ECONNREFUSED .*:1$/);
  expect(explainError(Object.assign(new Error(''), { code: 'EPIPE' }))).toBe('EPIPE');
});

const ADDRESSES: LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];
const twoAddresses: LookupFunction = (_name, _options, done) => done(null, ADDRESSES);
