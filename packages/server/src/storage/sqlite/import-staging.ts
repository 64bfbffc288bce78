import type { Connection } from './connection.js';
import { applyChanges, refuseBegun, refuseTouched, releaseUnique, type StagedChanges } from './import-changes.js';
import { SCHOOL_TABLES, type SchoolTable } from './school-tables.js';
import type { Slices } from './slices.js';

/** What an import makes in the file while it stages; nobody else reads it. */
const nextOf = (table: SchoolTable): string => `import_next_${table.name}`;
const touchedOf = (table: SchoolTable): string => `import_touched_${table.name}`;
const beforeOf = (table: SchoolTable): string => `import_before_${table.name}`;
const EVENTS = ['insert', 'update', 'delete'] as const;
const triggerOf = (table: SchoolTable, event: (typeof EVENTS)[number]): string => `import_${event}_${table.name}`;

const LEFT_BEHIND = Object.values(SCHOOL_TABLES).flatMap((table) => [
  ...EVENTS.map((event) => triggerOf(table, event)),
  nextOf(table),
  touchedOf(table),
  beforeOf(table),
]);
const ARE_LEFT = `FROM main.sqlite_schema
  WHERE type IN ('table', 'trigger') AND name IN (${LEFT_BEHIND.map((name) => `'${name}'`).join(', ')})`;

/** A query for one JSON text: what staging has left in the file, `[]` where there is nothing. */
export const LEFTOVERS = `SELECT json_group_array(name) ${ARE_LEFT}`;

/**
 * Makes the tables as the import wants them beside those that are read, slice by slice: a copy, then the changes.
 * Nothing of it is to be seen before `swap`. What others write to the tables meanwhile is noted by triggers.
 * @throws {PlanOutdated} where a row isn't as the plan found it
 */
export function stage(db: Connection, changes: readonly StagedChanges[], slices: Slices): void {
  slices.one(() => {
    for (const { table } of changes) makeStagingTables(db, table);
  });
  for (const { table, count } of changes) {
    copyTable(db, table, slices);
    slices.each(count, (first, last) => releaseUnique(db, table, nextOf(table), first, last));
    slices.each(count, (first, last) => applyChanges(db, table, nextOf(table), first, last));
  }
}

function makeStagingTables(db: Connection, table: SchoolTable): void {
  const [definition, ...indexes] = db.rows(
    `SELECT sql, name FROM main.sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL AND type IN ('table', 'index')
     ORDER BY type DESC`,
    [table.name],
  );
  db.exec(renamed(String(definition?.[0]), 'TABLE', table.name, nextOf(table)));
  for (const [sql, name] of indexes) {
    const index = String(name);
    // The one that serves now and the one that is made take turns with two names, since an index can't be renamed.
    const other = index.endsWith('_next') ? index.slice(0, -'_next'.length) : `${index}_next`;
    const onNext = String(sql).replace(new RegExp(`\\bON\\s+"?${table.name}"?\\s*\\(`), `ON ${nextOf(table)} (`);
    db.exec(renamed(onNext, 'INDEX', index, other));
  }
  const key = table.key.join(', ');
  db.exec(`CREATE TABLE ${touchedOf(table)} (${key}, PRIMARY KEY (${key})) WITHOUT ROWID`);
  const note = (row: 'NEW' | 'OLD') =>
    `INSERT OR IGNORE INTO ${touchedOf(table)} VALUES (${table.key.map((column) => `${row}.${column}`).join(', ')});`;
  const notes = { insert: note('NEW'), update: note('OLD') + note('NEW'), delete: note('OLD') };
  for (const event of EVENTS) {
    const trigger = triggerOf(table, event);
    db.exec(`CREATE TRIGGER ${trigger} AFTER ${event} ON ${table.name} BEGIN ${notes[event]} END`);
  }
}

/** The statement that made a table or index, for another name. */
function renamed(sql: string, kind: 'TABLE' | 'INDEX', from: string, to: string): string {
  const made = sql.replace(new RegExp(`^CREATE ${kind}\\s+"?${from}"?(?=[\\s(])`), `CREATE ${kind} ${to}`);
  if (made === sql) throw new Error(`the definition of ${from} cannot be read: ${sql}`);
  return made;
}

function copyTable(db: Connection, table: SchoolTable, slices: Slices): void {
  const key = table.key.join(', ');
  const places = table.key.map(() => '?').join(', ');
  let after: readonly unknown[] | undefined;
  slices.until((rows) => {
    const beyond = after === undefined ? '' : `WHERE (${key}) > (${places})`;
    const copied = db.run(
      `INSERT INTO main.${nextOf(table)} SELECT * FROM main.${table.name} ${beyond} ORDER BY ${key} LIMIT ?`,
      [...(after ?? []), rows],
    );
    const descending = table.key.map((column) => `${column} DESC`).join(', ');
    after = db.row(`SELECT ${key} FROM main.${nextOf(table)} ORDER BY ${descending} LIMIT 1`, []);
    return copied;
  });
}

/**
 * Puts the staged tables in the place of those that are read, inside a transaction of the caller: at its commit every
 * reader sees all of the import, and before it nothing.
 * @throws {PlanOutdated} where others have written a row that the import changes
 */
export function swap(db: Connection, changes: readonly StagedChanges[]): void {
  for (const { table } of changes) {
    const key = table.key.join(', ');
    const [next, touched] = [nextOf(table), touchedOf(table)];
    refuseBegun(db, table);
    refuseTouched(db, table, touched);
    db.exec(`
      DELETE FROM main.${next} WHERE (${key}) IN (SELECT ${key} FROM main.${touched});
      INSERT INTO main.${next} SELECT * FROM main.${table.name} WHERE (${key}) IN (SELECT ${key} FROM main.${touched});
      ${EVENTS.map((event) => `DROP TRIGGER ${triggerOf(table, event)};`).join(' ')}
      DROP TABLE ${touched};
      ALTER TABLE main.${table.name} RENAME TO ${beforeOf(table)};
      ALTER TABLE main.${next} RENAME TO ${table.name}`);
  }
}

/** Removes what staging has left, in slices: what was swapped out, and what an import that was cut off has made. */
export function tidy(db: Connection, slices: Slices): void {
  // Triggers first: they name tables.
  const left = db.rows(`SELECT type, name ${ARE_LEFT} ORDER BY type DESC`, []);
  for (const [type, name] of left) {
    if (type === 'table') {
      const columns = db.rows('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk', [name]);
      const key = columns.map(([column]) => column).join(', ');
      slices.until((rows) =>
        db.run(`DELETE FROM main.${name} WHERE (${key}) IN (SELECT ${key} FROM main.${name} LIMIT ?)`, [rows]),
      );
    }
    slices.one(() => db.exec(`DROP ${type === 'table' ? 'TABLE' : 'TRIGGER'} main.${name}`));
  }
}
