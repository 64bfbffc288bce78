import { describe } from 'vitest';
import { activityContract } from './activity-contract.js';
import type { MakeHarness } from './harness.js';
import { importContract } from './import-contract.js';
import { installationContract } from './installation-contract.js';
import { interleavingContract } from './interleaving-contract.js';
import { journalContract } from './journal-contract.js';
import { lifeContract } from './life-contract.js';
import { peopleContract } from './people-contract.js';
import { projectionContract } from './projection-contract.js';
import { reportsContract } from './reports-contract.js';

export type { Harness, MakeHarness } from './harness.js';

/**
 * Registers the suite that every storage adapter passes (rules STORE-1 to STORE-29, STORE-90 to STORE-93, STORE-200, STORE-201 and STORE-260 of SPEC.md).
 * `make` is called for each test and gives an open storage on an empty database of its own.
 */
export function storageContract(name: string, make: MakeHarness): void {
  describe(`storage contract: ${name}`, () => {
    describe('people and courses', () => peopleContract(make));
    describe('journal', () => journalContract(make));
    describe('activity', () => activityContract(make));
    describe('projection', () => projectionContract(make));
    describe('import', () => importContract(make));
    describe('installation', () => installationContract(make));
    describe('reports and calendars', () => reportsContract(make));
    describe('open, close, reopen', () => lifeContract(make));
    describe('interleavings', () => interleavingContract(make));
  });
}
