import type { ImportReport, Storage } from '../storage/port.js';
import type { SchoolReading } from './school-reading.js';
import { addWithdrawals, type Withdrawals } from './withdrawals.js';

export interface ImportHow {
  /** Rejects enrolments of a OneRoster class that its bundle no longer names. */
  readonly withdrawMissing: boolean;
  readonly dryRun: boolean;
}

/** Imports what was read. Where rows are bad it must be a dry run: then it only tries the good ones. */
export async function importReading(
  storage: Storage,
  reading: SchoolReading,
  { withdrawMissing, dryRun }: ImportHow,
): Promise<{ report: ImportReport; withdrawals: Withdrawals }> {
  const withdrawals =
    reading.faults > 0 ? { withdrawn: 0, missing: [] } : await addWithdrawals(reading, storage, withdrawMissing);
  return { report: await storage.school.importSchool(reading.school, { dryRun }), withdrawals };
}

type Counts = Pick<ImportReport, 'added' | 'changed' | 'left'>;

/** The counts per list, and whatever else there is to say. */
export interface ImportCounts extends Counts {
  readonly ignored?: Readonly<Record<string, number>>;
  readonly off_roster?: Readonly<Record<string, number>>;
  readonly withdrawn?: number;
  readonly missing?: Withdrawals['missing'];
}

export function countsOf(
  { added, changed, left }: ImportReport,
  { ignored, offRoster }: SchoolReading,
  { withdrawn, missing }: Withdrawals,
): ImportCounts {
  return {
    added,
    changed,
    left,
    ...(Object.keys(ignored).length > 0 ? { ignored } : {}),
    ...(Object.values(offRoster).some((count) => count > 0) ? { off_roster: { ...offRoster } } : {}),
    ...(withdrawn > 0 ? { withdrawn } : {}),
    ...(missing.length > 0 ? { missing } : {}),
  };
}
