import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../make-folder.js';
import { type Config, ConfigError } from './config.js';
import { SECRET_MIN_BYTES } from './identity.js';

/**
 * The key of HS256 tokens: the configured one, or in development the one kept in DATA_DIR, made at the first call.
 * Null where only an identity provider's tokens count. Safe when several processes ask at the same time.
 */
export async function ensureSecret(config: Config): Promise<string | null> {
  if (config.secret !== null || !config.development) return config.secret;
  const path = join(config.dataDir, 'access-token-secret');
  return (await readSecret(path)) ?? (await makeSecret(config.dataDir, path));
}

async function readSecret(path: string): Promise<string | null> {
  let text: string;
  try {
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw unusableDataDir(error, `${path} cannot be read`);
  }
  if (Buffer.byteLength(text) < SECRET_MIN_BYTES) {
    throw new ConfigError([
      { variable: 'ACCESS_TOKEN_SECRET', message: `${path} holds less than ${SECRET_MIN_BYTES} bytes; delete it` },
    ]);
  }
  return text;
}

async function makeSecret(dataDir: string, path: string): Promise<string> {
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
  let file: FileHandle;
  try {
    makeFolder(dataDir);
    file = await open(draft, 'wx', 0o600);
  } catch (error) {
    throw unusableDataDir(error, `the development secret cannot be kept in ${dataDir}`);
  }
  try {
    await file.writeFile(`${randomBytes(48).toString('base64url')}\n`);
    await file.sync();
    await file.close();
    // A link appears whole or not at all, and never replaces the one of a process that was faster.
    await link(draft, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await file.close().catch(() => undefined);
    await unlink(draft);
  }
  const secret = await readSecret(path);
  if (secret === null) throw new Error(`${path} was removed while it was made`);
  return secret;
}

function unusableDataDir(error: unknown, what: string): ConfigError {
  const why = error instanceof Error ? error.message : String(error);
  return new ConfigError([
    { variable: 'DATA_DIR', message: `${what}: ${why}; take another, or set ACCESS_TOKEN_SECRET` },
  ]);
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === code;
