import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { RollcallError } from '@rollcall/protocol';
import type { Request } from 'express';
import { SCHOOL_MAX_BYTES } from '../../../../school/oneroster-bundle.js';
import type { HandlersOf } from '../api-context.js';

/** Servers on whose behalf an import is under way in this process. */
const busy = new WeakSet<object>();

export const importHandlers = {
  importSchool: async ({ query, caller, request }, { importFile, services, logger }) => {
    if (!caller.person.is_admin) throw new RollcallError('FORBIDDEN');
    const folder = await mkdtemp(join(tmpdir(), 'rollcall-import-'));
    try {
      const path = join(folder, 'upload');
      await receive(request, path);
      // Only now: an upload that stalls holds up nobody.
      if (busy.has(services)) {
        throw new RollcallError('OVERLOADED', { message: 'Another import is under way', details: { retry_after: 5 } });
      }
      busy.add(services);
      const { dry_run: dryRun, withdraw_missing: withdrawMissing, filename = 'the file' } = query;
      const outcome = await importFile(path, { dryRun, withdrawMissing }).finally(() => busy.delete(services));
      if ('faults' in outcome) throw refused(outcome.faults, path, filename);
      logger.info({ by: caller.person.user_id, dry_run: dryRun, ...outcome.counts }, 'a school was imported');
      return { body: { dry_run: dryRun, ...outcome.counts } };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
} satisfies Partial<HandlersOf>;

/** @throws {RollcallError} PAYLOAD_TOO_LARGE */
async function receive(request: Request, path: string): Promise<void> {
  let received = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      if (received > SCHOOL_MAX_BYTES) done(new RollcallError('PAYLOAD_TOO_LARGE'));
      else done(null, chunk);
    },
  });
  await pipeline(request, count, createWriteStream(path, { mode: 0o600 }));
}

/** Each fault where the person can find it: in their file, under the name they know. */
function refused(faults: readonly string[], path: string, filename: string): RollcallError {
  const issues = faults.map((fault) => {
    // A function: in a text `$&` would stand for the path.
    const told = fault.replaceAll(path, () => filename);
    const [, place = filename, message = told] = /^(.*?:\d+): (.*)$/s.exec(told) ?? [];
    return { field: place, message };
  });
  const [first] = issues;
  return new RollcallError('BAD_REQUEST', {
    message: `nothing was imported: ${first ? `${first.field}: ${first.message}` : 'the file is bad'}`,
    details: { ...(first ? { field: first.field } : {}), issues },
  });
}
