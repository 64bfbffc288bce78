import { realpathSync } from 'node:fs';
import type { ImportReport, School } from '../port.js';
import { type Connection, isBusy, isConstraint } from './connection.js';
import { applyAll, PlanOutdated, type StagedChanges, stageChanges } from './import-changes.js';
import { SchoolPlan } from './import-school.js';
import { stage, swap, tidy } from './import-staging.js';
import { openMigrated } from './migrations.js';
import { noteSchoolChange } from './school.js';
import { claimFile, ServedElsewhere } from './server-lock.js';
import { Slices } from './slices.js';

/** Changed rows that one short transaction takes in (about 10 µs each). */
const AT_ONCE = 500;
/** Times that an import is planned anew because others have written what it was about to change. */
const ROUNDS = 10;
/** How long a large import waits for another one, in ms. */
const OTHER_IMPORT_MS = 10 * 60_000;

/**
 * Imports a school beside a server that appends to the same file, on connections of its own. Planning only reads. Few
 * changes are one transaction; many are staged in slices and then swapped in. Either way a reader sees all of the
 * import or nothing, and whoever is killed meanwhile has changed nothing.
 */
export function importBeside(path: string, school: School, dryRun: boolean): ImportReport {
  for (let round = 1; ; round++) {
    // Each round has a connection of its own, and with it its temporary tables.
    const db = openMigrated(path, 'import');
    try {
      const plan = db.snapshot(() => SchoolPlan.of(db, school));
      if (!dryRun && plan.unresolved.length === 0) write(db, stageChanges(db, plan.tables));
      return plan.report;
    } catch (error) {
      const outdated = error instanceof PlanOutdated || isConstraint(error);
      if (!outdated || round === ROUNDS) throw outdated ? new Error(KEEPS_CHANGING, { cause: error }) : error;
    } finally {
      db.close();
    }
  }
}

const KEEPS_CHANGING =
  'others keep changing what the import is about to change: nothing was imported, try again when less happens';

function write(db: Connection, changes: readonly StagedChanges[]): void {
  if (changes.length === 0) return;
  const many = changes.filter(({ count }) => count > AT_ONCE);
  const few = changes.filter((one) => !many.includes(one));
  if (changes.reduce((sum, { count }) => sum + count, 0) <= AT_ONCE) {
    durably(db, () => {
      applyAll(db, changes);
      noteSchoolChange(db);
    });
    return;
  }
  const giveUp = claimImport(db.path);
  try {
    const slices = new Slices(db);
    tidy(db, slices);
    try {
      stage(db, many, slices);
      durably(db, () => {
        swap(db, many);
        applyAll(db, few);
        noteSchoolChange(db);
      });
    } finally {
      tidyLater(db, slices);
    }
  } finally {
    giveUp();
  }
}

function durably(db: Connection, work: () => void): void {
  db.commitsAreDurable(true);
  try {
    db.transaction(work);
  } finally {
    db.commitsAreDurable(false);
  }
}

/** What can't be removed now is removed when the database is opened next, or by the next large import. */
function tidyLater(db: Connection, slices: Slices): void {
  try {
    tidy(db, slices);
  } catch {
    // Nobody reads it, and what the import has come to is known.
  }
}

/** Large imports take turns, whatever process they are in. Answers how to let the next one. */
function claimImport(path: string, waitMs = OTHER_IMPORT_MS): () => void {
  const deadline = Date.now() + waitMs;
  for (;;) {
    try {
      return claimFile(`${realpathSync(path)}.import`);
    } catch (error) {
      if (!(error instanceof ServedElsewhere)) throw error;
      if (Date.now() > deadline) {
        throw new Error('another import of this database is under way: nothing was imported', { cause: error });
      }
    }
  }
}

/** Removes what an import that was cut off has left, unless another one is under way. */
export function tidyImports(path: string): void {
  const db = openMigrated(path, 'import');
  try {
    const giveUp = claimImport(path, 0);
    try {
      tidy(db, new Slices(db));
    } finally {
      giveUp();
    }
  } catch (error) {
    if (!isBusy(error)) throw error;
  } finally {
    db.close();
  }
}
