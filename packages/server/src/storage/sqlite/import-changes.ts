import type { Connection, SqlRow } from './connection.js';
import { inParts, type RowChange, type SchoolTable, type TableRows, VALUES_AT_ONCE } from './school-tables.js';
import { encodeText } from './text.js';

/** The changes of one table, in a temporary table of the connection: making it keeps nobody from writing. */
export interface StagedChanges {
  readonly table: SchoolTable;
  /** Rows, numbered from 1 in order of key. */
  readonly count: number;
}

/** A row isn't as it was when the import was planned: somebody else has written it, and the plan must be made anew. */
export class PlanOutdated extends Error {
  override readonly name = 'PlanOutdated';
}

const changesOf = ({ name }: SchoolTable): string => `temp.change_${name}`;
const columnsOf = ({ key, columns }: SchoolTable): readonly string[] => [...key, ...columns];
const keysMatch = ({ key }: SchoolTable, one: string, other: string): string =>
  key.map((column) => `${one}.${column} = ${other}.${column}`).join(' AND ');

/** Puts the changes of each table where statements can work with them; tables without any are left out. */
export function stageChanges(db: Connection, tables: readonly TableRows[]): StagedChanges[] {
  return tables.flatMap((rows) => {
    const changes = rows.changes();
    if (changes.length === 0) return [];
    stage(db, rows.table, changes);
    return { table: rows.table, count: changes.length };
  });
}

/** A change is a row of its key, `kind`, the columns as they are to be and, as `old_…`, as they were. */
function stage(db: Connection, table: SchoolTable, changes: readonly RowChange[]): void {
  const columns = [...table.key, 'kind', ...table.columns, ...table.columns.map((column) => `old_${column}`)];
  db.exec(`CREATE TEMP TABLE change_${table.name} (
    n INTEGER PRIMARY KEY, ${columns.join(', ')}, UNIQUE (${table.key.join(', ')}))`);
  const values = columns.map((_, i) => `json_extract(value, '$[${i}]')`).join(', ');
  const insert = `INSERT INTO ${changesOf(table)} (${columns.join(', ')}) SELECT ${values} FROM json_each(?1)`;
  const keys = table.key.length;
  const sorted = changes.toSorted((one, other) => compareKeys(keyOf(one), keyOf(other), keys));
  for (const part of inParts(sorted, VALUES_AT_ONCE)) {
    const rows = part.map(({ before, after }) => {
      const kind = before === null ? 'added' : after === null ? 'removed' : 'changed';
      const nothing = table.columns.map(() => null);
      const of = (row: SqlRow | null) => row?.slice(keys) ?? nothing;
      return [...(after ?? before ?? []).slice(0, keys), kind, ...of(after), ...of(before)].map((value) =>
        typeof value === 'string' ? encodeText(value) : value,
      );
    });
    db.runEncoded(insert, [JSON.stringify(rows)]);
  }
}

const keyOf = ({ before, after }: RowChange): SqlRow => after ?? before ?? [];

function compareKeys(one: SqlRow, other: SqlRow, length: number): number {
  for (let i = 0; i < length; i++) {
    const [a, b] = [String(one[i]), String(other[i])];
    if (a !== b) return a < b ? -1 : 1;
  }
  return 0;
}

export function dropChanges(db: Connection, changes: readonly StagedChanges[]): void {
  for (const { table } of changes) db.exec(`DROP TABLE ${changesOf(table)}`);
}

/**
 * Brings changes to `into`, the table itself or another one of its form, inside a transaction of the caller: all of
 * them, or those numbered from `first` to `last`.
 * @throws {PlanOutdated} where a row isn't as the plan found it
 */
export function applyChanges(
  db: Connection,
  table: SchoolTable,
  into: string,
  first = 1,
  last = Number.MAX_SAFE_INTEGER,
): void {
  const range = [first, last];
  const some = 'c.n BETWEEN ?1 AND ?2';
  const differs = [`m.${table.key[0]} IS NULL`, ...table.columns.map((column) => `m.${column} IS NOT c.old_${column}`)];
  const outdated = db.row(
    `SELECT 1 FROM ${changesOf(table)} AS c LEFT JOIN main.${into} AS m ON ${keysMatch(table, 'c', 'm')}
     WHERE ${some} AND CASE WHEN c.kind = 'added' THEN m.${table.key[0]} IS NOT NULL ELSE ${differs.join(' OR ')} END
     LIMIT 1`,
    range,
  );
  if (outdated) throw new PlanOutdated();
  const key = table.key.join(', ');
  const ofKind = (condition: string) =>
    `(${key}) IN (SELECT ${key} FROM ${changesOf(table)} AS c WHERE ${some} AND ${condition})`;
  db.run(`DELETE FROM main.${into} WHERE ${ofKind(`c.kind = 'removed'`)}`, range);
  const columns = columnsOf(table).join(', ');
  const sets = table.columns.map((column) => `${column} = excluded.${column}`).join(', ');
  db.run(
    `INSERT INTO main.${into} (${columns}) SELECT ${columns} FROM ${changesOf(table)} AS c
     WHERE ${some} AND c.kind <> 'removed' ORDER BY c.n
     ON CONFLICT (${key}) DO ${sets === '' ? 'NOTHING' : `UPDATE SET ${sets}`}`,
    range,
  );
}

/**
 * Takes away what is about to go from one row to another, for the changes from `first` to `last`, so that no moment
 * has it twice. To be done with all changes before any is applied.
 */
export function releaseUnique(
  db: Connection,
  table: SchoolTable,
  into: string,
  first = 1,
  last = Number.MAX_SAFE_INTEGER,
): void {
  const { unique } = table;
  if (unique === undefined) return;
  const key = table.key.join(', ');
  const moved = `c.n BETWEEN ?1 AND ?2 AND c.kind = 'changed'
    AND c.old_${unique} IS NOT NULL AND c.${unique} IS NOT c.old_${unique}`;
  // A row that isn't as it was any more stays so, and is found outdated when the changes are applied.
  db.run(
    `UPDATE main.${into} AS m SET ${unique} = NULL
     WHERE (${key}) IN (SELECT ${key} FROM ${changesOf(table)} AS c WHERE ${moved}) AND ${unique} IS
       (SELECT c.old_${unique} FROM ${changesOf(table)} AS c WHERE ${keysMatch(table, 'c', 'm')})`,
    [first, last],
  );
  db.run(`UPDATE ${changesOf(table)} AS c SET old_${unique} = NULL WHERE ${moved}`, [first, last]);
}

/** Brings changes to their tables, inside a transaction of the caller. */
export function applyAll(db: Connection, changes: readonly StagedChanges[]): void {
  for (const { table } of changes) {
    refuseBegun(db, table);
    releaseUnique(db, table, table.name);
    applyChanges(db, table, table.name);
  }
}

/** @throws {PlanOutdated} where a session of the changes has begun since the import was planned */
export function refuseBegun(db: Connection, table: SchoolTable): void {
  if (table.name !== 'class_sessions') return;
  const begun = `SELECT 1 FROM main.journals AS j CROSS JOIN ${changesOf(table)} AS c ON c.session_id = j.session_id
    WHERE j.open = 1 LIMIT 1`;
  if (db.row(begun, [])) throw new PlanOutdated();
}

/** @throws {PlanOutdated} where a row of the changes is among those of the table `touched`, which has the same key */
export function refuseTouched(db: Connection, table: SchoolTable, touched: string): void {
  const both = `SELECT 1 FROM main.${touched} AS t CROSS JOIN ${changesOf(table)} AS c ON ${keysMatch(table, 'c', 't')}
    LIMIT 1`;
  if (db.row(both, [])) throw new PlanOutdated();
}
