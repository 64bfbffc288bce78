import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SessionId } from '@rollcall/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { sampleCommits } from '../journal/sample-journal.test.support.js';
import { appendTo } from '../storage/contract/journal-access.js';
import { OpenableSqlite } from '../storage/sqlite/openable.test.support.js';
import { freshFolder, rollcall } from './rollcall.test.support.js';

const SCRIPT = fileURLToPath(new URL('../../../../docs/reference/verify_journal.py', import.meta.url));
const ID = 'class “1”' as SessionId;

/** A database with a journal of these commits, without records; what else a test wants done to it is done first. */
async function databaseOf(folder: string, commits: number, change?: (storage: OpenableSqlite) => Promise<unknown>) {
  const storage = new OpenableSqlite({ path: join(folder, 'data', 'rollcall.db') });
  onTestFinished(() => storage.close());
  await storage.open();
  for (const id of [ID, 'other' as SessionId]) {
    let seq = 0;
    for (const entries of sampleCommits(id, commits)) {
      await appendTo(storage, id, seq, entries);
      seq += entries.length;
    }
  }
  await change?.(storage);
  await storage.close();
}

const python = (path: string): Promise<{ code: number; stdout: string }> =>
  new Promise((resolve, reject) => {
    execFile('python3', [SCRIPT, path], (error, stdout) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: Number(error?.code ?? 0), stdout });
    });
  });

const CHANGES: ReadonlyArray<readonly [string, string, RegExp]> = [
  ['a fact', `facts = replace(facts, '"late"', '"absent"')`, /seq 2, facts: /],
  ['the chain', `chain = replace(chain, substr(chain, 9, 8), 'aaaaaaaa')`, /seq 2, chain: /],
  ['a remark', `personal = replace(personal, 'Remark 1', 'Remark 7')`, /seq 3, remarks: /],
  ['the name of who marked', `personal = replace(personal, 'Ada Osei', 'Eve Osei')`, /seq 2, actor\.name: /],
  ['a salt', `personal = '[["0' || substr(personal, 5)`, /seq 2, actor\.name: /],
  ['broken facts', `facts = substr(facts, 5)`, /seq 2, facts: /],
  ['broken text', `personal = CAST(x'ff5b22' AS TEXT)`, /seq 2, .*personal/],
  ['the format', `format = 9`, /seq 2, format: .*reads format 9/],
];

test.each(CHANGES)(
  '[VERIFY-4] [VERIFY-8] %s that was changed is named by session, seq and field',
  async (_, set, told) => {
    const folder = await freshFolder();
    await databaseOf(folder, 6, (storage) =>
      storage.sql(`UPDATE journal SET ${set} WHERE session_id = ? AND first_seq = 2 RETURNING '[]'`, [ID]),
    );
    const { code, stdout } = await rollcall(folder, ['verify']);
    expect(code).toBe(1);
    expect(stdout).toMatch(told);
    expect(stdout).toContain(`${ID}: seq`);
    expect(stdout).not.toContain('other: seq');
    const { differences } = JSON.parse((await rollcall(folder, ['verify', '--json', '--session', ID])).stdout);
    expect(differences[0]).toMatchObject({ session_id: ID, seq: expect.any(Number), field: expect.any(String) });
  },
);

test('[VERIFY-6] [VERIFY-7] [VERIFY-9] an exported journal is checked without a database, and by the verifier in Python', async () => {
  const folder = await freshFolder();
  await databaseOf(folder, 30);
  const exported = await rollcall(folder, ['export', 'session', ID, '--format', 'journal', '--out', 'class.jsonl']);
  expect(exported).toMatchObject({ code: 0, stdout: '' });
  const again = await rollcall(folder, ['export', 'session', ID, '--format', 'journal', '--out', 'class.jsonl']);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/class\.jsonl/) });
  const unknown = await rollcall(folder, ['export', 'session', 'nobody', '--format', 'journal']);
  expect(unknown).toMatchObject({
    code: 1,
    stderr: 'rollcall: session nobody has no journal: it never ran, or the id is another\n',
  });
  const path = join(folder, 'class.jsonl');
  const text = await readFile(path, 'utf8');
  expect(text).not.toContain('bm9ib2R5IGV2ZXIgc2VlcyB3aGF0IGNvZGVzIGFyZQ');
  expect((await rollcall(folder, ['export', 'session', ID, '--format', 'journal'])).stdout).toBe(text);

  const elsewhere = await freshFolder();
  const whole = await rollcall(elsewhere, ['verify', '--offline', path]);
  expect(whole).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/1 session, .* all agree with the journal\n$/),
  });
  expect(await python(path)).toEqual({ code: 0, stdout: 'every commit fits the chain, and every value its hash\n' });

  // The key of the codes was left out of the file.
  expect(whole.stdout).toContain(`${ID}: 1 personal value removed; the rest is as it was\n`);

  const lines = text.split('\n');
  const changed = join(folder, 'changed.jsonl');
  for (let line = 1; line <= 30; line += 1) {
    const commit = JSON.parse(lines[line] ?? '') as Record<'facts' | 'personal' | 'chain', string> & {
      first_seq: number;
    };
    for (const field of ['facts', 'personal', 'chain'] as const) {
      // A letter or digit in the middle becomes another.
      const at = commit[field].length >> 1;
      const from = [...commit[field].slice(at)].findIndex((letter) => /[0-9a-z]/.test(letter)) + at;
      const letter = commit[field][from] === '1' ? '2' : '1';
      const spoilt = { ...commit, [field]: commit[field].slice(0, from) + letter + commit[field].slice(from + 1) };
      await writeFile(changed, lines.with(line, JSON.stringify(spoilt)).join('\n'));
      expect(await python(changed), `${field} of ${commit.first_seq}`).toMatchObject({
        code: 1,
        stdout: expect.stringContaining(`seq ${commit.first_seq}, `),
      });
      if (line % 10 !== 0) continue;
      const verdict = await rollcall(elsewhere, ['verify', '--offline', changed, '--json']);
      expect(verdict.code).toBe(1);
      expect(JSON.parse(verdict.stdout).differences[0].field, field).toMatch(
        field === 'personal' ? /^(?!facts|chain)/ : field,
      );
    }
  }
});

test('[VERIFY-6] a file that is no exported journal is refused by name and line', async () => {
  const folder = await freshFolder();
  const refusedFor = async (content: string): Promise<string> => {
    await writeFile(join(folder, 'x.jsonl'), content);
    const { code, stderr } = await rollcall(folder, ['verify', '--offline', 'x.jsonl']);
    expect(code).toBe(1);
    return stderr;
  };
  expect(await refusedFor('')).toMatch(/x\.jsonl is empty/);
  expect(await refusedFor('{}\n')).toMatch(/x\.jsonl is no journal that rollcall export wrote/);
  expect(await refusedFor('no\n')).toMatch(/x\.jsonl:1: no JSON object/);
  const head = '{"rollcall_journal":1,"session_id":"s"}\n';
  expect(await refusedFor(`${head}{"x":1}\n`)).toMatch(/x\.jsonl:2: neither/);
  expect(await refusedFor(head)).toMatch(/x\.jsonl is cut off/);
  expect(await refusedFor(`${head}{"session":null,"records":[null]}\n`)).toMatch(/x\.jsonl:2: one of the records/);
  expect(await refusedFor(`${head}{"session":null,"records":[]}\n${head}`)).toMatch(/x\.jsonl:3: nothing may come/);
  for (const content of [head, `${head}${head}`, `${head}{"first_seq":1,"last_seq":1,"format":2,"facts":{}}\n`]) {
    await writeFile(join(folder, 'x.jsonl'), content);
    expect(await python(join(folder, 'x.jsonl')), content).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('cut off'),
    });
  }
  const { code, stderr } = await rollcall(folder, ['verify', '--offline', 'nowhere.jsonl']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/nowhere\.jsonl/);
});
