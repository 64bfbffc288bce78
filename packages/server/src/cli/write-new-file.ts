import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { CommandFailure } from './failure.js';

/**
 * Refuses what `writeNewFile` would refuse at the end of a long command.
 * @throws {CommandFailure} where the path is taken
 */
export async function refuseUnwritable(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory()) throw new CommandFailure(`${path} is a folder: name a new file`);
  if (there) throw new CommandFailure(`${path} is there already: name a new file, or remove it`);
}

/** Writes a file that isn't there yet and is nobody else's to read: it holds names. @throws {CommandFailure} */
export async function writeNewFile(
  path: string,
  parts: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
): Promise<void> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  try {
    for await (const part of parts) {
      if (file.errored) throw file.errored;
      if (!file.write(part)) await once(file, 'drain');
    }
    file.end();
    await finished(file);
  } catch (error) {
    file.destroy();
    throw new CommandFailure(`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}
