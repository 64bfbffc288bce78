import { defineConfig } from 'vitest/config';

// The tests run on what `tsc -b` built, so that they exercise the very files that ship (workers and the CLI among them).
export default defineConfig({
  test: {
    include: ['packages/*/dist/**/*.test.js', 'tests/*/dist/**/*.test.js'],
    reporters: ['default', './scripts/count-reporter.mjs'],
    // Two cores and real servers: patience belongs here, never a fixed sleep in a test.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    expect: { poll: { timeout: 30_000 } },
    pool: 'forks',
    maxWorkers: 2,
    passWithNoTests: false,
  },
});
