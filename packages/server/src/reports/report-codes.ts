import { ATTENDANCE_STATUSES, type AttendanceStatus, RollcallError } from '@rollcall/protocol';

/** What exports write in place of each status. */
export interface CodeSet extends Readonly<Record<AttendanceStatus, string>> {
  readonly name: string;
}

/** The code sets that everybody has. A school may have one of its own. */
export const CODE_SETS: Readonly<Record<'edfi' | 'england', CodeSet>> = {
  /** Values of Ed-Fi's AttendanceEventCategoryDescriptor. */
  edfi: {
    name: 'edfi',
    present: 'In Attendance',
    late: 'Tardy',
    excused: 'Excused Absence',
    absent: 'Unexcused Absence',
  },
  /**
   * The codes of England's registers: present in the session, late before the register closed, leave of absence
   * granted for an exceptional circumstance, and absent without the school's leave.
   */
  england: { name: 'england', present: '/', late: 'L', excused: 'C', absent: 'O' },
};

const LONGEST = 100;

/**
 * A code set that a school has written down: `{"name": "ours", "present": "P", …}`; a status that is left out stands
 * for itself.
 * @throws {RollcallError} BAD_REQUEST naming the field
 */
export function codeSetOf(value: unknown, name: string): CodeSet {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('codes', 'is no object');
  const given: Readonly<Record<string, unknown>> = { ...value };
  for (const field of Object.keys(given)) {
    if (field !== 'name' && !ATTENDANCE_STATUSES.some((status) => status === field)) {
      throw bad(`codes.${field}`, `is neither name nor one of ${ATTENDANCE_STATUSES.join(', ')}`);
    }
  }
  const text = (field: string, otherwise: string): string => {
    const code = given[field] ?? otherwise;
    if (typeof code !== 'string' || code === '') throw bad(`codes.${field}`, 'must be text');
    if (code.length > LONGEST) throw bad(`codes.${field}`, `is longer than ${LONGEST} characters`);
    return code;
  };
  return {
    name: text('name', name),
    present: text('present', 'present'),
    late: text('late', 'late'),
    excused: text('excused', 'excused'),
    absent: text('absent', 'absent'),
  };
}

function bad(field: string, what: string): RollcallError {
  const message = `${field} ${what}`;
  return new RollcallError('BAD_REQUEST', { message, details: { field, issues: [{ field, message: what }] } });
}

/**
 * The code set of a name.
 * @param own one that the school has, under its own name
 * @returns null for no name: statuses stand for themselves
 * @throws {RollcallError} BAD_REQUEST for a name that there isn't
 */
export function codeSetNamed(name: string | undefined, own?: CodeSet): CodeSet | null {
  if (name === undefined) return null;
  const found = [...(own ? [own] : []), ...Object.values(CODE_SETS)].find((set) => set.name === name);
  if (found) return found;
  const names = [...Object.keys(CODE_SETS), ...(own ? [own.name] : [])];
  throw bad('codes', `must be one of ${[...new Set(names)].join(', ')}`);
}

export const coded = (status: AttendanceStatus, codes: CodeSet | null): string => codes?.[status] ?? status;
