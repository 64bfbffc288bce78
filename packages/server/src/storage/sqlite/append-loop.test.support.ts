import { writeSync } from 'node:fs';
import { appendTo, readEntries } from '../contract/journal-access.js';
import { run, session } from '../contract/samples.js';
import { SqliteStorage } from './storage.js';

// Started as a process of its own: appends to four sessions for as long as it lives, and writes `session seq` for
// every append that was acknowledged.
const storage = new SqliteStorage({ path: process.argv[2] ?? '' });
await storage.open();
await Promise.all(
  ['a', 'b', 'c', 'd'].map(async (id) => {
    let end = (await readEntries(storage, session(id), 0, 1_000_000)).length;
    for (;;) {
      const count = 1 + (end % 3);
      if ((await appendTo(storage, session(id), end, run(id, end, count))) === 'committed') {
        end += count;
        writeSync(1, `${id} ${end}\n`);
      } else end = (await readEntries(storage, session(id), 0, 1_000_000)).length;
    }
  }),
);
