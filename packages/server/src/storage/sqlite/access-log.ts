import { type AccessEntry, encodeAccess, FIRST_ACCESS_CHAIN, type StoredAccess } from '../../journal/access-entry.js';
import { pageOf } from '../page.js';
import type { AccessLog } from '../port.js';
import type { Connection } from './connection.js';
import type { Queries } from './queries.js';

/** Inside a transaction of the caller. Facts, values and chain are JSON or hex digits, which need no encoding. */
export function appendAccess(db: Connection, entry: AccessEntry): number {
  const [last = 0, chain = FIRST_ACCESS_CHAIN] =
    db.row('SELECT number, chain FROM access_log ORDER BY number DESC LIMIT 1', []) ?? [];
  const row = encodeAccess(Number(last) + 1, String(chain), entry);
  db.run(
    'INSERT INTO access_log (number, actor, action, subject, format, facts, personal, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    [row.number, row.actor, row.action, row.subject, row.format, row.facts, row.personal, row.chain],
  );
  return row.number;
}

/** ?1: the number before the page, ?2: how many. */
const list = (where = ''): string => `
  SELECT json_group_array(json_array(number, actor, action, subject, format, facts, personal, chain) ORDER BY number)
  FROM (SELECT * FROM access_log WHERE number > ?1 ${where} ORDER BY number LIMIT ?2) AS page`;

/** A bound that isn't given is null and lets everything through. */
const FILTERS = '(?3 IS NULL OR actor = ?3) AND (?4 IS NULL OR subject = ?4) AND (?5 IS NULL OR action = ?5)';
export const LIST_ACCESS = list();
export const LIST_ACCESS_OF_ACTOR = list(`AND actor = ?3 AND ${FILTERS}`);
export const LIST_ACCESS_OF_SUBJECT = list(`AND subject = ?4 AND ${FILTERS}`);
export const LIST_ACCESS_OF_ACTION = list(`AND action = ?5 AND ${FILTERS}`);

const toAccess = ([
  number,
  actor,
  action,
  subject,
  format,
  facts,
  personal,
  chain,
]: readonly unknown[]): StoredAccess => ({
  number: Number(number),
  actor,
  action,
  subject,
  format,
  facts,
  personal,
  chain,
});

export const accessLogOf = (queries: Queries): AccessLog => ({
  append(entry) {
    return queries.call('appendAccess', entry);
  },

  async list({ after, limit, actor, subject, action }) {
    const page = [after ?? 0, limit + 1];
    const filters = [actor, subject, action];
    const sql =
      subject !== null
        ? LIST_ACCESS_OF_SUBJECT
        : actor !== null
          ? LIST_ACCESS_OF_ACTOR
          : action !== null
            ? LIST_ACCESS_OF_ACTION
            : LIST_ACCESS;
    const rows = await queries.rows(sql, sql === LIST_ACCESS ? page : [...page, ...filters]);
    return pageOf(rows.map(toAccess), limit, (entry) => entry.number);
  },
});
