import { parentPort, workerData } from 'node:worker_threads';
import Database from 'libsql';
import { BUSY_TIMEOUT_MS } from './connection.js';

// Neither migrates nor changes a setting of the file: a backup is also what one makes before an upgrade.
const { path, part } = workerData as { path: string; part: string };
try {
  const db = new Database(path);
  db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  db.exec(`VACUUM INTO '${part.replaceAll("'", "''")}'`);
  db.close();
  parentPort?.postMessage(null);
} catch (error) {
  // The driver's own errors lose their text on the way to another thread.
  parentPort?.postMessage(error instanceof Error ? error.message : String(error));
}
