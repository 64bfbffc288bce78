import { channelKeyOf, FORGOTTEN_AFTER_MS, newInstallationKey, signingKeyOf } from '../channel-key.js';
import { type Installation, type SeenServer, type ServerNote, StorageError } from '../port.js';
import type { Connection } from './connection.js';
import type { Queries } from './queries.js';

export const READ_KEY = 'SELECT json_group_array(json_array(key)) FROM installation';

export const installationOf = (queries: Queries, path: string): Installation => ({
  async channelKey() {
    return channelKeyOf(await installationKey(queries), ['sqlite', path]);
  },

  async signingKey() {
    return signingKeyOf(await installationKey(queries));
  },

  async beat(server) {
    return queries.call('beat', server);
  },

  async leave(node) {
    return queries.call('leave', node);
  },
});

async function installationKey(queries: Queries): Promise<string> {
  const key = await queries.first(READ_KEY, [], ([first]) => String(first));
  if (!key) throw new StorageError('the database has lost the key of its installation');
  return key;
}

export function makeInstallation(db: Connection): void {
  db.run('INSERT INTO installation VALUES (1, ?)', [newInstallationKey()]);
}

/** SQLite's clock in ms, which is the machine's. */
const NOW = `CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)`;

export function beat(db: Connection, { node, name, channel, ahead_ms }: ServerNote): SeenServer[] {
  db.run(`INSERT OR REPLACE INTO servers VALUES (?, ?, ?, ?, ${NOW})`, [node, name, channel, ahead_ms]);
  db.run(`DELETE FROM servers WHERE beat_at < ${NOW} - ?`, [FORGOTTEN_AFTER_MS]);
  return db.rows('SELECT node, name, channel, ahead_ms, beat_at FROM servers', []).map((row) => ({
    node: String(row[0]),
    name: String(row[1]),
    channel: row[2] === null ? null : String(row[2]),
    ahead_ms: row[3] === null ? null : Number(row[3]),
    beat_at: Number(row[4]),
  }));
}

export function leave(db: Connection, node: string): void {
  db.run('DELETE FROM servers WHERE node = ?', [node]);
}
