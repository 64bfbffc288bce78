import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SessionId } from '@rollcall/protocol';
import { onTestFinished } from 'vitest';
import { type SqliteOptions, SqliteStorage } from './storage.js';
import { WorkerLink } from './worker-link.js';

class CrashableLink extends WorkerLink {
  /** The thread dies of the next message, calls and all: of one by itself it could be gone before they are sent. */
  crash(): void {
    const { thread } = this;
    if (!thread) return;
    const postMessage = thread.postMessage.bind(thread);
    thread.postMessage = (calls: readonly unknown[]) => postMessage([...calls, null]);
  }
}

/** The adapter with a door to its own connection, for what the port has no verb for. */
export class OpenableSqlite extends SqliteStorage {
  readonly #crashable: CrashableLink;

  constructor({ path }: SqliteOptions) {
    super({ path }, (file) => new CrashableLink(file));
    this.#crashable = this.link as CrashableLink;
  }

  /** Runs a statement that answers one text (add `RETURNING` where it writes). */
  sql(statement: string, params: readonly (string | number | null)[] = []): Promise<string> {
    return this.link.call('read', statement, params);
  }

  /** The database may grow to so many pages on this connection, as if the disk were full then. */
  async limitPages(pages: number): Promise<void> {
    // Answers a number, which `read` refuses after the pragma has done its work.
    await this.sql(`PRAGMA max_page_count = ${pages}`).catch(() => undefined);
  }

  crash(): void {
    this.#crashable.crash();
  }

  async putActiveSession(sessionId: SessionId): Promise<void> {
    await this.sql(`INSERT INTO class_sessions (session_id, status) VALUES (?, 'active') RETURNING session_id`, [
      sessionId,
    ]);
  }
}

/** A folder that is gone when the test is over. */
export async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-sqlite-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

export const freshFile = async (): Promise<string> => join(await freshFolder(), 'school.db');

/** An open storage that is closed when the test is over. */
export async function opened(path: string): Promise<OpenableSqlite> {
  const storage = new OpenableSqlite({ path });
  onTestFinished(() => storage.close());
  await storage.open();
  return storage;
}
