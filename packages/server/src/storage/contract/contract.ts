import { describe } from 'vitest';
import { accessContract } from './access-contract.js';
import { accountsContract } from './accounts-contract.js';
import { activityContract } from './activity-contract.js';
import { catalogueContract } from './catalogue-contract.js';
import { cursorsContract } from './cursors-contract.js';
import type { MakeHarness } from './harness.js';
import { importContract } from './import-contract.js';
import { installationContract } from './installation-contract.js';
import { interleavingContract } from './interleaving-contract.js';
import { journalContract } from './journal-contract.js';
import { lifeContract } from './life-contract.js';
import { peopleContract } from './people-contract.js';
import { projectionContract } from './projection-contract.js';
import { reportsContract } from './reports-contract.js';
import { signInContract } from './sign-in-contract.js';
import { timetableContract } from './timetable-contract.js';

export type { Harness, MakeHarness } from './harness.js';

/**
 * Registers the suite that every storage adapter passes (rules STORE-1 to STORE-29, STORE-90 to STORE-93, STORE-141 to STORE-154, STORE-200, STORE-201, STORE-260, ACCESS-1, ACCESS-2, REG-91, REG-92 and SIGNIN-1 to SIGNIN-8 of SPEC.md).
 * `make` is called for each test and gives an open storage on an empty database of its own.
 */
export function storageContract(name: string, make: MakeHarness): void {
  describe(`storage contract: ${name}`, () => {
    describe('people and courses', () => peopleContract(make));
    describe('journal', () => journalContract(make));
    describe('activity', () => activityContract(make));
    describe('projection', () => projectionContract(make));
    describe('cursors', () => cursorsContract(make));
    describe('import', () => importContract(make));
    describe('installation', () => installationContract(make));
    describe('accounts', () => accountsContract(make));
    describe('catalogue', () => catalogueContract(make));
    describe('timetable', () => timetableContract(make));
    describe('access log', () => accessContract(make));
    describe('sign-in', () => signInContract(make));
    describe('reports and calendars', () => reportsContract(make));
    describe('open, close, reopen', () => lifeContract(make));
    describe('interleavings', () => interleavingContract(make));
  });
}
