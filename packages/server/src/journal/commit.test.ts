import { createHash } from 'node:crypto';
import type { SessionId } from '@rollcall/protocol';
import { expect, test } from 'vitest';
import { canonicalJson } from './canonical-json.js';
import { type Commit, firstChain, type JournalError, type StoredCommit } from './commit.js';
import { decodeCommit } from './decode.js';
import { CommitEncoder } from './encode.js';
import type { Entry } from './entries.js';
import { JournalInspection } from './inspect.js';
import { sampleCommits } from './sample-journal.test.support.js';

const ID = 'session "1"' as SessionId;

function encoded(groups: readonly Entry[][], id = ID): Commit[] {
  const encoder = new CommitEncoder(id);
  let [chain, seq] = [firstChain(id), 0];
  return groups.map((entries) => {
    const commit = encoder.encode(chain, seq, entries);
    ({ chain, last_seq: seq } = commit);
    return commit;
  });
}

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8');

test('[JOURNAL-1] [JOURNAL-2] facts and personal values are canonical JSON, and no name, email or remark is in the facts', () => {
  for (const { facts, personal } of encoded(sampleCommits(ID, 40))) {
    for (const part of [facts, personal]) expect(canonicalJson(JSON.parse(part))).toBe(part);
    // Hashes are any letters; what stands beside them is not.
    expect(JSON.stringify(JSON.parse(facts).entries)).not.toMatch(
      /Ada|Kit|Student \d|Zo|school\.example|Remark|walked|Bus|Joins|Databases|bm9ib2R5/,
    );
  }
});

test('[JOURNAL-1] entries of every type come back value by value, absent fields absent', () => {
  for (const adopted of [false, true]) {
    const groups = sampleCommits(ID, 40, adopted);
    const commits = encoded(groups);
    expect(commits.map((commit) => decodeCommit(ID, commit).entries)).toStrictEqual(groups);
  }
});

test('[JOURNAL-3] the chain is the SHA-256 of the chain before and the facts, and begins with a tag and the session', () => {
  let chain = sha256(`rollcall journal 2\n${ID}`).digest('hex');
  for (const commit of encoded(sampleCommits(ID, 12))) {
    chain = sha256(chain + commit.facts).digest('hex');
    expect(commit.chain).toBe(chain);
    const values = JSON.parse(commit.personal) as string[][];
    const hashes = values.map((value) => sha256(JSON.stringify(value)).digest('base64url'));
    expect(JSON.parse(commit.facts).hashes).toEqual(hashes);
    for (const [salt] of values) expect(salt).toMatch(/^[0-9a-f]{32}$/);
  }
});

test('[JOURNAL-2] a removed value reads as if it had never been given, and the chain still holds', () => {
  const commits = encoded(sampleCommits(ID, 8));
  const inspection = new JournalInspection(ID);
  for (const commit of commits) {
    const personal = JSON.stringify((JSON.parse(commit.personal) as unknown[]).map(() => null));
    const { entries } = decodeCommit(ID, { ...commit, personal });
    expect(JSON.stringify(entries)).not.toMatch(/Ada|Kit|Student \d|Zo|school\.example|Remark|walked|Bus|Joins/);
    inspection.add({ ...commit, personal });
  }
  inspection.finish();
  expect(inspection).toMatchObject({ findings: [], isReadable: true });
  expect(inspection.removed).toBeGreaterThan(20);
  expect(inspection.entries[0]).toMatchObject({ actor: { user_id: 'user-ada', name: 'user-ada' } });
  expect(inspection.entries[0]).toMatchObject({
    roster: [{ student: { name: 'student-1', email: null } }, {}, {}, {}],
  });
});

test('[JOURNAL-4] an unknown format or entry type, and what is no commit, are errors that name session, seq and cause', () => {
  const [opening, second] = encoded(sampleCommits(ID, 8));
  if (!opening || !second) throw new Error('the sample has too few commits');
  const failure = (stored: StoredCommit): JournalError => {
    try {
      decodeCommit(ID, stored);
    } catch (error) {
      return error as JournalError;
    }
    throw new Error('it was read');
  };
  const facts = (change: (text: string) => string) => ({ ...second, facts: change(second.facts) });
  const cases: ReadonlyArray<[StoredCommit, RegExp]> = [
    [{ ...second, format: 3 }, /format 3: it needs a version of Rollcall that reads format 3, this one reads up to 2/],
    [{ ...second, format: 'x' }, /format "x"/],
    [{ ...second, format: null }, /format null/],
    [facts((text) => text.replace('"type":"marked"', '"type":"teleported"')), /type "teleported".* newer version/],
    [facts((text) => text.replace('"type":"marked"', '"type":"__proto__"')), /type "__proto__"/],
    [facts((text) => text.slice(1)), /no JSON/],
    [facts(() => '[]'), /without the entries/],
    [{ ...second, personal: '{}' }, /personal part that is no list/],
    [{ ...second, chain: 'x' }, /64 hex digits/],
    [
      {
        first_seq: 2,
        last_seq: 3,
        format: 1,
        entries: [
          { seq: 2, type: 'marked' },
          { seq: 3, type: 'beamed' },
        ],
      },
      /"beamed"/,
    ],
    [{ first_seq: 2, last_seq: 2, format: 1, entries: [{ seq: 9, type: 'marked' }] }, /seq 9/],
    [{ first_seq: 2, last_seq: 2, format: 1 }, /lacks the entries 2 to 2/],
  ];
  for (const [stored, expected] of cases) {
    const error = failure(stored);
    expect(error.name).toBe('JournalError');
    expect(error.message).toMatch(expected);
    expect(error).toMatchObject({ session_id: ID, seq: expect.any(Number) });
    expect(error.seq).toBeGreaterThanOrEqual(2);
  }
  expect(failure({ ...opening, facts: opening.facts.replace('"roster"', '"rooster"') }).message).toMatch(/roster/);
});

/** Each byte with its lowest bit turned: it stays ASCII where it was, and is broken UTF-8 nowhere. */
function* flips(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += 1) {
    yield text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
  }
}

test('[VERIFY-4] each changed byte of facts, chain and personal values is found, by session, seq and field', () => {
  const commits = encoded(sampleCommits(ID, 200));
  let tried = 0;
  for (const [i, commit] of commits.entries()) {
    const before = commits[i - 1];
    const after = commits[i + 1];
    for (const field of ['facts', 'chain', 'personal'] as const) {
      for (const changed of flips(commit[field])) {
        const inspection = new JournalInspection(ID, before && { seq: before.last_seq, chain: before.chain });
        inspection.add({ ...commit, [field]: changed });
        if (after) inspection.add(after);
        inspection.finish();
        const [finding] = inspection.findings;
        tried += 1;
        if (!finding) expect.fail(`${field} of commit ${i} was changed unseen: ${changed}`);
        const { seq } = finding;
        if (seq < commit.first_seq || seq > commit.last_seq) expect.fail(`named at seq ${seq}: ${changed}`);
        const named = field === 'personal' ? !/^(facts|chain)/.test(finding.field) : finding.field.includes(field);
        if (!named) expect.fail(`a change of ${field} is called ${finding.field}: ${changed}`);
      }
    }
  }
  expect(tried).toBeGreaterThan(50_000);
});

test('[VERIFY-4] commits that are missing, doubled, exchanged or of the older form behind newer ones are found', () => {
  const commits = encoded(sampleCommits(ID, 12));
  const findingsOf = (list: readonly StoredCommit[]) => {
    const inspection = new JournalInspection(ID);
    for (const commit of list) inspection.add(commit);
    inspection.finish();
    return inspection.findings;
  };
  expect(findingsOf(commits)).toEqual([]);
  expect(findingsOf(commits.toSpliced(4, 1))[0]).toMatchObject({ seq: commits[5]?.first_seq, field: 'seq' });
  expect(findingsOf(commits.toSpliced(4, 0, ...commits.slice(4, 5)))[0]).toMatchObject({ field: 'seq' });
  const foreign = encoded(sampleCommits('other', 12), 'other' as SessionId);
  expect(findingsOf(commits.with(3, foreign[3] as Commit)).length).toBeGreaterThan(0);
  const { first_seq = 0, last_seq = 0 } = commits[3] ?? {};
  const entries = decodeCommit(ID, commits[3] as Commit).entries;
  expect(findingsOf(commits.with(3, { first_seq, last_seq, format: 1, entries } as never))[0]).toMatchObject({
    seq: first_seq,
    field: 'format',
  });
});
