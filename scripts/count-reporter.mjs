/**
 * Ends a test run with what it skipped and for want of what, since the summary alone tells neither, and one plain
 * line: `N passed, N failed, N skipped`.
 */
export default class CountReporter {
  onTestRunEnd(testModules, unhandledErrors) {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    const wanting = new Map();
    for (const module of testModules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        count[state] += 1;
        if (state === 'skipped') {
          const need = needOf(test.fullName);
          wanting.set(need, (wanting.get(need) ?? 0) + 1);
        }
      }
      // A file that couldn't be collected has no tests that could fail.
      count.failed += module.errors().length;
    }
    const failed = count.failed + count.pending + unhandledErrors.length;
    const lines = [...wanting].map(([need, tests]) => `${tests} skipped: ${need}`);
    console.log(`\n${[...lines, `${count.passed} passed, ${failed} failed, ${count.skipped} skipped`].join('\n')}`);
  }
}

/** What is missing stands in the title of a test or of a suite around it, as `needs …`; some titles put it in parentheses. */
function needOf(fullName) {
  const need = fullName
    .split(' > ')
    .map((title) => /\(?\bneeds an? .*$/.exec(title)?.[0])
    .find((found) => found !== undefined);
  if (need === undefined) return 'by choice (no title says for want of what)';
  return need.startsWith('(') ? need.slice(1).replace(/\)$/, '') : need;
}
