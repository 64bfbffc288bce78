import { randomBytes } from 'node:crypto';

const RANDOM_BYTES = 8;
/** Ids whose randomness is fetched at once: each fetch costs as much as 20 of them, and a start needs thousands. */
const AT_ONCE = 256;

let random = '';
let used = 0;

/** 24 hex digits as an ObjectId has them: seconds first, so that indexes grow at their end; the rest random. */
export function newRecordId(): string {
  if (used === random.length) {
    random = randomBytes(RANDOM_BYTES * AT_ONCE).toString('hex');
    used = 0;
  }
  const seconds = Math.floor(Date.now() / 1000)
    .toString(16)
    .padStart(8, '0');
  const from = used;
  used += 2 * RANDOM_BYTES;
  return seconds + random.slice(from, used);
}
