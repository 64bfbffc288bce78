import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { schoolOf } from '../testing/school.js';
import { startServer, temporaryFolder, tokenOf } from '../testing/server.js';

const run = promisify(execFile);
const judge = process.env['ROLLCALL_TEST_SCHEMATHESIS'] ?? '';
const MISSING = judge === '' ? ': needs Schemathesis, by its requirements file, at ROLLCALL_TEST_SCHEMATHESIS' : '';
const required = (process.env['ROLLCALL_TEST_REQUIRE'] ?? '').split(',').some((name) => name.trim() === 'schemathesis');
if (MISSING && required) throw new Error(`schemathesis will not do${MISSING}`);

const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
].join(',');
/** Examples of an operation: few, since there are fifty operations, and a seed finds the same each time. */
const HOW = [
  '--max-examples',
  '3',
  '--seed',
  '1',
  '--checks',
  CHECKS,
  '--phases',
  'examples,coverage,fuzzing,stateful',
];

test.skipIf(MISSING)(
  `[API-61] by a teacher, a student and an admin: every answer is one that the document names${MISSING}`,
  async () => {
    const UNLIMITED = { RATE_LIMIT_TEACHER_PER_SECOND: '0', RATE_LIMIT_STUDENT_PER_SECOND: '0' };
    const server = await startServer(UNLIMITED, schoolOf(10));
    const cwd = await temporaryFolder();
    for (const uid of ['ada', 's-1', 'root']) {
      const token = await tokenOf(uid);
      const args = ['run', `${server.url}/api/v1/openapi.json`, '-H', `Authorization: Bearer ${token}`, ...HOW];
      const { stdout } = await run(judge, args, { cwd, maxBuffer: 1e8 }).catch((error: { stdout?: string }) => {
        throw new Error(`${uid}: ${error.stdout?.slice(-8_000) ?? String(error)}`);
      });
      expect(stdout, uid).toMatch(/\d+ generated, \d+ passed/);
    }
  },
  900_000,
);
